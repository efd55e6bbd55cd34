"""Section ``encryption``: whether what lies on the disk can be read by who takes the disk out."""

from typing import Any

from agent.collect import luks
from agent.collect.disks import mounts
from agent.roots import Root

_DEPTH = 8


def _root_device(root: Root) -> str | None:
    """The kernel's name of what is mounted on ``/``, such as ``dm-1`` or ``sda2``; None when nothing tells."""
    source = next((mount.source for mount in reversed(mounts(root)) if mount.place == "/"), "")
    if source.startswith("/dev/mapper/"):
        wanted = source.rpartition("/")[2]
        names = root.names("/sys/block") or []
        return next((name for name in names if root.line(f"/sys/block/{name}/dm/name") == wanted), None)
    name = source.removeprefix("/dev/")
    return name if source.startswith("/dev/") and root.exists(f"/sys/class/block/{name}") else None


def _below(root: Root, device: str) -> set[str]:
    """The device and everything that it is built on (LVM on LUKS on a partition)."""
    found, edge = {device}, [device]
    for _ in range(_DEPTH):
        edge = [slave for name in edge for slave in root.names(f"/sys/class/block/{name}/slaves") or []]
        found.update(edge)
    return found


def collect(root: Root) -> dict[str, Any]:
    """The section. ``root_encrypted`` is None when it cannot be told what ``/`` lies on."""
    open_ones = luks.mapped(root)
    device = _root_device(root)
    method = None
    if device is not None:
        method = next((open_ones[name] for name in _below(root, device) if name in open_ones), "none")
    return {
        "root_encrypted": None if method is None else method != "none",
        "method": method or "unknown",
        "volumes": [{"name": volume.name, "method": volume.method} for volume in luks.volumes(root)],
    }
