"""LUKS volumes: where they are, told from files alone."""

from pathlib import Path
from typing import NamedTuple

from agent.roots import Root

MAGIC = b"LUKS\xba\xbe"
CRYPTTAB = "/etc/crypttab"
MAX_VOLUMES = 64


class Volume(NamedTuple):
    """One encrypted container. ``path`` is where it lies on this machine; None when it could not be found."""

    name: str
    source: str
    path: Path | None
    method: str
    """luks1, luks2, or unknown."""


def method_of(path: Path) -> str | None:
    """luks1 or luks2 by the header on the device or in the file; None when there is no such header or no way to look."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError:
        return None
    version = {1: "luks1", 2: "luks2"}.get(int.from_bytes(head[6:8], "big"))
    return version if head.startswith(MAGIC) else None


def _source(root: Root, source: str) -> Path | None:
    for prefix, folder in (("UUID=", "by-uuid"), ("PARTUUID=", "by-partuuid"), ("LABEL=", "by-label")):
        if source.startswith(prefix):
            name = source.removeprefix(prefix).strip('"')
            return root.path(f"/dev/disk/{folder}/{name}") if name and "/" not in name else None
    return root.path(source) if source.startswith("/") else None


def from_crypttab(root: Root) -> list[Volume]:
    """The volumes that crypttab(5) names; swap and plain ones with a throw-away key are left out."""
    found = []
    for line in (root.read(CRYPTTAB, 65536) or "").splitlines():
        words = line.split()
        if len(words) < 2 or words[0].startswith("#"):
            continue
        options = words[3].split(",") if len(words) > 3 else []
        if "swap" in options or "plain" in options:
            continue
        path = _source(root, words[1])
        method = method_of(path) if path else None
        found.append(Volume(words[0][:128], words[1][:255], path, method or "unknown"))
    return found[:MAX_VOLUMES]


def mapped(root: Root) -> dict[str, str]:
    """Open volumes: the kernel's name of the mapping (``dm-0``) and its method, from ``/sys/block/*/dm/uuid``."""
    found = {}
    for name in root.names("/sys/block") or []:
        uuid = root.line(f"/sys/block/{name}/dm/uuid") or ""
        if uuid.startswith("CRYPT-"):
            kind = uuid.split("-")[1].lower()
            found[name] = kind if kind in ("luks1", "luks2") else "unknown"
    return found


def from_kernel(root: Root) -> list[Volume]:
    """Open volumes with the device that each lies on."""
    found: list[Volume] = []
    for name, method in mapped(root).items():
        label = root.line(f"/sys/block/{name}/dm/name") or name
        found.extend(
            Volume(label[:128], f"/dev/{slave}", root.path(f"/dev/{slave}"), method)
            for slave in root.names(f"/sys/block/{name}/slaves") or []
        )
    return found[:MAX_VOLUMES]


def volumes(root: Root) -> list[Volume]:
    """Every LUKS volume that belongs to this machine, each container once: the open ones, then those of crypttab."""
    found: list[Volume] = []
    for volume in [*from_kernel(root), *from_crypttab(root)]:
        place = volume.path.resolve() if volume.path else None
        if not any(
            volume.name == other.name or (place and other.path and other.path.resolve() == place) for other in found
        ):
            found.append(volume)
    return found
