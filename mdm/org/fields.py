"""What may stand in a unit and in a service point."""

import re

from mdm.core.errors import N_, InvalidError
from mdm.core.text import clean

_CODE = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,63}")


def code(value: str) -> str:
    """A code in capitals; raises InvalidError for an empty one, a long one, or other characters."""
    written = clean(value).upper()
    if not _CODE.fullmatch(written):
        sentence = N_(
            "A code has letters, digits, dots, hyphens and underscores, at most 64, and begins with a letter or digit."
        )
        raise InvalidError(sentence, fields={"code": sentence}, code="code_invalid")
    return written


def name(value: str) -> str:
    """A name as one clean line; raises InvalidError when nothing is left."""
    written = clean(value)
    if not written:
        sentence = N_("A name is needed.")
        raise InvalidError(sentence, fields={"name": sentence}, code="name_missing")
    return written
