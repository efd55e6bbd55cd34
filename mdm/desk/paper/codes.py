"""What our labels say, and what was read from one: the bare code, whichever of its two signs the scanner saw."""

from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from mdm.core.text import clean

LONGEST: Final = 512
PLACE: Final = "/desk"
KEY: Final = "code"


def address(base: str, code: str) -> str:
    """What the QR code of a label holds: the desk's page for this code, so that any phone's camera opens it."""
    return f"{base.rstrip('/')}{PLACE}?{KEY}={quote(code, safe='')}"


def bare(read: str) -> str:
    """The code in what a scanner or a person gave: our own address unwrapped, whatever host it names; else the text itself.

    Only a code comes out and never a place to go to, so a stranger's label leads nowhere. Empty when nothing is left.
    """
    written = clean(read, LONGEST)
    if "://" not in written:
        return written[:128]
    try:
        parts = urlsplit(written)
    except ValueError:
        return written[:128]
    found = parse_qs(parts.query).get(KEY, [""])[0] if parts.path.rstrip("/") == PLACE else ""
    return clean(found, 128) or written[:128]
