"""What an edit of a policy costs with 10,000 devices: the answer to the person, and the last desired state ready."""

import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select

from mdm.core.actor import command_line
from mdm.inventory.model import Device
from mdm.platforms import service as platforms
from mdm.policies import document, effect, queries, service
from mdm.policies.model import Cohort
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.bench import seed
from tests.bench.house import House, house
from tests.conftest import alone

PATIENCE = 60.0


def measure(folder: Path, url: str | None, devices: int = 10_000) -> dict[str, float]:
    """Seconds of: the effect before saving, saving, and until the last device's desired state is ready."""
    with house(folder, url) as here:
        now = datetime.now(UTC)
        seed.places(here.engine, now)
        seed.fleet(here.engine, now, 1, devices)
        seed.number_on(here.engine)
        found = {"placing": _place(here)}
        here.start("worker")
        wait_for_worker(here)
        found |= _edit(here)
        with transaction(here.engine, write=False) as session:
            found["cohorts"] = float(session.scalar(select(func.count(func.distinct(Device.cohort_id)))) or 0)
    return found


def _place(here: House) -> float:
    documents = [
        {"name": "Everybody", "settings": {"screen_lock.timeout": 300}, "assignments": [{"include": ["all"]}]},
        *(
            {
                "name": f"Service point {number}",
                "settings": {"lock_screen.message": f"Servicepunt {number}"},
                "assignments": [{"include": [f"service_point:SP{number}"]}],
            }
            for number in range(1, 41)
        ),
        *(
            {
                "name": f"Unit {number}",
                "settings": {"browser.home_page": f"https://dienst{number}.stad.example/"},
                "assignments": [{"include": [f"unit:U{number}"]}],
            }
            for number in range(1, 7)
        ),
    ]
    with transaction(here.engine) as session:
        call = Call(command_line("bench"), session, datetime.now(UTC), alone())
        for each in documents:
            document.apply_document(call, each)
    begun = time.perf_counter()
    with transaction(here.engine) as session:
        service.place_all(Call(command_line("bench"), session, datetime.now(UTC), alone()))
    placed = time.perf_counter() - begun
    while True:
        with transaction(here.engine) as session:
            if not platforms.prepare_stale(Call(command_line("bench"), session, datetime.now(UTC), alone())):
                return placed


def wait_for_worker(here: House) -> None:
    """Returns when the worker says that it lives; raises RuntimeError when it does not within twenty seconds."""
    end = time.monotonic() + 20
    while not (here.home / "run" / "worker.json").exists():
        if time.monotonic() > end:
            raise RuntimeError("the worker did not start: " + (here.home / "worker.log").read_text()[-2000:])
        time.sleep(0.05)


def _edit(here: House) -> dict[str, float]:
    with transaction(here.engine, write=False) as session:
        call = Call(command_line("bench"), session, datetime.now(UTC), alone())
        policy = service_by_name(call)
        before = set(session.execute(select(Cohort.id, Cohort.desired_digest)).tuples())
        begun = time.perf_counter()
        told = effect.effect(call, policy, {"screen_lock.timeout": 120})
        shown = time.perf_counter() - begun
        assert told.gain + told.change >= 1
    begun = time.perf_counter()
    with transaction(here.engine) as session:
        call = Call(command_line("bench"), session, datetime.now(UTC), alone())
        service.save(call, policy, expected=1, settings={"screen_lock.timeout": 120}, note="bench")
    saved = time.perf_counter() - begun
    while time.perf_counter() - begun < PATIENCE:
        with transaction(here.engine, write=False) as session:
            used = set(session.scalars(select(Device.cohort_id).distinct()))
            after = {(row.id, row.desired_digest) for row in session.execute(select(Cohort.id, Cohort.desired_digest))}
        if not {pair for pair in before & after if pair[0] in used}:
            return {"effect": shown, "save": saved, "ready": time.perf_counter() - begun}
        time.sleep(0.05)
    raise RuntimeError("the desired states were not ready in time: " + (here.home / "worker.log").read_text()[-2000:])


def service_by_name(call: Call) -> int:
    """The id of the policy that everybody gets."""
    return queries.policy_by_name(call, "Everybody").id
