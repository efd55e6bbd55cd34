"""Service points from a file: found by code."""

from collections.abc import Callable
from typing import Any

from mdm.core.errors import N_
from mdm.core.permissions import Permission
from mdm.imports.plan import Once, Planned, Progress, RowError, planned, values_of
from mdm.imports.table import Row
from mdm.org import queries
from mdm.org.bulk import PointDraft
from mdm.org.hours import parse
from mdm.org.service_points import checked_fields
from mdm.storage.call import Call

_CONVERTERS: dict[str, Callable[[str], Any]] = {
    "code": str,
    "name": str,
    "address": str,
    "opening_hours": parse,
    "phone": str,
    "email": str,
}
_EMPTY: dict[str, Any] = {"address": "", "opening_hours": {}, "phone": "", "email": ""}


def plan(call: Call, rows: list[Row], progress: Progress | None = None) -> list[Planned[PointDraft]]:
    """What each row comes to."""
    allowed = call.actor.may(Permission.ORG_MANAGE)
    points = {point.code: point for point in queries.service_points(call, closed=True, limit=100_000)}
    once = Once()

    def one(row: Row) -> tuple[PointDraft, bool, list[str]]:
        if not allowed:
            raise RowError("code", N_("Only who manages all service points imports them."))
        values = checked_fields({"code": row.cells.get("code", ""), **values_of(row.cells, _CONVERTERS, _EMPTY)})
        once.take("code", values["code"], row.line)
        point = points.get(values["code"])
        if point is None:
            if "name" not in values:
                raise RowError("name", N_("A new service point needs a name."))
            return PointDraft(values), True, list(values)
        return PointDraft(values, point), False, [key for key, value in values.items() if getattr(point, key) != value]

    return planned(rows, "code", one, progress)
