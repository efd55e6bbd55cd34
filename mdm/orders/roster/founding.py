"""The first roster, written and signed in the console: who is in it, who still has no passkey, who has not signed.

The console only collects. Sealing needs the founding secret of the signer's own folder, so its last step is a command on
that machine (``havenmeester roster seal``): no page, and nobody who holds the console, founds a roster.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from agent.crypto import holds
from agent.proof import RefusedError, check_founding
from agent.wire import canonical
from mdm.access.model import Passkey
from mdm.access.queries import approvers
from mdm.core.actor import ActorKind
from mdm.core.errors import N_, ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.permissions import Permission
from mdm.orders import kernel
from mdm.orders.roster import keys
from mdm.orders.roster.drafting import EVERYWHERE
from mdm.orders.roster.model import ProposalState, RosterProposal
from mdm.orders.roster.service import ToSubmit, lacking, standing, written
from mdm.signing import rosters
from mdm.signing.refusals import as_error
from mdm.storage.call import Call

LEAST = 3
"""Approvers of a first roster: who asks for an order never counts for it, and two others must."""
FIRST = 1


@dataclass(frozen=True, slots=True)
class Founder:
    """Somebody who holds the role of an approver, and what they have done so far."""

    operator_id: int
    name: str
    email: str
    passkeys: tuple[Passkey, ...]
    named: bool
    """Whether the first roster that is being signed names them."""
    signed: bool

    @property
    def person(self) -> str:
        """As a roster names them."""
        return f"operator:{self.operator_id}"


@dataclass(frozen=True, slots=True)
class Founding:
    """How far the founding is."""

    people: list[Founder]
    proposal: RosterProposal | None
    lacking: int
    """Signatures that the proposal still needs; 0 where there is none."""

    @property
    def ready(self) -> list[Founder]:
        """Who has a passkey."""
        return [one for one in self.people if one.passkeys]

    @property
    def too_few(self) -> int:
        """How many people with a passkey are still missing before it can be written."""
        return max(0, LEAST - len(self.ready))

    @property
    def to_seal(self) -> bool:
        """Whether enough people have signed."""
        return self.proposal is not None and self.lacking == 0


def founding(call: Call) -> Founding | None:
    """How far it is; None once there is a roster. For whoever sees orders or manages operators."""
    if kernel.founded(call.session):
        return None
    proposal = call.session.scalar(
        select(RosterProposal).where(
            RosterProposal.state == ProposalState.OPEN.value,
            RosterProposal.version == FIRST,
            RosterProposal.expires_at > call.now,
        )
    )
    named = proposal.text if proposal else ""
    signed = {proof["person"] for proof in proposal.proofs} if proposal else set()
    people = [
        Founder(
            one.id,
            one.name,
            one.email,
            tuple(passkeys),
            f'"operator:{one.id}"' in named,
            f"operator:{one.id}" in signed,
        )
        for one, passkeys in approvers(call)
    ]
    return Founding(people, proposal, lacking(call, proposal)[1] if proposal else 0)


def begin(
    call: Call, operator_ids: Sequence[int], *, rp_id: str, origin: str, threshold: int = 2, ceremony: int = 3
) -> RosterProposal:
    """Writes the first roster of these approvers with the passkeys that they have now, for them to sign within a day.

    For whoever manages operators everywhere. Raises DeniedError, InvalidError (``too_few_approvers``, and the rules of a
    roster), ConflictError (``roster_founded``; ``proposal_open`` while another one is being signed), NotFoundError for
    somebody who is no approver or has no passkey.
    """
    if call.actor.kind is not ActorKind.OPERATOR or not call.actor.may(Permission.OPERATOR_MANAGE):
        raise DeniedError(N_("Only a fleet admin of the whole city writes the first roster. Nothing was changed."))
    kernel.locked(call)
    found = founding(call)
    if found is None:
        raise ConflictError(
            N_("There is a roster of approvers already. It is changed by the people in it. Nothing was founded."),
            code="roster_founded",
        )
    if standing(call) is not None:
        raise ConflictError(
            N_("Another proposal is being signed. Nothing was changed; take that one back first."), code="proposal_open"
        )
    chosen = {one.operator_id: one for one in found.ready}
    wanted = sorted(set(operator_ids))
    if not set(wanted) <= chosen.keys():
        raise NotFoundError(N_("One of these people is no approver, or has no passkey yet. Nothing was written."))
    if len(wanted) < LEAST:
        raise InvalidError(
            N_("The first roster needs %(least)s people, because who asks never counts. Nothing was written."),
            code="too_few_approvers",
            least=LEAST,
        )
    now = int(call.now.timestamp())
    people = [_entry(chosen[number], now) for number in wanted]
    text = canonical(
        rosters.first(people, now=now, rp_id=rp_id, origins=[origin], threshold=threshold, ceremony=ceremony)
    ).decode()
    try:
        check_founding(text, [], holds, now=now)
    except RefusedError as refused:
        if refused.rule != "roster_threshold":
            raise as_error(refused) from refused
    return written(call, FIRST, text, "")


def _entry(one: Founder, now: int) -> rosters.Statement:
    named = sorted((keys.of_passkey(passkey) for passkey in one.passkeys), key=lambda key: key["id"])
    return rosters.approver(one.person, one.name, named, since=now, places=[EVERYWHERE])


def to_seal(call: Call) -> ToSubmit:
    """The first roster with its signatures, for the command on the signer's machine.

    Raises NotFoundError when none was written, ConflictError (``roster_founded``, ``roster_threshold``) when there is a
    roster, or too few have signed.
    """
    found = founding(call)
    if found is None:
        raise ConflictError(N_("There is a roster of approvers already. Nothing was founded."), code="roster_founded")
    if found.proposal is None:
        raise NotFoundError(N_("No first roster has been written in the console. Nothing was founded."))
    if found.lacking:
        raise ConflictError(
            N_("It still lacks signatures in the console: %(count)s. Nothing was founded."),
            code="roster_threshold",
            count=found.lacking,
        )
    return ToSubmit(found.proposal.id, found.proposal.text, [dict(proof) for proof in found.proposal.proofs])


def sealed(call: Call, proposal_id: str) -> None:
    """Notes that the signer has sealed it. Twice is like once."""
    proposal = call.session.get(RosterProposal, proposal_id)
    if proposal is not None and proposal.state == ProposalState.OPEN:
        proposal.state, proposal.finished_at = ProposalState.SEALED.value, call.now
