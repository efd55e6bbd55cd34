"""People from a file: found by personnel number, else by e-mail address."""

from collections.abc import Sequence
from typing import Any

from mdm.core.errors import N_
from mdm.imports.columns import word
from mdm.imports.plan import More, Once, Places, Planned, Progress, RowError, day, planned, values_of
from mdm.imports.table import Row
from mdm.people import bulk, fields
from mdm.people.bulk import Draft
from mdm.people.erased import SENTENCES, Known
from mdm.people.model import Person
from mdm.people.queries import people_select
from mdm.storage.call import Call

_EMPTY: dict[str, Any] = {
    "number": None,
    "badge": None,
    "email": None,
    "phone": "",
    "unit": None,
    "service_point": None,
    "left_on": None,
}
_OF_ANOTHER = N_('"%(value)s" belongs to somebody at another place.')
_TAKEN = {"number": _OF_ANOTHER, "email": _OF_ANOTHER, "badge": N_('"%(value)s" is the badge of somebody else.')}
_RENAMED = {"unit": "unit_id", "service_point": "service_point_id"}


def plan(call: Call, rows: list[Row], progress: Progress | None = None) -> list[Planned[Draft]]:
    """What each row comes to."""
    return planned(rows, "name", _Reader(call).one, progress)


def leave_out(call: Call, plans: Sequence[Planned[Draft]], more: More) -> None:
    """Leaves out every new person whose record was erased, but for the lines that somebody chose."""
    known = Known(call, more.seal)
    for one in plans:
        found = known.find(one.draft.values) if one.draft is not None and one.draft.person is None else None
        if found is None or one.draft is None:
            continue
        if one.line in more.bring_back:
            one.draft.erased = found
        else:
            one.skip(SENTENCES[found.why], day=found.at.date().isoformat())


class _Reader:
    """Knows who is there already."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.places = Places(call)
        self.once = Once()
        seen = list(call.session.scalars(people_select(call)))
        self.by_number = {person.number: person for person in seen if person.number}
        self.by_email = {person.email: person for person in seen if person.email}
        self.taken = bulk.taken_keys(call)

    def one(self, row: Row) -> tuple[Draft, bool, list[str]]:
        """The draft of one row."""
        values = self._values(row.cells)
        self.once.take("number", values.get("number"), row.line)
        self.once.take("email", values.get("email"), row.line)
        self.once.take("badge", values.get("badge"), row.line)
        person = self._existing(values)
        if person is None and "name" not in values:
            raise RowError("name", N_("A new person needs a name."))
        draft = Draft(values, person)
        if not draft.allowed(self.call):
            raise RowError("service_point", N_("You may not manage people at this place."))
        return draft, person is None, list(draft.changes)

    def _values(self, cells: dict[str, str]) -> dict[str, Any]:
        converters: dict[str, Any] = {
            "number": str,
            "badge": str,
            "email": str,
            "phone": str,
            "language": lambda cell: word("language", cell),
            "persona": lambda cell: word("persona", cell),
            "unit": self.places.unit,
            "service_point": self.places.service_point,
            "left_on": lambda cell: day("left_on", cell),
        }
        found = values_of(cells, converters, _EMPTY)
        left = {"left_on": found.pop("left_on")} if "left_on" in found else {}
        name = _name(cells)
        if name:
            found["name"] = name
        return fields.checked({_RENAMED.get(key, key): value for key, value in found.items()}) | left

    def _existing(self, values: dict[str, Any]) -> Person | None:
        number, email = values.get("number"), values.get("email")
        person = self.by_number.get(number) if number else None
        other = self.by_email.get(email) if email else None
        if person is not None and other is not None and person is not other:
            raise RowError("email", N_('"%(value)s" is the address of another person.'), value=email)
        found = person or other
        for column, owners in self.taken.items():
            value = values.get(column)
            if value and owners.get(value) not in (None, found.id if found else None):
                raise RowError(column, _TAKEN[column], value=value)
        return found


def _name(cells: dict[str, str]) -> str:
    first, last, name = (cells.get(key, "") for key in ("first_name", "last_name", "name"))
    return f"{first} {last or name}".strip() if first or last else name
