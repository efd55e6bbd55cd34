"""Proving that something is gone: looking for it in every column of every table, and in every file of the home folder.

What is looked for is told to nobody: only where it was found. What lies outside (archives and replicas of the database server,
backups, other machines) is not searched, and ``outside`` says so.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import JSON, Engine, LargeBinary, Text, cast, func, or_, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from mdm.privacy.naming import variants
from mdm.privacy.whole import texts_of
from mdm.storage.metadata import all_tables

BLOCK: Final = 4 * 1024 * 1024
LEAST: Final = 3
"""Characters that something needs so that it is worth looking for."""


def in_tables(session: Session, wanted: Collection[str]) -> Iterator[tuple[str, int]]:
    """Each column in which one of these strings stands, whatever its case, as ``table.column`` and in how many rows."""
    spelled = sorted({one for name in wanted for one in variants(name)})
    for table in all_tables().sorted_tables if spelled else ():
        for column in texts_of(table):
            if isinstance(column.type, LargeBinary):
                found = _in_bytes(session, column, wanted)
            else:
                value: Any = cast(column, Text) if isinstance(column.type, JSON) else column
                here = or_(*(value.icontains(one, autoescape=True) for one in spelled))
                found = session.scalar(select(func.count()).select_from(table).where(here)) or 0
            if found:
                yield f"{table.name}.{column.name}", found


def _in_bytes(session: Session, column: Any, wanted: Collection[str]) -> int:
    rows = session.scalars(select(column).where(column.is_not(None)).execution_options(yield_per=200))
    needles = [one.lower().encode() for one in wanted]
    return sum(any(one in bytes(row).lower() for one in needles) for row in rows)


def in_files(folder: Path, wanted: Collection[str]) -> Iterator[Path]:
    """Every file below the folder in which one of these strings stands as it is written here, or in small letters or capitals.

    A file that goes away meanwhile, and what is no ordinary file, are passed over.
    """
    needles = {form.encode() for one in wanted for form in (one, one.lower(), one.upper())}
    most = max((len(one) for one in needles), default=0)
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        try:
            if _holds(path, needles, most):
                yield path
        except FileNotFoundError:
            continue


def _holds(path: Path, needles: Collection[bytes], most: int) -> bool:
    tail = b""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            held = tail + block
            if any(one in held for one in needles):
                return True
            tail = held[-most:]
    return False


@dataclass(frozen=True, slots=True)
class Log:
    """What a database server says of its write-ahead log."""

    archived: bool
    size: str
    """After how much it is recycled, as the server writes it."""
    slots: int
    """Replicas and others that have it held back."""
    idle: int
    """Those among them that nobody uses now: it grows for them until somebody comes or they are removed."""


def log_of(engine: Engine) -> Log | None:
    """What PostgreSQL says; None for SQLite, which has none beside its journal. Raises SQLAlchemyError where it says nothing."""
    if engine.dialect.name == "sqlite":
        return None
    with engine.connect() as connection:
        mode = connection.execute(text("SHOW archive_mode")).scalar_one()
        size = connection.execute(text("SHOW max_wal_size")).scalar_one()
        slots = connection.execute(text("SELECT active FROM pg_replication_slots")).scalars().all()
    return Log(mode != "off", str(size), len(slots), sum(not active for active in slots))


def outside(engine: Engine, days: int = 0) -> list[str]:
    """What keeps old content and cannot be searched from here, one sentence each, as the database itself tells.

    ``days``: the setting ``wal_archive_days``.
    """
    if engine.dialect.name == "sqlite":
        return ["Backups and blocks that the file system has freed were not searched."]
    said = ["The files of PostgreSQL, its write-ahead log and backups were not searched: they lie on its machine."]
    try:
        log = log_of(engine)
    except SQLAlchemyError:
        log = None
    if log is None:
        return [*said, "It would not say whether it archives its write-ahead log."]
    said.append(
        f"Its write-ahead log is recycled when it reaches about {log.size}, or at the latest after some checkpoints."
    )
    if log.archived:
        until = (
            f"for {days} days (wal_archive_days)"
            if days
            else "until that archive ends; wal_archive_days does not say when"
        )
        said.append(f"It archives its write-ahead log: what was deleted lies there {until}.")
    if log.slots:
        said.append(
            f"Replicas or others that hold its write-ahead log back: {log.slots}. They have what it has, and their own logs."
        )
    return said
