"""An engine and calls on one database: for tests about files, which one kind of database is enough for."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine

from mdm.core.actor import Actor
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.conftest import FLEET_ADMIN, Calling, alone
from tests.privacy.planting import NOW


def engine_on(url: str) -> Engine:
    """An engine that the test closes."""
    return make_engine(url)


def calling_on(engine: Engine) -> Calling:
    """As the fixture ``calling``."""

    @contextmanager
    def one(
        actor: Actor = FLEET_ADMIN, now: object = NOW, *, write: bool = True, asked: bool = False
    ) -> Iterator[Call]:
        with transaction(engine, write=write) as session:
            yield Call(actor, session, NOW, None if asked else alone())

    return one


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    """SQLite: for what is a rule, or a reading through the map, with no SQL that differs."""
    engine = engine_on(sqlite_url)
    yield engine
    engine.dispose()


@pytest.fixture
def calling(engine: Engine) -> Calling:
    """Calls on it."""
    return calling_on(engine)
