"""Who may approve: rosters, each signed by people of the one before it, as TUF (section 5.3) replaces its root keys."""

from typing import Any, Final, NamedTuple

from agent import wire
from agent.proof.pin import Pin
from agent.proof.signatures import Verify, binary, distinct, is_ed25519, key_id, listed, ordinary_key
from agent.proof.statements import (
    MAX_NAME,
    RefusedError,
    is_person,
    is_place,
    number,
    one_of,
    read_statement,
    said,
    statement_digest,
)

TOLERANCE: Final = 300
"""Seconds by which two clocks may differ."""
EVERYWHERE: Final = "*"
MAX_PUBLIC: Final = 1024
_SEALED: Final = {"roster", "seal", "signatures"}
_APPROVER: Final = {"from", "keys", "name", "person", "places"}
_KEY: Final = {"id", "public", "type"}


class Approver(NamedTuple):
    """One person of a roster. ``keys``: id → type and SubjectPublicKeyInfo (DER)."""

    person: str
    name: str
    since: int
    """Seconds since 1970; before it this person's approval does not count."""
    places: frozenset[str]
    keys: dict[str, tuple[str, bytes]]

    def entitled(self, place: str) -> bool:
        """Whether this person may approve for a service point; "" is no place, for those who may everywhere."""
        return EVERYWHERE in self.places or place in self.places


class Roster(NamedTuple):
    """A roster as it was read from its text."""

    text: str
    digest: str
    version: int
    issued: int
    threshold: int
    ceremony: int
    rp_id: str
    origins: frozenset[str]
    people: dict[str, Approver]


class Known(NamedTuple):
    """A roster that holds, and the sealed form in which it came."""

    roster: Roster
    sealed: dict[str, Any]


def read_roster(text: object) -> Roster:
    """The roster in its text. Raises RefusedError: what ``read_statement`` names, and ``roster`` for what is no roster.

    Somebody twice, one key for two people, a key whose id is not its own, people out of order, a threshold that these
    people cannot reach: none of it is a roster.
    """
    fields = read_statement(text, "roster")
    approvers = [_approver(one) for one in fields["approvers"]]
    names = [one.person for one in approvers]
    if names != sorted(set(names)):
        raise RefusedError("roster", "The people of the roster are not in order, or somebody is in it twice.")
    keys = [key for one in approvers for key in one.keys]
    if len(set(keys)) != len(keys):
        raise RefusedError("roster", "One key stands twice in the roster.")
    if not fields["threshold"] < fields["ceremony"] or fields["threshold"] > len(names):
        raise RefusedError("roster", "The numbers of people that the roster asks for cannot be.")
    if len(set(fields["origins"])) != len(fields["origins"]):
        raise RefusedError("roster", "One page stands twice in the roster.")
    return Roster(
        text=str(text),
        digest=statement_digest(str(text)).hex(),
        version=fields["version"],
        issued=fields["issued"],
        threshold=fields["threshold"],
        ceremony=fields["ceremony"],
        rp_id=fields["rp_id"],
        origins=frozenset(fields["origins"]),
        people=dict(zip(names, approvers, strict=True)),
    )


def _approver(one: dict[str, Any]) -> Approver:
    good = (
        set(one) == _APPROVER
        and is_person(one["person"])
        and said(MAX_NAME)(one["name"])
        and number()(one["from"])
        and _places(one["places"])
        and isinstance(one["keys"], list)
        and 1 <= len(one["keys"]) <= wire.MAX_KEYS
    )
    if not good:
        raise RefusedError("roster", "Somebody in the roster is not described as an approver is.")
    keys = dict(map(_key, one["keys"]))
    if len(keys) != len(one["keys"]):
        raise RefusedError("roster", "One key stands twice in the roster.")
    return Approver(one["person"], one["name"], one["from"], frozenset(one["places"]), keys)


def _places(value: object) -> bool:
    if value == [EVERYWHERE]:
        return True
    return (
        isinstance(value, list)
        and 1 <= len(value) <= 1000
        and all(is_place(place) and place for place in value)
        and len(set(value)) == len(value)
    )


def _key(key: object) -> tuple[str, tuple[str, bytes]]:
    if not isinstance(key, dict) or set(key) != _KEY or not one_of("ed25519", "webauthn")(key["type"]):
        raise RefusedError("roster", "A key in the roster is not described as a key is.")
    public = binary(key["public"], MAX_PUBLIC, "roster")
    if key["id"] != key_id(public):
        raise RefusedError("roster", "A key in the roster bears an id that is not its own.")
    if key["type"] == "ed25519" and not is_ed25519(public):
        raise RefusedError("roster", "A key file in the roster is not an Ed25519 key.")
    return key["id"], (key["type"], public)


def check_founding(text: object, proofs: object, verify: Verify, *, now: int) -> Roster:
    """The first roster, signed by as many of its own people as it asks for. Raises RefusedError.

    Whether it is the first one ever is the caller's to know: the signer seals one founding only.
    """
    roster = read_roster(text)
    if roster.version != 1:
        raise RefusedError("roster_version", "The first roster has the version 1.")
    _not_ahead(roster, now)
    if len(distinct(roster.text, listed(proofs), roster, verify)) < roster.threshold:
        raise RefusedError("roster_threshold", f"The first roster needs {roster.threshold} of its own people.")
    return roster


