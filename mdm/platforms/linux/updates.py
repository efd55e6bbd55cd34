"""Updates: unattended-upgrades of Debian, and in a window when there is one: fetched, installed and restarted inside it."""

from typing import Any, Final

from mdm.platforms.linux.parts import DAYS, MARK, Part, Resources, Settings, file, given, unit

UPDATES: Final = ("updates.auto", "updates.reboot")
_SECURITY: Final = '"origin=Debian,codename=${distro_codename}-security,label=Debian-Security";'
_ALL: Final = (
    '"origin=Debian,codename=${distro_codename},label=Debian";',
    '"origin=Debian,codename=${distro_codename}-updates,label=Debian";',
)
_DAY: Final = 24 * 60


def _updates(settings: Settings) -> Resources:
    """apt.conf(5) of unattended-upgrades. A kiosk's own session is nobody whose work a restart would end."""
    keys = given(settings, UPDATES)
    if not keys:
        return []
    lines = [MARK.replace("#", "//", 1).rstrip()]
    auto = settings.get("updates.auto")
    if auto is not None:
        on = "0" if auto == "off" else "1"
        lines += [
            f'APT::Periodic::Update-Package-Lists "{on}";',
            f'APT::Periodic::Unattended-Upgrade "{on}";',
        ]
    if auto in ("security", "all"):
        origins = [_SECURITY, *(_ALL if auto == "all" else ())]
        lines += [
            "#clear Unattended-Upgrade::Origins-Pattern;",
            "Unattended-Upgrade::Origins-Pattern {",
            *origins,
            "};",
        ]
    if "updates.reboot" in settings:
        reboot = "true" if settings["updates.reboot"] else "false"
        kiosk = bool(given(settings, ("kiosk.url", "kiosk.app")))
        lines += [
            f'Unattended-Upgrade::Automatic-Reboot "{reboot}";',
            f'Unattended-Upgrade::Automatic-Reboot-WithUsers "{"true" if kiosk else "false"}";',
        ]
        if settings["updates.reboot"] and "updates.window" in settings:
            keys.append("updates.window")
            start, length = _span(settings["updates.window"])
            lines.append(f'Unattended-Upgrade::Automatic-Reboot-Time "{_clock(start + length * 3 // 4)}";')
    path = "/etc/apt/apt.conf.d/90havenmeester-updates"
    return [file("updates.apt", keys, path, "\n".join(lines) + "\n", validate="apt")]


def _window(settings: Settings) -> Resources:
    """systemd.timer(5): apt's own timers. In its first quarter a window fetches, in its second it installs, and three
    quarters on the machine starts again where it must: so it ends within it."""
    window = settings.get("updates.window")
    if window is None:
        return []
    start, length = _span(window)
    return [
        _timer("updates.fetch", "apt-daily.timer", "Daily apt download, in its window", window, start, length // 4),
        _timer(
            "updates.timer",
            "apt-daily-upgrade.timer",
            "Daily apt upgrade, in its window",
            window,
            start + length // 4,
            length // 4,
        ),
    ]


def _timer(id_: str, name: str, what: str, window: dict[str, Any], minute: int, spread: int) -> dict[str, Any]:
    """A timer on the days of the window; a moment after midnight belongs to the window of the day before."""
    later = minute // _DAY
    days = sorted((DAYS.index(day) + later) % 7 for day in window["days"])
    names = ",".join(DAYS[day].capitalize() for day in days)
    after = "After=apt-daily.timer\n" if name != "apt-daily.timer" else ""
    content = (
        f"{MARK}[Unit]\nDescription={what}\n{after}\n"
        f"[Timer]\nOnCalendar={names} *-*-* {_clock(minute)}:00\n"
        f"RandomizedDelaySec={max(1, spread)}min\nPersistent=false\n\n[Install]\nWantedBy=timers.target\n"
    )
    return unit(id_, ["updates.window"], name, content)


def _span(window: dict[str, Any]) -> tuple[int, int]:
    """The minute of the day on which a window begins, and how many minutes it lasts."""
    start, end = (int(window[name][:2]) * 60 + int(window[name][3:]) for name in ("from", "to"))
    return start, (end - start) % _DAY


def _clock(minute: int) -> str:
    return f"{minute // 60 % 24:02d}:{minute % 60:02d}"


PARTS = (Part((*UPDATES, "updates.window"), _updates), Part(("updates.window",), _window))
