"""Keeping the database's mirror of the signer: rosters, freeze, epoch. The worker asks; here it is written down.

The mirror is believed by nobody who signs, delivers or wipes: each of them proves rosters by their seals and signatures.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from agent.proof import RefusedError, read_roster
from mdm.audit import service as audit
from mdm.core.errors import N_, InvalidError
from mdm.orders import kernel
from mdm.orders.model import SealedRoster
from mdm.orders.stopping import thawed
from mdm.outbox import service as outbox
from mdm.signing.client import Health
from mdm.storage.call import Call

STALE = timedelta(minutes=1)
"""How old the mark of the last word from the signer may get before it is renewed without other news."""


def take_rosters(call: Call, sealed: Sequence[Mapping[str, Any]]) -> int:
    """Stores sealed rosters that come after the one that is known here; the newest version. The same again is nothing.

    Has every enrolled device told (topic ``roster.changed``). Raises InvalidError (``roster_form``, ``roster_gap``).
    """
    row = kernel.locked(call)
    for one in sealed:
        text = str(one.get("roster"))
        try:
            roster = read_roster(text)
        except RefusedError as refused:
            raise InvalidError(
                N_("The signer gave a roster that is none: %(why)s It was not stored."),
                code="roster_form",
                why=str(refused),
            ) from refused
        if roster.version <= row.roster_version:
            continue
        if roster.version != row.roster_version + 1:
            raise InvalidError(
                N_("Roster %(version)s came without the one before it. It was not stored."),
                code="roster_gap",
                version=roster.version,
            )
        call.session.add(
            SealedRoster(version=roster.version, text=text, sealed=json.loads(json.dumps(one)), mirrored_at=call.now)
        )
        row.roster_version, row.roster_text = roster.version, text
        people = [{"person": person, "name": person_.name} for person, person_ in roster.people.items()]
        audit.record(
            call, "roster.sealed", ("roster", roster.version), name=f"{roster.version}", details={"people": people}
        )
        call.session.flush()
        outbox.post(call, "roster.changed", {"version": roster.version})
    return row.roster_version


def take_health(call: Call, health: Health) -> None:
    """Writes down what the signer says of itself. A freeze that only one of the two knew, both know afterwards.

    Who froze the database may not have reached the signer yet: until it confirms, ``freezes`` is 0, and its not being
    frozen ends nothing.
    """
    row = kernel.locked(call)
    row.epoch = health.epoch
    row.cooling_minutes = health.cooling_minutes
    row.mirrored_at = call.now
    if health.frozen:
        row.freezes = health.freeze
        if row.frozen_at is None:
            # Frozen at the signer alone, by its own command: the banner and the gateway must know it too.
            row.frozen_at, row.frozen_by, row.frozen_why = call.now, "signer", ""
            audit.record(call, "orders.frozen", ("kernel", 1), name="orders", details={"by": "signer"})
    elif row.frozen_at is not None and row.freezes:
        thawed(call, row.freezes)


def take_freeze(call: Call, number: int) -> None:
    """Writes down under which number the signer has frozen: a thaw names it. Nothing when it is over already."""
    row = kernel.locked(call)
    if row.frozen_at is not None:
        row.freezes = number


def thaw_proofs(call: Call, text: str) -> list[dict[str, Any]]:
    """The signatures that were given over this thaw statement; empty when it is not the one that stands."""
    row = kernel.state(call.session)
    return list(row.thaw_proofs) if row.thaw_text == text and row.frozen_at is not None else []


def is_news(call: Call, health: Health) -> bool:
    """Whether ``take_health`` would change anything but the mark of the last word, or that mark is old. Reads only."""
    row = kernel.state(call.session)
    return (
        (row.epoch, row.cooling_minutes) != (health.epoch, health.cooling_minutes)
        or (health.frozen and (row.frozen_at is None or row.freezes != health.freeze))
        or (not health.frozen and row.frozen_at is not None and row.freezes > 0)
        or row.mirrored_at is None
        or row.mirrored_at < call.now - STALE
    )


def version(call: Call) -> int:
    """The newest version that is known here; 0 for none."""
    return kernel.state(call.session).roster_version
