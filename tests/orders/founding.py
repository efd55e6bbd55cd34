"""A roster in the database's mirror, as the worker writes it once the signer has sealed it."""

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete

from mdm.orders import kernel
from mdm.orders.model import SealedRoster
from mdm.storage.call import Call
from tests.sim.approvers import Council, Person

SIGNER = Ed25519PrivateKey.generate()
"""The order key of every council of one run, so that one roster may take another's place."""


def people(now: datetime, *persons: Person) -> Council:
    """A council whose roster was issued before ``now``: Ada and Eva, or these."""
    since = int(now.timestamp()) - 30 * 86_400
    known = persons or (
        Person("operator:2", "ed25519", name="Ada Approver", since=since),
        Person("operator:3", "es256", name="Eva Approver", since=since),
    )
    return Council(*known, key=SIGNER, issued=since)


def mirror(call: Call, council: Council) -> None:
    """Writes the newest roster of the council where the rooms look for it, in the place of what stood there."""
    call.session.execute(delete(SealedRoster))
    sealed = council.rosters[-1]
    state = kernel.locked(call)
    state.roster_version = len(council.rosters)
    state.roster_text = sealed["roster"]
    call.session.add_all(
        SealedRoster(version=number, text=one["roster"], sealed=one, mirrored_at=call.now)
        for number, one in enumerate(council.rosters, 1)
    )
