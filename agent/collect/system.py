"""Section ``system``: what machine this is and what runs on it."""

import hashlib
import os
import re
from typing import Any

from agent.roots import Root
from agent.text import printable

LABEL = "/etc/havenmeester/serial"
"""A machine whose firmware knows no serial number is labelled by writing its number into this file."""
_DMI = "/sys/class/dmi/id/"
_PLACEHOLDERS = {
    "", "0", "none", "default string", "to be filled by o.e.m.", "system serial number", "not specified", "not applicable",
    "system manufacturer", "system product name", "chassis serial number", "123456789", "00000000", "o.e.m.",
}  # fmt: skip
"""What firmware says when nobody filled it in."""


def _dmi(root: Root, name: str) -> str | None:
    value = printable(root.line(_DMI + name), 128)
    return value if value.lower() not in _PLACEHOLDERS else None


def serial(root: Root) -> str | None:
    """The firmware's serial number, else the label in ``LABEL``, else one derived from the machine id, else None.

    The machine id itself is confidential (machine-id(5)), so only a digest of it is shown.
    """
    known = _dmi(root, "product_serial") or printable(root.line(LABEL), 128)
    if known:
        return known
    machine = root.line("/etc/machine-id") or ""
    if re.fullmatch(r"[0-9a-f]{32}", machine):
        return "MID-" + hashlib.sha256(b"havenmeester-serial/v1\x00" + machine.encode()).hexdigest()[:16].upper()
    return None


def os_release(root: Root) -> dict[str, str]:
    """The assignments of os-release(5)."""
    text = root.read("/etc/os-release", 65536) or root.read("/usr/lib/os-release", 65536) or ""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): printable(value.strip().strip("\"'"), 128) for name, _, value in pairs}


def architecture(root: Root) -> str | None:
    """Debian's name of the architecture: that of the package ``dpkg`` itself."""
    status = root.path("/var/lib/dpkg/status")
    if status is None:
        return None
    inside = False
    try:
        with status.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line == "Package: dpkg\n":
                    inside = True
                elif line == "\n":
                    inside = False
                elif inside and line.startswith("Architecture: "):
                    return printable(line.partition(" ")[2], 32) or None
    except OSError:
        return os.uname().machine if root.real else None
    return os.uname().machine if root.real else None


def timezone(root: Root) -> str | None:
    """The name of the time zone, as in ``Europe/Brussels``."""
    named = printable(root.line("/etc/timezone"), 64)
    if named:
        return named
    try:
        target = str((root.folder / "etc/localtime").readlink())
    except OSError:
        return None
    _, found, name = target.partition("zoneinfo/")
    return printable(name, 64) if found and name else None


def os_version(root: Root, release: dict[str, str]) -> str | None:
    """The version with its point release: Debian keeps that in a file of its own (``12.8``)."""
    point = printable(root.line("/etc/debian_version"), 32) if release.get("ID") == "debian" else ""
    return point or release.get("VERSION_ID") or None


def collect(root: Root) -> dict[str, Any]:
    """The section; see ``agent/wire.py`` for its fields."""
    release = os_release(root)
    name = root.line("/proc/sys/kernel/hostname") if root.real else root.line("/etc/hostname")
    return {
        "hostname": printable(name, 253) or None,
        "serial": serial(root),
        "manufacturer": _dmi(root, "sys_vendor"),
        "model": _dmi(root, "product_name"),
        "os_name": release.get("NAME") or None,
        "os_version": os_version(root, release),
        "os_codename": release.get("VERSION_CODENAME") or None,
        "kernel": printable(root.line("/proc/sys/kernel/osrelease"), 64) or None,
        "arch": architecture(root),
        "timezone": timezone(root),
    }
