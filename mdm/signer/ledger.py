"""What the signer signed, when, and for whom: its own SQLite file, written before anything is answered.

This page opens it and keeps certificates and heads; ``book.py`` keeps what is about orders, ``schema.py`` the tables.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

from mdm.core.errors import ConfigurationError
from mdm.signer import schema
from mdm.signer.book import Book
from mdm.signing.seals import Head

FILE = "ledger.db"


@dataclass(frozen=True, slots=True)
class Certified:
    """One certificate that was issued. Moments are seconds since 1970; ``previous`` is set on a renewal."""

    fingerprint: str
    device: str
    invitation: str
    ownership: str
    key_digest: str
    pem: str
    not_before: int
    not_after: int
    previous: str | None
    issued_at: int
    revoked_at: int | None = None
    revoked_why: str | None = None


class Ledger:
    """The ledger, opened. One transaction at a time, and each ends on the disk. ``book`` is what is about orders."""

    def __init__(self, folder: Path) -> None:
        path = folder / FILE
        if not path.exists():
            path.touch(mode=0o600)
        self._lock = Lock()
        try:
            self._db = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            with self.writing():
                version = schema.prepare(self._db)
        except sqlite3.DatabaseError as error:
            raise _unreadable(path, str(error)) from error
        if version > schema.VERSION:
            raise _unreadable(path, f"it is of version {version}")
        self.book = Book(self._db)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: on the disk at the end, or not there at all."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keeps transactions away while it lasts: what is read is on the disk."""
        with self._lock:
            yield

    def close(self) -> None:
        """Closes the file once the transaction under way has ended."""
        with self._lock:
            self._db.close()

    def certificates(self, column: str, value: str) -> list[Certified]:
        """Certificates of a device, an invitation, a fingerprint, or renewed from one; newest first."""
        if column not in ("device", "invitation", "fingerprint", "previous"):
            raise ValueError(column)
        rows = self._db.execute(
            f"SELECT * FROM certificate WHERE {column} = ? ORDER BY issued_at DESC, rowid DESC",  # noqa: S608
            (value,),
        )
        return [Certified(*row) for row in rows]

    def add_certificate(self, one: Certified) -> None:
        """Writes a certificate down. Call it inside ``writing``."""
        self._db.execute(
            "INSERT INTO certificate VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                one.fingerprint, one.device, one.invitation, one.ownership, one.key_digest, one.pem,
                one.not_before, one.not_after, one.previous, one.issued_at, one.revoked_at, one.revoked_why,
            ),
        )  # fmt: skip

    def revoke(self, fingerprint: str, why: str, now: datetime) -> bool:
        """Marks a certificate as revoked; the first time counts. Whether there is such a certificate."""
        self._db.execute(
            "UPDATE certificate SET revoked_at = ?, revoked_why = ? WHERE fingerprint = ? AND revoked_at IS NULL",
            (int(now.timestamp()), why, fingerprint),
        )
        return bool(self.certificates("fingerprint", fingerprint))

    def move(self, fingerprint: str, device: str) -> None:
        """Writes down that a certificate is that of another device. Call it inside ``writing``."""
        self._db.execute("UPDATE certificate SET device = ? WHERE fingerprint = ?", (device, fingerprint))

    def fleet(self, now: datetime) -> int:
        """How many devices hold a certificate that is valid now: counted here, believed from nobody."""
        row = self._db.execute(
            "SELECT count(DISTINCT device) FROM certificate WHERE device <> '' AND revoked_at IS NULL AND not_after > ?",
            (int(now.timestamp()),),
        ).fetchone()
        return int(row[0])

    def last_head(self) -> Head | None:
        """The greatest head that was ever signed."""
        row = self._db.execute("SELECT number, hash, at, signature FROM head ORDER BY number DESC LIMIT 1").fetchone()
        return Head(*row) if row else None

    def heads(self, after: int, limit: int) -> list[Head]:
        """Heads with a greater number than ``after``, in order."""
        rows = self._db.execute(
            "SELECT number, hash, at, signature FROM head WHERE number > ? ORDER BY number LIMIT ?", (after, limit)
        )
        return [Head(*row) for row in rows]

    def add_head(self, head: Head) -> None:
        """Writes a head down. Call it inside ``writing``."""
        self._db.execute("INSERT INTO head VALUES (?, ?, ?, ?)", (head.number, head.hash, head.at, head.signature))


def budget_since(now: datetime) -> datetime:
    """From when on the ledger's orders matter to a budget."""
    return now - timedelta(hours=24)


def _unreadable(path: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        "The signer's ledger %(file)s cannot be used: %(why)s.",
        file=path,
        why=why,
        mend="Bring it back from a backup. Without it nothing is signed.",
    )
