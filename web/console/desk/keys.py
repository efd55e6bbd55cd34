"""What can be done at a step of the desk: one thing by Enter, the others by a letter and Enter. Keyboard only, two keys."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that can be done: ``letter`` is empty for what Enter alone does."""

    letter: str
    label: str
    """In the clerk's language."""
    url: str = ""
    """Where it leads; empty: it sends the form of the page with the letter in ``press``."""
    icon: str = "arrow-right"


def pressed(keys: Sequence[Key], written: str) -> Key | None:
    """What the clerk's entry in the field asks for: nothing written is Enter, one letter is its key; None: it is a code."""
    wanted = written.strip().lower()
    return next((key for key in keys if key.letter == wanted), None) if len(wanted) <= 1 else None
