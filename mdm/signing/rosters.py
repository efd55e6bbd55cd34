"""Writing the next roster: pure changes of the one before. The rules of ``agent/proof.py`` judge what comes out."""

from collections.abc import Sequence
from typing import Any, Final

from agent.wire import ROSTER_WAIT
from mdm.core.errors import N_, ConflictError, NotFoundError

Statement = dict[str, Any]
Key = dict[str, str]
"""``id``, ``public``, ``type``."""
EVERYWHERE: Final = "*"


def first(
    people: Sequence[Statement], *, now: int, rp_id: str, origins: Sequence[str], threshold: int = 2, ceremony: int = 3
) -> Statement:
    """The founding statement. ``people`` come from ``approver``."""
    return {
        "approvers": sorted(people, key=lambda one: str(one["person"])),
        "ceremony": ceremony,
        "issued": now,
        "kind": "roster",
        "origins": list(origins),
        "rp_id": rp_id,
        "threshold": threshold,
        "v": 1,
        "version": 1,
    }


def approver(
    person: str, name: str, keys: Sequence[Key], *, since: int, places: Sequence[str] = (EVERYWHERE,)
) -> Statement:
    """One person as a roster names them."""
    return {"from": since, "keys": list(keys), "name": name, "person": person, "places": sorted(places)}


def following(old: Statement, *, now: int, **changes: Any) -> Statement:
    """The roster after ``old`` with these fields changed; the people stay as they are."""
    return {**old, **changes, "issued": now, "version": int(old["version"]) + 1}


def with_person(statement: Statement, person: str, name: str, keys: Sequence[Key], places: Sequence[str]) -> Statement:
    """With somebody new, who waits for 72 hours. Raises ConflictError for somebody who is in it."""
    if any(one["person"] == person for one in statement["approvers"]):
        raise ConflictError(N_("%(who)s is in the roster already. Nothing was written."), who=person)
    new = approver(person, name, keys, since=int(statement["issued"]) + ROSTER_WAIT, places=places)
    return _people(statement, [*statement["approvers"], new])


def without_person(statement: Statement, person: str) -> Statement:
    """Without somebody. Raises NotFoundError for somebody who is not in it."""
    _known(statement, person)
    return _people(statement, [one for one in statement["approvers"] if one["person"] != person])


def with_places(statement: Statement, person: str, places: Sequence[str]) -> Statement:
    """With other places for somebody; whoever gets more waits for 72 hours anew."""
    one = _known(statement, person)
    more = EVERYWHERE not in one["places"] and not set(places) <= set(one["places"])
    since = max(one["from"], int(statement["issued"]) + ROSTER_WAIT) if more else one["from"]
    return _put(statement, {**one, "from": since, "places": sorted(places)})


def with_key(statement: Statement, person: str, key: Key) -> Statement:
    """With one key more for somebody; no waiting time, because it is the same person."""
    one = _known(statement, person)
    if any(known["id"] == key["id"] for known in one["keys"]):
        raise ConflictError(N_("The roster has this key already. Nothing was written."))
    return _put(statement, {**one, "keys": [*one["keys"], key]})


def without_key(statement: Statement, key_id: str) -> Statement:
    """Without the key whose id begins so. Raises NotFoundError when it is not one, ConflictError for somebody's last."""
    holders = [
        (one, key) for one in statement["approvers"] for key in one["keys"] if key_id and key["id"].startswith(key_id)
    ]
    if len(holders) != 1:
        raise NotFoundError(N_("There is no such key in the roster, or more than one. Nothing was written."))
    one, key = holders[0]
    if len(one["keys"]) == 1:
        raise ConflictError(N_("It is this person's last key; take the person out instead. Nothing was written."))
    return _put(statement, {**one, "keys": [known for known in one["keys"] if known is not key]})


def _known(statement: Statement, person: str) -> Statement:
    for one in statement["approvers"]:
        if one["person"] == person:
            found: Statement = one
            return found
    raise NotFoundError(N_("%(who)s is not in the roster. Nothing was written."), who=person)


def _put(statement: Statement, changed: Statement) -> Statement:
    others = [one for one in statement["approvers"] if one["person"] != changed["person"]]
    return _people(statement, [*others, changed])


def _people(statement: Statement, people: list[Statement]) -> Statement:
    return {**statement, "approvers": sorted(people, key=lambda one: str(one["person"]))}
