"""Proposing the next roster, signing it, taking it back; and what the signer answered.

Whoever proposes only writes a text. It counts by the signatures under it: of enough people of the roster in force, and of
enough of the new one. They are proved here so that everybody sees where it stands, and again by the signer and each device.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from agent.crypto import holds
from agent.proof import RefusedError, Roster, check_proof, check_roster_step, read_roster
from agent.wire import ROSTER_FRESH
from mdm.audit import service as audit
from mdm.core.actor import ActorKind
from mdm.core.errors import N_, ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.orders import kernel
from mdm.orders.moving import who
from mdm.orders.roster.drafting import Wish, next_roster
from mdm.orders.roster.model import ProposalState, RosterProposal
from mdm.outbox import service as outbox
from mdm.signing.refusals import as_error
from mdm.storage.call import Call

LIFE = timedelta(seconds=ROSTER_FRESH)
"""How long signatures are collected: the signer seals no roster that was written longer ago."""
MAX_REASON = 500


def propose(call: Call, wishes: Sequence[Wish], *, threshold: int, ceremony: int, reason: str) -> RosterProposal:
    """Writes down what the next roster shall be, for people to sign within a day.

    For people who may approve, or manage operators. Raises DeniedError, InvalidError for what no roster can be,
    ConflictError (``no_roster``; ``proposal_open`` while another one is being signed; ``same_roster``).
    """
    if call.actor.kind is not ActorKind.OPERATOR or not (
        call.actor.may_somewhere(Permission.ORDER_APPROVE) or call.actor.may_somewhere(Permission.OPERATOR_MANAGE)
    ):
        raise DeniedError(N_("Only approvers and fleet admins propose a roster. Nothing was changed."))
    said = clean(reason, MAX_REASON)
    if not said:
        sentence = N_("Say why: the others read it before they sign.")
        raise InvalidError(sentence, fields={"reason": sentence})
    kernel.locked(call)
    before = _old(call)
    old = json.loads(before.text)
    if standing(call) is not None:
        raise ConflictError(
            N_("Another proposal is being signed. Nothing was changed; take that one back first."), code="proposal_open"
        )
    now = int(call.now.timestamp())
    text = next_roster(old, wishes, threshold=threshold, ceremony=ceremony, now=now)
    _check(before, text, now)
    return written(call, old["version"] + 1, text, said)


def written(call: Call, version: int, text: str, reason: str) -> RosterProposal:
    """Keeps a text for people to sign within a day, and notes that. For ``propose`` and the founding, which judge it."""
    proposal = RosterProposal(
        id=new_uid(),
        version=version,
        text=text,
        reason=reason,
        proposed_by=clean(call.actor.name),
        proposed_by_id=who(call.actor),
        proposed_at=call.now,
        expires_at=call.now + LIFE,
        state=ProposalState.OPEN.value,
        proofs=[],
    )
    call.session.add(proposal)
    call.session.flush()
    _note(call, proposal, "roster.proposed", {"reason": reason} if reason else {})
    return proposal


def sign(call: Call, proposal_id: str, proof: Mapping[str, Any]) -> tuple[int, int]:
    """Takes one person's signature; how many of the roster in force and of the proposed one still lack.

    With the last one the signer is asked; the first roster of all is sealed by a command on the signer's machine. Raises
    NotFoundError, ConflictError (``proposal_state``, ``decided``, ``no_roster``), or the error whose code is the rule of
    ``agent.proof`` that refuses: that stands in the diary.
    """
    kernel.locked(call)
    proposal = known(call, proposal_id)
    _still_open(call, proposal)
    old, new = _before(call, proposal), read_roster(proposal.text)
    try:
        person = _person(proof, proposal.text, old, new)
    except RefusedError as refused:
        error = as_error(refused)
        error.keep = True
        said = {"why": refused.rule, "person": clean(proof.get("person"), 64)}
        _note(call, proposal, "roster.approval_failed", said)
        raise error from refused
    if any(one["person"] == person and one["key"] == proof["key"] for one in proposal.proofs):
        raise ConflictError(N_("You have signed this already. Nothing was changed."), code="decided")
    proposal.proofs = [*proposal.proofs, dict(proof)]
    lacks = lacking(call, proposal)
    _note(call, proposal, "roster.signed", {"person": person, "lacking": max(lacks)})
    if max(lacks) == 0 and old is not None:
        proposal.state = ProposalState.SENT.value
        outbox.post(call, "roster.submit", {"proposal": proposal.id})
    return lacks


def withdraw(call: Call, proposal_id: str) -> RosterProposal:
    """Takes a proposal back while it is being signed: whoever proposed it, and every approver. Twice is like once."""
    proposal = known(call, proposal_id)
    if proposal.proposed_by_id != who(call.actor) and not call.actor.may_somewhere(Permission.ORDER_APPROVE):
        raise DeniedError(N_("Only who proposed it, or an approver, takes it back. Nothing was changed."))
    if proposal.state != ProposalState.WITHDRAWN:
        _still_open(call, proposal)
        finish(call, proposal, ProposalState.WITHDRAWN)
    return proposal


def lacking(call: Call, proposal: RosterProposal) -> tuple[int, int]:
    """How many people of the roster in force, and how many of the proposed one, have still to sign."""
    old, new = _before(call, proposal), read_roster(proposal.text)
    of_new = len(_signers(proposal, new))
    if old is None:
        return 0, max(0, new.threshold - of_new)
    ripe = {person for person, one in old.people.items() if one.since <= new.issued}
    of_old = len(_signers(proposal, old) & ripe)
    return max(0, old.threshold - of_old), max(0, new.threshold - of_new)


@dataclass(frozen=True, slots=True)
class ToSubmit:
    """A proposal that enough people have signed, as the signer is given it."""

    id: str
    text: str
    proofs: list[dict[str, Any]]


def to_submit(call: Call, proposal_id: str) -> ToSubmit | None:
    """The proposal for the worker to hand in; None when it does not wait for the signer (any more)."""
    proposal = call.session.get(RosterProposal, proposal_id)
    if proposal is None or proposal.state != ProposalState.SENT:
        return None
    return ToSubmit(proposal.id, proposal.text, [dict(proof) for proof in proposal.proofs])


def answered(call: Call, proposal_id: str, *, refused: str = "") -> None:
    """Notes what the signer said; ``refused`` is its sentence when it said no. Twice is like once."""
    proposal = call.session.get(RosterProposal, proposal_id)
    if proposal is not None and proposal.state == ProposalState.SENT:
        finish(call, proposal, ProposalState.REFUSED if refused else ProposalState.SEALED, refused)


def finish(call: Call, proposal: RosterProposal, state: ProposalState, why: str = "") -> None:
    """Ends a proposal. For the worker too, with what the signer answered. Twice is like once."""
    if proposal.state == state.value:
        return
    proposal.state, proposal.why, proposal.finished_at = state.value, why, call.now
    if state is not ProposalState.SEALED:
        # That a roster was sealed stands in the diary already, written with its mirror.
        _note(call, proposal, f"roster.{state.value}", {"why": why} if why else {})


def expire(call: Call) -> None:
    """Ends proposals whose day has passed, or that another roster has overtaken."""
    version = kernel.state(call.session).roster_version
    query = select(RosterProposal).where(RosterProposal.state == ProposalState.OPEN.value)
    for proposal in call.session.scalars(query):
        if proposal.version <= version:
            finish(call, proposal, ProposalState.OVERTAKEN)
        elif proposal.expires_at <= call.now:
            finish(call, proposal, ProposalState.EXPIRED)


def _signers(proposal: RosterProposal, roster: Roster) -> set[str]:
    found = set()
    for proof in proposal.proofs:
        try:
            found.add(check_proof(proof, proposal.text, roster, holds))
        except RefusedError:
            # A signature of somebody who is in the other roster only.
            continue
    return found


def _person(proof: Mapping[str, Any], text: str, old: Roster | None, new: Roster) -> str:
    """Who signed, by the roster in force or else by the proposed one. Raises RefusedError."""
    if old is None:
        return check_proof(dict(proof), text, new, holds)
    try:
        return check_proof(dict(proof), text, old, holds)
    except RefusedError as refused:
        if refused.rule not in ("person", "key"):
            raise
        return check_proof(dict(proof), text, new, holds)


def _check(before: Roster, text: str, now: int) -> None:
    """Whether this may follow, but for the signatures that are still to come."""
    try:
        check_roster_step(before, text, [], holds, now=now)
    except RefusedError as refused:
        if refused.rule != "roster_threshold":
            raise as_error(refused) from refused
    said, old = json.loads(text), json.loads(before.text)
    if {**said, "issued": old["issued"], "version": old["version"]} == old:
        raise ConflictError(N_("This is the roster that is in force. Nothing was changed."), code="same_roster")


def _old(call: Call) -> Roster:
    kernel.roster(call.session)
    return read_roster(kernel.state(call.session).roster_text)


def _before(call: Call, proposal: RosterProposal) -> Roster | None:
    """The roster that a proposal follows; None for the first one while nobody has founded any."""
    first = proposal.version == 1 and not kernel.founded(call.session)
    return None if first else _old(call)


def standing(call: Call) -> RosterProposal | None:
    """The proposal that is being signed or sealed now. Ends those whose time is over first."""
    expire(call)
    query = select(RosterProposal).where(RosterProposal.state.in_([ProposalState.OPEN.value, ProposalState.SENT.value]))
    return call.session.scalar(query)


def known(call: Call, proposal_id: str) -> RosterProposal:
    """One proposal; NotFoundError for somebody who sees no orders."""
    proposal = call.session.get(RosterProposal, proposal_id)
    if proposal is None or not (
        call.actor.may_somewhere(Permission.ORDER_VIEW) or call.actor.may_somewhere(Permission.ORDER_APPROVE)
    ):
        raise NotFoundError(N_("There is no such proposal, or it is not yours to see."))
    return proposal


def _still_open(call: Call, proposal: RosterProposal) -> None:
    if proposal.state != ProposalState.OPEN or proposal.expires_at <= call.now:
        raise ConflictError(
            N_("This proposal is not open any more. Nothing was changed; propose it anew."), code="proposal_state"
        )


def _note(call: Call, proposal: RosterProposal, action: str, details: dict[str, Any]) -> None:
    audit.record(call, action, ("roster", proposal.version), name=f"{proposal.version}", details=details)
