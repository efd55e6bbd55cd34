"""How long the counter waits: from a scan to its card, bare and over HTTP; whether the fiftieth device of a box costs more."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx2
from sqlalchemy import Engine, insert, literal, select, text

from mdm.access import tokens
from mdm.core.actor import Actor, ActorKind, command_line
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.desk.custody import box
from mdm.desk.custody.model import Custody
from mdm.desk.custody.scan import look_up
from mdm.inventory.model import Device
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.bench import seed
from tests.bench.house import house, wait_for
from tests.conftest import alone

POINT = 7
"""The counter at which is scanned; one device in 81 stands there."""
PLACES = 81
ROUNDS = 200
BOX = 50
CLERK = Actor(
    ActorKind.OPERATOR, 1, "bench", (Grant(Role.DESK_CLERK, PlaceKind.SERVICE_POINT, service_point_id=POINT),)
)


def measure(folder: Path, url: str | None, devices: int) -> dict[str, float]:
    """Milliseconds of a card by kind of code, of a bare read by primary key, over HTTP, and of the scans of a box."""
    with house(folder, url) as here:
        now = datetime.now(UTC)
        seed.places(here.engine, now)
        seed.fleet(here.engine, now, 1, devices)
        seed.number_on(here.engine)
        _in_hands(here.engine, now)
        with here.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")
        found = {name: _cards(here.engine, now, devices, code) for name, code in _codes().items()}
        found["bare"] = _bare(here.engine, devices)
        first, last = _box(here.engine, now, devices)
        with transaction(here.engine) as session:
            _, secret = tokens.create_token(
                Call(command_line("bench"), session, now, alone()), name="bench", role=Role.FLEET_ADMIN
            )
        here.start("console")
        base = f"http://localhost:{here.console_port}"
        wait_for(f"{base}/healthz", here.home / "console.log")
        with httpx2.Client(base_url=base, headers={"Authorization": f"Bearer {secret}"}, timeout=30) as client:
            times = sorted(_over_http(client, number) for number in range(POINT - 1, devices, PLACES))
    return {**found, "first": first, "last": last, "http_p50": _at(times, 0.5), "http_p95": _at(times, 0.95)}


def _codes() -> dict[str, Callable[[int], str]]:
    return {
        "tag": lambda n: f"HM{n:06d}",
        "serial": lambda n: f"sn{n:08d}",
        "label": lambda n: f"https://console.example/desk?code={n:032x}",
        "number": lambda n: f"P{n:07d}",
        "word": lambda n: f"toestel-{n}",
        "unknown": lambda n: f"000{n:09d}",
    }


def _mine(devices: int) -> Iterator[int]:
    """Numbers of devices that stand at the counter, again and again."""
    here = [number for number in range(1, devices + 1) if number % PLACES + 1 == POINT]
    for position in range(ROUNDS):
        yield here[position * 7 % len(here)]


def _cards(engine: Engine, now: datetime, devices: int, code: Callable[[int], str]) -> float:
    def one(number: int) -> None:
        with transaction(engine, write=False) as session:
            look_up(Call(CLERK, session, now), code(number), POINT)

    return _median(one, devices)


def _bare(engine: Engine, devices: int) -> float:
    statement = text("SELECT id, uid, name FROM device WHERE id = :id")

    def one(number: int) -> None:
        with transaction(engine, write=False) as session:
            session.execute(statement, {"id": number}).one()

    return _median(one, devices)


def _median(one: Callable[[int], None], devices: int) -> float:
    taken = []
    for number in _mine(devices):
        with _clock(taken):
            one(number)
    return statistics.median(taken[5:])


@contextmanager
def _clock(into: list[float]) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    into.append((time.perf_counter() - begun) * 1000)


def _in_hands(engine: Engine, now: datetime) -> None:
    """A custody for every device that somebody has, in one statement."""
    columns = ("uid", "device_id", "person_id", "person_name", "service_point_id", "unit_id", "from_at", "loan")
    rest = ("out_by", "in_by", "condition", "condition_note", "light", "stood_in", "locks")
    rows = select(
        Device.uid, Device.id, Device.person_id, Person.name, Device.service_point_id, Device.unit_id,
        literal(now, Device.created_at.type), literal(value=False), *(literal("") for _ in rest[:-2]),
        literal({}, Custody.stood_in.type), literal([], Custody.locks.type),
    ).join(Person, Person.id == Device.person_id)  # fmt: skip
    with transaction(engine) as session:
        # What a box takes in must be out.
        session.execute(text("UPDATE device SET state = 'handed_out'"))
        session.execute(insert(Custody).from_select([*columns, *rest], rows))


def _box(engine: Engine, now: datetime, devices: int) -> tuple[float, float]:
    """Milliseconds of a scan among the first ten and among the last ten of a box."""
    with transaction(engine) as session:
        uid = box.start(Call(CLERK, session, now), POINT).uid
    taken: list[float] = []
    numbers = list(dict.fromkeys(_mine(devices)))[:BOX]
    for number in numbers:
        with _clock(taken), transaction(engine) as session:
            call = Call(CLERK, session, now)
            line = box.scan(call, uid, f"HM{number:06d}")
            assert line.outcome == "taken", line.message % line.params
            box.lines(call, box.run(call, uid), limit=50)
    return statistics.median(taken[:10]), statistics.median(taken[-10:])


def _over_http(client: httpx2.Client, number: int) -> float:
    begun = time.perf_counter()
    answer = client.get("/api/v1/desk/scan", params={"code": f"HM{number:06d}", "service_point_id": POINT})
    took = time.perf_counter() - begun
    answer.raise_for_status()
    return took * 1000


def _at(ordered: list[float], share: float) -> float:
    return ordered[int(len(ordered) * share)]
