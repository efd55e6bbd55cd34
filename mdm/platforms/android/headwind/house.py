"""What is given to the free agent's side by whoever runs it: keys, folders, names. It reads no configuration itself."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from mdm.platforms.android.files import Store
from mdm.platforms.android.headwind.numbers import Place
from mdm.storage.seal import Seal


@dataclass(frozen=True)
class House:
    """The neighbours of one conversation."""

    seal: Callable[[], Seal]
    store: Store
    place: Place
    secret: str
    """The public secret of the agent's signatures."""
    order_key: Callable[[], str | None] = lambda: None
    """Gives the signer's public key; None while it is not known, and no order is given then."""
    silence: timedelta = timedelta(minutes=10)
    """How long a phone that said that it wipes itself must be silent before it counts as wiped."""

    @cached_property
    def opened(self) -> Seal:
        """The seal, read when it is first needed."""
        return self.seal()
