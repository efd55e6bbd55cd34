"""The sentences of ``map/purposes.toml`` for the catalogues, as Babel asks for them, in the order of the file."""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any

from mdm.settings import Settings

Message = tuple[int, str, str, list[str]]


def employees(
    file: IO[bytes],
    _keywords: Collection[str],
    _tags: Collection[str],
    options: Mapping[str, Any],  # noqa: ARG001 -- Babel names it
) -> Iterator[Message]:
    """What the employees' page says: titles, reasons and times."""
    read = tomllib.loads(file.read().decode())
    yield from _said(_for_people(read))


def register(
    file: IO[bytes],
    _keywords: Collection[str],
    _tags: Collection[str],
    options: Mapping[str, Any],  # noqa: ARG001 -- Babel names it
) -> Iterator[Message]:
    """What the register says: the same, and whose data it is, the basis in law, who gets it, how it is looked after."""
    read = tomllib.loads(file.read().decode())
    more = [
        said[key] for said in read["purpose"].values() for key in ("whose", "recipients", "transfers") if key in said
    ]
    more += [
        said[key]
        for said in read["place"]
        for key in ("where", "what", "keep", "seen")
        if said[key] not in Settings.model_fields
    ]
    yield from _said(
        [
            *_for_people(read),
            *more,
            *(text for name in ("basis", "measures", "because") for text in read[name].values()),
        ]
    )


def _for_people(read: Mapping[str, Any]) -> list[str]:
    purposes = [said[key] for said in read["purpose"].values() for key in ("title", "why")]
    return [*purposes, *read["keep"].values()]


def _said(texts: list[str]) -> Iterator[Message]:
    for text in dict.fromkeys(texts):
        yield 1, "", text, []
