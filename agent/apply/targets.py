"""Pure: what a resource comes to on disk. Everything is a file or a link at one path, and every path is on a list.

A hostile desired state can change how this machine is set up (a unit runs as root); it can not write anywhere else than
these places, nor follow a link there, nor touch accounts, the agent itself or anybody's files.
"""

import hashlib
import json
import re
from typing import Any, Final, NamedTuple

from agent import wire

MAX_CONTENT: Final = 1024 * 1024
MAX_RESOURCES: Final = 1000

FOLDERS: Final = (
    "/etc/X11/xorg.conf.d/",
    "/etc/apt/apt.conf.d/",
    "/etc/apt/keyrings/",
    "/etc/apt/preferences.d/",
    "/etc/apt/sources.list.d/",
    "/etc/audit/rules.d/",
    "/etc/chromium/",
    "/etc/chrony/conf.d/",
    "/etc/chrony/sources.d/",
    "/etc/cups/",
    "/etc/dconf/",
    "/etc/environment.d/",
    "/etc/firefox/",
    "/etc/firefox-esr/",
    "/etc/firewalld/",
    "/etc/gdm3/",
    "/etc/havenmeester/managed/",
    "/etc/lightdm/",
    "/etc/modprobe.d/",
    "/etc/modules-load.d/",
    "/etc/NetworkManager/conf.d/",
    "/etc/nftables.d/",
    "/etc/openvpn/",
    "/etc/opt/chrome/",
    "/etc/opt/edge/",
    "/etc/polkit-1/",
    "/etc/profile.d/",
    "/etc/rsyslog.d/",
    "/etc/sddm.conf.d/",
    "/etc/security/pwquality.conf.d/",
    "/etc/ssh/ssh_config.d/",
    "/etc/ssh/sshd_config.d/",
    "/etc/sysctl.d/",
    "/etc/systemd/journald.conf.d/",
    "/etc/systemd/logind.conf.d/",
    "/etc/systemd/network/",
    "/etc/systemd/resolved.conf.d/",
    "/etc/systemd/sleep.conf.d/",
    "/etc/systemd/timesyncd.conf.d/",
    "/etc/thunderbird/",
    "/etc/tmpfiles.d/",
    "/etc/udev/rules.d/",
    "/etc/usbguard/",
    "/etc/wireguard/",
    "/etc/xdg/",
    "/usr/local/share/applications/",
    "/usr/local/share/backgrounds/",
    "/usr/local/share/ca-certificates/",
    "/usr/local/share/havenmeester/",
    "/usr/local/share/icons/",
)
"""A ``file`` may lie in these folders."""
FILES: Final = (
    "/etc/default/keyboard",
    "/etc/default/locale",
    "/etc/hosts",
    "/etc/issue",
    "/etc/issue.net",
    "/etc/locale.conf",
    "/etc/login.defs",
    "/etc/motd",
    "/etc/nftables.conf",
    "/etc/security/faillock.conf",
    "/etc/security/pwquality.conf",
    "/etc/timezone",
)
"""And these are the single files that a ``file`` may be."""

POLICIES: Final = (
    "/etc/chromium/policies/managed/havenmeester.json",
    "/etc/opt/chrome/policies/managed/havenmeester.json",
)
CONNECTIONS: Final = "/etc/NetworkManager/system-connections/"
UNITS: Final = "/etc/systemd/system/"
OWN_UNIT: Final = "havenmeester-agent"
_UNIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.@\\-]{0,100}\.(service|timer|path|socket|mount|target)")
_PART = re.compile(r"[^/\x00-\x1f\x7f]{1,200}")
PACKAGE: Final = re.compile(r"[a-z0-9][a-z0-9+.-]{1,100}")


class UnfitError(ValueError):
    """This resource cannot be applied; the sentence says why. Nothing of it is written."""


class Target(NamedTuple):
    """One path as it shall be: a file with ``content``, or a symbolic link to ``link``."""

    path: str
    content: bytes
    mode: int
    link: str = ""

    @property
    def mark(self) -> str:
        """What ``ground.mark`` says when the path is as it shall be."""
        return f"link:{self.link}" if self.link else file_mark(self.content, self.mode)


class Wanted(NamedTuple):
    """One resource, taken apart."""

    id: str
    kind: str
    spec: str
    targets: tuple[Target, ...]
    validate: str
    after: tuple[str, ...]
    start: str = ""
    """A unit to start once it is there; empty for none."""
    stay: bool = False
    """That unit runs all the time: it is started again when it does not."""
    stop: str = ""
    """A unit to stop once it is masked; empty for none."""


def file_mark(content: bytes, mode: int) -> str:
    """Content and mode of a file in one comparable text."""
    return f"file:{mode:04o}:{hashlib.sha256(content).hexdigest()}"


def check_path(path: object) -> str:
    """The path, when it is one that may be written. Raises UnfitError."""
    if not isinstance(path, str) or not path.startswith("/") or len(path) > 1000:
        raise UnfitError("The path is not an absolute path.")
    parts = path[1:].split("/")
    if any(part in ("", ".", "..") or not _PART.fullmatch(part) for part in parts):
        raise UnfitError("The path is not in its plain form.")
    if path not in FILES and not path.startswith(FOLDERS):
        raise UnfitError(f"Nothing may be written to {path}: it is not among the places of the desired state.")
    return path


