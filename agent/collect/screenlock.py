"""Section ``screenlock``: what the machine's own configuration says about locking an idle screen.

Only settings for the whole machine are read; a person's own are theirs, and in a form that only their desktop reads.
"""

import re
from typing import Any

from agent.collect import ini
from agent.roots import Root

_UNITS = {"": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hr": 3600}


def _dconf(root: Root) -> dict[str, Any] | None:
    """GNOME: system databases of dconf(7), as keyfiles."""
    values: dict[tuple[str, str], str] = {}
    for name in root.names("/etc/dconf/db") or []:
        if name.endswith(".d") and not name.startswith("gdm"):
            values.update(ini.read_folder(root, f"/etc/dconf/db/{name}"))
    locks = values.get(("org/gnome/desktop/screensaver", "lock-enabled"))
    idle = ini.number(values.get(("org/gnome/desktop/session", "idle-delay")))
    if locks is None and idle is None:
        return None
    delay = ini.number(values.get(("org/gnome/desktop/screensaver", "lock-delay"))) or 0
    # GNOME locks by default, and an idle delay of nothing means that it never does so by itself.
    return {"enabled": locks != "false" and idle != 0, "timeout_seconds": idle + delay if idle else None}


def _kde(root: Root) -> dict[str, Any] | None:
    """KDE: ``kscreenlockerrc``, in minutes."""
    values = ini.read(root, "/etc/xdg/kscreenlockerrc")
    locks, minutes = values.get(("Daemon", "Autolock")), ini.number(values.get(("Daemon", "Timeout")))
    if locks is None and minutes is None:
        return None
    return {"enabled": locks != "false", "timeout_seconds": minutes * 60 if minutes else None}


def span(value: str) -> int | None:
    """Seconds of a simple systemd.time(7) span such as ``30min`` or ``1h 30min``; None for others."""
    pieces = re.findall(r"(\d{1,6})\s*([a-z]*)", value)
    if not pieces or re.sub(r"(\d{1,6})\s*([a-z]*)|\s", "", value) or any(unit not in _UNITS for _, unit in pieces):
        return None
    return sum(int(count) * _UNITS[unit] for count, unit in pieces)


def _logind(root: Root) -> dict[str, Any] | None:
    """logind.conf(5): what happens when everybody is idle. 30 minutes is its own default."""
    values = ini.read(root, "/etc/systemd/logind.conf")
    values.update(ini.read_folder(root, "/etc/systemd/logind.conf.d", ".conf"))
    action = values.get(("Login", "IdleAction"))
    if action is None:
        return None
    return {"enabled": action == "lock", "timeout_seconds": span(values.get(("Login", "IdleActionSec"), "30min"))}


def _xscreensaver(root: Root) -> dict[str, Any] | None:
    """XScreenSaver: ``lock: True`` and ``timeout: 0:10:00`` in its system-wide defaults."""
    text = root.read("/etc/X11/app-defaults/XScreenSaver", 256 * 1024)
    if text is None:
        return None
    lock = re.search(r"^\*lock:\s*(\w+)", text, re.MULTILINE)
    after = re.search(r"^\*timeout:\s*(\d+):(\d\d):(\d\d)", text, re.MULTILINE)
    if lock is None:
        return None
    seconds = sum(int(part) * unit for part, unit in zip(after.groups(), (3600, 60, 1), strict=True)) if after else None
    return {"enabled": lock.group(1).lower() in ("true", "on", "yes", "1"), "timeout_seconds": seconds}


def collect(root: Root) -> dict[str, Any]:
    """The section: the first desktop whose configuration says something; unknown when none does."""
    for method, look in (
        ("dconf", _dconf),
        ("kscreenlocker", _kde),
        ("xscreensaver", _xscreensaver),
        ("logind", _logind),
    ):
        found = look(root)
        if found is not None:
            return {**found, "method": method}
    return {"enabled": None, "timeout_seconds": None, "method": None}
