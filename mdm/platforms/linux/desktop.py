"""The GNOME desktop through dconf, with locks, so that nobody changes it back; and what stands before the sign-in."""

from collections.abc import Callable, Mapping
from typing import Any

from mdm.platforms.linux import panic
from mdm.platforms.linux.escape import gvariant, issue, systemd_text
from mdm.platforms.linux.parts import MARK, Part, Resources, Settings, file, given

Values = dict[str, Any]
_LOCKDOWN = "org/gnome/desktop/lockdown"
_POWER = "org/gnome/settings-daemon/plugins/power"
_SHELL_KEYS = "org/gnome/shell/keybindings"

DCONF: Mapping[str, Callable[[Any], Values]] = {
    "screen_lock.enabled": lambda on: {
        "org/gnome/desktop/screensaver/lock-enabled": on,
        f"{_LOCKDOWN}/disable-lock-screen": not on,
    },
    "screen_lock.timeout": lambda seconds: {"org/gnome/desktop/session/idle-delay": seconds},
    "screen_lock.grace": lambda seconds: {"org/gnome/desktop/screensaver/lock-delay": seconds},
    "lock_screen.notifications": lambda on: {"org/gnome/desktop/notifications/show-in-lock-screen": on},
    "wallpaper.picture": lambda uri: {
        "org/gnome/desktop/background/picture-uri": uri,
        "org/gnome/desktop/background/picture-uri-dark": uri,
        "org/gnome/desktop/screensaver/picture-uri": uri,
    },
    "wallpaper.color": lambda color: {
        "org/gnome/desktop/background/primary-color": color,
        "org/gnome/desktop/background/color-shading-type": "solid",
    },
    "restrictions.command_line": lambda allowed: {f"{_LOCKDOWN}/disable-command-line": not allowed},
    "restrictions.user_switching": lambda allowed: {f"{_LOCKDOWN}/disable-user-switching": not allowed},
    "restrictions.printing": lambda allowed: {f"{_LOCKDOWN}/disable-printing": not allowed},
    "restrictions.screenshots": lambda allowed: (
        {}
        if allowed
        else {
            f"{_SHELL_KEYS}/screenshot": [],
            f"{_SHELL_KEYS}/screenshot-window": [],
            f"{_SHELL_KEYS}/show-screenshot-ui": [],
            f"{_SHELL_KEYS}/show-screen-recording-ui": [],
        }
    ),
    "panic_button.shortcut": lambda binding: {
        f"{panic.SHORTCUTS}/custom-keybindings": [f"/{panic.SHORTCUT}/"],
        f"{panic.SHORTCUT}/name": "Havenmeester",
        f"{panic.SHORTCUT}/command": panic.HELD,
        f"{panic.SHORTCUT}/binding": binding,
    },
    "power.sleep_after": lambda _seconds: {
        f"{_POWER}/sleep-inactive-ac-type": "suspend",
        f"{_POWER}/sleep-inactive-battery-type": "suspend",
    },
    "power.sleep": lambda allowed: (
        {}
        if allowed
        else {
            f"{_POWER}/sleep-inactive-ac-type": "nothing",
            f"{_POWER}/sleep-inactive-battery-type": "nothing",
        }
    ),
}
"""What each key is in GNOME's own words."""


def _dconf(settings: Settings) -> Resources:
    keys = given(settings, DCONF)
    values = {path: gvariant(value) for key in keys for path, value in DCONF[key](settings[key]).items()}
    if "power.sleep_after" in settings:
        # These two are signed integers in their schema, unlike every other number here.
        for supply in ("ac", "battery"):
            values[f"{_POWER}/sleep-inactive-{supply}-timeout"] = str(int(settings["power.sleep_after"]))
    if not values:
        return []
    locks = MARK + "".join(f"/{path}\n" for path in sorted(values))
    return [
        file("desktop.profile", keys, "/etc/dconf/profile/user", "user-db:user\nsystem-db:local\n"),
        file(
            "desktop.settings",
            keys,
            "/etc/dconf/db/local.d/90-havenmeester",
            MARK + _sections(values),
            after=("dconf-update",),
        ),
        file("desktop.locks", keys, "/etc/dconf/db/local.d/locks/90-havenmeester", locks, after=("dconf-update",)),
    ]


def _sections(values: Mapping[str, str]) -> str:
    folders: dict[str, list[str]] = {}
    for path in sorted(values):
        folder, _slash, name = path.rpartition("/")
        folders.setdefault(folder, []).append(f"{name}={values[path]}")
    return "\n".join("\n".join([f"[{folder}]", *lines, ""]) for folder, lines in folders.items())


def _message(settings: Settings) -> Resources:
    """The message before the sign-in: on GNOME's greeter, and on a text console."""
    text = settings.get("lock_screen.message")
    if text is None:
        return []
    keys = ["lock_screen.message"]
    banner = f"{MARK}[org/gnome/login-screen]\nbanner-message-enable=true\nbanner-message-text={gvariant(text)}\n"
    profile = "user-db:user\nsystem-db:gdm\nfile-db:/usr/share/gdm/greeter-dconf-defaults\n"
    return [
        file("message.profile", keys, "/etc/dconf/profile/gdm", profile),
        file("message.greeter", keys, "/etc/dconf/db/gdm.d/90-havenmeester", banner, after=("dconf-update",)),
        file("message.console", keys, "/etc/issue", issue(text) + "\n\n"),
    ]


def never_sleeps(settings: Settings) -> bool:
    """Whether it is forbidden; on a kiosk it is unless a policy says after how long it sleeps."""
    kiosk = bool(given(settings, ("kiosk.url", "kiosk.app"))) and "power.sleep_after" not in settings
    return settings.get("power.sleep", not kiosk) is False


SLEEP = ("power.sleep", "kiosk.url", "kiosk.app")


def _sleep(settings: Settings) -> Resources:
    """sleep.conf(5): whoever asks, and whatever key is pressed, the machine does not sleep."""
    if not never_sleeps(settings):
        return []
    ways = ("Suspend", "Hibernation", "SuspendThenHibernate", "HybridSleep")
    content = f"{MARK}[Sleep]\n" + "".join(f"Allow{way}=no\n" for way in ways)
    path = "/etc/systemd/sleep.conf.d/90-havenmeester.conf"
    return [file("power.sleep", given(settings, SLEEP), path, content)]


LOGIND = ("power.lid", "screen_lock.timeout", "screen_lock.enabled")


def _logind(settings: Settings) -> Resources:
    """logind.conf(5): the lid, and locking by idle time where the desktop does not do it itself."""
    lines = []
    if "power.lid" in settings:
        lines.append(f"HandleLidSwitch={systemd_text(settings['power.lid'])}")
    if settings.get("screen_lock.enabled") is True and "screen_lock.timeout" in settings:
        lines += ["IdleAction=lock", f"IdleActionSec={int(settings['screen_lock.timeout'])}"]
    if not lines:
        return []
    path = "/etc/systemd/logind.conf.d/90-havenmeester.conf"
    return [file("power.logind", given(settings, LOGIND), path, f"{MARK}[Login]\n" + "\n".join(lines) + "\n")]


PARTS = (
    Part(tuple(DCONF), _dconf),
    Part(("lock_screen.message",), _message),
    Part(LOGIND, _logind),
    Part(SLEEP, _sleep),
)
