"""The part of the ledger that is about orders: what was signed, seen, taken back, frozen, and by which rules.

Everything here is called inside a transaction of ``ledger.Ledger``.
"""

import sqlite3
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SignedOrder:
    """One order that was signed. ``signed_at`` is in seconds since 1970; ``roster`` the version that proved it."""

    id: str
    canonical: str
    signature: str
    device: str
    requester: str
    place: str
    evidence: str
    signed_at: int
    lane: str = "ordinary"
    token: str = ""
    roster: int = 0


@dataclass(frozen=True, slots=True)
class Spent:
    """One order that was signed, as the budgets count it."""

    at: int
    lane: str
    place: str
    requester: str
    token: str


@dataclass(frozen=True, slots=True)
class Frozen:
    """The last press of the red button."""

    number: int
    who: str
    why: str
    at: int
    thawed: bool


@dataclass(frozen=True, slots=True)
class RosterLine:
    """One sealed roster: ``sealed`` is the JSON of the whole, ``text`` that of the statement."""

    version: int
    text: str
    digest: str
    sealed: str
    at: int


class Book:
    """Reads and writes the lines; decides nothing."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def order(self, order_id: str) -> SignedOrder | None:
        """The order that was signed under this id."""
        row = self._db.execute("SELECT * FROM signed_order WHERE id = ?", (order_id,)).fetchone()
        return SignedOrder(*row) if row else None

    def add_order(self, one: SignedOrder) -> None:
        """Writes a signed order down."""
        self._db.execute(
            "INSERT INTO signed_order VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                one.id, one.canonical, one.signature, one.device, one.requester, one.place, one.evidence,
                one.signed_at, one.lane, one.token, one.roster,
            ),
        )  # fmt: skip

    def spent(self, since: datetime) -> list[Spent]:
        """Orders signed after ``since``."""
        rows = self._db.execute(
            "SELECT signed_at, lane, place, requester, token FROM signed_order WHERE signed_at > ?",
            (int(since.timestamp()),),
        )
        return [Spent(*row) for row in rows]

    def first_approved(self, order_id: str, digest: str, now: int) -> int:
        """When this text was first seen with enough approvals: now, and never later, when it is new."""
        self._db.execute("INSERT OR IGNORE INTO approved_order VALUES (?, ?, ?)", (order_id, digest, now))
        row = self._db.execute("SELECT digest, at FROM approved_order WHERE id = ?", (order_id,)).fetchone()
        if row[0] != digest:
            raise LookupError(order_id)
        return int(row[1])

    def void(self, order_id: str, now: int) -> None:
        """Marks this id as taken back; twice is like once."""
        self._db.execute("INSERT OR IGNORE INTO void_order VALUES (?, ?)", (order_id, now))

    def is_void(self, order_id: str) -> bool:
        """Whether the order was taken back."""
        return self._db.execute("SELECT 1 FROM void_order WHERE id = ?", (order_id,)).fetchone() is not None

    def frozen(self) -> Frozen | None:
        """The last press of the red button, None when it was never pressed."""
        row = self._db.execute(
            "SELECT freeze.*, thaw.number IS NOT NULL FROM freeze LEFT JOIN thaw USING (number)"
            " ORDER BY freeze.number DESC LIMIT 1"
        ).fetchone()
        return Frozen(row[0], row[1], row[2], row[3], bool(row[4])) if row else None

    def add_freeze(self, number: int, who: str, why: str, now: int) -> None:
        """Writes down that the red button was pressed."""
        self._db.execute("INSERT INTO freeze VALUES (?, ?, ?, ?)", (number, who, why, now))

    def add_thaw(self, number: int, statement: str, proofs: str, now: int) -> None:
        """Writes down that a freeze has ended, and who ended it."""
        self._db.execute("INSERT INTO thaw VALUES (?, ?, ?, ?)", (number, statement, proofs, now))

    def budgets(self) -> tuple[int, str | None]:
        """How often budgets were changed, and the last statement that did."""
        row = self._db.execute("SELECT version, statement FROM budgets ORDER BY version DESC LIMIT 1").fetchone()
        return (int(row[0]), str(row[1])) if row else (0, None)

    def add_budgets(self, version: int, statement: str, proofs: str, now: int) -> None:
        """Writes a change of budgets down."""
        self._db.execute("INSERT INTO budgets VALUES (?, ?, ?, ?)", (version, statement, proofs, now))

    def roster(self, version: int | None = None) -> RosterLine | None:
        """A roster; without a version the newest."""
        row = self._db.execute(
            "SELECT * FROM roster WHERE ? IS NULL OR version = ? ORDER BY version DESC LIMIT 1", (version, version)
        ).fetchone()
        return RosterLine(*row) if row else None

    def rosters(self, after: int) -> list[RosterLine]:
        """Rosters with a greater version than ``after``, in order."""
        rows = self._db.execute("SELECT * FROM roster WHERE version > ? ORDER BY version LIMIT 100", (after,))
        return [RosterLine(*row) for row in rows]

    def add_roster(self, one: RosterLine) -> None:
        """Writes a sealed roster down. The version is the key: there is one of each, ever."""
        self._db.execute(
            "INSERT INTO roster VALUES (?, ?, ?, ?, ?)", (one.version, one.text, one.digest, one.sealed, one.at)
        )

    def epoch(self) -> int:
        """What a new order must carry."""
        return int(self._db.execute("SELECT max(number) FROM epoch").fetchone()[0])

    def add_epoch(self, number: int, now: int) -> None:
        """Begins an epoch: orders of an older one are never signed again."""
        self._db.execute("INSERT INTO epoch VALUES (?, ?)", (number, now))

    def latest(self, now: int) -> int:
        """The latest moment that was ever seen here, ``now`` taken in."""
        self._db.execute("UPDATE latest SET at = ? WHERE at < ?", (now, now))
        return int(self._db.execute("SELECT at FROM latest").fetchone()[0])