def check_roster_step(
    old: Roster, text: object, proofs: object, verify: Verify, *, now: int, sealing: bool = False
) -> Roster:
    """The roster after ``old``. Raises RefusedError that names the rule.

    ``roster_version`` not the very next one; ``roster_time`` older than the one before, or dated ahead of ``now``;
    ``roster_waiting`` somebody new, or with more places, who does not wait for 72 hours; ``roster_threshold`` too few
    different people of the one before (past their own waiting time), or of the new one. ``sealing`` is for the signer,
    who must also see that it is not dated back: by that a new approver's waiting time would be over at once.
    """
    new = read_roster(text)
    if new.version != old.version + 1:
        raise RefusedError("roster_version", f"After roster {old.version} comes {old.version + 1}, not {new.version}.")
    _not_ahead(new, now)
    if new.issued < old.issued or (sealing and new.issued < now - wire.ROSTER_FRESH):
        raise RefusedError("roster_time", "The roster is dated back.")
    for approver in new.people.values():
        _waits(old.people.get(approver.person), approver, new.issued)
    given = listed(proofs)
    ripe = {person for person, one in old.people.items() if one.since <= new.issued}
    if len(distinct(new.text, given, old, verify) & ripe) < old.threshold:
        raise RefusedError("roster_threshold", f"It needs {old.threshold} people of the roster before it.")
    if len(distinct(new.text, given, new, verify)) < new.threshold:
        raise RefusedError("roster_threshold", f"It needs {new.threshold} people of the new roster.")
    return new


def _not_ahead(roster: Roster, now: int) -> None:
    if roster.issued > now + TOLERANCE:
        raise RefusedError("roster_time", "The roster is dated ahead of this clock.")


def _waits(before: Approver | None, after: Approver, issued: int) -> None:
    """Nobody gets power at once: a new person, one with more places, or one who was still waiting, has to wait."""
    more = before is None or (EVERYWHERE not in before.places and not after.places <= before.places)
    if more and after.since < issued + wire.ROSTER_WAIT:
        raise RefusedError("roster_waiting", f"{after.person} is new or got more places, and has to wait for 72 hours.")
    if before is not None and before.since > issued and after.since < before.since:
        raise RefusedError("roster_waiting", f"{after.person} still waits, and that time cannot be made shorter.")


def open_seal(sealed: object, order_key: str, verify: Verify) -> tuple[str, list[object]]:
    """Text and proofs of a sealed roster, once the seal is this order key's (Base64). Raises RefusedError.

    ``roster_form`` not a sealed roster; ``roster_seal`` not sealed by this signer.
    """
    if not isinstance(sealed, dict) or set(sealed) != _SEALED or not isinstance(sealed["roster"], str):
        raise RefusedError("roster_form", "This is not a sealed roster.")
    text, seal = sealed["roster"], binary(sealed["seal"], 64, "roster_seal")
    if len(text) > wire.MAX_ROSTER:
        raise RefusedError("size", "The roster is longer than one may be.")
    if not verify(ordinary_key(order_key), seal, wire.ROSTER_PREFIX + text.encode(errors="replace")):
        raise RefusedError("roster_seal", "The roster was not sealed by the signer that this device trusts.")
    return text, listed(sealed["signatures"])


def follow(known: Roster | None, given: object, order_key: str, verify: Verify, *, now: int) -> list[Known]:
    """The rosters among these that come after ``known``, each proved by the one before; empty when there is none.

    Older ones are passed over. Raises RefusedError: those of ``open_seal`` and of the steps, ``roster_gap`` when one is
    left out, ``roster_fork`` for another roster under the version that is known.
    """
    if not isinstance(given, list) or len(given) > wire.MAX_ROSTERS:
        raise RefusedError("roster_form", f"This is not a list of at most {wire.MAX_ROSTERS} rosters.")
    found: list[Known] = []
    for sealed in given:
        text, proofs = open_seal(sealed, order_key, verify)
        roster = read_roster(text)
        last = known.version if known else 0
        if known is not None and roster.version <= last:
            if roster.version == last and roster.digest != known.digest:
                raise RefusedError("roster_fork", f"There are two different rosters {last}. Somebody lies.")
            continue
        if roster.version != last + 1:
            raise RefusedError("roster_gap", f"Roster {last + 1} is missing: {roster.version} proves nothing.")
        if known is None:
            known = check_founding(text, proofs, verify, now=now)
        else:
            known = check_roster_step(known, text, proofs, verify, now=now)
        found.append(Known(known, sealed))
    return found


def pinned(pin: Pin | None, given: object, order_key: str, verify: Verify, *, now: int) -> list[Known]:
    """What a device that is being enrolled takes of these rosters: the one that its certificate pins, and what follows.

    ``pin`` is version and digest, None before the founding. Raises RefusedError: ``pin`` when the pinned one is missing,
    and whatever ``follow`` raises.
    """
    if pin is None:
        return follow(None, given, order_key, verify, now=now)
    if not isinstance(given, list) or len(given) > wire.MAX_ROSTERS:
        raise RefusedError("roster_form", f"This is not a list of at most {wire.MAX_ROSTERS} rosters.")
    for place, sealed in enumerate(given):
        text, _ = open_seal(sealed, order_key, verify)
        roster = read_roster(text)
        if (roster.version, roster.digest) == pin:
            return [Known(roster, sealed), *follow(roster, given[place + 1 :], order_key, verify, now=now)]
    raise RefusedError("pin", "The roster that the certificate names did not come with it.")
