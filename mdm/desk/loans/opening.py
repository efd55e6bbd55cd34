"""Opening hours as moments: when a place is open, and how much opening time lies between two moments. Pure.

Hours are told in local time and moments are in UTC, so a day in March has an hour less and one in October an hour more.
A place without opening hours is taken as always open: nobody has told them yet.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mdm.core.errors import N_, InvalidError
from mdm.org.hours import DAYS

Week = Mapping[str, Sequence[Sequence[str]]]
Span = tuple[datetime, datetime]
DAY = timedelta(days=1)
LOOK_AHEAD = 400
"""Days after which a search for an open one is given up."""


def local_moment(day: date, at: time, zone: ZoneInfo, field: str) -> datetime:
    """The moment in UTC of a local date and time; of two that are told alike (autumn) the first.

    Raises InvalidError, at ``field``, for a time that the change to summer time skips.
    """
    local = datetime.combine(day, at, zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        sentence = N_("This time does not exist: the clock is put forward that night. Choose another one.")
        raise InvalidError(sentence, fields={field: sentence}, code="time_skipped")
    return moment


def spans_on(week: Week, day: date, zone: ZoneInfo) -> list[Span]:
    """When it is open on that day, in UTC and in order; empty for a closed day."""
    if not week:
        return [(_at(day, "00:00", zone), _at(day, "24:00", zone))]
    spans = [(_at(day, begin, zone), _at(day, end, zone)) for begin, end in week.get(DAYS[day.weekday()], ())]
    return [(begin, end) for begin, end in spans if begin < end]


def _at(day: date, text: str, zone: ZoneInfo) -> datetime:
    hour, minute = (int(part) for part in text.split(":"))
    if hour == 24:
        day, hour = day + DAY, 0
    return datetime.combine(day, time(hour, minute), zone).astimezone(UTC)


def is_open(week: Week, moment: datetime, zone: ZoneInfo) -> bool:
    """Whether somebody is there at that moment; the minute of closing still counts."""
    day = moment.astimezone(zone).date()
    return any(begin <= moment <= end for when in (day - DAY, day) for begin, end in spans_on(week, when, zone))


def open_time(week: Week, moment: datetime, zone: ZoneInfo, days: int = LOOK_AHEAD) -> Iterator[Span]:
    """Every span from ``moment`` on, the first one cut off at it."""
    first = moment.astimezone(zone).date() - DAY
    for number in range(days + 2):
        for begin, end in spans_on(week, first + number * DAY, zone):
            if end > moment:
                yield max(begin, moment), end


def after_open_time(week: Week, moment: datetime, zone: ZoneInfo, needed: timedelta) -> datetime:
    """The moment by which ``needed`` of opening time has passed since ``moment``; where it never opens, of any time."""
    left = needed
    for begin, end in open_time(week, moment, zone):
        if end - begin >= left:
            return begin + left
        left -= end - begin
    return moment + needed


def prepare_by(week: Week, begins: datetime, zone: ZoneInfo, days: int, now: datetime) -> datetime:
    """By when the device lies ready: the close of the ``days``-th open day before the beginning; never before ``now``.

    With no days, the beginning itself.
    """
    if days == 0:
        return max(begins, now)
    day, found = begins.astimezone(zone).date(), 0
    for _ in range(LOOK_AHEAD):
        day -= DAY
        spans = spans_on(week, day, zone)
        found += bool(spans)
        if found == days:
            return max(spans[-1][1], now)
    return max(begins, now)
