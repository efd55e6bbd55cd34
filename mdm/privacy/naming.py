"""What a person is called, finding it in texts, and taking it out. Pure.

A name is found whatever its case and with or without accents, as whole words: ``Jan Peeters`` is not in ``Jan Peetersen``.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from mdm.core.text import fold

LEAST: Final = 5
"""A personnel number or a badge that is shorter than this means too many other things to be looked for in texts."""


def worth(value: str | None, *, code: bool = False) -> bool:
    """Whether something is looked for in texts at all. ``code``: a number, not a name."""
    return bool(value) and len((value or "").strip()) >= (LEAST if code else 3)


def variants(name: str) -> frozenset[str]:
    """How a name may stand in a database: folded, as JSON writes it, and in the cases that a database cannot fold itself.

    Every database finds ``a`` as ``A``; SQLite does not find ``é`` as ``É``.
    """
    spelled = {name, name.upper(), name.lower(), name.title(), fold(name)}
    spelled |= {json.dumps(one)[1:-1] for one in spelled}
    return frozenset("".join(c.lower() if c.isascii() else c for c in one) for one in spelled)


class Eraser:
    """Takes every one of these names out of texts and JSON, and puts the pseudonym there."""

    def __init__(self, names: Iterable[str], pseudonym: str) -> None:
        self.names = sorted({name for name in names if name}, key=len, reverse=True)
        self.pseudonym = pseudonym
        spelled = {one for name in self.names for one in (name, fold(name))}
        parts = sorted({re.escape(one) for one in spelled if one}, key=len, reverse=True)
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.IGNORECASE) if parts else None

    def text(self, value: str) -> str:
        """The text without the names."""
        return self._pattern.sub(self.pseudonym, value) if self._pattern else value

    def value(self, value: Any) -> Any:
        """The same of JSON: every text in it, also the keys."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(one) for one in value]
        if isinstance(value, dict):
            return {self.text(key): self.value(one) for key, one in value.items()}
        return value


def emptied(value: Any) -> Any:
    """JSON of the same shape in which every text is gone: numbers, yes and no say nothing of somebody alone."""
    if isinstance(value, str):
        return ""
    if isinstance(value, list):
        return [emptied(one) for one in value]
    if isinstance(value, dict):
        return {key: emptied(one) for key, one in value.items()}
    return value


def texts(value: Any) -> Iterator[str]:
    """Every text in JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
