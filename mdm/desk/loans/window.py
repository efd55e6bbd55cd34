"""What may be asked for: a window that makes sense at this place. Pure."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from mdm.core.errors import N_, InvalidError
from mdm.desk.loans.model import LoanPlace
from mdm.desk.loans.opening import Week, is_open, open_time
from mdm.desk.loans.slots import HALF_HOUR, begin_of, is_whole, slot_of

AHEAD = timedelta(days=366)
SEARCHED = 14
"""Days in which another beginning is looked for."""


def checked(place: LoanPlace, week: Week, closes: date | None, begins: datetime, ends: datetime, now: datetime) -> None:
    """Nothing when this window can be asked for; raises InvalidError that names the field and says what to do.

    ``week`` are the opening hours of the service point, ``closes`` the day from which it is closed for good.
    """
    zone = ZoneInfo(place.zone)
    if not (is_whole(begins) and is_whole(ends)):
        raise _wrong("ends_at" if is_whole(begins) else "begins_at", N_("Choose a whole or a half hour."), "loan_half")
    if ends <= begins:
        raise _wrong("ends_at", N_("The loan ends before it begins."), "loan_order")
    if begins < begin_of(slot_of(now)):
        raise _wrong("begins_at", N_("This has passed already. Choose a later beginning."), "loan_past")
    if begins > now + AHEAD:
        raise _wrong("begins_at", N_("Reserve at most a year ahead."), "loan_far")
    most = place.longest_days
    # In days of the calendar: one of them has an hour more in autumn.
    if (ends.astimezone(zone) - timedelta(days=most)).replace(tzinfo=None) > begins.astimezone(zone).replace(
        tzinfo=None
    ):
        raise _wrong("ends_at", N_("A loan from this place lasts %(days)s days at the most."), "loan_long", days=most)
    if closes is not None and ends.astimezone(zone).date() >= closes:
        raise _wrong("ends_at", N_("This place closes for good before the end of the loan."), "loan_closing")
    for field, moment in (("begins_at", begins), ("ends_at", ends)):
        if not is_open(week, moment, zone):
            raise _wrong(
                field, N_("The place is closed at this hour. Choose one within its opening hours."), "loan_closed"
            )


def _wrong(field: str, sentence: str, code: str, **params: object) -> InvalidError:
    return InvalidError(sentence, fields={field: sentence % params if params else sentence}, code=code, **params)


def beginnings(place: LoanPlace, week: Week, since: datetime, length: timedelta) -> Iterator[datetime]:
    """Every half hour of the next two weeks at which a loan of that length can begin and end while somebody is there."""
    zone = ZoneInfo(place.zone)
    for begin, end in open_time(week, since, zone, SEARCHED):
        moment = begin_of(-(-int(begin.timestamp()) // 1800))
        while moment <= end:
            if is_open(week, moment + length, zone):
                yield moment
            moment += HALF_HOUR
