"""After a restore: a new epoch begins, and the ledger forgets nothing that the one before it knew.

A backup is older than what was signed, taken back, frozen or decided since. Orders of the epoch before are never signed
again, and no device accepts one once it has seen a newer epoch. Where the ledger that is being replaced still can be read,
whatever it knows more is taken over: budgets that are used, ids that are void, the red button, newer rosters.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from mdm.signer import schema
from mdm.signer.ledger import FILE, Ledger

CARRIED: Final = (
    "certificate",
    "signed_order",
    "roster",
    "approved_order",
    "void_order",
    "freeze",
    "thaw",
    "budgets",
)
"""Not the heads of the diary: the diary went back as well, and begins anew from where the backup was made."""


def begin(folder: Path, replaced: Path | None, now: int) -> tuple[int, bool]:
    """Begins a new epoch in the ledger of ``folder``: its number, and whether a replaced ledger was taken over.

    ``replaced`` is the signer's folder that was there before. One of another installation, or one that cannot be read, is
    passed over. Raises ConfigurationError when the restored ledger cannot be used. The signer must not be running.
    """
    Ledger(folder).close()
    with closing(sqlite3.connect(f"file:{folder / FILE}", uri=True, isolation_level=None)) as db:
        before = _take_over(db, replaced) if replaced is not None and _same(folder, replaced) else None
        number = max(int(db.execute("SELECT max(number) FROM epoch").fetchone()[0]), before or 0) + 1
        db.execute("INSERT INTO epoch VALUES (?, ?)", (number, now))
    return number, before is not None


def _same(folder: Path, other: Path) -> bool:
    """Whether both are of one installation: the certificate of its authority says so."""
    try:
        return (folder / "ca.pem").read_bytes() == (other / "ca.pem").read_bytes() and (other / FILE).exists()
    except OSError:
        return False


def _take_over(db: sqlite3.Connection, other: Path) -> int | None:
    """Adds what the other ledger knows more: its epoch, None when it cannot be read."""
    try:
        db.execute("ATTACH DATABASE ? AS other", (f"file:{other / FILE}?mode=ro",))
        if int(db.execute("PRAGMA other.user_version").fetchone()[0]) != schema.VERSION:
            return None
        db.execute("BEGIN IMMEDIATE")
        for table in CARRIED:
            db.execute(f"INSERT OR IGNORE INTO main.{table} SELECT * FROM other.{table}")  # noqa: S608 -- our own names
        db.execute(
            "UPDATE main.certificate SET (revoked_at, revoked_why) ="
            " (SELECT revoked_at, revoked_why FROM other.certificate one WHERE one.fingerprint = certificate.fingerprint)"
            " WHERE revoked_at IS NULL AND EXISTS (SELECT 1 FROM other.certificate one"
            " WHERE one.fingerprint = certificate.fingerprint AND one.revoked_at IS NOT NULL)"
        )
        db.execute("UPDATE main.latest SET at = (SELECT at FROM other.latest) WHERE at < (SELECT at FROM other.latest)")
        epoch = int(db.execute("SELECT max(number) FROM other.epoch").fetchone()[0])
        db.execute("COMMIT")
    except sqlite3.DatabaseError:
        if db.in_transaction:
            db.execute("ROLLBACK")
        return None
    return epoch
