"""Whom an assignment is for: does the place where a device stands match its include and exclude. Pure.

A device matches when at least one target of ``include`` fits and no target of ``exclude`` does: exclude always wins, over
every kind and every number of includes. A unit fits the devices of every unit below it. An empty include is nobody.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict


class Target(TypedDict):
    """One target: ``id`` is a row's id for unit, service_point and group, a word for the rest, None for all."""

    kind: str
    id: int | str | None


@dataclass(frozen=True, slots=True)
class Placement:
    """Everything about a device that assignments choose by. ``units`` is its unit and every unit above it today."""

    platform: str
    kind: str = ""
    ownership: str = ""
    service_point_id: int | None = None
    units: tuple[int, ...] = ()
    persona: str = ""
    ring: str = ""
    groups: frozenset[int] = frozenset()


FITS: Mapping[str, Callable[[Placement, Any], bool]] = {
    "all": lambda _placement, _id: True,
    "group": lambda placement, id_: id_ in placement.groups,
    "kind": lambda placement, id_: placement.kind == id_,
    "ownership": lambda placement, id_: placement.ownership == id_,
    "persona": lambda placement, id_: placement.persona == id_,
    "platform": lambda placement, id_: placement.platform == id_,
    "ring": lambda placement, id_: placement.ring == id_,
    "service_point": lambda placement, id_: placement.service_point_id == id_,
    "unit": lambda placement, id_: id_ in placement.units,
}
ROW_KINDS = frozenset({"group", "service_point", "unit"})
"""Kinds whose id is the number of a row."""


def fitting(placement: Placement) -> Iterator[tuple[str, int | str | None]]:
    """Kind and id of every target that fits a device that stands here: what ``fits`` says yes to, listed."""
    yield "all", None
    one: tuple[tuple[str, int | str | None], ...] = (
        ("kind", placement.kind),
        ("ownership", placement.ownership),
        ("persona", placement.persona),
        ("platform", placement.platform),
        ("ring", placement.ring),
        ("service_point", placement.service_point_id),
    )
    yield from (pair for pair in one if pair[1] not in (None, ""))
    yield from (("unit", unit) for unit in placement.units)
    yield from (("group", group) for group in placement.groups)


def matches(placement: Placement, include: Sequence[Target], exclude: Sequence[Target]) -> bool:
    """Whether the assignment is for a device that stands here."""
    return not any(fits(placement, target) for target in exclude) and any(fits(placement, target) for target in include)


def fits(placement: Placement, target: Target) -> bool:
    """Whether one target fits. A kind that nobody knows fits nothing; nothing fits an absent value."""
    fit = FITS.get(target["kind"])
    if fit is None or (target["kind"] != "all" and target["id"] in (None, "")):
        return False
    return fit(placement, target["id"])
