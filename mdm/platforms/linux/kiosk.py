"""A kiosk: one application over the whole screen, in a session of its own, without an account that anybody can use."""

from mdm.platforms.linux.escape import systemd_argument
from mdm.platforms.linux.parts import MARK, Part, Resources, Settings, given, unit

NAME = "havenmeester-kiosk.service"
BROWSER = "chromium"
_FLAGS = ("--kiosk", "--no-first-run", "--noerrdialogs", "--disable-session-crashed-bubble")


def _kiosk(settings: Settings) -> Resources:
    """The session as a unit: cage shows one program; ``env`` finds it, so that the unit is valid before it is there."""
    keys = given(settings, ("kiosk.url", "kiosk.app"))
    if not keys:
        return []
    application = settings.get("kiosk.app", BROWSER)
    words = [application]
    if application == BROWSER:
        words += _FLAGS
        if settings.get("browser.incognito") is False:
            keys.append("browser.incognito")
        else:
            # What a visitor leaves behind goes with the window, unless a policy forbids such windows.
            words.append("--incognito")
    if "kiosk.url" in settings:
        words.append(settings["kiosk.url"])
    command = " ".join(systemd_argument(word) for word in words)
    content = (
        f"{MARK}[Unit]\nDescription=Havenmeester: kiosk\nAfter=systemd-user-sessions.service network-online.target\n"
        "Wants=network-online.target\nConflicts=getty@tty7.service\nAfter=getty@tty7.service\n\n"
        "[Service]\nDynamicUser=yes\nStateDirectory=havenmeester-kiosk\n"
        "Environment=HOME=/var/lib/havenmeester-kiosk\nPAMName=login\nTTYPath=/dev/tty7\nTTYReset=yes\n"
        "TTYVHangup=yes\nTTYVTDisallocate=yes\nStandardInput=tty-fail\nStandardOutput=journal\nUtmpIdentifier=tty7\n"
        f"UtmpMode=user\nExecStart=/usr/bin/env cage -d -s -- {command}\nRestart=always\nRestartSec=5\n\n"
        "[Install]\nWantedBy=graphical.target\n"
    )
    return [unit("kiosk.session", keys, NAME, content)]


def _restart(settings: Settings) -> Resources:
    if "kiosk.restart_at" not in settings or not given(settings, ("kiosk.url", "kiosk.app")):
        return []
    hours, minutes = (int(part) for part in settings["kiosk.restart_at"].split(":"))
    service = (
        f"{MARK}[Unit]\nDescription=Havenmeester: start the kiosk anew\n\n"
        f"[Service]\nType=oneshot\nExecStart=/usr/bin/systemctl restart {NAME}\n"
    )
    timer = (
        f"{MARK}[Unit]\nDescription=Havenmeester: start the kiosk anew every day\n\n"
        f"[Timer]\nOnCalendar=*-*-* {hours:02d}:{minutes:02d}:00\n\n[Install]\nWantedBy=timers.target\n"
    )
    keys = ["kiosk.restart_at"]
    return [
        unit("kiosk.restart", keys, "havenmeester-kiosk-restart.service", service, enable=False),
        unit("kiosk.restart-timer", keys, "havenmeester-kiosk-restart.timer", timer),
    ]


PARTS = (Part(("kiosk.url", "kiosk.app"), _kiosk), Part(("kiosk.restart_at",), _restart))
