"""How the safety kernel stands, for the banner of every page and the notes on Approvals."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mdm.orders.queries import kernel_state
from mdm.storage.call import Call

SILENT = timedelta(minutes=3)
"""How long the signer may not have been heard before people are told: the worker asks it every minute."""
COOLING_MINUTES = 15
"""What ordinary orders cool everywhere; less is for demonstrations, and said so."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """The state of the kernel in the words of a page."""

    frozen_at: datetime | None
    frozen_by: str
    frozen_why: str
    founded: bool
    heard_at: datetime | None
    signer_silent: bool
    cooling_minutes: int

    @property
    def short_cooling(self) -> bool:
        """Whether ordinary orders cool for less than they should."""
        return self.cooling_minutes < COOLING_MINUTES


def kernel(call: Call) -> Kernel:
    """The state as the database mirrors it."""
    row = kernel_state(call)
    return Kernel(
        frozen_at=row.frozen_at,
        frozen_by=row.frozen_by,
        frozen_why=row.frozen_why,
        founded=row.roster_version > 0,
        heard_at=row.mirrored_at,
        signer_silent=row.mirrored_at is None or row.mirrored_at < call.now - SILENT,
        cooling_minutes=row.cooling_minutes,
    )
