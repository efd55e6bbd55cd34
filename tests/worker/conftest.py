"""A desk for the worker on each kind of database, with a clock that a test moves."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from mdm.settings import Settings
from mdm.worker.office import Office
from tests.conftest import NOW


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
def office(engine: Engine, settings: Settings, clock: Callable[[], datetime]) -> Office:
    return Office(engine, settings, clock)
