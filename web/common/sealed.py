"""Where an application keeps the seal of this installation, for whichever door needs it."""

from typing import Final

SEAL: Final = "havenmeester_seal"
