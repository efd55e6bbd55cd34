"""Making the database's files anew, so that nothing that was deleted lies in their free space.

SQLite overwrites what is deleted with zeros (``secure_delete``), but may leave copies in pages that it splits; ``VACUUM``
writes every page anew, and the checkpoint empties the journal. PostgreSQL keeps old versions of rows in its files until
``VACUUM FULL`` writes the table anew, which holds everybody up who uses it and needs the tables' owner: somebody says when.
"""

from sqlalchemy import Engine, text

from mdm.storage.metadata import all_tables


def compact(engine: Engine) -> bool:
    """Makes the files of a SQLite database anew; True when nothing old is left in them, False when somebody is reading them.

    On PostgreSQL nothing is done and False is answered: ``compact_fully`` is for a quiet hour.
    """
    if engine.dialect.name != "sqlite":
        return False
    # Past the engine's events, which would begin a transaction: VACUUM runs outside of any.
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        busy, _pages, _done = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        cursor.close()
    finally:
        connection.close()
    return not busy


def compact_fully(engine: Engine) -> bool:
    """The same for both databases, by the owner of the tables: on PostgreSQL each table is locked while it is written anew."""
    if engine.dialect.name == "sqlite":
        return compact(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in all_tables().sorted_tables:
            connection.execute(text(f'VACUUM (FULL) "{table.name}"'))
    return True
