"""How a migration meets the database: one transaction, one migrator at a time, foreign keys proven on SQLite."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app
from sqlalchemy import JSON, Connection, text

from mdm.cli.schema import ours
from mdm.storage.base import UTCDateTime
from mdm.storage.engine import WRITE
from mdm.storage.metadata import all_tables
from web.common.database import db

LOCK = 7_301_010
"""Number of the PostgreSQL advisory lock that a migrator holds."""


def render(kind: str, item: Any, written: AutogenContext) -> str | Literal[False]:
    """Our column types in the words of the library, so that an old migration never reads our code of today."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        written.imports.add("from sqlalchemy.dialects import postgresql")
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    return False


def configure(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=all_tables(),
        transactional_ddl=True,
        render_item=render,
        include_name=ours,
        **current_app.extensions["migrate"].configure_args,
    )


def on_sqlite(connection: Connection) -> None:
    # A table is rebuilt by copying; with foreign keys on, dropping the old one would delete the rows below it.
    # It is said to the driver itself: inside a transaction, which the library would begin, SQLite does not hear it.
    driver: Any = connection.connection.dbapi_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    configure(connection)
    with context.begin_transaction():
        context.run_migrations()
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise RuntimeError(f"the migration would break a foreign key: {tuple(broken)}")
    driver.execute("PRAGMA foreign_keys=ON")


def on_postgresql(connection: Connection) -> None:
    configure(connection)
    with context.begin_transaction():
        # Another migrator may take long, and so may whoever still uses a table: this one waits for both.
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": LOCK})
        context.run_migrations()


with db.engine.connect() as connection:
    connection = connection.execution_options(**{WRITE: True})
    if connection.dialect.name == "sqlite":
        on_sqlite(connection)
    else:
        on_postgresql(connection)
