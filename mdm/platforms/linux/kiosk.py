"""A kiosk: one application over the whole screen, in a session of its own, without an account that anybody can use.

One run of the session is one citizen. Its home is in the service's folder in memory: systemd ends every process of it and
removes that folder, so that nothing of the first is there for the second, whatever the application does.
"""

from pathlib import Path
from typing import Any, Final

from mdm.platforms.linux.escape import systemd_argument
from mdm.platforms.linux.idle_page import KEYS as IDLE
from mdm.platforms.linux.idle_page import PAGE_URL, idle_page, shows_idle_page
from mdm.platforms.linux.idle_page import PATH as IDLE_PATH
from mdm.platforms.linux.parts import DAYS, MARK, Part, Resources, Settings, file, given, masked, unit

NAME: Final = "havenmeester-kiosk.service"
BROWSER: Final = "chromium"
KIN: Final = frozenset({BROWSER, "google-chrome", "google-chrome-stable"})
"""Browsers that know the same arguments, and read the same policies."""
PACKAGES: Final = frozenset({"cage", "foot", "grim", "swayidle", "xwayland"})
"""What a session needs beside its program, with what shows a notice and takes a picture of its screen. Debian's compositor
does not start without an X server to hand."""
BUTTON_PACKAGE: Final = "python3-tk"
"""What shows the button with which a citizen says that they are done."""
BUTTON: Final = Path(__file__).with_name("done_button.py")
FOLDER: Final = "/usr/local/share/havenmeester/kiosk"
IDLE_SECONDS: Final = 120
"""After how many seconds without a touch a kiosk starts over when no policy says it: another's session is nobody's to see."""
SESSION: Final = (
    "kiosk.url",
    "kiosk.app",
    "kiosk.idle_reset",
    "kiosk.idle_page",
    "kiosk.idle_url",
    "kiosk.screen_hours",
    "kiosk.done_button",
)
ANSWER_PORT: Final = 9227
"""Where Chromium answers on the kiosk's own loopback: the agent asks there whether it is alive."""
_AWAKE: Final = "/usr/bin/setterm --term linux --blank 0 --powersave off"
_FLAGS: Final = (
    "--kiosk",
    "--no-first-run",
    "--noerrdialogs",
    "--disable-session-crashed-bubble",
    "--disable-pinch",
    "--overscroll-history-navigation=0",
    "--password-store=basic",
    "--disk-cache-size=67108864",
    # On Wayland a page that plays a video may tell the compositor that nobody is idle, and the next citizen would find it.
    "--ozone-platform=x11",
    f"--remote-debugging-port={ANSWER_PORT}",
    # In the session's own folder, into which its script goes: without one that is named, Chromium opens no port.
    "--user-data-dir=browser",
)
SCRIPT: Final = f"""#!/bin/bash
{MARK}# session [--done CORNER] SECONDS PROGRAM [ARGUMENT...]: the program, until it ends, nobody has touched anything for so many
# seconds, or a citizen says by a button in that corner that they are done.
# A kiosk that nobody used is not begun anew. "used" is touched by whoever comes back after a second's rest.
set -u
corner=
if [ "$1" = --done ]; then
    corner=$2
    shift 2
fi
seconds=$1
shift
here=${{RUNTIME_DIRECTORY:?}}
export HOME="$here/home"
unset XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME XDG_STATE_HOME
mkdir -p "$HOME"
cd "$HOME" || exit 70
"$@" &
program=$!
swayidle -w timeout 1 true resume "touch '$here/used'" \\
    timeout "$seconds" "test ! -e '$here/used' || {{ touch '$here/finished'; kill -KILL $program; }}" &
watcher=$!
button=
if [ -n "$corner" ]; then
    # Where it cannot be shown the session goes on without it; its idle time ends it as ever.
    /usr/bin/python3 -I "${{BASH_SOURCE%/*}}/done" "$corner" "$here/finished" "$program" &
    button=$!
fi
wait -n -p ended "$program" "$watcher"
code=$?
if [ "$ended" = "$watcher" ]; then
    # Without the watcher the next citizen would find what this one did.
    code=70
    kill -KILL "$program"
fi
# The compositor stays while anything of ours does.
kill -KILL "$watcher" $button 2>/dev/null
if [ "$code" -ne 0 ] && [ ! -e "$here/finished" ]; then
    echo "The program of the kiosk ended with $code." >&2
    # What fails at once is not tried again at once; and whoever looks at the service sees that it failed.
    sleep 4
    kill -KILL "$PPID"
fi
"""
OPEN: Final = f"""#!/bin/sh
{MARK}# open FROM TO DAYS: content while the screen is to be on; minutes of the day, and days as 1,2,7 (1 is Monday).
set -u
now=${{KIOSK_NOW:-$(date '+%u %H %M')}}
set -- "$1" "$2" ",$3," $now
today=$4
yesterday=$(((today + 5) % 7 + 1))
minute=$((${{5#0}} * 60 + ${{6#0}}))
day() {{
    case "$2" in *",$1,"*) return 0 ;; esac
    return 1
}}
if [ "$1" -lt "$2" ]; then
    day "$today" "$3" && [ "$minute" -ge "$1" ] && [ "$minute" -lt "$2" ]
elif [ "$minute" -ge "$1" ]; then
    day "$today" "$3"
else
    [ "$minute" -lt "$2" ] && day "$yesterday" "$3"
fi
"""


