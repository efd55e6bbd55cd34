"""Looks at the machine. Only digests are kept in memory; sections that cost something are read when their files change."""

from collections.abc import Callable
from typing import Any

from agent import wire
from agent.collect import disks, dpkg, encryption, firewall, network, packages, patch, screenlock, system
from agent.roots import Root

_CHEAP: dict[str, Callable[[Root], dict[str, Any]]] = {
    "encryption": encryption.collect,
    "screenlock": screenlock.collect,
    "firewall": firewall.collect,
    "disks": disks.collect,
    "network": network.collect,
}
_COSTLY: dict[str, tuple[Callable[[Root], dict[str, Any]], tuple[str, ...]]] = {
    "system": (
        system.collect,
        (dpkg.STATUS, "/etc/hostname", "/etc/os-release", "/etc/debian_version", "/etc/timezone", system.LABEL),
    ),
    "packages": (packages.collect, (dpkg.STATUS,)),
    "patch": (patch.collect, (dpkg.STATUS, patch.LISTS, "/run", "/run/reboot-required")),
}

Stamp = tuple[tuple[int, int, int] | None, ...]


class Observer:
    """Remembers the digest of every section, and the stamps of the files behind the costly ones."""

    def __init__(self, root: Root) -> None:
        self.root = root
        self.digests: dict[str, str] = {}
        self._stamps: dict[str, Stamp] = {}

    def _stamp(self, paths: tuple[str, ...]) -> Stamp:
        found = (self.root.status(path) for path in paths)
        return tuple((seen.st_mtime_ns, seen.st_size, seen.st_ino) if seen else None for seen in found)

    def forget(self) -> None:
        """Looks at everything anew next time, whatever the stamps say."""
        self._stamps.clear()

    def look(self, own: dict[str, dict[str, Any]], lacking: Callable[[str, str], bool]) -> dict[str, dict[str, Any]]:
        """Brings ``digests`` up to date and returns the sections that ``lacking(name, digest)`` says somebody needs.

        ``own`` holds the sections that the agent makes itself (``agent``, ``desired``; ``kiosk`` where there is one).
        """
        needed = {}
        for name in wire.SECTIONS:
            content: dict[str, Any] | None = None
            if name in _COSTLY:
                collect, paths = _COSTLY[name]
                stamp = self._stamp(paths)
                if stamp != self._stamps.get(name) or lacking(name, self.digests.get(name, "")):
                    content = collect(self.root)
                    self._stamps[name] = stamp
            elif name in own or name in _CHEAP:
                content = own[name] if name in own else _CHEAP[name](self.root)
            else:
                # What this machine does not have, such as the section of a kiosk, it does not tell of.
                self.digests.pop(name, None)
            if content is not None:
                self.digests[name] = wire.short_digest(content)
                if lacking(name, self.digests[name]):
                    needed[name] = content
        return needed
