"""What people sign beside an order itself (``mdm.signing.seals.OrderText``): a batch of orders, the end of a freeze. Pure."""

from collections.abc import Iterable
from typing import Any

from agent.proof import statement_digest
from agent.wire import canonical


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
    return statement_digest(text).hex()


def _text(value: dict[str, Any]) -> str:
    return canonical(value).decode()
