"""The worker's side: an approved act is done once, in one transaction, after everything was asked again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from agent import crypto, proof
from mdm.access.model import ApiToken, Operator
from mdm.access.places import actor_for, actor_of_token
from mdm.core.actor import Actor, ActorKind, command_line
from mdm.core.errors import HavenmeesterError
from mdm.core.risk import RISKS, Permit, Risk, Why, spelled
from mdm.orders import envelope, kernel
from mdm.orders.acts import states
from mdm.orders.acts.moving import disabled, locked, move
from mdm.orders.model import Act, ActApproval, ActState
from mdm.org.queries import units_below
from mdm.storage.call import Call

Handler = Callable[[Call, Act], object]
"""Calls the one service verb again, in the requester's name and with the permit."""
AGAIN = 300
"""Seconds after which a held act is looked at again."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Trust:
    """What the signer itself has just said: its public order key, and the version of the roster in force."""

    order_key: str
    version: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a try. ``again``: seconds until the next one, None when there is none."""

    state: ActState
    again: int | None = None


def perform(call: Call, act_id: str, handlers: Mapping[Risk, Handler], trust: Trust) -> Outcome | None:
    """Does an approved act, or holds or ends it: what came of it; None where nothing waits to be done. Twice is like once.

    For the worker, on ``act.perform``. Asked again: the time, the red button, the signatures under the roster of now (which
    is not believed as the database has it, but by the signer's seals), the requester's rights, the budget, and by the
    service itself the predicate and the state of the subject. What a service refuses ends the act, and nothing of it is
    done. Raises what the database raises.
    """
    act = locked(call.session, act_id)
    if act is None or ActState(act.state) not in states.TO_PERFORM:
        return None
    if act.expires_at <= call.now:
        return _end(call, act, ActState.EXPIRED, "")
    if act.due_at is not None and act.due_at > call.now:
        return Outcome(ActState(act.state), int((act.due_at - call.now).total_seconds()) + 1)
    held = _held(call, act)
    if held:
        return _hold(call, act, held)
    try:
        roster = _roster(call, trust)
    except proof.RefusedError as refused:
        return _fail(call, act, str(refused))
    if roster is None:
        return _hold(call, act, "The newest roster of approvers has not been copied from the signer yet.")
    wrong = _unsigned(call, act, roster)
    if wrong:
        return _fail(call, act, wrong)
    actor = _requester(call, act)
    if actor is None:
        return _fail(call, act, "Whoever asked for it may no longer do anything here.")
    permit = Permit(
        Why.APPROVED,
        Risk(act.verb),
        (act.subject_kind, act.subject_id),
        spelled(act.arguments),
        dict(act.facts),
        act.id,
    )
    try:
        with call.session.begin_nested():
            handlers[Risk(act.verb)](call.by(actor).with_permit(permit), act)
            call.session.flush()
    except HavenmeesterError as error:
        return _fail(call, act, str(error))
    return _end(call, act, ActState.DONE, "")


def expire_due(call: Call) -> int:
    """Ends the acts whose time has passed: how many."""
    due = call.session.scalars(
        select(Act).where(Act.finished_at.is_(None), Act.expires_at <= call.now).order_by(Act.id).with_for_update()
    ).all()
    for act in due:
        move(call, act, ActState.EXPIRED)
    return len(due)


def _held(call: Call, act: Act) -> str:
    """Why it may not be done now, though everybody agreed; empty when it may."""
    if kernel.state(call.session).frozen_at is not None:
        return "The red button was pressed: nothing risky is done until it is lifted."
    row = RISKS[Risk(act.verb)]
    lately = call.session.scalar(
        select(func.count())
        .select_from(Act)
        .where(
            Act.requested_by_id == act.requested_by_id,
            Act.verb == act.verb,
            Act.state == ActState.DONE.value,
            Act.finished_at > call.now - DAY,
        )
    )
    if (lately or 0) >= row.per_day:
        return f"{act.requested_by} had {row.per_day} of these done within 24 hours; it waits for room."
    return ""


def _roster(call: Call, trust: Trust) -> proof.Roster | None:
    """The roster that the signer says is in force, proved; None while the mirror lacks it. Raises RefusedError."""
    found = envelope.latest(call, trust.order_key)
    return None if found is None or found.version < trust.version else found


def _unsigned(call: Call, act: Act, roster: proof.Roster) -> str:
    """Why the signatures that are kept do not do under the roster of now; empty when they do."""
    kept = call.session.scalars(
        select(ActApproval.proof).where(ActApproval.act_id == act.id, ActApproval.approved).order_by(ActApproval.id)
    ).all()
    try:
        proof.read_statement(act.canonical, "act")
        agreed = proof.check_approvals(
            act.canonical,
            list(kept),
            roster,
            crypto.holds,
            requester=act.requested_by_id,
            place=act.place,
            now=int(call.now.timestamp()),
            need=max(act.approvals_needed, RISKS[Risk(act.verb)].approvers),
        )
    except (proof.RefusedError, HavenmeesterError) as refused:
        return str(refused)
    if any(disabled(call.session, person) for person in agreed):
        return "Somebody who agreed has been shut out since."
    return _altered(act)


def _altered(act: Act) -> str:
    """Whether the row still says what was signed: whoever can write the table cannot have another act done."""
    said = proof.read_statement(act.canonical, "act")
    same = (
        said["id"] == act.id
        and said["verb"] == act.verb
        and said["subject"] == f"{act.subject_kind}:{act.subject_id}"
        and said["args"]["does"] == act.arguments
        and said["args"]["facts"] == act.facts
        and said["requester"] == act.requested_by_id
        and said["not_after"] == int(act.expires_at.timestamp())
    )
    return "" if same else "The request is no longer what people have signed."


def _requester(call: Call, act: Act) -> Actor | None:
    """Whoever asked, with the rights of this moment; None when they have gone."""
    session, request = call.session, f"act-{act.id[:12]}"
    if act.actor_kind == ActorKind.COMMAND_LINE:
        return command_line(act.requested_by, request)
    if act.actor_kind == ActorKind.OPERATOR:
        operator = session.get(Operator, act.actor_id)
        if operator is None or operator.disabled_at is not None:
            return None
        return actor_for(session, operator, request, None, call.now, units_below)
    token = session.get(ApiToken, act.actor_id) if act.actor_kind == ActorKind.TOKEN else None
    if token is None or token.revoked_at is not None or (token.expires_at and token.expires_at <= call.now):
        return None
    maker = session.get(Operator, token.created_by_id) if token.created_by_id is not None else None
    if maker is not None and maker.disabled_at is not None:
        return None
    return actor_of_token(session, token, request, None, call.now, units_below)


def _hold(call: Call, act: Act, why: str) -> Outcome:
    if act.state != ActState.HELD or act.why != why:
        act.why = why
        move(call, act, ActState.HELD, {"why": why})
    return Outcome(ActState.HELD, AGAIN)


def _fail(call: Call, act: Act, why: str) -> Outcome:
    return _end(call, act, ActState.FAILED, why)


def _end(call: Call, act: Act, state: ActState, why: str) -> Outcome:
    act.why = why
    move(call, act, state, {"why": why} if why else None)
    return Outcome(state)
