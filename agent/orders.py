"""Pure: whether an order may be carried out. An order is signed data; who brought it does not matter.

Only one thing is not decided here: whether the signature is the signer's, which a child process says. Everything else is
checked first, so that a forger learns nothing and costs nothing.
"""

import json
import re
from typing import Any, Final, NamedTuple

from agent import wire

TOLERANCE: Final = 300
"""Seconds that the device's clock may be wrong by."""
MAX_TEXT: Final = 2000


class Facts(NamedTuple):
    """What the device knows of itself when it reads an order."""

    device: str
    public_key: str
    now: int
    done: frozenset[str]
    """Ids of orders in the journal."""


class OrderRefusedError(Exception):
    """The order is refused; ``rule`` is a stable word, the text a sentence. Nothing was done."""

    def __init__(self, rule: str, sentence: str) -> None:
        self.rule = rule
        super().__init__(sentence)


def parse(text: bytes) -> dict[str, Any]:
    """The fields of an order that is written in the one canonical way. Raises OrderRefusedError."""
    if len(text) > wire.MAX_ORDER:
        raise OrderRefusedError("size", "The order is longer than an order may be.")
    try:
        order = json.loads(text)
        same = wire.canonical(order) == text
    except (ValueError, RecursionError):
        raise OrderRefusedError("form", "The order is not JSON.") from None
    if not isinstance(order, dict) or not same:
        raise OrderRefusedError("form", "The order is not written in the canonical way.")
    if tuple(sorted(order)) != wire.V1_ORDER_FIELDS:
        raise OrderRefusedError("fields", "The order has not exactly the fields of an order.")
    return order


def _check_types(order: dict[str, Any]) -> None:
    # ``True`` is an int in Python, and is not one in an order.
    numbers = all(type(order[name]) is int for name in ("not_after", "not_before", "v"))
    words = all(
        isinstance(order[name], str) for name in ("device", "enrollment", "id", "reason", "requested_by", "verb")
    )
    if not (numbers and words and isinstance(order["approved_by"], list)):
        raise OrderRefusedError("types", "A field of the order is not of its type.")
    people = order["approved_by"]
    if not people or not all(isinstance(name, str) and name for name in people) or not order["requested_by"]:
        raise OrderRefusedError("approval", "The order does not say who asked for it and who approved it.")
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", order["id"]):
        raise OrderRefusedError("types", "The order's id is not an id.")


def check(order: dict[str, Any], facts: Facts) -> None:
    """Every rule but the signature. Raises OrderRefusedError for the first that is not met."""
    _check_types(order)
    if order["v"] != 1:
        raise OrderRefusedError("version", "This agent does not know orders of that version.")
    if order["verb"] != "wipe":
        raise OrderRefusedError("verb", "This agent knows one order only: wipe.")
    if order["device"] != facts.device:
        raise OrderRefusedError("device", "The order is for another device.")
    if order["enrollment"] != facts.public_key:
        raise OrderRefusedError("enrollment", "The order was made for an enrollment that is no longer this device's.")
    if facts.now < order["not_before"] - TOLERANCE:
        raise OrderRefusedError("window", "The order is not valid yet by this device's clock.")
    if facts.now > order["not_after"] + TOLERANCE:
        raise OrderRefusedError("window", "The order has expired.")
    if order["id"] in facts.done:
        raise OrderRefusedError("replay", "This order was already carried out; nothing is done twice.")


def signed(text: bytes) -> bytes:
    """What the signature is over."""
    return wire.V1_ORDER_PREFIX + text