def _text(resource: dict[str, Any], name: str) -> str:
    value = resource.get(name)
    if not isinstance(value, str):
        raise UnfitError(f"The field {name} is missing or is not text.")
    if len(value) > MAX_CONTENT:
        raise UnfitError(f"The field {name} is too long.")
    return value


def _mode(resource: dict[str, Any]) -> int:
    value = resource.get("mode", "0644")
    if not isinstance(value, str) or not re.fullmatch(r"0?[0-7]{3}", value) or int(value, 8) & 0o002:
        raise UnfitError("The mode must be like 0644, and never writable by everybody.")
    return int(value, 8)


def _file(resource: dict[str, Any]) -> tuple[tuple[Target, ...], str, tuple[str, ...]]:
    path = check_path(resource.get("path"))
    validate = resource.get("validate") or "none"
    after = resource.get("after") or []
    if validate not in wire.VALIDATORS:
        raise UnfitError("This agent does not know the validator that is asked for.")
    if not isinstance(after, list) or any(name not in wire.AFTER for name in after):
        raise UnfitError("This agent does not know what is asked for after the file.")
    return (Target(path, _text(resource, "content").encode(), _mode(resource)),), validate, tuple(after)


def _chromium(resource: dict[str, Any]) -> tuple[tuple[Target, ...], str, tuple[str, ...]]:
    content = resource.get("content")
    if not isinstance(content, dict):
        raise UnfitError("The browser policy is not an object.")
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"
    if len(text) > MAX_CONTENT:
        raise UnfitError("The browser policy is too long.")
    return tuple(Target(path, text, 0o644) for path in POLICIES), "json", ()


def _network(resource: dict[str, Any]) -> tuple[tuple[Target, ...], str, tuple[str, ...]]:
    name = _text(resource, "name")
    if not _PART.fullmatch(name) or name.startswith("."):
        raise UnfitError("The name of the connection cannot be the name of a file.")
    path = f"{CONNECTIONS}{name}.nmconnection"
    # NetworkManager ignores keyfiles that others may read.
    return (Target(path, _text(resource, "content").encode(), 0o600),), "nmcli", ("nm-reload",)


def wanted_by(content: str) -> list[tuple[str, str]]:
    """What the ``[Install]`` section asks for, as (unit, ``wants`` or ``requires``); see systemd.unit(5)."""
    found: list[tuple[str, str]] = []
    section = ""
    for line in content.splitlines():
        stripped = line.strip()
        if stripped.startswith("["):
            section = stripped
        name, equals, value = stripped.partition("=")
        kind = {"WantedBy": "wants", "RequiredBy": "requires"}.get(name.strip())
        if section == "[Install]" and equals and kind:
            found.extend((unit, kind) for unit in value.split())
    return found


def _unit(resource: dict[str, Any]) -> tuple[tuple[Target, ...], str, tuple[str, ...]]:
    name = _text(resource, "name")
    if not _UNIT.fullmatch(name) or name.startswith(OWN_UNIT):
        raise UnfitError("This is not the name of a unit that may be written.")
    if resource.get("mask") is True:
        return (Target(UNITS + name, b"", 0o777, "/dev/null"),), "none", ("systemd-reload",)
    content = _text(resource, "content")
    targets = [Target(UNITS + name, content.encode(), 0o644)]
    if resource.get("enable") is True:
        for unit, kind in wanted_by(content):
            if not _UNIT.fullmatch(unit):
                raise UnfitError("The unit wants to be started by something that is not a unit.")
            targets.append(Target(f"{UNITS}{unit}.{kind}/{name}", b"", 0o777, UNITS + name))
    return tuple(targets), "systemd", ("systemd-reload",)


def _usb(resource: dict[str, Any]) -> tuple[tuple[Target, ...], str, tuple[str, ...]]:
    from agent.apply import usb  # Only kiosks need it.

    # USBGuard refuses rules that others may read.
    return (Target(usb.RULES, usb.content(resource).encode(), 0o600),), "usbguard", ("usbguard-reload",)


_KINDS = {"file": _file, "chromium": _chromium, "network": _network, "unit": _unit, "usb": _usb}


def take_apart(resource: dict[str, Any]) -> Wanted:
    """The resource as targets with how to check and what to do after. Raises UnfitError."""
    kind = resource.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise UnfitError("This agent does not know this kind of resource.")
    targets, validate, after = _KINDS[kind](resource)
    unit = str(resource["name"]) if kind == "unit" else ""
    stop = unit if resource.get("mask") is True else ""
    start = unit if resource.get("enable") is True and not stop else ""
    stay = bool(start) and resource.get("stay") is True
    return Wanted(str(resource["id"]), kind, spec_of(resource), targets, validate, after, start, stay, stop)


def spec_of(resource: dict[str, Any]) -> str:
    """A digest of all that the resource asks for, to notice that it asks for something else."""
    return wire.short_digest({name: value for name, value in resource.items() if name != "keys"})
