"""Units from a file: found by code; where they hang counts from the date of the row on, else from today."""

from typing import Any

from mdm.core.errors import N_
from mdm.core.permissions import Permission
from mdm.imports.plan import CLEAR, Once, Planned, Progress, RowError, day, planned
from mdm.imports.table import Row
from mdm.org import bulk, fields, queries
from mdm.org.bulk import UnitDraft
from mdm.org.tree import parents_on
from mdm.storage.call import Call


def plan(call: Call, rows: list[Row], progress: Progress | None = None) -> list[Planned[UnitDraft]]:
    """What each row comes to; rows that would close a circle are wrong."""
    reader = _Reader(call, rows)
    plans = planned(rows, "code", reader.one, progress)
    drafts = [plan.draft for plan in plans if plan.draft is not None]
    known = reader.codes | {draft.code for draft in drafts}
    if all(draft.parent is None or draft.parent in known for draft in drafts):
        circles = bulk.circles_after(call, drafts, reader.today)
        for found in plans:
            if found.draft is not None and found.draft.hangs and found.draft.code in circles:
                on = circles[found.draft.code].isoformat()
                found.fail(RowError("parent", N_("On %(date)s the unit would hang below itself."), date=on))
    return plans


class _Reader:
    """Knows which units are there, and which come in the same file."""

    def __init__(self, call: Call, rows: list[Row]) -> None:
        self.allowed = call.actor.may(Permission.ORG_MANAGE)
        self.today = call.now.date()
        self.units = {line.unit.code: line.unit for line in queries.units(call, closed=True)}
        self.codes = set(self.units)
        self.coming = {row.cells.get("code", "").upper() for row in rows}
        self.hangings = queries.hangings(call.session)
        self.code_of = {unit.id: code for code, unit in self.units.items()}
        self.parents: dict[Any, dict[int, int | None]] = {}
        self.once = Once()
        self.new: set[str] = set()

    def one(self, row: Row) -> tuple[UnitDraft, bool, list[str]]:
        """The draft of one row."""
        if not self.allowed:
            raise RowError("code", N_("Only who manages the whole organogram imports units."))
        cells = row.cells
        code = fields.code(cells.get("code", ""))
        unit = self.units.get(code)
        from_date = day("from", cells["from"]) if cells.get("from") else None
        self.once.take("code", f"{code} {from_date or ''}", row.line)
        again = code in self.new
        if unit is None and not again and not cells.get("name"):
            raise RowError("name", N_("A new unit needs a name."))
        values = {"name": fields.name(cells["name"])} if cells.get("name") else {}
        draft = UnitDraft(code, values, unit, False, self._parent(cells), from_date)
        changes = ["name"] if unit is not None and values and unit.name != values["name"] else []
        draft.hangs = unit is None or (bool(cells.get("parent")) and self._moves(draft))
        if (unit is not None and draft.hangs) or again:
            changes.append("parent")
        if unit is None:
            self.new.add(code)
        return draft, unit is None and not again, changes

    def _parent(self, cells: dict[str, str]) -> str | None:
        cell = cells.get("parent", "")
        if cell in ("", CLEAR):
            return None
        code = cell.upper()
        if code not in self.codes and code not in self.coming:
            raise RowError(
                "parent", N_('There is no unit with the code "%(value)s", here or in this file.'), value=cell
            )
        return code

    def _moves(self, draft: UnitDraft) -> bool:
        on = draft.from_date or self.today
        if on not in self.parents:
            self.parents[on] = parents_on(self.hangings, on)
        assert draft.unit is not None
        above = self.parents[on].get(draft.unit.id)
        return (None if above is None else self.code_of.get(above)) != draft.parent
