"""How many devices are ready, and whether that is enough: counts per kind and product, and the letter when it is not."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func as sql
from sqlalchemy import select
from sqlalchemy.orm import Session

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, InvalidError, NotFoundError
from mdm.core.permissions import Permission, Where
from mdm.core.text import clean, fold
from mdm.desk.stock import queries
from mdm.desk.stock.model import Minimum
from mdm.inventory.model import Device, DeviceKind, LifeCycle
from mdm.org import queries as org
from mdm.org.model import ServicePoint
from mdm.outbox import service as outbox
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

LEAST_MOST = 10_000
ANY = "\0"
"""Stands for any product where rows are told apart by product: no product folds to it."""
LETTER = """Havenmeester counts too few devices on the shelves of {place}.

{lines}

Order or transfer some; this letter comes once, and again only after there were enough.
"""


@dataclass(frozen=True, slots=True)
class Level:
    """One kind, or one product of it, at one service point: what is ready, what is being prepared, what there must be."""

    service_point_id: int
    kind: str
    product: str
    ready: int = 0
    preparing: int = 0
    """Taken in or wiped, not yet back in stock."""
    least: int | None = None
    minimum_id: int | None = None

    @property
    def low(self) -> bool:
        """Whether fewer are ready than there must be."""
        return self.least is not None and self.ready < self.least


Counts = dict[tuple[int, str, str], tuple[int, int]]


def _counted(session: Session, places: Collection[int]) -> Counts:
    """Ready and preparing by service point, kind and product, in one statement."""
    rows = session.execute(
        select(Device.service_point_id, Device.kind, Device.manufacturer, Device.model, Device.state, sql.count())
        .where(Device.service_point_id.in_(places), queries.stored(), Device.ownership != "private")
        .group_by(Device.service_point_id, Device.kind, Device.manufacturer, Device.model, Device.state)
    )
    found: dict[tuple[int, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for place, kind, maker, model, state, number in rows:
        if place is not None:
            found[place, kind, product(maker, model)][state != LifeCycle.IN_STOCK] += number
    return {key: (ready, preparing) for key, (ready, preparing) in found.items()}


def product(maker: str, model: str) -> str:
    """Maker and model as ``Device.product`` says them."""
    return Device(manufacturer=maker, model=model).product


def levels(call: Call, service_point_id: int) -> list[Level]:
    """Every product that stands at a service point and every level that is kept there, by kind and product."""
    org.service_point(call, service_point_id)
    kept = queries.minimums(call, service_point_id)
    if not call.actor.may(Permission.DESK_VIEW, Where(service_point_id)):
        return []
    counts = _counted(call.session, [service_point_id])
    found = {
        (kind, fold(name)): Level(place, kind, name, ready, preparing)
        for (place, kind, name), (ready, preparing) in counts.items()
    }
    for one in kept:
        if one.product:
            key = (one.kind, fold(one.product))
            known = found.get(key, Level(service_point_id, one.kind, one.product))
            found[key] = replace(known, least=one.least, minimum_id=one.id)
        else:
            found[one.kind, ANY] = of_minimum(counts, one)
    return sorted(found.values(), key=lambda level: (level.kind, fold(level.product)))


def of_minimum(counts: Counts, one: Minimum) -> Level:
    """How things stand with one level that is kept."""
    fitting = [
        number
        for (place, kind, name), number in counts.items()
        if place == one.service_point_id and kind == one.kind and (not one.product or fold(name) == fold(one.product))
    ]
    ready, preparing = sum(pair[0] for pair in fitting), sum(pair[1] for pair in fitting)
    return Level(one.service_point_id, one.kind, one.product, ready, preparing, one.least, one.id)


def low(call: Call) -> list[Level]:
    """The levels at the actor's service points that are not kept."""
    kept = queries.minimums(call)
    counts = _counted(call.session, {one.service_point_id for one in kept}) if kept else {}
    return [level for level in (of_minimum(counts, one) for one in kept) if level.low]


def compared(call: Call) -> list[Level]:
    """Every level that is kept at the actor's service points, for the chart of stock against minimum."""
    kept = queries.minimums(call)
    counts = _counted(call.session, {one.service_point_id for one in kept}) if kept else {}
    return [of_minimum(counts, one) for one in kept]


def set_minimum(call: Call, service_point_id: int, kind: str, least: int, *, product_name: str = "") -> Minimum | None:
    """Keeps so many ready devices of a kind, or of one product of it; 0 keeps none. Saving what is there changes nothing.

    Raises InvalidError for a kind that there is not and a number that makes no sense.
    """
    point = org.service_point(call, service_point_id)
    require(call.actor, Permission.DESK_WORK, Where(point.id))
    if kind not in set(DeviceKind):
        raise InvalidError(N_("Nothing was saved: choose a kind of device."), fields={"kind": N_("Choose one.")})
    if not 0 <= least <= LEAST_MOST:
        raise InvalidError(
            N_("Nothing was saved: the number is between 0 and 10,000."), fields={"least": N_("Between 0 and 10,000.")}
        )
    name = clean(product_name, 255)
    found = call.session.scalar(
        select(Minimum).where(
            Minimum.service_point_id == point.id, Minimum.kind == kind, sql.lower(Minimum.product) == name.lower()
        )
    )
    before = found.least if found else 0
    if before == least:
        return found
    if found is None:
        found = Minimum(service_point_id=point.id, kind=kind, product=name, least=least)
        call.session.add(found)
        flush_unique(call.session, _busy())
    elif least == 0:
        call.session.delete(found)
    else:
        found.least, found.warned_at = least, None
    details = {"kind": kind, "product": name, "least": [before, least]}
    audit.record(
        call, "stock.minimum", ("service_point", point.id), name=point.name, where=Where(point.id), details=details
    )
    return found if least else None


def warn(call: Call) -> int:
    """Writes one letter per service point for the levels that are newly broken; how many letters. For the clock.

    Whoever reads the service point's own mailbox is told; where it has none, the page and the home page say it alone.
    """
    kept = call.session.scalars(select(Minimum)).all()
    counts = _counted(call.session, {one.service_point_id for one in kept}) if kept else {}
    broken: dict[int, list[tuple[Minimum, Level]]] = defaultdict(list)
    for one in kept:
        level = of_minimum(counts, one)
        if not level.low:
            one.warned_at = None
        elif one.warned_at is None:
            broken[one.service_point_id].append((one, level))
    letters = 0
    for place, found in broken.items():
        point = call.session.get_one(ServicePoint, place)
        for one, _level in found:
            one.warned_at = call.now
        if point.email and point.closed_on is None:
            outbox.post(call, "mail", _letter(point, [level for _one, level in found]))
            letters += 1
    return letters


def _letter(point: ServicePoint, broken: Sequence[Level]) -> dict[str, str]:
    lines = "\n".join(
        f"- {level.product or level.kind}: {level.ready} ready, {level.least} wanted"
        + (f", {level.preparing} being prepared" if level.preparing else "")
        for level in broken
    )
    return {
        "to": point.email,
        "subject": f"Too few devices at {point.name}",
        "text": LETTER.format(place=point.name, lines=lines),
    }


def minimum(call: Call, minimum_id: int) -> Minimum:
    """One level that is kept; NotFoundError when it is not there or not at the actor's service points."""
    found = next((one for one in queries.minimums(call) if one.id == minimum_id), None)
    if found is None:
        raise NotFoundError(N_("There is no such level, or it is not at one of your service points."))
    return found


def _busy() -> InvalidError:
    return InvalidError(N_("Somebody else saved the same level at this moment. Nothing was saved; look at it again."))
