"""What Android phones with the free agent cost: configurations, reports, answered and held polls; and compiling policies."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert, update

from mdm.core.ids import secret_digest
from mdm.enrollment.model import Invitation
from mdm.inventory.model import Device
from mdm.platforms.android.headwind import config, wire
from mdm.platforms.android.model import AndroidFile, AndroidNumber, AndroidPhone
from mdm.platforms.android.wanted import resources, wanted
from mdm.policies.model import Cohort
from mdm.simulate.handset import signature
from mdm.storage.engine import transaction
from tests.bench import seed
from tests.bench.checkins import used
from tests.bench.house import House, house
from tests.bench.load import Outcome, connect, read_answer, run
from tests.bench.processes import Server, Used, children, resident_mb

CONNECTIONS: Final = 16
HELD: Final = 300
SECONDS: Final = 4.0
COMPILED: Final = 3_000
DIGEST: Final = "d" * 16
SETTINGS: Final[dict[str, Any]] = {
    "apps.required": [f"org.example.app{n}" for n in range(20)],
    "apps.blocked": ["com.example.game"],
    "apps.settings": [{"item": f"org.example.app{n}/server", "value": "https://city.example"} for n in range(10)],
    "passcode.min_length": 8,
    "restrictions.unknown_sources": False,
    "restrictions.usb_storage": False,
    "updates.auto": "all",
    "time.zone": "Europe/Brussels",
    "web_links.links": [{"name": "Intranet", "url": "https://intranet.example"}],
}


@dataclass(frozen=True)
class Found:
    """What was measured. ``held_kb``: memory of one held poll."""

    configuration: Used
    late: Outcome
    info: Used
    news: Used
    held_kb: float


def _memory(server: Server) -> float:
    """Resident memory of the gateway's processes, in MB."""
    return sum(resident_mb(one) for one in children(server.process.pid))


def number(n: int) -> str:
    """The device number of a phone of the load."""
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    return "".join(letters[n >> shift & 31] for shift in range(0, 130, 5))


def compiled() -> float:
    """Policies rendered to a phone's configuration, each from its resources to the signed text, in one second of a processor."""
    kept = resources(SETTINGS)
    shelf = config.Shelf(
        {
            f"org.example.app{n}": config.Package(f"App {n}", f"org.example.app{n}", "1.0", 1, f"https://x/{n}")
            for n in range(20)
        }
    )
    begun = time.process_time()
    for n in range(COMPILED):
        about = config.About("City", f"{n:032x}", 1_790_000_000_000)
        wire.envelope(wire.SECRET, config.configuration(wanted(kept), shelf, about, config.Once()))
    return COMPILED / (time.process_time() - begun)


def measure(folder: Path, url: str | None, cpu: Callable[[], float], phones: int) -> Found:
    """Seeds that many phones and lets some of them speak."""
    with house(folder, url) as here:
        _seed(here, phones)
        here.start_gateway()
        _say_hello(here)
        lines = [connect(here.gateway_port, here.authority, None) for _ in range(CONNECTIONS)]
        server = here.gateway
        assert server is not None
        run(lines, _configurations(phones), 1)
        configuration, late = used(server, cpu, lambda: run(lines, _configurations(phones), SECONDS))
        run(lines, _reports(), 1)
        info, _ = used(server, cpu, lambda: run(lines, _reports(), SECONDS))
        before = _memory(server)
        held = [connect(here.gateway_port, here.authority, None) for _ in range(HELD)]
        for one, request in zip(held, _polls(1), strict=False):
            one.sendall(request)
        time.sleep(2)
        held_kb = (_memory(server) - before) * 1024 / HELD
        for one in held:
            one.close()
        with transaction(here.engine) as session:
            session.execute(update(AndroidNumber).values(given_digest="-"))
        news, _ = used(server, cpu, lambda: run(lines, _polls(1), SECONDS))
        for line in lines:
            line.close()
        return Found(configuration, late, info, news, held_kb)


