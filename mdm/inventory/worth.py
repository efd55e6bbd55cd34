"""What a device is still worth in the books: a straight line from its price to nothing."""

from datetime import date
from typing import Final

from mdm.inventory.model import DeviceKind

YEARS: Final = {
    DeviceKind.PHONE.value: 3,
    DeviceKind.TABLET.value: 4,
    DeviceKind.LAPTOP.value: 4,
    DeviceKind.KIOSK.value: 6,
}
"""Years over which a kind of device is written off, in equal parts per month."""


def months_between(begin: date, end: date) -> int:
    """Whole months from one day to another; 0 when ``end`` is not after ``begin``."""
    months = (end.year - begin.year) * 12 + end.month - begin.month - (end.day < begin.day)
    return max(0, months)


def worth(cost_cents: int | None, purchased_on: date | None, kind: str, on: date) -> int | None:
    """What it is worth on that day, in the hundredths of its price; None where its price or its day is not known.

    Before it was bought it is worth its price; after its years nothing. A part of a month that has begun does not count.
    """
    if cost_cents is None or purchased_on is None:
        return None
    life = YEARS.get(kind, 4) * 12
    left = max(0, life - months_between(purchased_on, on))
    return cost_cents * left // life
