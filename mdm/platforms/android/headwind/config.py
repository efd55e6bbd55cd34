"""From what a phone shall be to the configuration that the free agent understands. Pure.

Built from a list of what is allowed: whatever the agent would do beside that (run commands, change its server, start intents)
has no line here, so no setting and no payload can bring it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mdm.platforms.android.headwind import wire
from mdm.platforms.android.wanted import Passcode, Wanted

STRONG_FROM, MODERATE_FROM, EASY_FROM = 9, 7, 5
"""Lengths from which the next stricter of the four modes is the weakest that is not weaker than what is asked."""
FORBIDS: Final[Mapping[str, tuple[str, ...]]] = {
    "account_changes": ("no_modify_accounts",),
    "bluetooth": ("no_bluetooth", "no_config_bluetooth"),
    "developer_mode": ("no_debugging_features",),
    "factory_reset": ("no_factory_reset",),
    "microphone": ("no_unmute_microphone",),
    "printing": ("no_printing",),
    "removal": ("no_safe_boot",),
    "unknown_sources": ("no_install_unknown_sources", "no_install_unknown_sources_globally"),
    "usb_storage": ("no_physical_media", "no_usb_file_transfer"),
    "user_switching": ("no_user_switch", "no_add_user"),
}
"""Restrictions of Android by the words of the catalogue."""
UPDATE_AT_ONCE, UPDATE_IN_WINDOW, UPDATE_LATER = 1, 2, 3
MAX_TIMEOUT: Final = 1800
KINDS: Final = {"text": 1, "number": 2, "switch": 3}
LOOKS: Final = frozenset({"backgroundColor", "textColor", "iconSize", "orientation"})
"""What a raw part may say beside files: how the agent's own screen looks."""


@dataclass(frozen=True, slots=True)
class Package:
    """An application that was uploaded: its version and the address from which phones fetch it."""

    name: str
    package: str
    version: str
    code: int
    url: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A file that was uploaded and can be placed on phones."""

    digest: str
    md5: str
    url: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """What was uploaded: applications by package, other files by their digest."""

    packages: Mapping[str, Package] = field(default_factory=dict)
    files: Mapping[str, Placed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Once:
    """What is asked of one phone, beside what all of its cohort shall be. ``wipe`` is true for a proved order only."""

    wipe: bool = False
    restart: bool = False
    lock_message: str | None = None
    passcode: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What is the same for a whole installation, and the digest of the code that opens the agent's settings on a phone."""

    title: str
    admin_digest: str
    moment: int
    """Milliseconds: when values last changed; the agent takes newer ones only."""


def configuration(wanted: Wanted, shelf: Shelf, about: About, once: Once) -> dict[str, Any]:
    """The configuration. The same arguments give the same text, key by key."""
    made: dict[str, Any] = {
        "title": about.title,
        "displayStatus": True,
        "password": about.admin_digest,
        "pushOptions": "polling",
        "keepaliveTime": 300,
        "requestUpdates": "DONOTTRACK",
        "kioskMode": False,
        "applications": [*_applications(wanted, shelf), *_links(wanted)],
        "applicationSettings": _settings(wanted, about.moment),
        "files": _files(wanted, shelf, about.moment),
        "restrictions": ",".join(_restrictions(wanted)),
        "factoryReset": once.wipe,
        "reboot": once.restart,
        "lock": once.lock_message is not None,
        "lockMessage": once.lock_message or "",
        "passwordReset": once.passcode or None,
    }
    made |= _passcode(wanted.passcode) | _switches(wanted) | _updates(wanted)
    if wanted.screen.timeout_seconds is not None:
        made |= {"manageTimeout": True, "timeout": min(wanted.screen.timeout_seconds, MAX_TIMEOUT)}
    if wanted.time_zone:
        made["timeZone"] = wanted.time_zone
    if wanted.apps.permissions:
        # The agent has one answer for all applications: nobody gets more than was said for them.
        all_granted = set(wanted.apps.permissions.values()) == {"grant"}
        made["appPermissions"] = "GRANTALL" if all_granted else "ASKALL"
    for part in wanted.raw:
        if part.kind == "headwind":
            made |= {key: value for key, value in part.content.items() if key in LOOKS}
    return made


def bare(about: About) -> dict[str, Any]:
    """What a phone gets that has not said yet which one it is: enough to report, and nothing of the city's."""
    return configuration(Wanted(), Shelf(), about, Once())


