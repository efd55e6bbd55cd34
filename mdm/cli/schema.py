"""The schema of the database: which version it has, which one this code needs, and the way from one to the other."""

import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mdm.core.errors import ConfigurationError
from mdm.settings import Settings

if TYPE_CHECKING:
    from mdm.storage.grants import Outcome

DIRECTORY = Path(__file__).resolve().parents[2] / "migrations"


@contextmanager
def _application(url: str) -> Iterator[None]:
    """A bare application on ``url``, because the migration library wants one."""
    from flask import Flask
    from flask_migrate import Migrate

    from web.common.database import connect, db

    app = Flask("havenmeester-migrations")
    connect(app, url)
    Migrate(app, db, directory=str(DIRECTORY), render_as_batch=True, compare_type=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with app.app_context():
        try:
            yield
        finally:
            db.engine.dispose()


def ours(name: str | None, kind: str, _parents: object) -> bool:
    """Whether a table or index is one of a model; the trigram index of the search has its own, which are not."""
    return name is None or not name.startswith({"table": "device_search", "index": "ix_device_search"}.get(kind, "\0"))


def wanted() -> str | None:
    """The newest revision of this code, by the numbers of its files; None while there is no migration at all.

    The migration library is not asked: importing it takes longer than all else that a start does.
    """
    numbers = sorted(path.name.split("_")[0] for path in (DIRECTORY / "versions").glob("[0-9]*_*.py"))
    return numbers[-1] if numbers else None


def present(settings: Settings) -> str | None:
    """The revision of the database; None where it has no schema of ours. Raises the database's own errors."""
    from sqlalchemy import inspect, text

    from mdm.storage.engine import make_engine

    if settings.database.startswith("sqlite") and not (settings.home / "havenmeester.db").exists():
        return None
    engine = make_engine(settings.database)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found = connection.execute(text("SELECT version_num FROM alembic_version")).first()
            return str(found[0]) if found else None
    finally:
        engine.dispose()


def upgrade(settings: Settings) -> tuple[str | None, str | None]:
    """Brings the schema up to date in one transaction: the revision before and after."""
    from flask_migrate import upgrade as to_head

    before = present(settings)
    after = wanted()
    if before != after:
        _known(before)
        with _application(settings.database):
            to_head(directory=str(DIRECTORY))
        # New tables have no grants yet; where there are no roles, nothing happens.
        grant(settings)
    return before, after


def grant(settings: Settings) -> "Outcome":
    """Makes the roles of PostgreSQL where this user may, and gives each what it needs; nothing on SQLite."""
    from mdm.storage import grants
    from mdm.storage.engine import make_engine

    engine = make_engine(settings.database, pool_size=1)
    try:
        with engine.begin() as connection:
            return grants.apply(connection)
    finally:
        engine.dispose()


def _known(revision: str | None) -> None:
    if revision is None:
        return
    if not any(path.name.startswith(f"{revision}_") for path in (DIRECTORY / "versions").glob("*.py")):
        raise ConfigurationError(
            "The database was made by a newer Havenmeester (revision %(revision)s). Nothing was changed.",
            revision=revision,
            mend="Install that version again, or restore a backup made by this one.",
        )


def differences(settings: Settings) -> list[str]:
    """What the models say and the database lacks, or the other way round, one line each; empty when they agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from mdm.storage.engine import make_engine
    from mdm.storage.metadata import all_tables

    engine = make_engine(settings.database)
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": ours})
            return [str(difference) for difference in compare_metadata(context, all_tables())]
    finally:
        engine.dispose()


def revise(message: str) -> Path:
    """Writes the migration from the newest revision to what the models say, as the next number, and returns its file.

    It is compared against a scratch SQLite database at the newest revision, never against the one in use.
    """
    from flask_migrate import revision
    from flask_migrate import upgrade as to_head

    files = sorted((DIRECTORY / "versions").glob("[0-9]*.py"))
    number = f"{len(files) + 1:04d}"
    with tempfile.TemporaryDirectory(prefix="havenmeester-") as folder, _application(f"sqlite:///{folder}/scratch.db"):
        to_head(directory=str(DIRECTORY))
        revision(directory=str(DIRECTORY), message=message, autogenerate=True, rev_id=number)
    made = sorted((DIRECTORY / "versions").glob(f"{number}_*.py"))[0]
    formatter = shutil.which("ruff", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if formatter is not None:
        subprocess.run([formatter, "format", "--quiet", str(made)], check=False)
    return made
