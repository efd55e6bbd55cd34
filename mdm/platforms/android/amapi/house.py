"""What the worker gives this way: transactions, the seal, the signer, and the caller to Google. It reads no settings."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from mdm.enrollment.redeem import Certificate, Claim
from mdm.platforms.android.amapi.client import Google
from mdm.platforms.android.amapi.model import AndroidGoogle
from mdm.storage.call import Call
from mdm.storage.seal import Seal

AT_ONCE: Final = 50
"""Things of one kind that one turn asks Google for: the rest comes with the next turn."""


class Transact(Protocol):
    """Opens one transaction that commits at its end."""

    def __call__(self, *, write: bool = True) -> AbstractContextManager[Call]:
        """``write`` takes the write lock at once."""


@dataclass(frozen=True, slots=True)
class House:
    """The neighbours of one turn."""

    transact: Transact
    seal: Callable[[], Seal]
    google: Callable[[AndroidGoogle], Google]
    """The caller for this tie, kept from turn to turn as its right is; raises ConfigurationError without Google's library."""
    issue: Callable[[Claim, str], Certificate]
    """Asks the signer for the certificate that stands for a phone."""
    renew: Callable[[str, str], Certificate]
    order_key: Callable[[], str | None]
    """The signer's public key; None while it is not known, and no order is given then."""
    organisation: str
    """What people read at Google's pages."""