def _get(path: str, text: str) -> bytes:
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Request-Signature: {signature(text)}\r\n\r\n"
    return head.encode()


def _configurations(phones: int) -> Iterator[bytes]:
    for n in itertools.cycle(range(1, min(phones, 2000) + 1)):
        yield _get(f"{wire.CONFIGURATION}{number(n)}", number(n))


def _polls(first: int) -> Iterator[bytes]:
    for n in itertools.count(first):
        one = number(n % 2000 + 1)
        yield _get(f"{wire.POLLING}{one}", f"{wire.POLLING}{one}")


def _info(n: int) -> bytes:
    said = {
        "deviceId": number(n),
        "model": "Pixel 9",
        "serial": f"HW{n:08}",
        "imei": f"35{n:013}",
        "androidVersion": "16",
        "mdmMode": True,
        "applications": [{"name": "x", "pkg": f"org.example.app{one}", "version": "1.0"} for one in range(20)],
    }
    body = json.dumps(said).encode()
    return b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (
        wire.INFO.encode(),
        len(body),
        body,
    )


def _reports() -> Iterator[bytes]:
    """Reports of which nothing is new: each phone's first was taken before the measurement."""
    for n in itertools.cycle(range(1, CONNECTIONS + 1)):
        yield _info(n)


def _say_hello(here: House) -> None:
    line = connect(here.gateway_port, here.authority, None)
    for n in range(1, CONNECTIONS + 1):
        line.sendall(_info(n))
        status, body = read_answer(line)
        if status != 200 or b'"OK"' not in body:
            raise RuntimeError(f"a phone of the load was refused: {body[:200]!r}")
    line.close()


def _seed(here: House, phones: int) -> None:
    now = datetime.now(UTC)
    seed.places(here.engine, now)
    seed.fleet(here.engine, now, 1, phones)
    seed.number_on(here.engine)
    desired = {"digest": DIGEST, "resources": resources(SETTINGS)}
    with transaction(here.engine) as session:
        session.execute(update(Cohort).values(platform="android", desired_digest=DIGEST, desired=desired))
        session.execute(update(Device).values(platform="android", waiting=0, serial=None, imei=None))
        session.add(
            Invitation(
                id=1,
                uid="f" * 32,
                token_digest="f" * 64,
                person_id=1,
                platform="android",
                service_point_id=1,
                created_by="bench",
                created_at=now,
                expires_at=now,
            )
        )
        session.flush()
        session.execute(insert(AndroidFile), [_file(n, now) for n in range(20)])
        for begin in range(1, phones + 1, 5000):
            ids = range(begin, min(begin + 5000, phones + 1))
            session.execute(insert(AndroidPhone), [_phone(n, now) for n in ids])
            session.execute(insert(AndroidNumber), [_row(n, now, 1) for n in ids])


def _file(n: int, now: datetime) -> dict[str, Any]:
    return {
        "digest": f"{n:064x}",
        "name": f"app{n}.apk",
        "size": 1,
        "package": f"org.example.app{n}",
        "version": "1.0",
        "version_code": 1,
        "signer": "f" * 64,
        "in_use": True,
        "created_by": "bench",
        "created_at": now,
    }


def _phone(n: int, now: datetime) -> dict[str, Any]:
    return {
        "device_id": n,
        "way": "headwind",
        "state": "enrolled",
        "work_profile": False,
        "created_at": now,
        "details": {},
    }


def _row(n: int, now: datetime, invitation: int) -> dict[str, Any]:
    return {
        "digest": secret_digest(number(n)),
        "invitation_id": invitation,
        "token_digest": "f" * 64,
        "device_id": n,
        "enrollment_id": n,
        "csr": "",
        "serial": f"HW{n:08}",
        "imei": [f"35{n:013}"],
        "bound_at": now,
        "created_at": now,
        "used_at": now,
        "given_digest": DIGEST,
        "given_at": now,
        "admin_digest": f"{n:032X}",
        "ask": {},
    }