def mode(passcode: Passcode | None) -> str:
    """The weakest of the agent's four kinds of passcode that is not weaker than what is wanted; empty: none."""
    if passcode is None or not (passcode.required or passcode.min_length or passcode.complexity != "any"):
        return ""
    length = passcode.min_length or 0
    if passcode.complexity == "mixed" or length >= STRONG_FROM:
        return "strong"
    if passcode.complexity == "letters_digits" or length >= MODERATE_FROM:
        return "moderate"
    return "easy" if length >= EASY_FROM else "present"


def _passcode(passcode: Passcode | None) -> dict[str, Any]:
    found = mode(passcode)
    return {"passwordMode": found} if found else {}


def _switches(wanted: Wanted) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if "screenshots" in wanted.forbidden | wanted.permitted:
        made["disableScreenshots"] = "screenshots" in wanted.forbidden
    for name, key in (("bluetooth", "bluetooth"), ("usb_storage", "usbStorage")):
        if name in wanted.forbidden:
            made[key] = False
    return made


def _updates(wanted: Wanted) -> dict[str, Any]:
    updates = wanted.updates
    if updates.auto == "off":
        return {"systemUpdateType": UPDATE_LATER}
    if updates.window is not None and updates.auto != "off":
        return {
            "systemUpdateType": UPDATE_IN_WINDOW,
            "systemUpdateFrom": updates.window.start,
            "systemUpdateTo": updates.window.end,
        }
    return {"systemUpdateType": UPDATE_AT_ONCE} if updates.auto else {}


def _restrictions(wanted: Wanted) -> list[str]:
    return sorted({key for name in wanted.forbidden for key in FORBIDS.get(name, ())})


def _applications(wanted: Wanted, shelf: Shelf) -> Iterable[dict[str, Any]]:
    apps = wanted.apps
    gone = set(apps.blocked)
    for number, name in enumerate(dict.fromkeys((*apps.required, *apps.available, *apps.allowed, *apps.at_boot))):
        if name in gone:
            continue
        found = shelf.packages.get(name)
        fetched = found is not None and name in apps.required
        entry: dict[str, Any] = {
            "type": "app",
            "name": found.name if found else name,
            "pkg": name,
            "version": found.version if found else "0",
            "showIcon": True,
            "remove": False,
            "screenOrder": number,
            "runAtBoot": name in apps.at_boot,
            "runAfterInstall": False,
            "skipVersion": not fetched,
        }
        if found is not None and fetched:
            entry |= {"url": found.url, "code": found.code}
        yield entry
    for name in sorted(gone):
        yield {
            "type": "app",
            "name": name,
            "pkg": name,
            "version": "0",
            "showIcon": False,
            "remove": True,
            "runAtBoot": False,
            "runAfterInstall": False,
            "skipVersion": True,
        }
    agent = shelf.packages.get(wire.AGENT)
    if agent is not None and wire.AGENT not in gone:
        yield {
            "type": "app",
            "name": agent.name,
            "pkg": agent.package,
            "version": agent.version,
            "code": agent.code,
            "url": agent.url,
            "showIcon": False,
            "remove": False,
            "runAtBoot": False,
            "runAfterInstall": False,
            "skipVersion": False,
        }


def _links(wanted: Wanted) -> Iterable[dict[str, Any]]:
    for number, link in enumerate(wanted.links):
        yield {
            "type": "web",
            "name": link.name,
            "pkg": f"web.{number}",
            "version": "0",
            "url": link.url,
            "iconText": link.name,
            "showIcon": True,
            "useKiosk": False,
            "remove": False,
            "screenOrder": 1000 + number,
        }


def _settings(wanted: Wanted, moment: int) -> list[dict[str, Any]]:
    return [
        {
            "packageId": one.app,
            "name": one.name,
            "type": KINDS[one.kind],
            "value": one.value,
            "readonly": True,
            "lastUpdate": moment,
        }
        for one in wanted.apps.settings
    ]


def _files(wanted: Wanted, shelf: Shelf, moment: int) -> list[dict[str, Any]]:
    made = []
    for part in wanted.raw:
        for one in part.content.get("files", ()) if part.kind == "headwind" else ():
            placed = shelf.files.get(one.get("digest", ""))
            gone = bool(one.get("remove"))
            if placed is None and not gone:
                continue
            made.append(
                {
                    "path": one["path"],
                    "url": placed.url if placed else "",
                    "checksum": placed.md5 if placed else "",
                    "lastUpdate": moment,
                    "remove": gone,
                    "varContent": False,
                }
            )
    return made
