"""Orders as they were before people signed them; goes when nobody makes them any more. ``seals`` has today's."""

import json
import re
from dataclasses import dataclass
from typing import Any

from agent.wire import MAX_ORDER, canonical
from agent.wire import V1_ORDER_FIELDS as ORDER_FIELDS
from agent.wire import V1_ORDER_PREFIX as ORDER_PREFIX
from mdm.core.errors import N_, DeniedError, InvalidError
from mdm.signing.seals import MAX_WINDOW, proves

_UID = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class OrderText:
    """An order as it was read from its canonical text."""

    id: str
    device: str
    enrollment: str
    verb: str
    reason: str
    requested_by: str
    approved_by: tuple[str, ...]
    not_before: int
    not_after: int

    @property
    def canonical(self) -> str:
        """The text that is signed."""
        return canonical(
            {
                "approved_by": list(self.approved_by),
                "device": self.device,
                "enrollment": self.enrollment,
                "id": self.id,
                "not_after": self.not_after,
                "not_before": self.not_before,
                "reason": self.reason,
                "requested_by": self.requested_by,
                "v": 1,
                "verb": self.verb,
            }
        ).decode()


def read_order(text: str) -> OrderText:
    """The order in its canonical text. Raises InvalidError with the code ``order_malformed`` for anything else.

    Anything else is: too long, not JSON, another spelling of the same value, a field missing or too many, a wrong type,
    a verb other than wipe, a window that is empty or longer than ``MAX_WINDOW``.
    """
    try:
        raw = text.encode()
        value = json.loads(text) if len(raw) <= MAX_ORDER else None
        same = canonical(value) == raw
    except (ValueError, RecursionError) as error:
        raise _malformed() from error
    if not same or not isinstance(value, dict) or set(value) != set(ORDER_FIELDS) or not _typed(value):
        raise _malformed()
    return OrderText(
        id=value["id"],
        device=value["device"],
        enrollment=value["enrollment"],
        verb=value["verb"],
        reason=value["reason"],
        requested_by=value["requested_by"],
        approved_by=tuple(value["approved_by"]),
        not_before=value["not_before"],
        not_after=value["not_after"],
    )


def _typed(value: dict[str, Any]) -> bool:
    names = value["approved_by"]
    return (
        type(value["v"]) is int
        and value["v"] == 1
        and value["verb"] == "wipe"
        and _matches(_UID, value["id"])
        and _matches(_UID, value["device"])
        and _matches(_DIGEST, value["enrollment"])
        and _said(value["reason"], 500)
        and _said(value["requested_by"], 255)
        and isinstance(names, list)
        and 1 <= len(names) <= 10
        and all(_said(name, 255) for name in names)
        and type(value["not_before"]) is int
        and type(value["not_after"]) is int
        and 0 < value["not_before"] < value["not_after"] <= value["not_before"] + MAX_WINDOW
    )


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _said(value: object, limit: int) -> bool:
    return isinstance(value, str) and len(value.strip()) > 0 and len(value) <= limit


def _malformed() -> InvalidError:
    return InvalidError(N_("This is not an order in its canonical form. Nothing was signed."), code="order_malformed")


def open_order(key: str, text: str, signature: str) -> OrderText:
    """The order, proved with the signer's public key (Base64). Raises DeniedError or InvalidError, typed by code."""
    if not proves(key, ORDER_PREFIX + text.encode(errors="replace"), signature):
        raise DeniedError(
            N_("The signature of this order is not the signer's. It was not taken."), code="order_signature"
        )
    return read_order(text)
