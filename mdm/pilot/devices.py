"""The devices of the pilot: what stands where, in whose hands, in which state. Pure, and the same every time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from mdm.inventory.fields import AssetData
from mdm.pilot.names import Colleague
from mdm.pilot.places import PilotPlace

BOUGHT = date(2025, 3, 3)
LIFE = timedelta(days=4 * 365 + 1)


@dataclass(frozen=True, slots=True)
class PilotDevice:
    """One device: its asset data, its place, its state and who has it (an e-mail address)."""

    asset: AssetData
    place: str
    unit: str | None
    state: str
    holder: str | None = None


class Assets:
    """Hands out asset data, one device after the other: tag, serial, IMEI and date of purchase follow from the number."""

    def __init__(self, models: Sequence[dict[str, Any]]) -> None:
        self._models = {
            kind: _in_turn([m for m in models if m["kind"] == kind]) for kind in {m["kind"] for m in models}
        }
        self._count = 0

    def take(self, kind: str, name: str = "") -> AssetData:
        """The asset data of the next device of this kind."""
        self._count += 1
        model = next(self._models[kind])
        bought = BOUGHT + timedelta(days=7 * (self._count // 6))
        asset: AssetData = {
            "tag": f"A-{self._count:05}",
            "serial": _serial(model["manufacturer"], self._count),
            "name": name,
            "platform": model["platform"],
            "kind": kind,
            "manufacturer": model["manufacturer"],
            "model": model["model"],
            "ownership": "city",
            "purchased_on": bought,
            "warranty_until": bought + LIFE,
        }
        if "tac" in model:
            asset["imei"] = _imei(model["tac"], self._count)
            asset["phone_number"] = f"+32 470 00 {self._count // 100:02} {self._count % 100:02}"
        return asset


def _in_turn(models: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    while True:
        yield from models


def _serial(manufacturer: str, number: int) -> str:
    # A stride through a prime field: the numbers look unlike each other, and no two are alike.
    return f"{manufacturer[:2].upper()}{(number * 48_611) % 999_983:06}X{number:03}"


def _imei(tac: str, number: int) -> str:
    digits = f"{tac}{(number * 7919) % 1_000_000:06}"
    doubled = (int(d) * 2 if place % 2 else int(d) for place, d in enumerate(digits))
    total = sum(value // 10 + value % 10 for value in doubled)
    return f"{digits}{-total % 10}"


def devices(told: dict[str, Any], people: Sequence[Colleague], places: Sequence[PilotPlace]) -> list[PilotDevice]:
    """All devices: phones in hands, stock and pools at the places, and those that are aside."""
    assets = Assets(told["model"])
    made = [
        PilotDevice(assets.take("phone", person.name), person.place, person.unit, "handed_out", person.email)
        for person in people
        if person.equipped
    ]
    waiting = iter([person for person in people if not person.equipped])
    for aside in told["aside"]:
        for _ in range(aside["number"]):
            person = next(waiting) if aside["held"] else None
            unit, email = (person.unit, person.email) if person else (None, None)
            made.append(PilotDevice(assets.take("phone"), "WERKHAVEN", unit, aside["state"], email))
    for place in places:
        for kind in ("phone", "tablet", "kiosk", "laptop"):
            for number in range(place.stock.get(f"{kind}s", 0)):
                made.append(_standing(assets, place, kind, number))
    return made


def _standing(assets: Assets, place: PilotPlace, kind: str, number: int) -> PilotDevice:
    name = {"kiosk": f"Zuil {place.name} {number + 1}", "laptop": f"{place.name} {number + 1}"}.get(kind, "")
    asset = assets.take(kind, name)
    if kind == "laptop":
        asset["ownership"] = "loan_pool"
    if kind == "phone":
        asset["ring"] = "pilot" if number == 0 else ""
    return PilotDevice(asset, place.code, None, "in_stock")
