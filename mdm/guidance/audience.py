"""For whom something is: persona, units with all below, service points. Pure but for where somebody stands."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mdm.org.queries import unit_paths
from mdm.people.model import Person
from mdm.storage.call import Call


@dataclass(frozen=True, slots=True)
class Audience:
    """What is empty does not narrow."""

    personas: Sequence[str] = ()
    units: Sequence[int] = ()
    service_points: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands today; ``units`` is their unit with every one above it."""

    persona: str
    service_point: int | None
    units: frozenset[int] = field(default=frozenset())


def standing(call: Call, person: Person) -> Standing:
    """Where this person stands today."""
    units: tuple[int, ...] = ()
    if person.unit_id is not None:
        units = unit_paths(call.session, call.now.date()).get(person.unit_id, ())
    return Standing(person.persona, person.service_point_id, frozenset(units))


def fits(audience: Audience, who: Standing) -> bool:
    """Whether somebody who stands there belongs to the audience: each thing that it names must fit. Pure."""
    return (
        (not audience.personas or who.persona in audience.personas)
        and (not audience.units or bool(who.units & set(audience.units)))
        and (not audience.service_points or who.service_point in audience.service_points)
    )
