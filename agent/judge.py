"""What the child process judges: an envelope, a list of rosters, and the answer to an enrollment. Nothing is done here.

    {"do": "judge", "envelope": ..., "facts": {...}, "roster": TEXT or null}
        → {"rosters": [...], "order": {...}, "approvers": [...]}, or with "refused" and "sentence" instead of the order
    {"do": "follow", "rosters": [...], "roster": TEXT or null, "order_key": base64, "now": s}  → {"rosters": [...]}
    {"do": "pin", "certificate": PEM chain, "ca": PEM, "device": ..., "order_key": base64, "rosters": [...], "now": s}
        → {"rosters": [...]}

``rosters`` of an answer are {"version", "digest", "sealed"}, the newest last. Refused: {"refused": rule, "sentence": ...}.
"""

from collections.abc import Callable
from typing import Any

from agent import proof
from agent.proof import Known, RefusedError, Roster, Verify

Answer = dict[str, Any]


def _told(known: list[Known]) -> list[Answer]:
    return [{"version": one.roster.version, "digest": one.roster.digest, "sealed": one.sealed} for one in known]


def _refused(refused: RefusedError) -> Answer:
    return {"refused": refused.rule, "sentence": str(refused)}


def _roster(text: str | None) -> Roster | None:
    return None if text is None else proof.read_roster(text)


def judge(request: dict[str, Any], verify: Verify) -> Answer:
    """Whether the order in an envelope may be carried out, and what the envelope teaches of rosters in any case."""
    given = request["facts"]
    sets = {name: frozenset(given[name]) for name in ("done", "presence", "former")}
    facts = proof.Facts(**{**given, **sets})
    learned: list[Known] = []
    try:
        roster = _roster(request["roster"])
        parts = proof.read_envelope(request["envelope"])
        learned = proof.follow(roster, parts["rosters"], facts.order_key, verify, now=facts.now)
        latest = learned[-1].roster if learned else roster
        if latest is not None:
            facts = facts._replace(floor=max(facts.floor, latest.issued))
        order, approvers = proof.check_order(parts, facts, latest, verify)
    except RefusedError as refused:
        return {"rosters": _told(learned), **_refused(refused)}
    return {"rosters": _told(learned), "order": order, "approvers": list(approvers)}


def follow(request: dict[str, Any], verify: Verify) -> Answer:
    """The rosters that follow the known one."""
    try:
        known = _roster(request["roster"])
        learned = proof.follow(known, request["rosters"], request["order_key"], verify, now=request["now"])
    except RefusedError as refused:
        return {"rosters": [], **_refused(refused)}
    return {"rosters": _told(learned)}


def pin(request: dict[str, Any], verify: Verify, inspect: Callable[[str, str], dict[str, Any]]) -> Answer:
    """Whom a device that enrols may believe: only what its certificate says too, which our authority has signed."""
    try:
        seen = inspect(request["certificate"], request["ca"])
        order_key, pinned = _named(request, seen)
        learned = proof.pinned(pinned, request["rosters"], order_key, verify, now=request["now"])
    except RefusedError as refused:
        return {"rosters": [], **_refused(refused)}
    return {"rosters": _told(learned)}


def _named(request: dict[str, Any], seen: dict[str, Any]) -> tuple[str, proof.Pin | None]:
    """Order key and roster that the certificate names. Raises RefusedError."""
    if not seen["issued"]:
        raise RefusedError("authority", "The certificate is not from the authority of the invitation.")
    if seen["device"] != request["device"]:
        raise RefusedError("device", "The certificate is for another device.")
    order_key, pinned = proof.read_pin(seen["pin"])
    if order_key != request["order_key"]:
        raise RefusedError("order_key", "The certificate names another signer than the gateway does.")
    return order_key, pinned