def _kiosk(settings: Settings) -> Resources:
    """The session as a unit: cage shows one program; ``env`` finds it, so that the unit is valid before it is there."""
    keys = given(settings, ("kiosk.url", "kiosk.app"))
    if not keys:
        return []
    words, more = _command(settings)
    seconds = int(settings.get("kiosk.idle_reset", IDLE_SECONDS))
    corner = done_corner(settings)
    begin = [f"{FOLDER}/session", *(("--done", corner) if corner else ()), str(seconds)]
    command = " ".join([*begin, *(systemd_argument(word) for word in words)])
    keys += more + given(settings, ("kiosk.idle_reset", *(("kiosk.done_button",) if corner else ())))
    content = (
        f"{MARK}[Unit]\nDescription=Havenmeester: kiosk\nAfter=systemd-user-sessions.service network-online.target\n"
        "Wants=network-online.target\nConflicts=getty@tty7.service\nAfter=getty@tty7.service\n"
        # Enough for one citizen after the other; a program that cannot start is given up after five minutes.
        "StartLimitIntervalSec=600\nStartLimitBurst=60\n\n"
        "[Service]\nDynamicUser=yes\nRuntimeDirectory=havenmeester-kiosk\nRuntimeDirectoryMode=0700\n"
        "PAMName=login\nTTYPath=/dev/tty7\nTTYReset=yes\n"
        "TTYVHangup=yes\nTTYVTDisallocate=yes\nStandardInput=tty-fail\nStandardOutput=journal\nUtmpIdentifier=tty7\n"
        f"UtmpMode=user\n{_condition(settings)}"
        f"ExecStart=/usr/bin/env cage -d -- {command}\nKillMode=control-group\nTimeoutStopSec=5\n"
        "Restart=always\nRestartSec=1\n\n"
        "[Install]\nWantedBy=graphical.target\n"
    )
    script = file("kiosk.script", keys, f"{FOLDER}/session", SCRIPT, mode="0755", validate="shell")
    # A greeter would want the same screen.
    greeter = masked("kiosk.greeter", keys, "display-manager.service")
    return [script, greeter, unit("kiosk.session", keys, NAME, content)]


def _command(settings: Settings) -> tuple[list[str], list[str]]:
    """The program with its arguments, and the settings beside page and application that made it so."""
    application = settings.get("kiosk.app", BROWSER)
    words, keys = [application], []
    if application in KIN:
        words += _FLAGS
        if settings.get("browser.incognito") is False:
            keys.append("browser.incognito")
        else:
            # What a visitor leaves behind goes with the window, unless a policy forbids such windows.
            words.append("--incognito")
        if settings.get("restrictions.printing") is True:
            keys.append("restrictions.printing")
            # On the default printer, without the dialog in which a visitor could choose another place.
            words.append("--kiosk-printing")
    first = settings.get("kiosk.url")
    if first is not None and "kiosk.idle_url" in settings:
        keys.append("kiosk.idle_url")
        first = settings["kiosk.idle_url"]
    elif shows_idle_page(settings):
        keys.append("kiosk.idle_page")
        first = PAGE_URL
    if first is not None:
        words.append(first)
    return words, keys


def done_corner(settings: Settings) -> str:
    """The corner of the button with which a citizen is done; empty where there is none.

    Beside a browser alone: another program may draw by a way that knows no order of windows.
    """
    corner = settings.get("kiosk.done_button", "none")
    shown = "kiosk.url" in settings and settings.get("kiosk.app", BROWSER) in KIN
    return str(corner) if shown and corner != "none" else ""


def _done(settings: Settings) -> Resources:
    if not done_corner(settings):
        return []
    return [file("kiosk.done", ["kiosk.done_button"], f"{FOLDER}/done", MARK + BUTTON.read_text())]


def _idle(settings: Settings) -> Resources:
    if not shows_idle_page(settings):
        return []
    return [file("kiosk.idle", given(settings, IDLE), IDLE_PATH, idle_page(settings))]


