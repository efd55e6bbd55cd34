"""Who was erased, in a file beside the database: a restore brings old rows back, and this list takes them away again.

A line names the row and the moment that it was made, and what was put in the place of the name; nothing else of the person.
The moment tells a row of that number in a much older backup, where it was somebody else's, from theirs.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from mdm.core.errors import N_, InvalidError

FILE: Final = "erased.jsonl"
"""In the home folder; backups hold it, and a restore adds up what it finds."""


@dataclass(frozen=True, slots=True, order=True)
class Tombstone:
    """One person who was erased: their row, when it was made, their pseudonym, and when they were erased (RFC 3339)."""

    person: int
    made_at: str
    pseudonym: str
    erased_at: str


def read(path: Path) -> list[Tombstone]:
    """The list; empty where there is no file. Raises InvalidError for a line that is no tombstone.

    A line that a crash cut in its middle, at the end of the file, is passed over: its erasure goes on by itself.
    """
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    found = []
    for number, line in enumerate(lines, 1):
        try:
            said = json.loads(line)
            found.append(
                Tombstone(int(said["person"]), str(said["made_at"]), str(said["pseudonym"]), str(said["erased_at"]))
            )
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines) and not line.endswith("\n"):
                break
            raise InvalidError(
                N_("Line %(line)s of %(path)s does not say who was erased. Nothing was changed."),
                line=number,
                path=path,
            ) from error
    return found


def add(path: Path, stones: Iterable[Tombstone]) -> int:
    """Adds those that are not there yet, and returns when the disk has them: how many. Twice is like once."""
    known = {(one.person, one.made_at) for one in read(path)}
    new = [one for one in stones if (one.person, one.made_at) not in known]
    if not new:
        return 0
    text = "".join(json.dumps(asdict(one), sort_keys=True) + "\n" for one in new).encode()
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(handle).st_size
        cut = size and os.pread(handle, 1, size - 1) != b"\n"
        if cut:
            os.ftruncate(handle, _last_whole(path))
        os.write(handle, text)
        os.fsync(handle)
    finally:
        os.close(handle)
    return len(new)


def _last_whole(path: Path) -> int:
    return path.read_bytes().rfind(b"\n") + 1
