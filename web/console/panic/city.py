"""What pages of calls for help take from the configuration, and the places that one may choose."""

from typing import Final
from zoneinfo import ZoneInfo

from flask_babel import gettext

from mdm.core.errors import N_, InvalidError
from mdm.core.permissions import Permission, Where
from mdm.org import queries as org
from mdm.settings import Settings
from mdm.storage.call import Call

DEEPER: Final = "\u2013 "
"""Stands before a unit in a list, once for each unit above it."""


def zone(settings: Settings) -> ZoneInfo:
    """The city's clock."""
    return ZoneInfo(settings.timezone)


def places(call: Call) -> list[tuple[str, str]]:
    """The places for which this person answers, as choices of a form: service points, units, the city."""
    points = [
        (f"point:{one.id}", one.name)
        for one in org.service_points(call)
        if call.actor.may(Permission.PANIC_MANAGE, Where(one.id))
    ]
    units = [
        (f"unit:{one.unit.id}", DEEPER * one.depth + one.unit.name)
        for one in org.units(call)
        if call.actor.may(Permission.PANIC_MANAGE, Where(None, one.unit.id))
    ]
    city = [("city", gettext("The whole city"))] if call.actor.may(Permission.PANIC_MANAGE) else []
    return points + units + city


def place(written: str) -> Where:
    """The place that was chosen. Raises InvalidError for none."""
    kind, _, number = written.partition(":")
    if kind == "city":
        return Where()
    if kind in ("point", "unit") and number.isascii() and number.isdigit() and len(number) < 15:
        return Where(int(number)) if kind == "point" else Where(None, int(number))
    sentence = N_("Choose a place from the list.")
    raise InvalidError(sentence, fields={"place": sentence})


def place_name(call: Call, where: Where) -> str:
    """What people call a place."""
    if where.service_point_id is not None:
        return org.service_point_names(call.session, {where.service_point_id}).get(where.service_point_id, "")
    if where.unit_id is not None:
        return org.unit_names(call.session, {where.unit_id}).get(where.unit_id, "")
    return str(gettext("The whole city"))
