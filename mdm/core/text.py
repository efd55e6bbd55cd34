"""Hostile text: every string that comes from a device, a file or a stranger passes here before it is stored."""

import unicodedata

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def clean(value: object, limit: int = 255, *, lines: bool = False) -> str:
    """The value as one harmless line of at most ``limit`` characters: NFC, no control or direction characters.

    ``lines`` keeps line feeds. Not a string, or nothing left, gives the empty string.
    """
    if not isinstance(value, str):
        return ""
    kept = []
    for character in unicodedata.normalize("NFC", value[: limit * 4]):
        category = unicodedata.category(character)
        if character == "\n" and lines:
            kept.append(character)
        elif character in _BIDI or category in ("Cc", "Cs", "Cn", "Co"):
            kept.append(" " if character in "\t\r\n" else "")
        else:
            kept.append(character)
    return "".join(kept)[:limit].strip()


_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def spreadsheet_safe(value: object) -> object:
    """A cell that no spreadsheet takes for a formula: a leading apostrophe before text that begins like one."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value


def fold(value: str) -> str:
    """The text as it is searched: small letters, without accents, runs of space as one. ``É`` is found as ``e``."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", value) if not unicodedata.combining(c))
    return " ".join(bare.casefold().split())
