"""What the signer answers when time, or people, will heal what keeps it from signing now."""

from dataclasses import dataclass
from typing import Any, Final

from mdm.core.errors import N_

LATER: Final = 300
"""Seconds after which is asked again where nobody knows when it will be better."""


@dataclass(frozen=True, slots=True)
class Held:
    """Not now: ``code`` is a stable word, ``why`` a sentence, ``retry_after`` seconds."""

    code: str
    why: str
    retry_after: int = LATER

    @property
    def answer(self) -> dict[str, Any]:
        """As it goes over the socket."""
        return {"code": self.code, "held": self.why, "retry_after": max(1, self.retry_after)}


FROZEN: Final = Held("frozen", N_("The red button was pressed. Nothing is signed until enough approvers end it."))
NO_ROSTER: Final = Held("no_roster", N_("There is no roster of approvers yet, so nobody can approve anything."))
CLOCK: Final = Held(
    "clock",
    N_("The signer's clock stands before a moment that it has seen. Nothing is signed until the clock is right again."),
)
EARLY: Final = Held(
    "clock", N_("This order is dated ahead of the signer's clock. It waits until that moment has come.")
)
COOLING: Final = N_("The order rests before it is signed, so that it can still be taken back.")
"""``cooling``"""
