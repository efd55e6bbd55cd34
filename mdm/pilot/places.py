"""The 81 service points of the pilot. Pure."""

from dataclasses import dataclass, field
from typing import Any

from mdm.org.hours import Hours, parse

STOCK = ("phones", "tablets", "kiosks", "laptops")


@dataclass(frozen=True, slots=True)
class PilotPlace:
    """One service point and what stands there: kinds in the plural to numbers."""

    code: str
    name: str
    address: str
    opening_hours: Hours
    stock: dict[str, int] = field(default_factory=dict)


def places(told: dict[str, Any]) -> list[PilotPlace]:
    """Every service point that ``service_points.toml`` tells; only the first ``few`` of a family have stock."""
    made = []
    for family in told["family"]:
        hours = parse(family["hours"])
        for number, place in enumerate(family["places"]):
            stocked = number < family.get("few", len(family["places"]))
            made.append(
                PilotPlace(
                    code="-".join(filter(None, (family["code"], place["code"]))),
                    name=" ".join(filter(None, (family["name"], place["name"]))),
                    address=", ".join(filter(None, (place.get("street"), place.get("post", "Antwerpen")))),
                    opening_hours=hours,
                    stock={kind: family[kind] for kind in STOCK if kind in family} if stocked else {},
                )
            )
    return made
