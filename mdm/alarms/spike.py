"""When many orders at once are an alarm. Pure: what was asked where and when, and the hour, in; places out."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

WINDOW = timedelta(hours=1)
AT_ONE_PLACE = 5
"""Orders asked for at one service point within the window that are an alarm."""
IN_THE_CITY = 10
"""Orders asked for anywhere within the window that are an alarm for everybody."""

CITY = None
Place = int | None


def spikes(asked: Iterable[tuple[datetime, Place]], told: Mapping[Place, datetime], now: datetime) -> dict[Place, int]:
    """The places with too many orders within the last hour, and how many; the whole city as None.

    ``asked`` gives the moment and the service point of each order, ``told`` when a place was last an alarm: nobody hears
    of one place twice within the window. Orders of the future (a clock that was set back) count as of now.
    """
    recent = [place for at, place in asked if at > now - WINDOW]
    counts: Counter[Place] = Counter(place for place in recent if place is not CITY)
    over: dict[Place, int] = {place: count for place, count in counts.items() if count >= AT_ONE_PLACE}
    if len(recent) >= IN_THE_CITY:
        over[CITY] = len(recent)
    return {place: count for place, count in over.items() if place not in told or told[place] <= now - WINDOW}
