"""Reads of rosters and of proposals, for whoever sees orders."""

from collections.abc import Sequence

from sqlalchemy import select

from mdm.core.permissions import Permission
from mdm.orders import kernel
from mdm.orders.model import SealedRoster
from mdm.orders.moving import who
from mdm.orders.roster.model import ProposalState, RosterProposal
from mdm.orders.roster.service import known
from mdm.storage.call import Call


def proposal(call: Call, proposal_id: str) -> RosterProposal:
    """One proposal; NotFoundError for somebody who sees no orders."""
    return known(call, proposal_id)


def proposals(call: Call, limit: int = 50) -> Sequence[RosterProposal]:
    """The last proposals, newest first; empty for somebody who sees no orders."""
    if not call.actor.may_somewhere(Permission.ORDER_VIEW):
        return ()
    return call.session.scalars(
        select(RosterProposal).order_by(RosterProposal.proposed_at.desc(), RosterProposal.id).limit(limit)
    ).all()


def versions(call: Call, limit: int = 50) -> Sequence[SealedRoster]:
    """The rosters that the signer has sealed, as they are mirrored here, newest first."""
    if not call.actor.may_somewhere(Permission.ORDER_VIEW):
        return ()
    return call.session.scalars(select(SealedRoster).order_by(SealedRoster.version.desc()).limit(limit)).all()


def to_sign(call: Call) -> list[RosterProposal]:
    """Open proposals that wait for a signature of this actor, who is in the roster in force or in the proposed one."""
    if not call.actor.may_somewhere(Permission.ORDER_APPROVE):
        return []
    found = call.session.scalars(
        select(RosterProposal).where(
            RosterProposal.state == ProposalState.OPEN.value, RosterProposal.expires_at > call.now
        )
    ).all()
    if not found:
        return []
    me = who(call.actor)
    old = kernel.state(call.session).roster_text
    return [one for one in found if f'"{me}"' in one.text + old and all(proof["person"] != me for proof in one.proofs)]


def count_to_sign(call: Call) -> int:
    """How many ``to_sign`` would give."""
    return len(to_sign(call))
