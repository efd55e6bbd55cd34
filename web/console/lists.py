"""A list as a page: from an address to a query, and back to the addresses of chips, sorts, pages and exports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlencode

import tablib
from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext
from sqlalchemy import RowMapping

from mdm.access.queries import views
from mdm.audit import service as audit
from mdm.core.clock import iso
from mdm.core.errors import N_, NotFoundError
from mdm.core.text import spreadsheet_safe
from mdm.overview.listing import SIZES, Filter, Listing, Page, Query, every, matching_ids, page, read_query
from mdm.storage.call import Call
from web.common.looks import exported
from web.console.frame import VOCABULARY, truth, word
from web.console.told import listed, told

TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@dataclass(frozen=True, slots=True)
class Chip:
    """One value of one filter in force, and the address without it."""

    label: str
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything that the template of a list needs."""

    listing: Listing
    query: Query
    page: Page
    chips: Sequence[Chip]
    offers: Sequence[tuple[Filter, str, Sequence[tuple[str, str]]]]
    views: Sequence[tuple[Any, str]]
    endpoint: str
    values: Mapping[str, Any]

    def url(self, **changes: Any) -> str:
        """The address of this list with something else; the first page unless a page is asked for."""
        return self._to(self.endpoint, cursor=changes.pop("cursor", ""), **changes)

    def _to(self, endpoint: str, **changes: Any) -> str:
        parameters = self.query.parameters(self.listing, **changes)
        address = url_for(endpoint, **self.values)
        return f"{address}?{urlencode(parameters)}" if parameters else address

    def sort_url(self, key: str) -> str:
        """Sorted by that column; the other way round when it is sorted by it already."""
        return self.url(sort=f"-{key}" if self.query.sort == key else key)

    def export_url(self, kind: str) -> str:
        """Exactly what is shown, all pages, as a file."""
        parameters = [*self.query.parameters(self.listing, cursor=""), ("as", kind)]
        return f"{url_for(self.endpoint + '_file', **self.values)}?{urlencode(parameters)}"

    def sorted_by(self, key: str) -> str:
        """The value of ``aria-sort`` for a column."""
        if self.query.sort.removeprefix("-") != key:
            return "none"
        return "descending" if self.query.descending else "ascending"

    @property
    def text(self) -> str:
        """The query as text, for a saved view and for a bulk action on all that match."""
        return urlencode(self.query.parameters(self.listing, cursor=""))

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """Parameters that the search field of the list must carry along."""
        return [pair for pair in self.query.parameters(self.listing, cursor="") if pair[0] != "q"]

    @property
    def columns(self) -> list[Any]:
        """The columns in force."""
        return [column for column in self.listing.columns if column.key in self.query.columns]

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many rows a page may have."""
        return SIZES


def show(call: Call, listing: Listing, endpoint: str, **values: Any) -> Shown:
    """The list that the address asks for."""
    query = query_of(listing)
    offers = [(one, gettext(one.label), choices(call, one)) for one in listing.filters if one.shown]
    return Shown(
        listing,
        query,
        page(call, listing, query),
        _chips(call, listing, query, endpoint, values),
        offers,
        views(call, listing.name),
        endpoint,
        values,
    )


def query_of(listing: Listing) -> Query:
    """The query in the address of the current request."""
    parameters = {key: values for key, values in request.args.lists() if key != "as"}
    return read_query(listing, parameters)


def choices(call: Call, one: Filter) -> list[tuple[str, str]]:
    """The values that a filter offers, with what people call them."""
    if one.choices is not None:
        return list(one.choices(call))
    return [(value, gettext(label)) for value, label in one.words.items()]


def _chips(call: Call, listing: Listing, query: Query, endpoint: str, values: Mapping[str, Any]) -> list[Chip]:
    chips = []
    for key, chosen in query.filters.items():
        one = listing.filter(key)
        if one is None:
            continue
        names = dict(choices(call, one)) if one.words or one.choices else {}
        for value in chosen:
            rest = {**query.filters, key: tuple(other for other in chosen if other != value)}
            parameters = replace(query, filters=rest, cursor="").parameters(listing)
            without = f"{url_for(endpoint, **values)}?{urlencode(parameters)}"
            chips.append(Chip(gettext(one.label), names.get(value, value).strip(), without))
    return chips


def export(call: Call, listing: Listing) -> Response:
    """The list as a file (``as=csv``, ``as=xlsx``): the same rows and columns, all pages. Noted in the diary."""
    kind = request.args.get("as", "csv")
    if kind not in TYPES:
        raise NotFoundError(N_("There is no such kind of export."))
    query = replace(query_of(listing), cursor="")
    columns = [column for column in listing.columns if column.key in query.columns]
    data = tablib.Dataset(headers=[gettext(column.label) for column in columns])
    people: set[int] = set()
    for row in every(call, listing, query):
        data.append([_cell(column.kind, row[column.key], row) for column in columns])
        number = row["_id"] if listing.name == "people" else row.get("_person_id")
        if number is not None:
            people.add(int(number))
    exported(call, people)
    audit.record(
        call,
        "list.exported",
        ("list", listing.name),
        details={
            "columns": list(query.columns),
            "filters": {key: list(values) for key, values in query.filters.items()},
            "rows": len(data),
            "as": kind,
        },
    )
    content = data.export(kind)
    # The mark tells spreadsheets that the file is UTF-8.
    body = ("\ufeff" + content).encode() if isinstance(content, str) else content
    response = Response(body, content_type=TYPES[kind])
    response.headers["Content-Disposition"] = f'attachment; filename="{listing.name}-{call.now:%Y-%m-%d}.{kind}"'
    return response


def _cell(kind: str, value: Any, row: RowMapping) -> Any:
    if value is None:
        return ""
    if kind == "told":
        return spreadsheet_safe(told(listed(row)).striptags())
    if kind == "contact" and not row["_contact_exact"]:
        return value.date().isoformat()
    if kind in ("moment", "seen", "contact"):
        return iso(value)
    if kind in VOCABULARY:
        return word(VOCABULARY[kind], value)
    if kind == "truth":
        return truth(value)
    if kind == "date":
        return value.isoformat()
    if kind == "money":
        return value / 100
    return spreadsheet_safe(value) if isinstance(value, str) else value


def chosen_ids(call: Call, listing: Listing) -> list[int]:
    """Row ids that a bulk form chose: the ticked rows, or all that match the query it carries."""
    if request.form.get("everything"):
        parameters = parse_qs(request.form.get("query", ""))
        return matching_ids(call, listing, read_query(listing, parameters))
    return [int(value) for value in request.form.getlist("row") if value.isascii() and value.isdigit()][:1000]
