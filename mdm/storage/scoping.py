"""Conditions that queries of every room share: whose rows, and which words."""

from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, true
from sqlalchemy.orm import InstrumentedAttribute

from mdm.core.permissions import Scope
from mdm.core.text import fold

Column = InstrumentedAttribute[Any]
MAX_WORDS = 8


def within(scope: Scope, service_point: Column | None, unit: Column | None) -> ColumnElement[bool]:
    """Rows that stand at a place of this scope; no row at all where it is empty. None: the rows have no such place."""
    if scope.city:
        return true()
    places: list[ColumnElement[bool]] = []
    if service_point is not None and scope.service_points:
        places.append(service_point.in_(scope.service_points))
    if unit is not None and scope.units:
        places.append(unit.in_(scope.units))
    return or_(*places) if places else false()


def has_words(column: Column, words: str) -> ColumnElement[bool]:
    """Rows whose folded text (``mdm.core.text.fold``) holds each of the first eight words, wherever in it."""
    return and_(true(), *(column.contains(word, autoescape=True) for word in fold(words).split()[:MAX_WORDS]))
