"""An order as it travels: its text, the signer's signature, the approvals, the batch if any, and newer rosters."""

from typing import Any, Final, NamedTuple

from agent import wire
from agent.proof.rosters import TOLERANCE, Known, Roster, follow
from agent.proof.signatures import Verify, binary, check_approvals, listed, ordinary_key
from agent.proof.statements import RefusedError, read_statement, statement_digest

_KEYS: Final = {"order", "signature", "approvals", "rosters"}


class Facts(NamedTuple):
    """What whoever judges an order knows."""

    device: str
    enrollment: str
    """SHA-256 (hexadecimal) of the device's public key."""
    order_key: str
    """Base64 of the signer's Ed25519 key."""
    now: int
    floor: int = 0
    """It is this late at least, whatever the clock says: signed words of that time were seen."""
    epoch: int = 1
    """The highest that was ever accepted."""
    done: frozenset[str] = frozenset()
    """Ids of orders that were accepted before."""
    presence: frozenset[str] = frozenset()
    """Codes that this device itself showed in the last minutes and that were not used."""
    presence_shut: bool = False
    """Too many wrong codes came: none is taken now."""
    former: frozenset[str] = frozenset()
    """Keys that this same enrollment had before its certificate was renewed: an order may have waited over a renewal."""


class Verdict(NamedTuple):
    """An order that may be carried out."""

    order: dict[str, Any]
    approvers: tuple[str, ...]
    rosters: list[Known]
    """What it taught of rosters, the newest last."""


def need(lane: str, roster: Roster) -> int:
    """How many people, beside the requester, have to approve an order in this lane."""
    return {"hand_in": 0, "mass": roster.ceremony}.get(lane, wire.APPROVERS)


def read_envelope(envelope: object) -> dict[str, Any]:
    """The envelope, when it has exactly the keys of one. Raises RefusedError ``envelope``, ``proof_form``, ``roster_form``."""
    if not isinstance(envelope, dict) or set(envelope) - {"batch"} != _KEYS:
        raise RefusedError("envelope", "This has not exactly the parts of an order with its approvals.")
    if not isinstance(envelope["order"], str) or not isinstance(envelope.get("batch", ""), str):
        raise RefusedError("envelope", "The order, or its batch, is not text.")
    listed(envelope["approvals"])
    if not isinstance(envelope["rosters"], list) or len(envelope["rosters"]) > wire.MAX_ROSTERS:
        raise RefusedError("roster_form", f"This is not a list of at most {wire.MAX_ROSTERS} rosters.")
    return envelope


def check_envelope(envelope: object, facts: Facts, roster: Roster | None, verify: Verify) -> Verdict:
    """The order in this envelope, once every rule holds for a device that knows ``roster``. Raises RefusedError."""
    parts = read_envelope(envelope)
    learned = follow(roster, parts["rosters"], facts.order_key, verify, now=facts.now)
    latest = learned[-1].roster if learned else roster
    order, approvers = check_order(parts, facts, latest, verify)
    return Verdict(order, approvers, learned)


def check_order(
    envelope: dict[str, Any], facts: Facts, roster: Roster | None, verify: Verify
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The order and who approved it, judged by this roster. Raises RefusedError for the first rule that is not met.

    What costs nothing is asked first: ``device``, ``enrollment``, ``epoch``, ``window``, ``replay``; then ``signature``;
    then ``no_roster``, the approvals' rules, ``batch``; last ``presence`` and ``presence_shut``.
    """
    text = envelope["order"]
    order = read_statement(text, "order")
    _check_place_and_time(order, facts)
    signature = binary(envelope["signature"], 64, "signature")
    if not verify(ordinary_key(facts.order_key), signature, wire.ORDER_PREFIX + text.encode()):
        raise RefusedError("signature", "The signature is not the signer's. The order was not carried out.")
    if roster is None:
        raise RefusedError("no_roster", "This device knows no roster of approvers yet, so nobody can approve anything.")
    statement = _statement(envelope, order, facts)
    approvers: tuple[str, ...] = ()
    if order["lane"] != "hand_in":
        approvers = check_approvals(
            statement,
            envelope["approvals"],
            roster,
            verify,
            requester=order["requester"],
            place=order["place"],
            now=facts.now,
            need=need(order["lane"], roster),
        )
    else:
        _check_presence(order["presence"], facts)
    return order, approvers


def _check_place_and_time(order: dict[str, Any], facts: Facts) -> None:
    if order["device"] != facts.device:
        raise RefusedError("device", "The order is for another device.")
    if order["enrollment"] != facts.enrollment and order["enrollment"] not in facts.former:
        raise RefusedError("enrollment", "The order was made for an enrollment that is no longer this device's.")
    if order["epoch"] < facts.epoch:
        raise RefusedError("epoch", "The order is from before the server was restored.")
    if facts.now < order["not_before"] - TOLERANCE:
        raise RefusedError("window", "The order is not valid yet by this device's clock.")
    if max(facts.now, facts.floor) > order["not_after"] + TOLERANCE:
        raise RefusedError("window", "The order has expired.")
    if order["id"] in facts.done:
        raise RefusedError("replay", "This order was already carried out; nothing is done twice.")


def _statement(envelope: dict[str, Any], order: dict[str, Any], facts: Facts) -> str:
    """What the approvers signed: the batch that names this order, or the order itself."""
    text: str = envelope["order"]
    if "batch" not in envelope:
        return text
    whole: str = envelope["batch"]
    check_batch(whole, text, order, now=max(facts.now, facts.floor))
    return whole


def check_batch(whole: str, text: str, order: dict[str, Any], *, now: int) -> None:
    """Nothing when the batch ``whole`` names the order, whose ``text`` and fields these are. Raises RefusedError ``batch``."""
    batch = read_statement(whole, "batch")
    if statement_digest(text).hex() not in batch["orders"]:
        raise RefusedError("batch", "The batch that was approved does not name this order.")
    if any(batch[name] != order[name] for name in ("lane", "reason", "requested_by", "requester")):
        raise RefusedError("batch", "The batch that was approved says something else than the order.")
    if order["not_after"] > batch["not_after"] or now > batch["not_after"] + TOLERANCE:
        raise RefusedError("batch", "The order holds longer than the batch that was approved.")


def _check_presence(code: str, facts: Facts) -> None:
    if facts.presence_shut:
        raise RefusedError("presence_shut", "Too many wrong codes came; a hand-in is possible again in an hour.")
    if code not in facts.presence:
        raise RefusedError("presence", "This device did not show that code in the last ten minutes, or it was used.")
