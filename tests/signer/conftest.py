"""The running signer, as a fixture."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.signer.neighbour import RunningSigner


@pytest.fixture(scope="session")
def shared_signer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSigner]:
    """One signer for all tests that leave no budget used."""
    running = RunningSigner(tmp_path_factory.mktemp("signer"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def signer(tmp_path: Path) -> Iterator[RunningSigner]:
    """A signer of the test's own."""
    running = RunningSigner(tmp_path / "home")
    running.start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()
