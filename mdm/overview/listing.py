"""One machine for every list: columns and filters by name, an allow-list of sorts, pages by keyset, an exact total.

A listing is declared as data; a ``Query`` is read from an address and refuses what it does not know, because a filter
that is silently ignored shows the wrong devices.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Date, RowMapping, Select, SQLColumnExpression, String, func, literal, tuple_
from sqlalchemy.types import TypeEngine

from mdm.core.errors import N_, InvalidError, NotFoundError
from mdm.core.permissions import Permission
from mdm.storage.base import UTCDateTime
from mdm.storage.call import Call

SIZES = (50, 100, 200)
SELECT_MOST = 5000
"""Rows that one bulk action may take at the most."""
EXPORT_MOST = 300_000
_CHUNK = 2000
_VALUES_MOST = 50
_LENGTH_MOST = 200
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Expression = SQLColumnExpression[Any]
Condition = Callable[[Call, Sequence[str]], ColumnElement[bool]]
Choices = Callable[[Call], Sequence[tuple[str, str]]]
ByCode = Callable[[Call, str], int]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the expression behind it and how it is shown (``kind``)."""

    key: str
    label: str
    value: Expression
    kind: str = "text"
    default: bool = False
    sort: Expression | None = None
    """What it is sorted by; None: it cannot be sorted by. Never NULL: see ``order_by``."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter. ``words`` are fixed choices (sentences to translate), ``choices`` come from the database."""

    key: str
    label: str
    condition: Condition
    words: Mapping[str, str] = field(default_factory=dict)
    choices: Choices | None = None
    shown: bool = True
    """Whether people are offered it; others are only linked to."""
    by_code: ByCode | None = None
    """For a filter that takes ids and codes: the id of a code; NotFoundError for one that is not the actor's."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list as data. ``base`` gives the rows that the actor may see; ``extra`` columns are fetched always."""

    name: str
    permission: Permission
    base: Callable[[Call], Select[Any]]
    id: Expression
    """The row's own id, a number or a text: what ties in the order are broken by."""
    columns: tuple[Column, ...]
    filters: tuple[Filter, ...]
    sort: str
    extra: tuple[Expression, ...] = ()

    def column(self, key: str) -> Column | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.key == key), None)

    def filter(self, key: str) -> Filter | None:
        """The filter of that name, or None."""
        return next((one for one in self.filters if one.key == key), None)


