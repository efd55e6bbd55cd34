"""From a line of Snipe-IT's assets to a line of ours: pure, but for the people and models that it is told."""

from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from mdm.core.errors import N_
from mdm.core.text import fold
from mdm.desk.exchange.columns import FURTHER, KIND_OF, STATE_OF
from mdm.imports.plan import RowError, day
from mdm.imports.table import Row
from mdm.inventory.lifecycle import WITH_HOLDER
from mdm.inventory.model import LifeCycle

COPIED = {
    "name": "name",
    "tag": "tag",
    "serial": "serial",
    "imei": "imei",
    "manufacturer": "manufacturer",
    "model": "model",
    "phone_number": "phone_number",
    "ring": "ring",
    "unit": "unit",
    "purchase_date": "purchased_on",
    "purchase_cost": "cost",
    "currency": "currency",
    "supplier": "supplier",
    "order_number": "order_number",
    "contract": "contract",
    "contract_until": "contract_until",
    "measure": "measure",
    "notes": "note",
}
YES = frozenset({"1", "yes", "y", "true", "ja", "oui"})


@dataclass(slots=True)
class Known:
    """What the other lists of Snipe-IT and our own people say."""

    category_of_model: Mapping[str, str] = field(default_factory=dict)
    """Folded name of a model to the name of its category."""
    type_of_status: Mapping[str, str] = field(default_factory=dict)
    """Folded status label to its type: deployable, pending, undeployable, archived."""
    holder: Callable[[Mapping[str, str]], str] = lambda _cells: ""
    """From the cells that name a person to what our own import finds that person by; empty where they name nobody."""


def kind(cells: Mapping[str, str], known: Known) -> str:
    """Which of our kinds it is, by its category or that of its model; empty for what we do not manage."""
    category = cells.get("category") or known.category_of_model.get(fold(cells.get("model", "")), "")
    return KIND_OF.get(fold(category), "")


def converted(row: Row, known: Known) -> Row:
    """The line in the words of our own import. Raises RowError for a category and for a status that nobody knows."""
    cells = row.cells
    found = kind(cells, known)
    if not found:
        said = cells.get("category") or known.category_of_model.get(fold(cells.get("model", "")), "")
        raise RowError(
            "category",
            N_('"%(value)s" is no category of phones, tablets, laptops or kiosks. Leave such lines out, or rename it.'),
            value=said,
        )
    ours = {name: cells[theirs] for theirs, name in COPIED.items() if cells.get(theirs)}
    ours["kind"] = found
    ours["platform"] = cells.get("platform") or platform(cells, found)
    ours["ownership"] = cells.get("ownership") or ("private" if fold(cells.get("byod", "")) in YES else "city")
    ours["service_point"] = _place(cells)
    until = _warranty(cells)
    if until:
        ours["warranty_until"] = until
    holder = "" if fold(cells.get("checkout_type", "")) in ("location", "asset") else known.holder(cells)
    ours["state"] = _state(cells, known, bool(holder))
    if holder:
        ours["holder"] = holder
    return Row(row.line, {name: cell for name, cell in ours.items() if cell})


def custom(row: Row) -> dict[str, str]:
    """The custom fields of a line, those that say something."""
    return {name.removeprefix(FURTHER): cell for name, cell in row.cells.items() if name.startswith(FURTHER) and cell}


def platform(cells: Mapping[str, str], found: str) -> str:
    """What it runs, where the file does not say: Apple's phones and tablets iOS, others Android, the rest Linux."""
    if found not in ("phone", "tablet"):
        return "linux"
    apple = fold(cells.get("manufacturer", "")).startswith("apple") or any(
        word in fold(cells.get("model", "")) for word in ("iphone", "ipad")
    )
    return "ios" if apple else "android"


def _place(cells: Mapping[str, str]) -> str:
    if fold(cells.get("checkout_type", "")) == "location" and cells.get("checkout_location"):
        return cells["checkout_location"]
    return cells.get("location", "")


def _state(cells: Mapping[str, str], known: Known, held: bool) -> str:
    written = cells.get("state", "")
    if written:
        return written
    label = fold(cells.get("status", "").partition("(")[0])
    if not label:
        return LifeCycle.HANDED_OUT.value if held else LifeCycle.IN_STOCK.value
    state = STATE_OF.get(fold(known.type_of_status.get(label, ""))) or STATE_OF.get(label)
    if state is None:
        raise RowError(
            "status",
            N_(
                'Nobody knows the status label "%(value)s". Give the list of status labels along: it names their types.'
            ),
            value=cells["status"],
        )
    if held and state == LifeCycle.IN_STOCK:
        return LifeCycle.HANDED_OUT.value
    return LifeCycle.IN_STOCK.value if not held and LifeCycle(state) in WITH_HOLDER else state


def _warranty(cells: Mapping[str, str]) -> str:
    if cells.get("warranty_until"):
        return cells["warranty_until"]
    written = fold(cells.get("warranty", "")).removesuffix("months").removesuffix("month").strip()
    if not written or not cells.get("purchase_date"):
        return ""
    if not (written.isascii() and written.isdigit() and int(written) <= 600):
        raise RowError("warranty", N_('"%(value)s" is no number of months.'), value=cells["warranty"])
    return after(day("purchase_date", cells["purchase_date"]), int(written)).isoformat()


def after(begin: date, months: int) -> date:
    """The day so many months later; the last of its month where that is shorter."""
    year, month = divmod(begin.year * 12 + begin.month - 1 + months, 12)
    return date(year, month + 1, min(begin.day, monthrange(year, month + 1)[1]))
