"""Targets of assignments, from and to what people write: ``service_point:WERKHAVEN``, ``persona:unit``, ``all``."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from mdm.core.errors import N_
from mdm.core.text import clean
from mdm.inventory.model import DeviceGroup, DeviceKind, Ownership, Platform
from mdm.org.model import ServicePoint, Unit
from mdm.people.model import Persona
from mdm.policies.scope import FITS, ROW_KINDS, Target

MAX_TARGETS = 200
WORDS: Mapping[str, frozenset[str]] = {
    "kind": frozenset(DeviceKind),
    "ownership": frozenset(Ownership),
    "persona": frozenset(Persona),
    "platform": frozenset(Platform),
}
"""Kinds whose id is one of a fixed set of words. A ring is any word."""
ROWS: Mapping[str, tuple[InstrumentedAttribute[int], InstrumentedAttribute[str], InstrumentedAttribute[str]]] = {
    "group": (DeviceGroup.id, DeviceGroup.name, DeviceGroup.name),
    "service_point": (ServicePoint.id, ServicePoint.code, ServicePoint.name),
    "unit": (Unit.id, Unit.code, Unit.name),
}
"""For each kind whose id is a row's: the id, what people write, and what a page shows."""


def checked(session: Session, targets: object, place: str, errors: dict[str, str]) -> list[Target]:
    """The targets that are right, each once. What is wrong goes into ``errors`` under ``place[n]``.

    A target is ``{"kind", "id"}``, or a word as people write it.
    """
    if not isinstance(targets, Sequence) or isinstance(targets, str):
        errors[place] = N_("Give a list of targets.")
        return []
    if len(targets) > MAX_TARGETS:
        errors[place] = N_("Too many targets: at most 200. Make a group of devices instead.")
        return []
    kept: list[Target] = []
    for number, raw in enumerate(targets):
        target, error = _parse(session, raw) if isinstance(raw, str) else _check(session, raw)
        if target is None:
            errors[f"{place}[{number}]"] = error
        elif target not in kept:
            kept.append(target)
    return kept


def _parse(session: Session, text: str) -> tuple[Target | None, str]:
    kind, _colon, word = (part.strip() for part in text.partition(":"))
    if kind not in ROW_KINDS:
        return _check(session, {"kind": kind, "id": word or None})
    id_column, code, _name = ROWS[kind]
    # Codes are kept in capitals, however people write them; a group is found by its name as it is.
    wanted = clean(word) if kind == "group" else clean(word).upper()
    found = session.scalar(select(id_column).where(code == wanted))
    if found is None:
        return None, N_("There is no %(kind)s with the code or name %(word)s.") % {
            "kind": kind.replace("_", " "),
            "word": clean(word, 80),
        }
    return {"kind": kind, "id": found}, ""


def _check(session: Session, raw: Any) -> tuple[Target | None, str]:
    if not isinstance(raw, Mapping) or not {"kind"} <= set(raw) <= {"kind", "id"}:
        return None, N_("A target has a kind and an id.")
    kind, id_ = raw["kind"], raw.get("id")
    if not isinstance(kind, str) or kind not in FITS:
        return None, N_("A target is one of: %(kinds)s.") % {"kinds": ", ".join(sorted(FITS))}
    if kind == "all":
        return ({"kind": kind, "id": None}, "") if id_ is None else (None, N_("Everybody has no id."))
    if kind in ROW_KINDS:
        column = ROWS[kind][0]
        known = isinstance(id_, int) and not isinstance(id_, bool) and 0 < id_ < 2**31
        if not known or session.scalar(select(column).where(column == id_)) is None:
            return None, N_("There is no such %(kind)s.") % {"kind": kind.replace("_", " ")}
        return {"kind": kind, "id": id_}, ""
    word = clean(id_, 32)
    if not word or word != id_:
        return None, N_("Say which %(kind)s.") % {"kind": kind}
    if kind in WORDS and word not in WORDS[kind]:
        return None, N_("A %(kind)s is one of: %(words)s.") % {"kind": kind, "words": ", ".join(sorted(WORDS[kind]))}
    return {"kind": kind, "id": word}, ""


def written(session: Session, targets: Sequence[Target]) -> list[str]:
    """The targets as people write them; a row that is gone keeps its number: ``unit:#12``."""
    codes = _rows(session, targets, 1)
    return [
        target["kind"] if target["kind"] == "all" else f"{target['kind']}:{codes.get(_key(target), target['id'])}"
        for target in targets
    ]


def names(session: Session, targets: Sequence[Target]) -> dict[tuple[str, int | str | None], str]:
    """What a page shows for each target that is a row, by kind and id."""
    return _rows(session, targets, 2)


def _key(target: Target) -> tuple[str, int | str | None]:
    return target["kind"], target["id"]


def _rows(session: Session, targets: Sequence[Target], column: int) -> dict[tuple[str, int | str | None], str]:
    found: dict[tuple[str, int | str | None], str] = {}
    for kind, columns in ROWS.items():
        ids = {target["id"] for target in targets if target["kind"] == kind}
        if ids:
            rows = session.execute(select(columns[0], columns[column]).where(columns[0].in_(ids)))
            texts: dict[int | str | None, str] = dict(rows.all())  # type: ignore[arg-type]
            found.update({(kind, id_): texts.get(id_, f"#{id_}") for id_ in ids})
    return found
