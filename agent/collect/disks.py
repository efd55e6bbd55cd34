"""Section ``disks``: how much room there is."""

import os
from typing import Any, NamedTuple

from agent.roots import Root

STEP_MB = 512
MAX_FILESYSTEMS = 32
_NOT_DISKS = ("squashfs", "iso9660")


class Mount(NamedTuple):
    """One line of ``/proc/self/mounts`` (fstab(5))."""

    source: str
    place: str
    type: str


def mounts(root: Root) -> list[Mount]:
    """What is mounted, in order; empty when nothing tells."""
    found = []
    for line in (root.read("/proc/self/mounts", 256 * 1024) or "").splitlines():
        words = line.split(" ")
        if len(words) >= 3:
            place = words[1].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
            found.append(Mount(words[0], place, words[2]))
    return found


def collect(root: Root) -> dict[str, Any]:
    """File systems on disks. ``free_mb`` is rounded down, so that the section changes only when it matters."""
    chosen = {
        mount.place: mount.type
        for mount in mounts(root)
        if mount.place == "/" or (mount.source.startswith("/dev/") and mount.type not in _NOT_DISKS)
    }
    rows = []
    for place, kind in sorted({"/": None, **chosen}.items())[:MAX_FILESYSTEMS]:
        path = root.path(place)
        try:
            space = os.statvfs(path) if path else None
        except OSError:
            space = None
        rows.append(
            {
                "mount": place,
                "type": kind,
                "size_mb": space.f_blocks * space.f_frsize // 2**20 if space else None,
                "free_mb": space.f_bavail * space.f_frsize // 2**20 // STEP_MB * STEP_MB if space else None,
            }
        )
    return {"filesystems": rows}
