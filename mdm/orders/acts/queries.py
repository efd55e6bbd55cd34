"""Reads of acts: those at the places where the actor may see orders, and the ones they asked for themselves."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from mdm.core.clock import iso
from mdm.core.permissions import Permission
from mdm.core.risk import RISKS, Risk
from mdm.orders.acts.asking import requester_id
from mdm.orders.acts.moving import missing
from mdm.orders.model import Act, ActApproval, ActState
from mdm.storage.call import Call
from mdm.storage.scoping import within

PAGE = 50
MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class Receipt:
    """Everything about one act: asked, decided, done."""

    act: Act
    approvals: Sequence[ActApproval]

    def as_dict(self) -> dict[str, Any]:
        """The act as plain data, for JSON. ``statement`` is the text that people sign, to the letter."""
        act = self.act
        return {
            "id": act.id,
            "verb": act.verb,
            "words": RISKS[Risk(act.verb)].words,
            "state": act.state,
            "subject": {"kind": act.subject_kind, "id": act.subject_id, "name": act.subject_name},
            "arguments": act.arguments,
            "facts": act.facts,
            "reason": act.reason,
            "why": act.why,
            "place": act.place,
            "requested_by": {"name": act.requested_by, "id": act.requested_by_id, "at": iso(act.requested_at)},
            "approvals_needed": act.approvals_needed,
            "decisions": [
                {
                    "name": one.approver_name,
                    "id": one.approver_id,
                    "approved": one.approved,
                    "reason": one.reason,
                    "at": iso(one.at),
                }
                for one in self.approvals
            ],
            "due_at": iso(act.due_at) if act.due_at else None,
            "expires_at": iso(act.expires_at),
            "finished_at": iso(act.finished_at) if act.finished_at else None,
            "statement": act.canonical,
        }


def acts_select(call: Call, chosen: Collection[ActState] = ()) -> Select[Act]:
    """Acts that the actor may see, only in these states where any are given, newest first."""
    mine = Act.requested_by_id == requester_id(call)
    query = select(Act).where(or_(mine, _within(call, Permission.ORDER_VIEW)))
    if chosen:
        query = query.where(Act.state.in_([state.value for state in chosen]))
    return query.order_by(Act.requested_at.desc(), Act.id.desc())


def acts(
    call: Call, chosen: Collection[ActState] = (), *, after: tuple[datetime, str] | None = None, limit: int = PAGE
) -> Sequence[Act]:
    """One page of acts, newest first; ``after`` is (requested_at, id) of the last one of the page before."""
    query = acts_select(call, chosen)
    if after is not None:
        moment, act_id = after
        query = query.where(or_(Act.requested_at < moment, and_(Act.requested_at == moment, Act.id < act_id)))
    return call.session.scalars(query.limit(max(1, min(limit, MAX_PAGE)))).all()


def act(call: Call, act_id: str) -> Act:
    """One act; NotFoundError when it is not there or not the actor's."""
    found = call.session.scalar(acts_select(call).where(Act.id == act_id))
    if found is None:
        raise missing()
    return found


def receipt(call: Call, act_id: str) -> Receipt:
    """One act with what people decided; NotFoundError as ``act``."""
    found = act(call, act_id)
    rows = call.session.scalars(select(ActApproval).where(ActApproval.act_id == act_id).order_by(ActApproval.id))
    return Receipt(found, rows.all())


def to_approve(call: Call, limit: int = MAX_PAGE) -> Sequence[Act]:
    """Acts that wait for this actor's decision: at a place where they may agree, and not asked by themselves."""
    return call.session.scalars(select(Act).where(*_for(call)).order_by(Act.requested_at).limit(limit)).all()


def count_to_approve(call: Call) -> int:
    """How many acts ``to_approve`` would give; 0 without asking for those who approve nowhere."""
    if not call.actor.may_somewhere(Permission.ORDER_APPROVE):
        return 0
    return call.session.scalar(select(func.count(Act.id)).where(*_for(call))) or 0


def _for(call: Call) -> tuple[ColumnElement[bool], ...]:
    decided = select(ActApproval.act_id).where(ActApproval.approver_id == requester_id(call))
    return (
        _within(call, Permission.ORDER_APPROVE),
        Act.state == ActState.REQUESTED.value,
        Act.expires_at > call.now,
        Act.requested_by_id != requester_id(call),
        Act.id.not_in(decided),
    )


def _within(call: Call, permission: Permission) -> ColumnElement[bool]:
    return within(call.actor.scope(permission), Act.service_point_id, Act.unit_id)
