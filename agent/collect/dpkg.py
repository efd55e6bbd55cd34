"""dpkg's own records, read line by line so that a long list of packages costs little memory."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from agent.roots import Root
from agent.text import printable

STATUS = "/var/lib/dpkg/status"


class Package(NamedTuple):
    """One installed package."""

    name: str
    version: str
    base: bool
    """Part of every Debian: essential, or of priority required, important or standard."""


def paragraphs(path: Path, wanted: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """The paragraphs of a control file (deb822(5)), only the wanted fields. Raises OSError."""
    fields: dict[str, str] = {}
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line == "\n":
                if fields:
                    yield fields
                fields = {}
            elif line[0] not in " \t":
                name, _, value = line.partition(":")
                if name in wanted:
                    fields[name] = value.strip()
    if fields:
        yield fields


def installed(root: Root) -> list[Package] | None:
    """Every installed package, by name; None when this machine keeps no such record."""
    path = root.path(STATUS)
    if path is None or not path.is_file():
        return None
    found = []
    try:
        for fields in paragraphs(path, ("Package", "Status", "Version", "Priority", "Essential")):
            if fields.get("Status", "").endswith(" installed") and "Package" in fields:
                base = fields.get("Essential") == "yes" or fields.get("Priority") in (
                    "required",
                    "important",
                    "standard",
                )
                name, version = printable(fields["Package"], 128), printable(fields.get("Version"), 128)
                found.append(Package(name, version, base))
    except OSError:
        return None
    return sorted(found)


def automatic(root: Root) -> set[str]:
    """Packages that came along only because others need them (``/var/lib/apt/extended_states``)."""
    path = root.path("/var/lib/apt/extended_states")
    if path is None or not path.is_file():
        return set()
    try:
        rows = list(paragraphs(path, ("Package", "Auto-Installed")))
    except OSError:
        return set()
    return {row["Package"] for row in rows if row.get("Auto-Installed") == "1" and "Package" in row}


def _order(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 256


def _part_key(part: str) -> list[tuple[list[int], int]]:
    pieces = re.findall(r"(\D*)(\d*)", part)
    # The end of a part sorts after a tilde and before everything else, hence the 0.
    return [([*map(_order, text), 0], int(number or 0)) for text, number in pieces]


def version_key(version: str) -> tuple[int, list[tuple[list[int], int]], list[tuple[list[int], int]]]:
    """A key that sorts versions as deb-version(7) says: epoch, upstream version, revision."""
    epoch, found, rest = version.partition(":")
    if not (found and epoch.isascii() and epoch.isdigit()):
        epoch, rest = "0", version
    upstream, dash, revision = rest.rpartition("-")
    if not dash:
        upstream, revision = rest, "0"
    return int(epoch), _part_key(upstream), _part_key(revision or "0")
