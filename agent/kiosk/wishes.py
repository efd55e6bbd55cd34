"""What the desired state says to the watch of a kiosk: one small file, written like every other resource."""

import json
import time
from dataclasses import dataclass
from typing import Any, Final

from agent.kiosk import guard
from agent.roots import Root

PATH: Final = "/etc/havenmeester/managed/kiosk.json"
UNIT: Final = "havenmeester-kiosk.service"
UNIT_PATH: Final = f"/etc/systemd/system/{UNIT}"
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Window:
    """A time of the week in the device's own time; one that ends before it begins goes over midnight."""

    days: tuple[str, ...]
    start: int
    end: int

    def holds(self, at: time.struct_time) -> bool:
        """Whether a moment lies in it. The days are those on which it begins."""
        minute = at.tm_hour * 60 + at.tm_min
        if self.start < self.end:
            return DAYS[at.tm_wday] in self.days and self.start <= minute < self.end
        today, yesterday = DAYS[at.tm_wday], DAYS[at.tm_wday - 1]
        return (today in self.days and minute >= self.start) or (yesterday in self.days and minute < self.end)

    def __str__(self) -> str:
        start, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in (self.start, self.end))
        return f"{', '.join(self.days)} {start}-{end}"


@dataclass(frozen=True, slots=True)
class Wishes:
    """``printer``: an ipp, ipps or cups: address. ``port``: where the browser answers on this machine alone."""

    printer: str = ""
    port: int | None = None
    window: Window | None = None
    hours: Window | None = None
    """When the screen is on; None for always."""
    limit: int = guard.LIMIT


def read(root: Root) -> Wishes:
    """The file; nothing is wished where there is none or it is damaged."""
    try:
        said = json.loads(root.read(PATH, 65536) or "{}")
    except (ValueError, RecursionError):
        said = {}
    if not isinstance(said, dict):
        return Wishes()
    printer, port, limit = said.get("printer"), said.get("browser_port"), said.get("restarts_per_hour")
    return Wishes(
        printer if isinstance(printer, str) else "",
        port if type(port) is int and 0 < port < 65536 else None,
        _window(said.get("maintenance")),
        _window(said.get("screen_hours")),
        limit if type(limit) is int and 0 <= limit <= guard.MAX_LIMIT else guard.LIMIT,
    )


def _window(said: Any) -> Window | None:
    if not isinstance(said, dict) or not isinstance(said.get("days"), list):
        return None
    days = tuple(day for day in DAYS if day in said["days"])
    start, end = _minutes(said.get("from")), _minutes(said.get("to"))
    return Window(days, start, end) if days and start is not None and end is not None and start != end else None


def _minutes(text: object) -> int | None:
    hours, colon, minutes = str(text).partition(":")
    if not (colon and hours.isascii() and hours.isdigit() and minutes.isascii() and minutes.isdigit()):
        return None
    whole = int(hours[:4]) * 60 + int(minutes[:4])
    return whole if int(hours[:4]) < 24 and int(minutes[:4]) < 60 else None
