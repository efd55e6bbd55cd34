"""How long pages of the console take while twenty kiosks are set up side by side, and how long that takes.

Real OpenSSH servers, a real gateway and signer, the agent's own package: everything but the kiosks' screens.
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx2
from sqlalchemy import select

from mdm.access import service as access
from mdm.core.actor import command_line
from mdm.core.clock import utcnow
from mdm.core.permissions import Role
from mdm.kiosks import access as ours
from mdm.kiosks import service
from mdm.kiosks.model import OPEN, KioskSetup, SignIn, State
from mdm.kiosks.wanted import checked
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.api.city import sign_in
from tests.bench import seed
from tests.bench.house import LOAD_CORE, House, house, wait_for
from tests.bench.other_machines import other_machines
from tests.bench.processes import Server, cpu_seconds
from tests.conftest import alone
from tests.sim.kiosk import Kiosk

KIOSKS = 20
DEVICES, PLACES = 2_000, 81
PAGES = ("/", "/devices", "/desk/kiosks/setups")
ROUNDS = 30
LONGEST = 600.0
LOOKS = 0.2
"""Seconds for which whoever works at the console looks at a page before the next."""
NETWORKS = "127.0.0.0/8"


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds of a page (median, 95th percentile) without and with set-ups; seconds for all; how many were done;
    and seconds of processor time meanwhile, of each of our processes and of what stands for the kiosks."""

    idle: tuple[float, float]
    busy: tuple[float, float]
    seconds: float
    done: int
    answers: int
    used: dict[str, float]


def measure(folder: Path) -> Figures:
    """Sets the kiosks up once, and loads pages all the while."""
    kiosks: list[Kiosk] = []
    with other_machines() as others, house(folder / "house") as here:
        here.environment["HAVENMEESTER_KIOSK_NETWORKS"] = NETWORKS
        try:
            seed.places(here.engine, utcnow(), PLACES)
            seed.fleet(here.engine, utcnow(), 1, DEVICES)
            here.start_gateway()
            here.start("console")
            address = f"http://localhost:{here.console_port}"
            wait_for(f"{address}/healthz", here.home / "console.log", seconds=300)
            line = ours.access(here.home)
            for number in range(KIOSKS):
                one = Kiosk(folder / f"kiosk-{number}")
                one.before = others.before
                one.trust(line.lines(one.account)[SignIn.KEY])
                kiosks.append(one.start())
            cookie = _begin(here, kiosks)
            with httpx2.Client(base_url=address, cookies={"hm_session": cookie}, timeout=60) as client:
                idle = [_load(client, page) for _ in range(ROUNDS) for page in PAGES][len(PAGES) :]
                return _watched(here, client, idle, kiosks)
        finally:
            for one in kiosks:
                one.stop()


def _begin(here: House, kiosks: list[Kiosk]) -> str:
    with transaction(here.engine) as session:
        call = Call(command_line("bench"), session, utcnow(), alone())
        operator = access.create_operator(call, email="mo@bench.example", name="Mo")
        access.add_grant(call, operator.id, Role.FLEET_ADMIN, access.CITY)
        for one in kiosks:
            wanted = checked(
                host="127.0.0.1", port=one.port, account=one.account, host_key=one.fingerprint, root=str(one.root),
                service_point="SP1", email="kiosk@bench.example",
            )  # fmt: skip
            service.begin(call, wanted)
        return sign_in(call, operator)


def _load(client: httpx2.Client, page: str) -> float:
    time.sleep(LOOKS)
    begun = time.perf_counter()
    answer = client.get(page)
    assert answer.status_code == 200, (page, answer.status_code)
    return (time.perf_counter() - begun) * 1000


def _used(here: House, kiosks: list[Kiosk], crew: Server | None = None) -> dict[str, float]:
    ours = {"console": here.others[0], "gateway": here.gateway, "signer": here.signer, "crew": crew}
    used = {name: server.cpu() for name, server in ours.items() if server is not None}
    return used | {"kiosks": sum(cpu_seconds(one.process.pid) for one in kiosks if one.process is not None)}


def _watched(here: House, client: httpx2.Client, idle: list[float], kiosks: list[Kiosk]) -> Figures:
    begun, before = time.monotonic(), _used(here, kiosks)
    crew = Server.start(
        [sys.executable, "-m", "mdm.cli.main", "kiosk", "work"],
        here.environment,
        here.home / "kiosks.log",
        LOAD_CORE,
    )
    busy: list[float] = []
    states: list[str] = []
    try:
        while time.monotonic() < begun + LONGEST:
            busy += [_load(client, page) for page in PAGES]
            with transaction(here.engine, write=False) as session:
                states = list(session.scalars(select(KioskSetup.state)))
            if not OPEN & set(states):
                break
        seconds = time.monotonic() - begun
        used = {name: now - before.get(name, 0) for name, now in _used(here, kiosks, crew).items()}
    finally:
        crew.stop()
    done = states.count(State.DONE)
    return Figures(_middle_and_high(idle), _middle_and_high(busy), seconds, done, len(busy), used)


def _middle_and_high(times: list[float]) -> tuple[float, float]:
    ordered = sorted(times)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
