"""Text that came from elsewhere, made harmless for a terminal, a log and the wire."""

import unicodedata


def printable(value: object, limit: int = 255, *, lines: bool = False) -> str:
    """The value as text of at most ``limit`` characters without control or direction characters; not text: empty."""
    if not isinstance(value, str):
        return ""
    kept = [
        character
        for character in value[: limit * 4]
        if unicodedata.category(character)[0] != "C" or (lines and character == "\n")
    ]
    return "".join(kept)[:limit].strip()
