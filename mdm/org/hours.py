"""Opening hours: what may be written, and what is kept."""

import re
from collections.abc import Mapping, Sequence

from mdm.core.errors import N_, InvalidError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_SPANS = 4
"""Spans of one day."""
Hours = dict[str, list[list[str]]]

_NAMES = {
    name: day
    for day, names in zip(
        DAYS,
        (
            ("mon", "monday", "ma", "maandag", "lu", "lun", "lundi"),
            ("tue", "tuesday", "di", "dinsdag", "mar", "mardi"),
            ("wed", "wednesday", "wo", "woensdag", "me", "mer", "mercredi"),
            ("thu", "thursday", "do", "donderdag", "je", "jeu", "jeudi"),
            ("fri", "friday", "vr", "vrijdag", "ve", "ven", "vendredi"),
            ("sat", "saturday", "za", "zaterdag", "sa", "sam", "samedi"),
            ("sun", "sunday", "zo", "zondag", "dim", "dimanche"),
        ),
        strict=True,
    )
    for name in names
}
_TIME = re.compile(r"([01]?\d|2[0-3])[:.h]([0-5]\d)|(24)[:.h](00)")
_SPAN = re.compile(r"(\d{1,2}[:.h]\d\d)\s*[-\u2013]\s*(\d{1,2}[:.h]\d\d)")
_RULE = re.compile(r"([a-z]+)(?:\s*[-\u2013]\s*([a-z]+))?\s+(.+)")
_WRONG = N_('Write opening hours as "mon-fri 09:00-12:00 13:00-17:00; sat 09:00-12:00".')


def _refuse(sentence: str) -> InvalidError:
    return InvalidError(sentence, fields={"opening_hours": sentence}, code="opening_hours_invalid")


def _time(text: object) -> str:
    match = _TIME.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise _refuse(N_("A time of the opening hours is written as 09:00."))
    return f"{int(match[1] or match[3]):02}:{match[2] or match[4]}"


def checked(hours: Mapping[str, Sequence[Sequence[str]]]) -> Hours:
    """The hours in one form: days in order, times as ``09:00``, spans sorted; a closed day is left out.

    Raises InvalidError for an unknown day, a span that ends before it begins, and spans that overlap.
    """
    unknown = set(hours) - set(DAYS)
    if unknown:
        raise _refuse(N_("The days of opening hours are mon, tue, wed, thu, fri, sat and sun."))
    kept: Hours = {}
    for day in DAYS:
        spans = hours.get(day, ())
        if isinstance(spans, str) or len(spans) > MAX_SPANS or any(len(span) != 2 for span in spans):
            raise _refuse(_WRONG)
        sorted_spans = sorted([_time(begin), _time(end)] for begin, end in spans)
        flat = [moment for span in sorted_spans for moment in span]
        if any(later <= earlier for earlier, later in zip(flat[::2], flat[1::2], strict=True)) or flat != sorted(flat):
            raise _refuse(N_("A span of the opening hours ends before it begins, or two spans of a day overlap."))
        if sorted_spans:
            kept[day] = sorted_spans
    return kept


def parse(text: str) -> Hours:
    """Hours from one line, with day names in Dutch, French or English: ``ma-vr 09:00-17:00; za 9.00-12.00``.

    Empty text is closed all week. Raises InvalidError for what cannot be read.
    """
    hours: Hours = {}
    for rule in filter(None, (part.strip().lower() for part in re.split(r"[;\n|]", text))):
        match = _RULE.fullmatch(rule)
        first, last = (_NAMES.get(match[1]), _NAMES.get(match[2] or match[1])) if match else (None, None)
        if match is None or first is None or last is None:
            raise _refuse(_WRONG)
        spans = [[begin, end] for begin, end in _SPAN.findall(match[3])]
        if _SPAN.sub("", match[3]).strip(" ,"):
            raise _refuse(_WRONG)
        here, there = DAYS.index(first), DAYS.index(last)
        for day in DAYS[here : there + 1] if here <= there else DAYS[here:] + DAYS[: there + 1]:
            hours.setdefault(day, []).extend(spans)
    return checked(hours)


def as_text(hours: Mapping[str, Sequence[Sequence[str]]]) -> str:
    """The hours as one line that ``parse`` reads back; empty when closed all week."""
    lines = []
    for day in DAYS:
        if hours.get(day):
            lines.append(f"{day} " + " ".join(f"{begin}-{end}" for begin, end in hours[day]))
    return "; ".join(lines)
