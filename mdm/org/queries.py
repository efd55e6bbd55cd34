"""Reads of units and service points. Those that take a ``Call`` give only what lies in its actor's scope."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.org.model import ServicePoint, Unit, UnitParent
from mdm.org.tree import Hanging, below, parents_on, path
from mdm.storage.call import Call
from mdm.storage.scoping import within


@dataclass(frozen=True, slots=True)
class UnitLine:
    """A unit as a list shows it: where it hangs on the date asked for."""

    unit: Unit
    parent_id: int | None
    path: tuple[int, ...]
    """The unit, then its ancestors, nearest first."""

    @property
    def depth(self) -> int:
        """How many units stand above it."""
        return len(self.path) - 1


def hangings(session: Session) -> list[Hanging]:
    """Every dated place of every unit, in the order of dates."""
    rows = session.execute(
        select(UnitParent.unit_id, UnitParent.parent_id, UnitParent.from_date).order_by(UnitParent.from_date)
    )
    return [Hanging(*row) for row in rows]


def unit_parents(session: Session, on: date) -> dict[int, int | None]:
    """Each unit's parent on that date; None for a root. For the machinery: not scoped."""
    known: dict[int, int | None] = dict.fromkeys(session.scalars(select(Unit.id)))
    return known | parents_on(hangings(session), on)


def unit_paths(session: Session, on: date) -> dict[int, tuple[int, ...]]:
    """Each unit to itself and its ancestors on that date, nearest first. For the machinery: not scoped."""
    parents = unit_parents(session, on)
    return {unit: path(parents, unit) for unit in parents}


def units_below(session: Session, unit_id: int, on: date) -> frozenset[int]:
    """The unit and everything below it on that date. For the machinery: not scoped."""
    return below(unit_parents(session, on), unit_id)


def moves_on(session: Session, day: date) -> int:
    """How many units begin to hang elsewhere on that day: when some do, the clock has cohorts placed anew."""
    return session.scalar(select(func.count()).select_from(UnitParent).where(UnitParent.from_date == day)) or 0


def units_select(call: Call) -> Select[Unit]:
    """Units that the actor may see."""
    return select(Unit).where(within(call.actor.scope(Permission.ORG_VIEW), None, Unit.id))


def units(call: Call, *, search: str = "", closed: bool = False, on: date | None = None) -> list[UnitLine]:
    """The units that the actor may see, as a tree read from the top, children by name; closed ones when asked for."""
    on = on or call.now.date()
    query = units_select(call)
    if not closed:
        query = query.where(or_(Unit.closed_on.is_(None), Unit.closed_on > on))
    if search:
        query = query.where(
            or_(Unit.name.icontains(search, autoescape=True), Unit.code.icontains(search, autoescape=True))
        )
    found = {unit.id: unit for unit in call.session.scalars(query)}
    parents = unit_parents(call.session, on)
    paths = {unit_id: path(parents, unit_id) for unit_id in found}

    def place(unit_id: int) -> list[tuple[str, int]]:
        return [(found[above].name if above in found else "", above) for above in reversed(paths[unit_id])]

    return [UnitLine(found[unit_id], parents.get(unit_id), paths[unit_id]) for unit_id in sorted(found, key=place)]


def unit(call: Call, unit_id: int) -> Unit:
    """One unit; NotFoundError when it is not there or not the actor's."""
    found = call.session.scalar(units_select(call).where(Unit.id == unit_id))
    if found is None:
        raise NotFoundError(N_("There is no such unit, or it is not one of yours."))
    return found


def unit_by_code(call: Call, code: str) -> Unit:
    """One unit by its code, whatever the case; NotFoundError when it is not there or not the actor's."""
    found = call.session.scalar(units_select(call).where(Unit.code == code.strip().upper()))
    if found is None:
        raise NotFoundError(N_("There is no unit with the code %(value)s, or it is not one of yours."), value=code)
    return found


def unit_history(call: Call, unit_id: int) -> list[UnitParent]:
    """Where the unit hung, hangs and will hang, oldest first; NotFoundError as ``unit``."""
    unit(call, unit_id)
    return list(
        call.session.scalars(select(UnitParent).where(UnitParent.unit_id == unit_id).order_by(UnitParent.from_date))
    )


def service_points_select(call: Call) -> Select[ServicePoint]:
    """Service points that the actor may see."""
    return select(ServicePoint).where(within(call.actor.scope(Permission.ORG_VIEW), ServicePoint.id, None))


def service_points(
    call: Call, *, search: str = "", closed: bool = False, after: tuple[str, int] | None = None, limit: int = 500
) -> list[ServicePoint]:
    """The service points that the actor may see, by name; ``after`` is name and id of the last one of the page before."""
    query = service_points_select(call)
    if not closed:
        query = query.where(or_(ServicePoint.closed_on.is_(None), ServicePoint.closed_on > call.now.date()))
    if search:
        columns = (ServicePoint.name, ServicePoint.code, ServicePoint.address)
        query = query.where(or_(*(column.icontains(search, autoescape=True) for column in columns)))
    if after:
        name, number = after
        query = query.where(or_(ServicePoint.name > name, (ServicePoint.name == name) & (ServicePoint.id > number)))
    return list(call.session.scalars(query.order_by(ServicePoint.name, ServicePoint.id).limit(limit)))


def service_point(call: Call, service_point_id: int) -> ServicePoint:
    """One service point; NotFoundError when it is not there or not the actor's."""
    found = call.session.scalar(service_points_select(call).where(ServicePoint.id == service_point_id))
    if found is None:
        raise NotFoundError(N_("There is no such service point, or it is not one of yours."))
    return found


def service_point_by_code(call: Call, code: str) -> ServicePoint:
    """One service point by its code, whatever the case; NotFoundError when it is not there or not the actor's."""
    found = call.session.scalar(service_points_select(call).where(ServicePoint.code == code.strip().upper()))
    if found is None:
        raise NotFoundError(
            N_("There is no service point with the code %(value)s, or it is not one of yours."), value=code
        )
    return found


def unit_names(session: Session, ids: Collection[int]) -> dict[int, str]:
    """Names of units, for rows that are shown already. For the machinery: not scoped."""
    rows = session.execute(select(Unit.id, Unit.name).where(Unit.id.in_(ids)))
    return {row.id: row.name for row in rows}


def names_seen(
    call: Call, service_points: Collection[int], units: Collection[int]
) -> tuple[dict[int, str], dict[int, str]]:
    """Names of those of these service points and units that the actor may see: for what is shown but names other places too."""
    points = call.session.scalars(service_points_select(call).where(ServicePoint.id.in_(service_points)))
    found = call.session.scalars(units_select(call).where(Unit.id.in_(units)))
    return {one.id: one.name for one in points}, {one.id: one.name for one in found}


def service_point_names(session: Session, ids: Collection[int]) -> dict[int, str]:
    """Names of service points, for rows that are shown already. For the machinery: not scoped."""
    rows = session.execute(select(ServicePoint.id, ServicePoint.name).where(ServicePoint.id.in_(ids)))
    return {row.id: row.name for row in rows}
