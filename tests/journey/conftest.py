"""A house of each test's own, which is surely stopped."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journey.house import House
from web.build import build


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An installation that is not made yet."""
    build()
    made = House(tmp_path)
    yield made
    for visitor in made.visitors:
        visitor.http.close()
    if made.up is not None and made.up.poll() is None:
        os.kill(made.up.pid, signal.SIGTERM)
        made.up.wait(20)
