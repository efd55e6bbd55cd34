"""A call on SQLite alone, for what does not depend on the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest

from mdm.core.actor import Actor
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.conftest import FLEET_ADMIN, NOW, Calling, alone


@pytest.fixture
def sqlite_calling(sqlite_url: str) -> Iterator[Calling]:
    """As ``calling``, on SQLite."""
    engine = make_engine(sqlite_url)

    @contextmanager
    def one(actor: Actor = FLEET_ADMIN, now: datetime = NOW) -> Iterator[Call]:
        with transaction(engine) as session:
            yield Call(actor, session, now, alone())

    yield one
    engine.dispose()
