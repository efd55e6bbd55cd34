"""Pages by cursor: an opaque, signed mark of the last row that was given, bound to the list and its filters."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from flask import current_app, g, request
from itsdangerous import BadSignature, URLSafeSerializer
from pydantic import BaseModel, Field, create_model

from mdm.core.errors import N_, InvalidError
from web.api.strict import Answer, Query

MAX_LIMIT = 200
CURSOR = "havenmeester_cursor"
"""Key of the application's extensions under which the signing secret of cursors lies."""
SALT = "cursor-2"
"""Counted up when a list's mark gets another shape: cursors of the release before are then foreign, and said to be."""
Row = TypeVar("Row")
Item = TypeVar("Item", bound=BaseModel)


class PageQuery(Query):
    """What every list takes."""

    limit: int = Field(50, ge=1, le=MAX_LIMIT, description="How many rows at the most.")
    cursor: str | None = Field(None, max_length=2048, description="`next` of the page before; absent for the first.")


class Page(Answer, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next: str | None = Field(description="Cursor of the next page; null on the last one.")
    total: int | None = Field(default=None, description="Rows in the whole list, where counting is cheap; else null.")


def page_model(item: type[Item], name: str = "") -> type[Page[Item]]:
    """The model of a page of ``item``, with a name of its own in the OpenAPI document."""
    return create_model(name or f"{item.__name__}Page", __base__=Page[item])  # type: ignore[valid-type]


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.extensions[CURSOR], salt=SALT)


def _list_name() -> str:
    """The list that a cursor belongs to: endpoint, place in the address, filters and order; not the page size."""
    filters = sorted((key, value) for key, value in request.args.items(multi=True) if key not in ("cursor", "limit"))
    return repr((request.path, filters))


def sealed(mark: Any) -> str:
    """A mark (any JSON value) as a cursor of the current list."""
    return str(_serializer().dumps([_list_name(), mark]))


def opened(cursor: str | None) -> Any:
    """The mark in a cursor, None without one. Raises InvalidError for a cursor that is not ours or of another list."""
    if cursor is None:
        return None
    try:
        name, mark = _serializer().loads(cursor)
    except (BadSignature, ValueError):
        name, mark = None, None
    if name != _list_name():
        raise _foreign()
    return mark


def _foreign() -> InvalidError:
    return InvalidError(
        N_("The cursor does not belong to this list with these filters. Begin again without it."),
        code="cursor",
        fields={"cursor": "not a cursor of this list"},
    )


def announce(next_cursor: str | None) -> str | None:
    """Puts the next page into the Link header as well, and returns the cursor."""
    if next_cursor is not None:
        g.next_cursor = next_cursor
    return next_cursor


def cut(rows: Sequence[Row], query: PageQuery, key: Callable[[Row], str | int]) -> tuple[list[Row], str | None, int]:
    """One page of a list that is at hand as a whole: its rows, the next cursor, the total.

    ``key`` names a row for good (its id). A row that is gone meanwhile does not tear the list: the page begins after the
    place where it stood, as far as the mark knows.
    """
    mark = opened(query.cursor)
    start = 0
    if mark is not None:
        try:
            last, place = mark
            place = int(place)
        except (TypeError, ValueError) as error:
            raise _foreign() from error
        found = next((index for index, row in enumerate(rows) if key(row) == last), None)
        start = found + 1 if found is not None else min(place, len(rows))
    page = list(rows[start : start + query.limit])
    more = start + len(page) < len(rows)
    following = sealed([key(page[-1]), start + len(page)]) if more and page else None
    return page, announce(following), len(rows)


def walk(
    query: PageQuery,
    fetch: Callable[[Any, int], Sequence[Row]],
    mark: Callable[[Row], tuple[Any, ...]],
) -> tuple[list[Row], str | None]:
    """One page of a list that the database cuts: its rows and the next cursor.

    ``fetch`` is given the mark of the last row of the page before (None at first) and how many rows at the most;
    ``mark`` is the place of a row in the order of the list.
    """
    opened_mark = opened(query.cursor)
    try:
        rows = list(fetch(tuple(opened_mark) if opened_mark is not None else None, query.limit + 1))
    except (TypeError, ValueError, IndexError) as error:
        # A mark of an older release, which had another shape: whoever walks the list begins it again.
        if opened_mark is None:
            raise
        raise _foreign() from error
    page = rows[: query.limit]
    return page, announce(sealed(list(mark(page[-1]))) if len(rows) > query.limit else None)
