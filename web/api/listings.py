"""The console's lists for programs: the same listings, filters, orders and scopes, so that the two cannot differ."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, create_model
from sqlalchemy import RowMapping

from mdm.overview.listing import Listing, check_codes, default_columns
from mdm.overview.listing import Query as ListingQuery
from mdm.overview.listing import page as listing_page
from mdm.storage.call import Call
from web.api.paging import PageQuery, announce, opened, sealed
from web.api.shapes.fields import Id
from web.api.strict import Query

Word = Annotated[str, Field(max_length=200)]
IDS = frozenset({"app", "assignment", "cohort", "group", "person", "policy", "rule"})
"""Filters whose values are row ids."""
Place = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


def _fields(listing: Listing) -> dict[str, Any]:
    """Each of its filters (which may be repeated), and the orders it knows."""
    fields: dict[str, Any] = {}
    for one in listing.filters:
        kind: Any = Id if one.key in IDS else Literal[tuple(one.words)] if one.words else Place if one.by_code else Word
        takes = " Its id, or its code." if one.by_code else ""
        words = f"{one.label}.{takes} May be repeated: any of them fits."
        about = Field(default=None, max_length=50, description=words)
        fields[one.key] = (list[kind] | None, about)
    orders = [column.key for column in listing.columns if column.sort is not None]
    about = Field(default=listing.sort, description="Column to sort by; with a minus from high to low.")
    fields["sort"] = (Literal[(*orders, *(f"-{key}" for key in orders))], about)
    return fields


def query_model(listing: Listing, name: str) -> type[PageQuery]:
    """The query parameters of a listing in pages."""
    model: type[PageQuery] = create_model(name, __base__=PageQuery, **_fields(listing))
    return model


def export_model(listing: Listing, name: str) -> type[Query]:
    """The query parameters of a listing as a file: the same filters and orders, and which columns."""
    columns = tuple(column.key for column in listing.columns)
    fields = _fields(listing) | {
        "columns": (
            list[Literal[columns]],  # type: ignore[valid-type]
            Field(default=list(default_columns(listing)), min_length=1, max_length=100, description="May be repeated."),
        ),
        "format": (Literal["csv", "xlsx"], Field(default="csv", description="Kind of file.")),
    }
    model: type[Query] = create_model(name, __base__=Query, **fields)
    return model


def wanted(listing: Listing, query: Query, columns: tuple[str, ...] = (), *, size: int = 50) -> ListingQuery:
    """The query in the words of the listing."""
    given = {one.key: getattr(query, one.key) for one in listing.filters}
    filters = {key: tuple(str(value) for value in values) for key, values in given.items() if values}
    sort: str = getattr(query, "sort", listing.sort)
    return ListingQuery(filters, columns, sort, size, str(opened(getattr(query, "cursor", None)) or ""))


def page_of(
    call: Call, listing: Listing, query: PageQuery, columns: tuple[str, ...] = ()
) -> tuple[Sequence[RowMapping], str | None, int]:
    """One page: its rows, the next cursor, the exact total. Raises InvalidError for a code that is not known."""
    asked = wanted(listing, query, columns, size=query.limit)
    check_codes(call, listing, asked)
    found = listing_page(call, listing, asked)
    return found.rows, announce(sealed(found.next) if found.next else None), found.total
