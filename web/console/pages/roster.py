"""The roster of approvers: who is in it, who waits until when; proposing the next one, and signing it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import g, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.access.queries import approvers
from mdm.core.errors import N_, HavenmeesterError, InvalidError
from mdm.core.permissions import Permission
from mdm.orders import kernel as mirror
from mdm.orders.roster import founding, keys, queries, service
from mdm.orders.roster.drafting import Wish, changes
from mdm.orders.roster.model import ProposalState, RosterProposal
from mdm.org.queries import service_points
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.identity import party
from web.console.kernel import kernel
from web.console.pages.helpers import BOTH, GET, POST, Route, done, number, page, refused, text
from web.console.signing import given_proofs, paper, signing


@dataclass(frozen=True, slots=True)
class Candidate:
    """One person of the form: in the roster, or an approver who could be."""

    slot: int
    person: str
    name: str
    inside: bool
    places: tuple[str, ...]
    keys: tuple[tuple[dict[str, str], str, bool], ...]
    """Key, what people call it, whether the roster has it."""
    since: datetime | None


@may(Permission.ORDER_VIEW)
def roster(call: Call) -> Response:
    """The roster in force, the ones before, and what is proposed."""
    known = _in_force(call)
    return page(
        "orders/roster.html",
        roster=known,
        founding=founding.founding(call),
        may_found=call.actor.may(Permission.OPERATOR_MANAGE),
        people=changes(known, known) if known else [],
        labels=_labels(call),
        moment_of=moment_of,
        versions=[(one, json.loads(one.text)) for one in queries.versions(call)],
        proposals=queries.proposals(call),
        to_sign=queries.to_sign(call),
        may_propose=known is not None and _may_propose(call),
        kernel=kernel(call),
        now=call.now,
    )


@may(Permission.ORDER_VIEW)
def roster_found(call: Call) -> Response:
    """Writes the first roster of the people who were ticked; they sign it, and a command on the server seals it."""
    if not g.get("fresh"):
        return make_response(redirect(url_for("prove", next=url_for("roster")), 303))
    here = party()
    proposal = founding.begin(
        call,
        [int(one) for one in request.form.getlist("person") if one.isdecimal() and len(one) < 10],
        rp_id=here.rp_id,
        origin=here.origin,
        threshold=number("threshold") or 0,
        ceremony=number("ceremony") or 0,
    )
    return done(
        gettext("The first roster is written. Now the people in it sign it."),
        url_for("roster_proposal", uid=proposal.id),
    )


def moment_of(seconds: int) -> datetime:
    """Seconds since 1970 as a moment."""
    return datetime.fromtimestamp(seconds, UTC)


def _in_force(call: Call) -> dict[str, Any] | None:
    written = mirror.state(call.session).roster_text
    found: dict[str, Any] | None = json.loads(written) if written else None
    return found


def _labels(call: Call) -> dict[str, str]:
    """What people call a key: the name of the passkey, where it is known here."""
    return {
        passkey.key_id: f"{gettext('Passkey')} {passkey.name}"
        for _operator, passkeys in approvers(call)
        for passkey in passkeys
    }


def _may_propose(call: Call) -> bool:
    return any(call.actor.may_somewhere(one) for one in (Permission.ORDER_APPROVE, Permission.OPERATOR_MANAGE))


@may(Permission.ORDER_VIEW)
def roster_propose(call: Call) -> Response:
    """The form of the next roster, and keeping it as a proposal."""
    candidates = _candidates(call)
    if request.method == "GET":
        return _form(call, candidates)
    if not g.get("fresh"):
        return make_response(redirect(url_for("prove", next=url_for("roster_propose")), 303))
    try:
        proposal = service.propose(
            call,
            [_wish(one) for one in candidates if request.form.get(f"in-{one.slot}")],
            threshold=number("threshold") or 0,
            ceremony=number("ceremony") or 0,
            reason=text("reason"),
        )
    except HavenmeesterError as error:
        return _form(call, candidates, refused(call, error))
    return done(gettext("The proposal waits for signatures."), url_for("roster_proposal", uid=proposal.id))


def _form(call: Call, candidates: list[Candidate], failure: Failure | None = None) -> Response:
    known = _in_force(call)
    response = page(
        "orders/roster_propose.html",
        roster=known,
        candidates=candidates,
        points=[(one.code, one.name) for one in service_points(call)],
        failure=failure,
        values=request.form,
        again=request.method == "POST",
    )
    return failure.stamp(response) if failure else response


def _candidates(call: Call) -> list[Candidate]:
    known = _in_force(call) or {"approvers": []}
    inside = {one["person"]: one for one in known["approvers"]}
    operators = {f"operator:{operator.id}": (operator.name, passkeys) for operator, passkeys in approvers(call)}
    found = []
    for slot, person in enumerate(sorted(inside.keys() | operators.keys())):
        one = inside.get(person)
        name, passkeys = operators.get(person, ("", []))
        named = {passkey.key_id: (keys.of_passkey(passkey), passkey.name) for passkey in passkeys}
        held = {key["id"]: key for key in one["keys"]} if one else {}
        offered = [
            (
                key,
                named[key["id"]][1]
                if key["id"] in named
                else gettext("Key file")
                if key["type"] == "ed25519"
                else gettext("Passkey"),
                True,
            )
            for key in held.values()
        ]
        offered += [(key, label, False) for number_, (key, label) in named.items() if number_ not in held]
        found.append(
            Candidate(
                slot=slot,
                person=person,
                name=one["name"] if one else name,
                inside=one is not None,
                places=tuple(one["places"]) if one else ("*",),
                keys=tuple(offered),
                since=moment_of(one["from"]) if one else None,
            )
        )
    return sorted(found, key=lambda one: (not one.inside, one.name))


def _wish(one: Candidate) -> Wish:
    """What the form says of one person. Raises InvalidError for somebody without a key or a place."""
    chosen = set(request.form.getlist(f"key-{one.slot}"))
    taken = [key for key, _label, _held in one.keys if key["id"] in chosen]
    file = request.files.get(f"file-{one.slot}")
    if file is not None and file.filename:
        taken.append(keys.of_file(file.read(keys.MAX_FILE)))
    if not taken:
        raise InvalidError(
            N_("%(name)s has no key. Choose one, or take this person out. Nothing was changed."), name=one.name
        )
    places = ("*",) if request.form.get(f"everywhere-{one.slot}") else tuple(request.form.getlist(f"place-{one.slot}"))
    if not places:
        raise InvalidError(
            N_("%(name)s may approve nowhere. Choose a place, or take this person out. Nothing was changed."),
            name=one.name,
        )
    return Wish(one.person, one.name, places, tuple({key["id"]: key for key in taken}.values()))


@may(Permission.ORDER_VIEW)
def roster_proposal(call: Call, uid: str) -> Response:
    """One proposal: what would change, who has signed, signing it."""
    return _proposal(call, queries.proposal(call, uid))


def _proposal(call: Call, proposal: RosterProposal, failure: Failure | None = None) -> Response:
    known, new = _in_force(call), json.loads(proposal.text)
    is_open = proposal.state == ProposalState.OPEN and proposal.expires_at > call.now
    me = f"operator:{call.actor.id}"
    concerned = {one["person"] for one in [*new["approvers"], *(known["approvers"] if known else [])]}
    signed = [proof["person"] for proof in proposal.proofs]
    names = {one["person"]: one["name"] for one in [*(known["approvers"] if known else []), *new["approvers"]]}
    lacks = service.lacking(call, proposal) if is_open else (0, 0)
    response = page(
        "orders/roster_proposal.html",
        proposal=proposal,
        new=new,
        old=known if known and known["version"] < new["version"] else None,
        changes=changes(known if known and known["version"] < new["version"] else None, new),
        labels=_labels(call),
        moment_of=moment_of,
        is_open=is_open,
        signed=[names.get(person, person) for person in signed],
        lacks=lacks,
        first=proposal.version == founding.FIRST,
        mine=me in concerned,
        have_signed=me in signed,
        signing=signing(call, proposal.text) if is_open and me in concerned and me not in signed else None,
        may_withdraw=is_open and (proposal.proposed_by_id == me or call.actor.may_somewhere(Permission.ORDER_APPROVE)),
        failure=failure,
        now=call.now,
    )
    return failure.stamp(response) if failure else response


@may(Permission.ORDER_VIEW)
def roster_sign(call: Call, uid: str) -> Response:
    """Takes one person's signature, or those of a file."""
    proposal = queries.proposal(call, uid)
    lacks = (0, 0)
    try:
        for proof in given_proofs(call, proposal.text):
            lacks = service.sign(call, uid, proof)
    except HavenmeesterError as error:
        failure = refused(call, error)
        return _proposal(call, queries.proposal(call, uid), failure)
    if max(lacks):
        sentence = gettext("Your signature was taken. People who must still sign: %(count)s.", count=max(lacks))
        return done(sentence, url_for("roster_proposal", uid=uid))
    if proposal.version == founding.FIRST:
        sentence = gettext("Enough people have signed. Now it is sealed on the server, see below.")
        return done(sentence, url_for("roster_proposal", uid=uid))
    return done(gettext("Enough people have signed. The signer is asked now."), url_for("roster_proposal", uid=uid))


@may(Permission.ORDER_VIEW)
def roster_withdraw(call: Call, uid: str) -> Response:
    """Takes a proposal back."""
    service.withdraw(call, uid)
    return done(gettext("The proposal was taken back. The roster stays as it is."), url_for("roster"))


@may(Permission.ORDER_VIEW)
def roster_paper(call: Call, uid: str) -> Response:
    """The proposed roster as a file for havenmeester approve."""
    proposal = queries.proposal(call, uid)
    return paper(proposal.text, f"roster-{proposal.version}")


ROUTES: tuple[Route, ...] = (
    ("/roster", "roster", roster, GET),
    ("/roster/found", "roster_found", roster_found, POST),
    ("/roster/propose", "roster_propose", roster_propose, BOTH),
    ("/roster/proposals/<uid>", "roster_proposal", roster_proposal, GET),
    ("/roster/proposals/<uid>/sign", "roster_sign", roster_sign, POST),
    ("/roster/proposals/<uid>/withdraw", "roster_withdraw", roster_withdraw, POST),
    ("/roster/proposals/<uid>/statement.json", "roster_paper", roster_paper, GET),
)
