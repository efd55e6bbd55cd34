"""USB rules: what is attached stays usable, and USBGuard runs exactly when it has rules.

The server says which kinds of devices are allowed. Which ones are attached here only the agent knows: they are looked at once,
when the rules change, and written before the server's, so that no policy takes keyboard or touch screen away from the people in
front of it. Storage is not kept, unless this machine runs from it.
"""

import os
from typing import Any, Final, NamedTuple

from agent import programs
from agent.apply.targets import UnfitError, spec_of
from agent.roots import Root
from agent.state import State

RULES: Final = "/etc/usbguard/rules.conf"
MORE_RULES: Final = "/etc/usbguard/rules.d"
DEVICES: Final = "/sys/bus/usb/devices"
MEMORY: Final = "usb.json"
MAX_RULES: Final = 500
_STORAGE: Final = "08"
_HUB: Final = "09"
_OWN_PLACES: Final = ("/", "/boot", "/boot/efi", "/usr", "/var", "/home", "/srv", "/opt")


class Device(NamedTuple):
    """One attached device."""

    name: str
    """As the kernel names its place: ``1-1.4``."""
    id: str
    serial: str
    interfaces: tuple[str, ...]
    """Class, subclass and protocol of each: ``03:01:01``."""

    @property
    def rule(self) -> str:
        """Allows this device with exactly these interfaces: one that only looks like it, and is more, is another."""
        plain = all(32 <= ord(sign) < 127 and sign not in '"\\' for sign in self.serial)
        serial = f' serial "{self.serial}"' if self.serial and plain else ""
        return f"allow id {self.id}{serial} with-interface equals {{ {' '.join(self.interfaces)} }}"


def attached(root: Root) -> list[Device]:
    """What is attached and switched on, without hubs."""
    names = root.names(DEVICES) or []
    found = []
    for name in names:
        maker, product = (_hex(root, f"{DEVICES}/{name}/{part}", 4) for part in ("idVendor", "idProduct"))
        parts = [f"{DEVICES}/{one}" for one in names if one.startswith(f"{name}:")]
        interfaces = [_interface(root, part) for part in parts]
        if maker and product and interfaces and all(interfaces) and not name.startswith("usb"):
            if any(one.startswith(_HUB) for one in interfaces):
                continue
            serial = root.line(f"{DEVICES}/{name}/serial") or ""
            found.append(Device(name, f"{maker}:{product}", serial[:120], tuple(interfaces)))
    return found


def _hex(root: Root, path: str, length: int) -> str:
    text = (root.line(path) or "").lower()
    return text if len(text) == length and all(sign in "0123456789abcdef" for sign in text) else ""


def _interface(root: Root, folder: str) -> str:
    parts = [
        _hex(root, f"{folder}/{name}", 2) for name in ("bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol")
    ]
    return ":".join(parts) if all(parts) else ""


def carries_the_system(root: Root, device: Device) -> bool:
    """Whether a file system that this machine runs from lies on it, also below an encrypted or logical volume."""
    mounted = set()
    for line in (root.read("/proc/self/mountinfo") or "").splitlines():
        words = line.split(" ")
        if len(words) > 4 and words[4] in _OWN_PLACES:
            mounted.add(words[2])
    for disk in root.names("/sys/block") or []:
        path = root.path(f"/sys/block/{disk}")
        place = os.path.realpath(path) if path else ""
        if f"/{device.name}/" not in f"{place}/":
            continue
        for part in [disk, *(one for one in root.names(f"/sys/block/{disk}") or [] if one.startswith(disk))]:
            folder = f"/sys/block/{disk}" if part == disk else f"/sys/block/{disk}/{part}"
            if root.line(f"{folder}/dev") in mounted or root.names(f"{folder}/holders"):
                return True
    return False


def kept_rules(root: Root) -> list[str]:
    """A rule for everything attached that is to stay usable."""
    return [
        device.rule
        for device in attached(root)
        if not any(one.startswith(_STORAGE) for one in device.interfaces) or carries_the_system(root, device)
    ]


def with_attached(state: State, root: Root, resource: dict[str, Any]) -> dict[str, Any]:
    """The resource with the rules for what was attached when it was first seen like this.

    What is plugged in later is not added: else whoever waits for the next round would be let in.
    """
    spec = spec_of(resource)
    saved = state.read(MEMORY)
    if saved.get("spec") != spec:
        saved = {"spec": spec, "kept": kept_rules(root) if resource.get("keep_attached") is True else []}
        state.save(MEMORY, saved)
    return {**resource, "kept": saved["kept"]}


def content(resource: dict[str, Any]) -> str:
    """The file of rules. Raises UnfitError."""
    rules = (
        [*resource.get("kept", []), *(resource.get("rules") or [])] if isinstance(resource.get("rules"), list) else []
    )
    if not rules or len(rules) > MAX_RULES or any(not isinstance(rule, str) or "\n" in rule for rule in rules):
        raise UnfitError("The USB rules are not a list of lines, or there are none or too many.")
    return (
        "# Managed by Havenmeester. What is changed here by hand is put back.\n" + "\n".join([*rules, "block"]) + "\n"
    )


def guarded() -> bool:
    """Whether USBGuard is installed."""
    return programs.find("usbguard-daemon") is not None


def has_rules(root: Root) -> bool:
    """Whether any rule file says anything."""
    files = [RULES, *(f"{MORE_RULES}/{name}" for name in root.names(MORE_RULES) or [])]
    lines = [line.strip() for path in files for line in (root.read(path) or "").splitlines()]
    return any(line and not line.startswith("#") for line in lines)


def reload(root: Root) -> str:
    """USBGuard takes the rules as they are now. Returns what went wrong.

    Without any rule it would block everything, the keyboard too: then it is switched off, and what it blocked is let in.
    """
    if not guarded():
        return ""
    if has_rules(root):
        for command in (["enable", "usbguard.service"], ["restart", "usbguard.service"]):
            outcome = programs.run(["systemctl", *command], timeout=60)
            if not outcome.good:
                return f"usbguard: {outcome.text[-300:]}"
        return ""
    outcome = programs.run(["systemctl", "disable", "--now", "usbguard.service"], timeout=60)
    let_in(root)
    return "" if outcome.good else f"usbguard: {outcome.text[-300:]}"


def let_in(root: Root) -> None:
    """Authorises every device, and those that come. A device that does not take it is left."""
    for name in root.names(DEVICES) or []:
        for file in ("authorized_default", "authorized"):
            path = root.path(f"{DEVICES}/{name}/{file}")
            if path is not None and path.is_file() and root.line(f"{DEVICES}/{name}/{file}") == "0":
                try:
                    path.write_text("1")
                except OSError:
                    continue
