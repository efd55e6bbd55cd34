"""How exactly people are told when a device last said something.

A device in somebody's hands wakes when they do, so its last contact says when they were up or at work. Whoever looks after
devices needs to know whether it still answers, and for that the day is enough. To the second it is told of a device in nobody's
hands (a kiosk, stock, a repair) and of one that is lost, because then it is being looked for. The day is one of UTC, in
every list, order, export and answer alike: an order by the second would tell the second.

What the product itself needs (whether a push was heard, whether it is silent for too long) reads the moment as it is.
"""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import SQLColumnExpression
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from mdm.storage.base import UTCDateTime

IN_HAND: Final = ("handed_out", "on_loan")
"""States in which a device with a holder is in their hands."""
KIOSK: Final = "kiosk"
"""The kind that nobody carries."""


def is_exact(person_id: int | None, state: str, kind: str) -> bool:
    """Whether the moment itself is told. Pure.

    Of a kiosk always: whoever answers for it does not carry it, and citizens stand before it when it has stopped.
    """
    return person_id is None or state not in IN_HAND or kind == KIOSK


def day_of(moment: datetime) -> datetime:
    """The beginning of the moment's day in UTC. Pure."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def told(moment: datetime | None, *, exact: bool) -> datetime | None:
    """The moment as people are told it: itself, or the beginning of its day. Pure."""
    return moment if moment is None or exact else day_of(moment)


class DayOf(FunctionElement[datetime]):
    """``day_of`` in SQL, written as the database keeps moments."""

    type = UTCDateTime()
    name = "day_of"
    inherit_cache = True

    def __init__(self, column: SQLColumnExpression[Any]) -> None:
        super().__init__(column)


@compiles(DayOf)
def _server(element: DayOf, compiler: Any, **known: Any) -> str:
    return f"date_trunc('day', {compiler.process(element.clauses, **known)}, 'UTC')"


@compiles(DayOf, "sqlite")
def _file(element: DayOf, compiler: Any, **known: Any) -> str:
    return f"strftime('%Y-%m-%d 00:00:00.000000', {compiler.process(element.clauses, **known)})"
