"""The receipt of one order: who asked, who approved with which key, what was signed, what the device answered.

It is made of what the order itself keeps, so that it stays whole when the device's record goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mdm.audit.queries import Line, timeline
from mdm.core.clock import iso
from mdm.core.permissions import Permission
from mdm.orders.model import Approval, Order, OrderBatch, Release
from mdm.storage.call import Call

MAX_LINES = 200


@dataclass(frozen=True, slots=True)
class Receipt:
    """Everything about one order, kept when the device's record goes: asked, decided, signed, answered."""

    order: Order
    approvals: Sequence[Approval]
    release: Release | None
    history: Sequence[Line]
    batch: OrderBatch | None = None

    @property
    def method(self) -> str:
        """How the device says that it wiped itself; empty while it has not said so."""
        data = (self.order.answer or {}).get("data")
        said = data.get("method") if isinstance(data, dict) else None
        return str(said) if said else ""

    def as_dict(self) -> dict[str, Any]:
        """The receipt as plain data, for JSON and print."""
        order = self.order
        return {
            "id": order.id,
            "batch": order.batch_id,
            "verb": order.verb,
            "lane": order.lane,
            "state": order.state,
            "device": {"id": order.device_uid, "name": order.device_label, "serial": order.device_serial},
            "place": order.place,
            "ownership": order.ownership,
            "person": order.person_name,
            "reason": order.reason,
            "requested_by": {"name": order.requested_by, "id": order.requested_by_id, "at": iso(order.requested_at)},
            "decisions": [
                {
                    "name": one.approver_name,
                    "id": one.approver_id,
                    "approved": one.approved,
                    "reason": one.reason,
                    "key": one.key_id,
                    "kind": str((one.proof or {}).get("type", "")),
                    "at": iso(one.at),
                }
                for one in self.approvals
            ],
            "expires_at": iso(order.expires_at),
            "cools_until": None if order.cools_until is None else iso(order.cools_until),
            "held_why": order.held_why,
            "signed": None
            if self.release is None
            else {
                "order": self.release.canonical,
                "signature": self.release.signature,
                "at": iso(self.release.released_at),
            },
            "answer": order.answer,
            "method": self.method,
            "finished_at": None if order.finished_at is None else iso(order.finished_at),
            "history": [
                {"at": iso(line.at), "action": line.action, "by": line.actor_name, "details": line.details}
                for line in self.history
            ],
        }


def receipt_of(call: Call, order: Order, approvals: Sequence[Approval]) -> Receipt:
    """The receipt of an order that the actor may see."""
    return Receipt(
        order,
        approvals,
        call.session.get(Release, order.id),
        timeline(call, ("order", order.id), permission=Permission.ORDER_VIEW, limit=MAX_LINES),
        call.session.get(OrderBatch, order.batch_id) if order.batch_id else None,
    )
