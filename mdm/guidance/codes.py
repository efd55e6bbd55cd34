"""Short codes that people read to each other. Pure but for chance."""

import secrets
from typing import Final

LETTERS: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without those that are taken for one another: I, L, O, 0 and 1."""
LENGTH: Final = 6


def new_code() -> str:
    """A code of six; one in nine hundred million is guessed, and ten a day may be tried."""
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def as_written(text: str) -> str:
    """What somebody typed, as the code is kept: small letters, spaces and hyphens do no harm."""
    return "".join(one for one in text.upper() if one in LETTERS)[: LENGTH + 2]