@dataclass(frozen=True, slots=True)
class Query:
    """What of a list is wanted, in which order, from where on."""

    filters: Mapping[str, tuple[str, ...]]
    columns: tuple[str, ...]
    sort: str
    size: int = SIZES[0]
    cursor: str = ""

    @property
    def descending(self) -> bool:
        """Whether the order is from high to low."""
        return self.sort.startswith("-")

    def parameters(self, listing: Listing, **changes: Any) -> list[tuple[str, str]]:
        """The query as parameters of an address; what is the default is left out."""
        wanted = replace(self, **changes)
        pairs = [(key, value) for key in wanted.filters for value in wanted.filters[key]]
        if wanted.columns != default_columns(listing):
            pairs.append(("columns", ",".join(wanted.columns)))
        if wanted.sort != listing.sort:
            pairs.append(("sort", wanted.sort))
        if wanted.size != SIZES[0]:
            pairs.append(("size", str(wanted.size)))
        if wanted.cursor:
            pairs.append(("page", wanted.cursor))
        return pairs


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. ``next`` and ``previous`` are cursors, empty at the ends."""

    rows: Sequence[RowMapping]
    total: int
    next: str
    previous: str


def default_columns(listing: Listing) -> tuple[str, ...]:
    """The columns that are shown when nobody chose."""
    return tuple(column.key for column in listing.columns if column.default)


def read_query(listing: Listing, parameters: Mapping[str, Sequence[str]]) -> Query:
    """The query in the parameters of an address. Raises InvalidError that names what it does not know."""
    filters: dict[str, tuple[str, ...]] = {}
    for key, values in parameters.items():
        if key in ("columns", "sort", "size", "page", "view"):
            continue
        if listing.filter(key) is None:
            raise InvalidError(N_("This list has no filter named %(key)s. Nothing is shown."), key=key[:40])
        kept = tuple(dict.fromkeys(value.strip() for value in values if value.strip()))
        if len(kept) > _VALUES_MOST or any(len(value) > _LENGTH_MOST for value in kept):
            raise InvalidError(N_("The filter %(key)s has too many or too long values."), key=key)
        if kept:
            filters[key] = kept
    return Query(
        filters, _columns(listing, parameters), _sort(listing, parameters), _size(parameters), _one(parameters, "page")
    )


def check_codes(call: Call, listing: Listing, query: Query) -> None:
    """Nothing when the actor knows every code in the filters; raises InvalidError that names the one they do not.

    For programs. A person sees an empty list instead, with the filter that made it so.
    """
    for one in listing.filters:
        for value in query.filters.get(one.key, ()):
            if one.by_code is None or _is_id(value):
                continue
            try:
                one.by_code(call, value)
            except NotFoundError as error:
                places = {one.key: N_("There is nothing with this code, or it is not yours to see.")}
                raise InvalidError(error.message, fields=places, code="code_unknown", **error.params) from error


def _one(parameters: Mapping[str, Sequence[str]], key: str) -> str:
    values = parameters.get(key) or ("",)
    return values[0]


def _columns(listing: Listing, parameters: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    wanted = [key for value in parameters.get("columns", ()) for key in value.split(",") if key]
    for key in wanted:
        if listing.column(key) is None:
            raise InvalidError(N_("This list has no column named %(key)s."), key=key[:40])
    # The order of the list, whatever the order of the address: what people compare stays where it is.
    return tuple(column.key for column in listing.columns if column.key in wanted) or default_columns(listing)


def _sort(listing: Listing, parameters: Mapping[str, Sequence[str]]) -> str:
    wanted = _one(parameters, "sort") or listing.sort
    column = listing.column(wanted.removeprefix("-"))
    if column is None or column.sort is None:
        raise InvalidError(N_("This list cannot be sorted by %(key)s."), key=wanted[:40])
    return wanted


def _size(parameters: Mapping[str, Sequence[str]]) -> int:
    wanted = _one(parameters, "size")
    return int(wanted) if wanted in {str(size) for size in SIZES} else SIZES[0]


def _conditions(call: Call, listing: Listing, query: Query) -> list[ColumnElement[bool]]:
    found = ((listing.filter(key), values) for key, values in query.filters.items())
    return [one.condition(call, values) for one, values in found if one is not None]


def total(call: Call, listing: Listing, query: Query) -> int:
    """How many rows match."""
    matching = listing.base(call).where(*_conditions(call, listing, query))
    return call.session.scalar(matching.with_only_columns(func.count(), maintain_column_froms=True)) or 0


def page(call: Call, listing: Listing, query: Query) -> Page:
    """One page of the rows that match and that the actor may see."""
    backwards, position = _position(listing, query)
    rows = list(_fetch(call, listing, query, position, query.size + 1, backwards=backwards))
    more = len(rows) > query.size
    rows = rows[: query.size]
    if backwards:
        rows.reverse()
    before = bool(rows) and (more if backwards else position is not None)
    after = bool(rows) and (True if backwards else more)
    return Page(
        rows,
        total(call, listing, query),
        _cursor(rows[-1], backwards=False) if after else "",
        _cursor(rows[0], backwards=True) if before else "",
    )


def every(call: Call, listing: Listing, query: Query) -> Iterator[RowMapping]:
    """All rows that match, in order, fetched in pieces; raises InvalidError above ``EXPORT_MOST``."""
    if total(call, listing, query) > EXPORT_MOST:
        raise InvalidError(N_("More than %(most)s rows match. Nothing was exported. Add a filter."), most=EXPORT_MOST)
    position: tuple[Any, Any] | None = None
    while True:
        rows = _fetch(call, listing, query, position, _CHUNK, backwards=False)
        yield from rows
        if len(rows) < _CHUNK:
            return
        position = (rows[-1]["_sort"], rows[-1]["_id"])


def matching_ids(call: Call, listing: Listing, query: Query, most: int = SELECT_MOST) -> list[int]:
    """Row ids of all that match; raises InvalidError when there are more than ``most``."""
    wanted = listing.base(call).where(*_conditions(call, listing, query)).with_only_columns(listing.id)
    found = list(call.session.scalars(wanted.order_by(listing.id).limit(most + 1)))
    if len(found) > most:
        raise InvalidError(
            N_("More than %(most)s rows match. Nothing was done. Add a filter and repeat it in parts."), most=most
        )
    return found


def _fetch(
    call: Call, listing: Listing, query: Query, position: tuple[Any, Any] | None, limit: int, *, backwards: bool
) -> Sequence[RowMapping]:
    key = query.sort.removeprefix("-")
    order = next(column.sort for column in listing.columns if column.key == key and column.sort is not None)
    descending = query.descending is not backwards
    shown: list[Any] = [column.value.label(column.key) for column in listing.columns if column.key in query.columns]
    statement: Any = (
        listing.base(call)
        .with_only_columns(
            listing.id.label("_id"), order.label("_sort"), *listing.extra, *shown, maintain_column_froms=True
        )
        .where(*_conditions(call, listing, query))
    )
    if position is not None:
        here = tuple_(order, listing.id)
        there = tuple_(literal(position[0], _type(order)), literal(position[1], _type(listing.id)))
        statement = statement.where(here < there if descending else here > there)
    both = (order.desc(), listing.id.desc()) if descending else (order, listing.id)
    return call.session.execute(statement.order_by(*both).limit(limit)).mappings().all()


def _cursor(row: RowMapping, *, backwards: bool) -> str:
    value = row["_sort"]
    if isinstance(value, datetime | date):
        value = value.isoformat()
    text = json.dumps([int(backwards), value, row["_id"]], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _position(listing: Listing, query: Query) -> tuple[bool, tuple[Any, Any] | None]:
    """Whether to read backwards, and from where; raises InvalidError for a cursor that we did not make."""
    if not query.cursor:
        return False, None
    column = listing.column(query.sort.removeprefix("-"))
    try:
        text = base64.urlsafe_b64decode(query.cursor + "=" * (-len(query.cursor) % 4))
        backwards, value, number = json.loads(text)
        if column is not None and column.sort is not None:
            value = _typed(value, column.sort)
        return bool(backwards), (value, _typed(number, listing.id))
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise InvalidError(N_("This page of the list cannot be found again. Start at the first page.")) from error


def _type(expression: Expression) -> TypeEngine[Any]:
    found: TypeEngine[Any] = expression.type  # type: ignore[attr-defined]
    return found


def _typed(value: Any, order: Expression) -> Any:
    kind = _type(order)
    if isinstance(kind, UTCDateTime):
        return datetime.fromisoformat(value)
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    if isinstance(kind, String):
        if not isinstance(value, str):
            raise TypeError(value)
        return value
    return int(value)


def moment_order(column: Any) -> ColumnElement[datetime]:
    """A nullable moment to sort by: what never happened comes before everything that did."""
    return func.coalesce(column, literal(EPOCH, UTCDateTime()), type_=UTCDateTime())


def text_order(column: Any) -> ColumnElement[str]:
    """A nullable text to sort by, small letters and capitals alike."""
    return func.lower(func.coalesce(column, ""), type_=String())


def any_of(column: Any) -> Condition:
    """The plain filter: the column is one of the values."""
    return lambda _call, values: column.in_(values)


def any_id(column: Any) -> Condition:
    """The plain filter by row id; what is no number matches nothing."""

    def condition(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
        wanted: ColumnElement[bool] = column.in_([int(value) for value in values if _is_id(value)])
        return wanted

    return condition


def any_place(column: Any, by_code: ByCode) -> Condition:
    """The filter by row id or code; digits alone are an id, and a code that is not known matches nothing."""

    def condition(call: Call, values: Sequence[str]) -> ColumnElement[bool]:
        wanted: ColumnElement[bool] = column.in_(place_ids(call, values, by_code))
        return wanted

    return condition


def place_ids(call: Call, values: Sequence[str], by_code: ByCode) -> list[int]:
    """The row ids of values that are ids (digits alone) or codes; a code that is not known gives none."""
    found = []
    for value in values:
        try:
            found.append(int(value) if _is_id(value) else by_code(call, value))
        except NotFoundError:
            continue
    return found


def _is_id(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 15


def one_row(call: Call, listing: Listing, number: int) -> RowMapping | None:
    """The row with that id as the list shows it, or None when it is not there or not the actor's."""
    columns: list[Any] = [column.value.label(column.key) for column in listing.columns]
    statement: Any = listing.base(call).with_only_columns(
        listing.id.label("_id"), *listing.extra, *columns, maintain_column_froms=True
    )
    return call.session.execute(statement.where(listing.id == number)).mappings().first()
