"""The files in ``HOME/log``: begun anew every day, or when they are large, and deleted when their time has passed.

A log is a history too: who did what at which minute. So no line of it is older than ``log_days``, whoever writes the file and
whether anything is restarted. What systemd starts writes to the journal instead, which is told the same (docs/operate.md).
"""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from mdm.core.alone import alone

LIMIT: Final = 20 * 1024 * 1024
"""Bytes over which a file is begun anew before its day is over."""
DAY: Final = timedelta(days=1)
KEPT: Final = 50
"""Older parts of one log that are kept at most, so that a process that never stops talking does not fill the disk."""
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_HEAD: Final = 64 * 1024


def tend(folder: Path, days: int, now: datetime, limit: int | None = None) -> None:
    """Looks at every log of the folder. Two processes that do so at once: the second does nothing. No folder: nothing.

    The part that was written until now gets the moment as its name (``console.log.20261123T090000Z``) and is deleted so that
    none of its lines is kept for more than ``days``.
    """
    if not folder.is_dir():
        return
    with alone(folder / ".tending") as free:
        for log in sorted(folder.glob("*.log")) if free else ():
            if log.is_file() and not log.is_symlink():
                _begin_anew(log, now, LIMIT if limit is None else limit)
                _forget(log, now - timedelta(days=days) + DAY)


def _begin_anew(log: Path, now: datetime, limit: int) -> None:
    """Puts what was written aside where it is a day old or too much. Its writers append, and go on in the empty file."""
    size = log.stat().st_size
    if size == 0 or (size < limit and now - _begun(log) < DAY - timedelta(minutes=5)):
        return
    with log.open("r+b") as old, os.fdopen(_new(log, now), "wb") as kept:
        while block := old.read(1024 * 1024):
            kept.write(block)
        # What a writer adds between the last look and this moment is lost: as with any log that is copied and truncated.
        old.truncate(0)


def _new(log: Path, now: datetime) -> int:
    while True:
        try:
            return os.open(
                log.with_name(f"{log.name}.{now.astimezone(UTC).strftime(_STAMP)}"),
                os.O_WRONLY | os.O_CREAT | os.O_EXCL,
                0o600,
            )
        except FileExistsError:
            now += timedelta(seconds=1)


def _begun(log: Path) -> datetime:
    """When the first line was written that says so; very long ago where none does."""
    with log.open("rb") as file:
        for line in file.read(_HEAD).splitlines():
            try:
                return datetime.fromisoformat(json.loads(line)["timestamp"])
            except (ValueError, KeyError, TypeError):
                continue
    return datetime.min.replace(tzinfo=UTC)


def _forget(log: Path, before: datetime) -> None:
    parts = sorted(path for path in log.parent.glob(f"{log.name}.*") if path.is_file())
    for number, part in enumerate(parts):
        if _ended(part, log) <= before or number < len(parts) - KEPT:
            part.unlink(missing_ok=True)


def _ended(part: Path, log: Path) -> datetime:
    """When the last line of an older part was written: by its name, else (a part of an older release) by its file."""
    try:
        return datetime.strptime(part.name.removeprefix(f"{log.name}."), _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return datetime.fromtimestamp(part.stat().st_mtime, UTC)
