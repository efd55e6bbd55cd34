"""Finding devices by a part of anything a person knows: one condition, backed by a trigram index on each database.

SQLite has an FTS5 table with the trigram tokenizer that triggers keep in step; PostgreSQL a GIN index of ``pg_trgm``. A
word of one or two characters has no trigram and is looked for by reading the column, which is right, only slower.
"""

from sqlalchemy import ColumnElement, Connection, Table, and_, column, event, select, table, text, true
from sqlalchemy.orm import Session

from mdm.core.text import fold
from mdm.inventory.model import Device

MAX_WORDS = 8
TRIGRAM = 3

DDL_STATEMENTS: dict[str, list[str]] = {
    "sqlite": [
        """CREATE VIRTUAL TABLE IF NOT EXISTS device_search
           USING fts5(search, content='device', content_rowid='id', tokenize='trigram')""",
        """CREATE TRIGGER IF NOT EXISTS device_search_insert AFTER INSERT ON device BEGIN
           INSERT INTO device_search(rowid, search) VALUES (new.id, new.search); END""",
        """CREATE TRIGGER IF NOT EXISTS device_search_delete AFTER DELETE ON device BEGIN
           INSERT INTO device_search(device_search, rowid, search) VALUES ('delete', old.id, old.search); END""",
        """CREATE TRIGGER IF NOT EXISTS device_search_update AFTER UPDATE OF search ON device BEGIN
           INSERT INTO device_search(device_search, rowid, search) VALUES ('delete', old.id, old.search);
           INSERT INTO device_search(rowid, search) VALUES (new.id, new.search); END""",
    ],
    "postgresql": [
        """DO $$ BEGIN
           CREATE EXTENSION IF NOT EXISTS pg_trgm;
           CREATE INDEX IF NOT EXISTS ix_device_search_trigram ON device USING gin (search gin_trgm_ops);
           EXCEPTION WHEN undefined_file OR insufficient_privilege OR feature_not_supported THEN
           RAISE WARNING 'pg_trgm is not available: searching devices works, but reads the whole table';
           END $$""",
    ],
}
"""What the search needs beside the table ``device``, per dialect, in order; for the migration and for ``create_all``."""

_index = table("device_search", column("rowid"), column("device_search"))


def condition(session: Session, words: str) -> ColumnElement[bool]:
    """Devices in whose searched text each of the first eight words of ``words`` occurs; all devices when it is empty."""
    found = fold(words).split()[:MAX_WORDS]
    if session.get_bind().dialect.name != "sqlite":
        return and_(true(), *(Device.search.contains(word, autoescape=True) for word in found))
    parts = [Device.search.contains(word, autoescape=True) for word in found if len(word) < TRIGRAM]
    long = [word for word in found if len(word) >= TRIGRAM]
    if long:
        phrases = " ".join('"' + word.replace('"', '""') + '"' for word in long)
        parts.append(Device.id.in_(select(_index.c.rowid).where(_index.c.device_search.op("MATCH")(phrases))))
    return and_(true(), *parts)


def create(connection: Connection) -> None:
    """Makes the index on a database whose table ``device`` is there. Twice is like once."""
    for statement in DDL_STATEMENTS[connection.dialect.name]:
        connection.execute(text(statement.replace(":", "\\:")))


@event.listens_for(Device.__table__, "after_create")
def _created(_table: Table, connection: Connection, **_options: object) -> None:
    create(connection)


@event.listens_for(Device.__table__, "before_drop")
def _dropped(_table: Table, connection: Connection, **_options: object) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(text("DROP TABLE IF EXISTS device_search"))
