"""Reports that wait for the gateway: each is on disk before it is sent, and goes away when it is acknowledged.

A report tells what changed since the one before it, so they are delivered in order. When too many wait, the two oldest
become one: nothing that is still true is lost, only when exactly it changed.
"""

import os
import time
from pathlib import Path
from typing import Any, Final

from agent import disk, wire
from agent.state import State, now_text

MAX_REPORTS: Final = 32
MAX_BYTES: Final = 8 * 1024 * 1024


class Spool:
    """The waiting reports of one state folder, and what the server has acknowledged."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.folder = state.file("spool")
        disk.make_folder(self.folder)
        self.known: dict[str, str] = state.read("known.json").get("digests", {})
        self.refused: dict[str, str] = state.read("known.json").get("refused", {})
        self.files = sorted(path for path in self.folder.iterdir() if path.suffix == ".json")
        last = disk.read_json(self.files[-1]) if self.files else {}
        self.told: dict[str, str] = dict(last.get("digests", self.known))
        """Digests as the server will know them once everything that waits has arrived."""

    def lacks(self, section: str, digest: str) -> bool:
        """Whether the server lacks this content, also counting what already waits and what it refused to take."""
        return self.told.get(section) != digest and self.refused.get(section) != digest

    def claim(self) -> str:
        """What ``r`` of a check-in says: the digest of all that was acknowledged, ``-`` for nothing."""
        return wire.report_digest(self.known) if self.known else "-"

    def add(self, sections: dict[str, dict[str, Any]], digests: dict[str, str]) -> None:
        """Keeps a report. Raises OSError when the disk does not take it; the sections then count as untold."""
        report: wire.Report = {
            "id": _new_id(),
            "at": now_text(),
            "sections": sections,
            "digests": {name: value for name, value in digests.items() if self.refused.get(name) != value},
        }
        path = self.folder / f"{time.time_ns():020d}.json"
        disk.write_json(path, dict(report))
        self.files.append(path)
        self.told = dict(report["digests"])
        while len(self.files) > 1 and (len(self.files) > MAX_REPORTS or self._size() > MAX_BYTES):
            self._join()

    def _size(self) -> int:
        return sum(path.stat().st_size for path in self.files)

    def _join(self) -> None:
        oldest, second = disk.read_json(self.files[0]), disk.read_json(self.files[1])
        if second:
            sections = {**oldest.get("sections", {}), **second["sections"]}
            disk.write_json(self.files[1], {**second, "id": _new_id(), "sections": sections})
        self._drop(self.files[0])

    def next(self) -> dict[str, Any] | None:
        """The oldest report that waits; None when there is none. A damaged one is thrown away and told anew."""
        while self.files:
            report = disk.read_json(self.files[0])
            if report:
                return report
            self.state.log(f"A waiting report was damaged ({self.files[0].name}); everything is reported anew.")
            self._drop(self.files[0])
            self.told = {}
        return None

    def _drop(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self.files.remove(path)

    def acknowledged(self, report: dict[str, Any]) -> None:
        """The server has it. First noted, then thrown away: after a crash in between it is sent once more, same id."""
        self.known = dict(report["digests"])
        self._save()
        self._drop(self.files[0])

    def _save(self) -> None:
        self.state.save("known.json", {"digests": self.known, "refused": self.refused})

    def rejected(self, report: dict[str, Any]) -> None:
        """The server will never take it as it is (413, 422). One section at a time shows which one is to blame."""
        sections: dict[str, Any] = report["sections"]
        self._drop(self.files[0])
        if len(sections) > 1:
            single = [{**report, "id": _new_id(), "sections": {name: content}} for name, content in sections.items()]
            names = [self.folder / f"{number:06d}-{_new_id()}.json" for number in range(len(single))]
            for path, one in zip(names, single, strict=True):
                disk.write_json(path, one)
            self.files = names + self.files
            return
        for name in sections:
            self.state.log(f"The gateway does not take the section {name}; it is told again when it has changed.")
            self.refused[name] = report["digests"].get(name, "")
        self._save()

    def wanted(self, sections: list[str]) -> None:
        """The server lacks these sections (``*``: all): they count as untold, whatever we believed."""
        names = set(wire.SECTIONS) if "*" in sections else set(sections)
        self.known = {name: value for name, value in self.known.items() if name not in names}
        self.told = {name: value for name, value in self.told.items() if name not in names}
        self._save()


def _new_id() -> str:
    raw = bytearray(os.urandom(16))
    raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80  # RFC 9562, version 4
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
