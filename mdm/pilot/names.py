"""The 122 people of the pilot: the same names, addresses and numbers every time. Pure."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

DOMAIN = "stad.example"
FIRST_NUMBER = 100_421


@dataclass(frozen=True, slots=True)
class Colleague:
    """One person of the pilot. ``equipped``: has a phone in hand."""

    number: str
    name: str
    email: str
    language: str
    persona: str
    unit: str
    place: str
    equipped: bool


def colleagues(told: dict[str, Any]) -> list[Colleague]:
    """Everybody, group by group, as ``people.toml`` tells; no two share a name, an address or a number."""
    names = _names(told["origin"])
    taken: set[str] = set()
    people: list[Colleague] = []
    for group in told["group"]:
        for place in range(group["people"]):
            name, language = next(names)
            people.append(
                Colleague(
                    number=str(FIRST_NUMBER + 37 * len(people)),
                    name=name,
                    email=_address(name, taken),
                    language=language,
                    persona=group["persona"],
                    unit=group["unit"],
                    place=group["place"],
                    equipped=place < group["equipped"],
                )
            )
    return people


def _names(origins: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Names with their languages, no two alike, the origins in turn by weight; ends when an origin has no pair left."""
    pairs = [_pairs(origin["given"], origin["family"]) for origin in origins]
    turns = [number for number, origin in enumerate(origins) for _ in range(origin["weight"])]
    for turn in count():
        number = turns[(turn * 7) % len(turns)]
        name = next(pairs[number], None)
        if name is None:
            return
        yield name, "nl" if turn % 3 == 2 else origins[number]["language"]


def _pairs(given: Sequence[str], family: Sequence[str]) -> Iterator[str]:
    """Each given name with each family name once, the given names in turn."""
    for lap in range(len(family)):
        for place, first in enumerate(given):
            yield f"{first} {family[(place * 5 + lap) % len(family)]}"


def _address(name: str, taken: set[str]) -> str:
    # Letters that do not decompose, such as the Turkish dotless i, are spelt as their bearers do in an address.
    plain = name.replace("\N{LATIN SMALL LETTER DOTLESS I}", "i")
    bare = "".join(
        c for c in unicodedata.normalize("NFKD", plain) if c.isascii() and (c.isalpha() or c in " -")
    ).lower()
    given, _, family = bare.partition(" ")
    local = f"{given}.{family.replace(' ', '')}"
    while local in taken:
        local += "2"
    taken.add(local)
    return f"{local}@{DOMAIN}"
