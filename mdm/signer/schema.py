"""The tables of the ledger, one script per version. A ledger of an older version is taken along when it is opened.

Lines are added and never changed or removed (triggers hold that), except that a certificate is marked as revoked and that
the latest moment moves on.
"""

import sqlite3
from collections.abc import Iterator
from typing import Final

_FIRST: Final = """
CREATE TABLE certificate (
    fingerprint TEXT PRIMARY KEY, device TEXT NOT NULL, invitation TEXT NOT NULL, ownership TEXT NOT NULL,
    key_digest TEXT NOT NULL, pem TEXT NOT NULL, not_before INTEGER NOT NULL, not_after INTEGER NOT NULL,
    previous TEXT, issued_at INTEGER NOT NULL, revoked_at INTEGER, revoked_why TEXT
) STRICT;
CREATE UNIQUE INDEX one_per_invitation ON certificate (invitation) WHERE previous IS NULL AND invitation <> '';
CREATE INDEX certificate_device ON certificate (device, issued_at);
CREATE TABLE signed_order (
    id TEXT PRIMARY KEY, canonical TEXT NOT NULL, signature TEXT NOT NULL, device TEXT NOT NULL,
    requester TEXT NOT NULL, place TEXT NOT NULL, evidence TEXT NOT NULL, signed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX signed_order_at ON signed_order (signed_at);
CREATE TABLE head (
    number INTEGER PRIMARY KEY, hash TEXT NOT NULL, at INTEGER NOT NULL, signature TEXT NOT NULL
) STRICT;
CREATE TRIGGER order_kept BEFORE DELETE ON signed_order BEGIN SELECT RAISE(ABORT, 'kept'); END;
CREATE TRIGGER order_fixed BEFORE UPDATE ON signed_order BEGIN SELECT RAISE(ABORT, 'fixed'); END;
CREATE TRIGGER head_kept BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT, 'kept'); END;
CREATE TRIGGER head_fixed BEFORE UPDATE ON head BEGIN SELECT RAISE(ABORT, 'fixed'); END;
CREATE TRIGGER certificate_kept BEFORE DELETE ON certificate BEGIN SELECT RAISE(ABORT, 'kept'); END;
"""
_SECOND: Final = """
ALTER TABLE signed_order ADD COLUMN lane TEXT NOT NULL DEFAULT 'ordinary';
ALTER TABLE signed_order ADD COLUMN token TEXT NOT NULL DEFAULT '';
ALTER TABLE signed_order ADD COLUMN roster INTEGER NOT NULL DEFAULT 0;
CREATE TABLE roster (
    version INTEGER PRIMARY KEY, text TEXT NOT NULL, digest TEXT NOT NULL UNIQUE, sealed TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE approved_order (id TEXT PRIMARY KEY, digest TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE TABLE void_order (id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
CREATE TABLE freeze (number INTEGER PRIMARY KEY, who TEXT NOT NULL, why TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE TABLE thaw (
    number INTEGER PRIMARY KEY REFERENCES freeze (number), statement TEXT NOT NULL, proofs TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE budgets (
    version INTEGER PRIMARY KEY, statement TEXT NOT NULL, proofs TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE TABLE epoch (number INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;
INSERT INTO epoch VALUES (1, 0);
CREATE TABLE latest (only INTEGER PRIMARY KEY CHECK (only = 1), at INTEGER NOT NULL) STRICT;
INSERT INTO latest VALUES (1, 0);
CREATE TRIGGER latest_kept BEFORE DELETE ON latest BEGIN SELECT RAISE(ABORT, 'kept'); END;
CREATE TRIGGER latest_forward BEFORE UPDATE ON latest WHEN NEW.at < OLD.at BEGIN SELECT RAISE(ABORT, 'fixed'); END;
"""
_FIXED: Final = ("roster", "approved_order", "void_order", "freeze", "thaw", "budgets", "epoch")

VERSION: Final = 2


def prepare(db: sqlite3.Connection) -> int:
    """Brings the tables to ``VERSION`` and returns the version that was found. Call it inside a transaction.

    A ledger that is newer than this program is left as it is.
    """
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    for version, script in ((1, _FIRST), (2, _SECOND + _guards())):
        if found < version:
            for statement in _statements(script):
                db.execute(statement)
            db.execute(f"PRAGMA user_version={version}")
    return found


def _guards() -> str:
    return "".join(
        f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, 'kept'); END;\n"
        f"CREATE TRIGGER {table}_fixed BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, 'fixed'); END;\n"
        for table in _FIXED
    )


def _statements(script: str) -> Iterator[str]:
    draft = ""
    for line in script.strip().splitlines():
        draft += line + "\n"
        if sqlite3.complete_statement(draft):
            yield draft
            draft = ""
