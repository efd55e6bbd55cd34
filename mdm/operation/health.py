"""Whether the parts of an installation do their work: database, signer, worker, disk. The doctor and both doors ask here.

None of the looks changes anything, and none raises: what is wrong is a finding with its mend.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from mdm.core.clock import iso, utcnow
from mdm.core.errors import HavenmeesterError
from mdm.settings import Settings
from mdm.signing.client import SignerClient

ROOM = 1024**3
"""Bytes that shall be free on the disk of the home folder."""
SILENT = timedelta(seconds=30)
"""A worker that has not told for so long that it lives is gone."""
PATIENCE = 1.0
"""Seconds that a look waits for the signer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found. ``mend`` says what to do when it is not good."""

    name: str
    good: bool
    said: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a door can do its work, and every part of which it is told. A part is ``ok``, ``degraded`` or ``away``."""

    ready: bool
    parts: dict[str, str]

    @property
    def status(self) -> str:
        """``ok``, ``degraded`` when it works although a part does not, ``unavailable`` when it cannot work."""
        if not self.ready:
            return "unavailable"
        return "degraded" if any(part != "ok" for part in self.parts.values()) else "ok"

    def as_dict(self) -> dict[str, object]:
        """What ``/readyz`` answers: it says which part, and never why, because strangers read it."""
        return {"status": self.status, "parts": self.parts}


def heartbeat_file(home: Path) -> Path:
    """Where the worker tells that it lives: JSON with its process id, whether it leads, and how its jobs went."""
    return home / "run" / "worker.json"


def readiness(settings: Settings, ask: Callable[[], object]) -> Readiness:
    """Whether a door can do its work, which needs the database alone; ``ask`` asks it something and raises when it is away."""
    found = {"database": database(ask), "signer": signer(settings), "worker": worker(settings), "disk": disk(settings)}
    parts = {name: "ok" if one.good else "degraded" for name, one in found.items()}
    if not found["database"].good:
        parts["database"] = "away"
    return Readiness(found["database"].good, parts)


def database(ask: Callable[[], object]) -> Finding:
    """The database answers; ``ask`` raises when it does not, and gives what is wrong with it, or nothing."""
    try:
        wrong = ask()
    except SQLAlchemyError as error:
        return Finding(
            "database", False, first_line(error), "Start the database, or correct HAVENMEESTER_DATABASE_URL."
        )
    except HavenmeesterError as error:
        return Finding("database", False, str(error), "Start the database, or correct HAVENMEESTER_DATABASE_URL.")
    return Finding("database", not wrong, str(wrong or "answers"), "Restore the newest backup.")


def first_line(error: SQLAlchemyError) -> str:
    """What the driver said, in one line."""
    return (str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__])[0]


def ping(engine: Engine) -> None:
    """Nothing when the database behind ``engine`` answers; raises SQLAlchemyError otherwise."""
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))


def check_file(engine: Engine) -> str:
    """Like ``ping``; for a file of SQLite also what is wrong inside it, empty when it is whole."""
    if engine.dialect.name != "sqlite":
        ping(engine)
        return ""
    with engine.connect() as connection:
        said = str(connection.execute(text("PRAGMA quick_check(1)")).scalar())
    return "" if said == "ok" else f"SQLite says {said}"


def signer(settings: Settings) -> Finding:
    """The signer answers."""
    try:
        SignerClient(settings.signer_socket, timeout=PATIENCE).health()
    except HavenmeesterError as error:
        mend = f"Run havenmeester up; else see {settings.home}/log/signer.log"
        return Finding("signer", False, str(error), mend)
    return Finding("signer", True, "answers")


def worker(settings: Settings) -> Finding:
    """Some worker leads, lives, and none of its jobs fails."""
    start = f"Run havenmeester up; else see {settings.home}/log/worker.log"
    try:
        told = json.loads(heartbeat_file(settings.home).read_text())
        at = datetime.strptime(told["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        failing = [(name, str(known["error"])) for name, known in told["jobs"].items() if known["failures"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Finding("worker", False, "is not running here", start)
    if utcnow() - at > SILENT:
        return Finding("worker", False, f"was last alive at {iso(at)}", start)
    if failing:
        name, why = failing[0]
        return Finding("worker", False, f"the job {name} fails: {why}", f"See {settings.home}/log/worker.log")
    return Finding("worker", True, f"leads, jobs: {len(told['jobs'])}")


def disk(settings: Settings) -> Finding:
    """There is room on the disk of the home folder."""
    try:
        free = shutil.disk_usage(settings.home).free
    except OSError as error:
        return Finding("disk", False, str(error.strerror), "See whether the home folder is there.")
    return Finding("disk", free > ROOM, f"{free // 1024**2:,} MB are free", "Make room, or move the home folder.")
