"""A desk for the worker on each kind of database, with a clock that a test moves."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mdm.settings import Settings
from mdm.storage.engine import make_engine
from mdm.worker.office import Office
from tests.conftest import NOW, PrivatePostgres


class HandClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, database_url=database_url)


@pytest.fixture
def office(settings: Settings, clock: Callable[[], datetime]) -> Iterator[Office]:
    """On PostgreSQL as the worker's own user: every test proves that its grants are enough."""
    engine = make_engine(PrivatePostgres.by("worker", settings.database))
    yield Office(engine, settings, clock)
    engine.dispose()
