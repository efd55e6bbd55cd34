"""What people sign: the canonical text of an order, and of a batch of orders. Pure.

The text is fixed when the order is asked, so that everybody who approves it signs exactly what the device will prove.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from agent.wire import canonical


@dataclass(frozen=True, slots=True)
class Wanted:
    """One order before it is written. Moments are seconds since 1970; ``requester`` is a person id (``operator:7``)."""

    id: str
    device: str
    enrollment: str
    """SHA-256 of the device's public key: the order dies with the enrollment."""
    lane: str
    place: str
    presence: str
    reason: str
    requested_by: str
    requester: str
    epoch: int
    not_before: int
    not_after: int

    def text(self) -> str:
        """The canonical text, which is signed."""
        return _text(
            {
                "device": self.device,
                "enrollment": self.enrollment,
                "epoch": self.epoch,
                "id": self.id,
                "kind": "order",
                "lane": self.lane,
                "not_after": self.not_after,
                "not_before": self.not_before,
                "place": self.place,
                "presence": self.presence,
                "reason": self.reason,
                "requested_by": self.requested_by,
                "requester": self.requester,
                "v": 2,
                "verb": "wipe",
            }
        )


def batch_text(
    batch_id: str, orders: Iterable[str], *, lane: str, reason: str, requested_by: str, requester: str, not_after: int
) -> str:
    """The canonical text of a batch; ``orders`` are the texts of its orders."""
    return _text(
        {
            "id": batch_id,
            "kind": "batch",
            "lane": lane,
            "not_after": not_after,
            "orders": sorted(digest(text) for text in orders),
            "reason": reason,
            "requested_by": requested_by,
            "requester": requester,
            "v": 1,
        }
    )


def thaw_text(freeze: int, issued: int) -> str:
    """The canonical text that lifts the freeze with this number."""
    return _text({"freeze": freeze, "issued": issued, "kind": "thaw", "v": 1})


def digest(text: str) -> str:
    """SHA-256 of the text, hexadecimal: what a passkey is challenged with."""
    return hashlib.sha256(text.encode()).hexdigest()


def _text(value: dict[str, Any]) -> str:
    return canonical(value).decode()
