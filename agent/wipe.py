"""Destroys what this device holds: the keys of its encrypted volumes first, then the data. Says honestly what it did.

Destroyed key slots make a LUKS volume unreadable for good once the machine is off. Deleted files may still be read from
a disk that was not encrypted; the receipt says so. Everything here may be done again after an interruption.
"""

import os
import stat
from pathlib import Path
from typing import Any, Final

from agent import programs, shred
from agent.collect import disks, luks
from agent.roots import Root
from agent.state import State

PLACES: Final = (
    "/home",
    "/root",
    "/srv",
    "/var/mail",
    "/var/spool",
    "/var/tmp",  # noqa: S108 -- named to be emptied
    "/tmp",  # noqa: S108 -- the same
    "/var/lib/NetworkManager",
    "/var/log",
    "/etc/NetworkManager/system-connections",
    "/etc/wireguard",
    "/etc/openvpn",
    "/etc/chromium",
    "/etc/opt/chrome",
    "/etc/ssh",
)
"""What is deleted on a running machine: everything that people and the city put there. The system itself stays, so that
the receipt can still be delivered; an encrypted system does not start again. Under a root its whole content goes."""
_REMOTE = ("nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "fuse.sshfs", "afs", "davfs")
MAX_SHOWN: Final = 32


def _erase(volume: luks.Volume) -> dict[str, Any]:
    """Destroys the key slots of one volume: by cryptsetup, else by overwriting the part of it that holds them."""
    row = {
        "name": volume.name,
        "source": volume.source,
        "method": "cryptsetup luksErase",
        "destroyed": False,
        "detail": "",
    }
    if volume.path is None or luks.method_of(volume.path) is None:
        return {**row, "detail": "No LUKS header was found there."}
    trouble = _by_cryptsetup(volume.path)
    if not trouble:
        return {**row, "destroyed": True}
    row["method"] = "header overwritten"
    still = shred.overwrite(volume.path)
    if still or luks.method_of(volume.path) is not None:
        return {**row, "detail": f"{trouble}; {still or 'the header is still there'}"}
    return {**row, "destroyed": True, "detail": trouble}


def _by_cryptsetup(path: Path) -> str:
    """Lets cryptsetup destroy every key slot, and looks afterwards. Returns what went wrong; empty when nothing did."""
    outcome = programs.run(["cryptsetup", "-q", "luksErase", str(path)], timeout=120)
    if not outcome.good:
        return outcome.text[-300:]
    left = programs.run(["cryptsetup", "luksDump", str(path)], timeout=60)
    if not left.good:
        return left.text[-300:]
    return "cryptsetup was content, but a key slot is still there" if _has_slots(left.text) else ""


def _has_slots(dump: str) -> bool:
    """Whether ``cryptsetup luksDump`` shows a key slot that still opens the volume (LUKS1 and LUKS2 differ)."""
    inside = False
    for line in dump.splitlines():
        if line.startswith("Key Slot ") and line.rstrip().endswith("ENABLED"):
            return True
        if not line.startswith((" ", "\t")):
            inside = line.startswith("Keyslots:")
        elif inside and line.strip()[:1].isdigit():
            return True
    return False


class Deleter:
    """Deletes the contents of folders; never follows a link, never leaves for a network drive, spares what it must."""

    def __init__(self, spared: set[tuple[int, int]], device: int | None) -> None:
        self.spared = spared
        self.device = device
        """Only this device when it is given: a root in a test or demonstration ends where its file system does."""
        self.files = 0
        self.failed = 0
        self.left: list[str] = []

    def empty(self, folder: Path) -> None:
        """Deletes everything in a folder; the folder itself stays."""
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        except OSError as trouble:
            self._fail(str(folder), trouble)
            return
        try:
            if self._ours(os.fstat(descriptor)):
                self._inside(descriptor, str(folder))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _ours(self, seen: os.stat_result) -> bool:
        return (seen.st_dev, seen.st_ino) not in self.spared and self.device in (None, seen.st_dev)

    def _fail(self, place: str, trouble: OSError) -> None:
        self.failed += 1
        if len(self.left) < MAX_SHOWN:
            self.left.append(f"{place}: {trouble.strerror}")

    def _inside(self, folder: int, shown: str) -> bool:
        """Deletes below an open folder; true when nothing is left in it."""
        clean = True
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
        for name in names:
            for beat in programs.heartbeat:
                beat()
            try:
                clean &= self._one(folder, name, f"{shown}/{name}")
            except FileNotFoundError:
                continue
            except OSError as trouble:
                self._fail(f"{shown}/{name}", trouble)
                clean = False
        return clean

    def _one(self, folder: int, name: str, shown: str) -> bool:
        seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISDIR(seen.st_mode):
            os.unlink(name, dir_fd=folder)
            self.files += 1
            return True
        if not self._ours(seen):
            return False
        below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            clean = self._inside(below, shown)
        finally:
            os.close(below)
        if clean:
            os.rmdir(name, dir_fd=folder)
        return clean


def _spared(state: State, root: Root) -> set[tuple[int, int]]:
    """The state folder, which still has to deliver the receipt, and drives that are somebody else's."""
    places = [state.folder]
    if root.real:
        places += [Path(mount.place) for mount in disks.mounts(root) if mount.type in _REMOTE]
    found = set()
    for place in places:
        try:
            seen = place.stat()
        except OSError:
            continue
        found.add((seen.st_dev, seen.st_ino))
    return found


def destroy_keys(root: Root) -> list[dict[str, Any]]:
    """Destroys the key slots of every encrypted volume; one row for each says how that went."""
    return [_erase(volume) for volume in luks.volumes(root)]


def destroy_data(state: State, root: Root, volumes: list[dict[str, Any]]) -> dict[str, Any]:
    """Deletes the data and returns the receipt over both; ``volumes`` is what ``destroy_keys`` said."""
    deleter = Deleter(_spared(state, root), None if root.real else root.folder.stat().st_dev)
    for place in PLACES if root.real else ("/",):
        path = root.path(place)
        if path is not None:
            deleter.empty(path)
    destroyed = bool(volumes) and all(volume["destroyed"] for volume in volumes)
    deleted = deleter.failed == 0
    method = ["luks-erase"] if any(volume["destroyed"] for volume in volumes) else []
    return {
        "method": [*method, "delete"],
        "volumes": volumes,
        "keys_destroyed": destroyed if volumes else None,
        "files_deleted": deleter.files,
        "files_failed": deleter.failed,
        "files_left": deleter.left,
        "data_deleted": deleted,
        "root": str(root),
        "complete": deleted and (destroyed or not volumes),
        "sentence": sentence(volumes, destroyed=destroyed, files=deleter.files, failed=deleter.failed),
    }


def power_off() -> None:
    """Switches the running machine off without asking anybody: open volumes are closed for good by that."""
    programs.run(["systemctl", "poweroff", "--force", "--force"], timeout=60)


def sentence(volumes: list[dict[str, Any]], *, destroyed: bool, files: int, failed: int) -> str:
    """What was done, for a person who has to believe it."""
    if not volumes:
        keys = (
            "No encrypted volume was found, so no key could be destroyed: "
            "what was deleted may still be recoverable from the disk."
        )
    elif destroyed:
        keys = f"The keys of {len(volumes)} encrypted volumes were destroyed: they cannot be opened again."
    else:
        gone = sum(bool(volume["destroyed"]) for volume in volumes)
        keys = f"Only {gone} of {len(volumes)} encrypted volumes lost their keys."
    data = f"{files} files were deleted" + (f", {failed} could not be." if failed else ".")
    return f"{keys} {data}"
