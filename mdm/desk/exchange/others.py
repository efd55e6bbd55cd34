"""From a line of Snipe-IT's users and locations to a line of ours."""

import re
from collections.abc import Callable

from mdm.core.errors import N_
from mdm.core.text import fold
from mdm.imports.plan import RowError
from mdm.imports.table import Row
from mdm.org import queries as org
from mdm.storage.call import Call

LANGUAGES = frozenset({"nl", "fr", "en", "tr", "ar", "ro"})
CODE_MOST = 40


def user(call: Call) -> Callable[[Row], Row]:
    """How a user becomes a person. A department that is no unit of ours is left out: Snipe-IT's are another list.

    The personnel number is the employee's number, else the user name.
    """
    units = {fold(name) for line in org.units(call) for name in (line.unit.code, line.unit.name)}

    def convert(row: Row) -> Row:
        cells = row.cells
        name = cells.get("full_name") or " ".join(cells.get(one, "") for one in ("first_name", "last_name")).strip()
        if not name:
            raise RowError("first_name", N_("A person needs a name."))
        found = {
            "name": name,
            "number": cells.get("employee_number") or cells.get("username", ""),
            "email": cells.get("email", ""),
            "phone": cells.get("phone", ""),
            "service_point": cells.get("location", ""),
            "left_on": cells.get("end_date", ""),
            "unit": cells.get("department", "") if fold(cells.get("department", "")) in units else "",
        }
        spoken = cells.get("language", "")[:2].lower()
        if spoken in LANGUAGES:
            found["language"] = spoken
        return Row(row.line, {key: cell for key, cell in found.items() if cell})

    return convert


def location(call: Call) -> Callable[[Row], Row]:
    """How a location becomes a service point: the one of that name where there is one, else a new one with a code made of it."""
    points = org.service_points(call, closed=True, limit=100_000)
    codes = {fold(point.name): point.code for point in points}

    def convert(row: Row) -> Row:
        cells = row.cells
        name = cells.get("name", "")
        if not name:
            raise RowError("name", N_("A location needs a name."))
        street = ", ".join(cells[key] for key in ("address", "address2") if cells.get(key))
        town = " ".join(cells[key] for key in ("zip", "city") if cells.get(key))
        found = {
            "code": codes.get(fold(name)) or cells.get("code") or code(name),
            "name": name,
            "address": ", ".join(part for part in (street, town, cells.get("country", "")) if part),
            "phone": cells.get("phone", ""),
        }
        return Row(row.line, {key: cell for key, cell in found.items() if cell})

    return convert


def code(name: str) -> str:
    """A code made of a name: capitals and digits with dashes, at most 40; the same name gives the same code."""
    return re.sub(r"[^A-Z0-9]+", "-", fold(name).upper()).strip("-")[:CODE_MOST].strip("-") or "LOCATION"
