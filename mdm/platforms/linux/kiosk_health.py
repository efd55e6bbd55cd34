"""What the agent of a kiosk is told for its watch: when it may be looked at, which printer it asks, where the browser answers."""

import json
from typing import Final

from mdm.platforms.linux.kiosk import ANSWER_PORT, BROWSER, KIN
from mdm.platforms.linux.parts import Part, Resources, Settings, file, given
from mdm.platforms.linux.printing import default_printer

PATH: Final = "/etc/havenmeester/managed/kiosk.json"
KEYS: Final = (
    "kiosk.maintenance",
    "updates.window",
    "kiosk.watch_printer",
    "printing.printers",
    "kiosk.restarts_per_hour",
    "kiosk.screen_hours",
)


def window_key(settings: Settings) -> str | None:
    """The setting that says when a kiosk may be looked at: its own maintenance window, or that of updates. None: never."""
    return next(iter(given(settings, ("kiosk.maintenance", "updates.window"))), None)


def _health(settings: Settings) -> Resources:
    keys = given(settings, ("kiosk.url", "kiosk.app"))
    if not keys:
        return []
    window = window_key(settings)
    told = {
        "browser_port": ANSWER_PORT if settings.get("kiosk.app", BROWSER) in KIN else None,
        "maintenance": settings[window] if window else None,
        "printer": settings.get("kiosk.watch_printer", default_printer(settings)),
        "restarts_per_hour": settings.get("kiosk.restarts_per_hour"),
        "screen_hours": settings.get("kiosk.screen_hours"),
    }
    content = json.dumps({key: value for key, value in told.items() if value is not None}, sort_keys=True, indent=1)
    more = given(
        settings, ("kiosk.watch_printer", "printing.printers", "kiosk.restarts_per_hour", "kiosk.screen_hours")
    )
    return [file("kiosk.health", [*keys, *([window] if window else []), *more], PATH, content + "\n", validate="json")]


PARTS = (Part(("kiosk.url", "kiosk.app", *KEYS), _health),)
