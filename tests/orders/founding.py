"""A roster in the database's mirror, as the worker writes it once the signer has sealed it."""

from datetime import datetime

from mdm.orders import kernel
from mdm.orders.model import SealedRoster
from mdm.storage.call import Call
from tests.sim.approvers import Council, Person


def people(now: datetime, *persons: Person) -> Council:
    """A council whose roster was issued before ``now``: Ada and Eva, or these."""
    since = int(now.timestamp()) - 30 * 86_400
    known = persons or (
        Person("operator:2", "ed25519", name="Ada Approver", since=since),
        Person("operator:3", "es256", name="Eva Approver", since=since),
    )
    return Council(*known, issued=since)


def mirror(call: Call, council: Council) -> None:
    """Writes the newest roster of the council where the rooms look for it."""
    sealed = council.rosters[-1]
    state = kernel.locked(call)
    state.roster_version = len(council.rosters)
    state.roster_text = sealed["roster"]
    call.session.add(
        SealedRoster(version=len(council.rosters), text=sealed["roster"], sealed=sealed, mirrored_at=call.now)
    )