def _restart(settings: Settings) -> Resources:
    if "kiosk.restart_at" not in settings or not given(settings, ("kiosk.url", "kiosk.app")):
        return []
    hours, minutes = (int(part) for part in settings["kiosk.restart_at"].split(":"))
    keys = ["kiosk.restart_at"]
    what = "Havenmeester: start the kiosk anew"
    # Only a kiosk that runs: one whose screen is off stays so.
    command = f"ExecStart=/usr/bin/systemctl try-restart {NAME}\n"
    return _by_clock(
        "kiosk.restart", keys, "havenmeester-kiosk-restart", what, command, f"*-*-* {hours:02d}:{minutes:02d}:00"
    )


def _by_clock(id_: str, keys: list[str], name: str, what: str, commands: str, calendar: str) -> Resources:
    """A service, and the timer that starts it."""
    service = f"{MARK}[Unit]\nDescription={what}\n\n[Service]\nType=oneshot\n{commands}"
    timer = (
        f"{MARK}[Unit]\nDescription={what}, by the clock\n\n[Timer]\nOnCalendar={calendar}\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )
    return [
        unit(id_, keys, f"{name}.service", service, enable=False),
        unit(f"{id_}-timer", keys, f"{name}.timer", timer),
    ]


def _window(settings: Settings) -> tuple[int, int, list[int]]:
    window: dict[str, Any] = settings["kiosk.screen_hours"]
    start, end = (int(text[:2]) * 60 + int(text[3:]) for text in (window["from"], window["to"]))
    return start, end, sorted(DAYS.index(day) for day in window["days"])


def _condition(settings: Settings) -> str:
    """A kiosk that is switched on in the night stays dark until its hours begin."""
    if "kiosk.screen_hours" not in settings:
        return ""
    start, end, days = _window(settings)
    return f"ExecCondition=/bin/sh {FOLDER}/open {start} {end} {','.join(str(day + 1) for day in days)}\n"


def _hours(settings: Settings) -> Resources:
    """Screen hours: outside them there is no session, and the console that is left switches the screen's power off.

    The compositor has no way of its own to do that.
    """
    if "kiosk.screen_hours" not in settings or not given(settings, ("kiosk.url", "kiosk.app")):
        return []
    start, end, days = _window(settings)
    # What ends after midnight ends on the next day.
    ends = days if start < end else sorted((day + 1) % 7 for day in days)
    keys = ["kiosk.screen_hours"]
    dark = (
        f"ExecStart=/usr/bin/systemctl stop {NAME}\n"
        "ExecStart=-/usr/bin/setterm --term linux --blank force --powersave powerdown\n"
        "StandardOutput=tty\nTTYPath=/dev/tty7\n"
    )
    light = f"ExecStart=-{_AWAKE}\nExecStart=/usr/bin/systemctl start {NAME}\nStandardOutput=tty\nTTYPath=/dev/tty7\n"
    return [
        file("kiosk.open", keys, f"{FOLDER}/open", OPEN, mode="0755", validate="shell"),
        *_by_clock(
            "kiosk.dark", keys, "havenmeester-kiosk-dark", "Havenmeester: screen off", dark, _calendar(ends, end)
        ),
        *_by_clock(
            "kiosk.light", keys, "havenmeester-kiosk-light", "Havenmeester: screen on", light, _calendar(days, start)
        ),
    ]


def _awake(settings: Settings) -> Resources:
    """The console beneath the session never goes dark by itself."""
    if not given(settings, ("kiosk.url", "kiosk.app")):
        return []
    content = (
        f"{MARK}[Unit]\nDescription=Havenmeester: the screen of a kiosk stays on\nBefore={NAME}\n\n"
        f"[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart={_AWAKE}\nStandardOutput=tty\nTTYPath=/dev/tty7\n\n"
        "[Install]\nWantedBy=multi-user.target\n"
    )
    keys = given(settings, ("kiosk.url", "kiosk.app"))
    return [unit("kiosk.awake", keys, "havenmeester-kiosk-awake.service", content)]


def _calendar(days: list[int], minute: int) -> str:
    names = ",".join(DAYS[day].capitalize() for day in days)
    return f"{names} *-*-* {minute // 60:02d}:{minute % 60:02d}:00"


PARTS = (
    Part(SESSION, _kiosk),
    Part(IDLE, _idle),
    Part(("kiosk.done_button",), _done),
    Part(("kiosk.restart_at",), _restart),
    Part(("kiosk.screen_hours",), _hours),
    Part(("kiosk.url", "kiosk.app"), _awake),
)
