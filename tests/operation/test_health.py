"""What is told of the parts of an installation: to the doctor with the mend, to a probe in one word per part."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from mdm.core.clock import iso, utcnow
from mdm.operation import health
from mdm.settings import Settings
from tests.signer.neighbour import RunningSigner


@pytest.fixture
def signer(tmp_path: Path) -> Iterator[RunningSigner]:
    running = RunningSigner(tmp_path / "home")
    running.start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()


@pytest.fixture
def settings(tmp_path: Path, sqlite_url: str) -> Settings:
    home = tmp_path / "home"
    (home / "run").mkdir(parents=True, exist_ok=True)
    return Settings(home=home, database_url=sqlite_url)


def beat(settings: Settings, *, ago: timedelta = timedelta(), failures: int = 0) -> None:
    jobs = {"post": {"good": None, "failures": failures, "error": "no route to the mail server"}}
    told = {"pid": 1, "at": iso(utcnow() - ago), "leads": True, "jobs": jobs}
    health.heartbeat_file(settings.home).write_text(json.dumps(told))


def test_when_every_part_works_it_is_ready(settings: Settings, signer: RunningSigner, engine: Engine) -> None:
    beat(settings)

    found = health.readiness(settings, lambda: health.ping(engine))

    assert found.as_dict() == {
        "status": "ok",
        "parts": {"database": "ok", "signer": "ok", "worker": "ok", "disk": "ok"},
    }


def test_without_signer_and_worker_a_door_still_works_and_says_so(settings: Settings, signer: RunningSigner) -> None:
    signer.stop()

    found = health.readiness(settings, lambda: None)

    assert (found.ready, found.status) == (True, "degraded")
    assert found.parts == {"database": "ok", "signer": "degraded", "worker": "degraded", "disk": "ok"}


def test_without_the_database_no_door_is_ready(settings: Settings) -> None:
    def ask() -> None:
        raise OperationalError("SELECT 1", {}, OSError("connection refused"))

    found = health.readiness(settings, ask)

    assert (found.ready, found.status, found.parts["database"]) == (False, "unavailable", "away")
    assert health.database(ask).said == "connection refused"


def test_a_worker_that_is_silent_or_fails_is_told_with_the_mend(settings: Settings) -> None:
    beat(settings, ago=timedelta(minutes=5))
    assert "was last alive" in health.worker(settings).said

    beat(settings, failures=3)
    assert health.worker(settings).said == "the job post fails: no route to the mail server"

    beat(settings)
    assert health.worker(settings).good


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"at": 3, "jobs": {}}', '{"at": "2026-01-01T00:00:00Z", "jobs": [1]}']
)
def test_a_heartbeat_that_cannot_be_read_is_no_sign_of_life(settings: Settings, content: str) -> None:
    health.heartbeat_file(settings.home).write_text(content)

    assert not health.worker(settings).good


def test_a_home_that_is_away_is_told_and_breaks_nothing(tmp_path: Path) -> None:
    assert not health.disk(Settings(home=tmp_path / "nowhere")).good


def test_a_damaged_file_of_sqlite_is_found_by_the_thorough_look(settings: Settings, sqlite_url: str) -> None:
    from mdm.storage.engine import make_engine

    path = Path(sqlite_url.removeprefix("sqlite:///"))
    engine = make_engine(sqlite_url)
    assert health.database(lambda: health.check_file(engine)).good
    engine.dispose()
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096)

    found = health.database(lambda: health.check_file(engine))
    engine.dispose()

    assert (found.good, found.mend) == (False, "Restore the newest backup.")
