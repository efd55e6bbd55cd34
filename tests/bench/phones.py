"""What phones cost: idle connections and whole rounds, on a small fleet and a large one, with history and with a queue."""

import base64
import itertools
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from mdm.platforms.apple import addresses, cms, plist
from tests.bench import phones_seed as seed
from tests.bench.checkins import bare, used
from tests.bench.counted import Count
from tests.bench.house import House, house
from tests.bench.load import Outcome, connect, read_answer, run
from tests.bench.processes import Used

CONNECTIONS: Final = 32
SECONDS: Final = 5.0
PLACE: Final = "p" * 43
PAST: Final = (0, 100, 500)
WAITING: Final = (0, 1, 50, 500)
"""How many commands of a phone are done and wait; those for whom none waits are idle."""
QUEUES: Final = {1: (160, 1, 9), 50: (32, 8, 5), 500: (32, 8, 5)}
"""By how many commands wait: phones of the load, rounds of each in one pass, and passes. The first pass is not counted:
in it the gateway opens its connections and the database learns the statements."""
QUIET: Final = 400
"""Idle phones of the load for each length of history."""
COUNTED: Final = CONNECTIONS
"""Phones of which the statements are counted, idle and in a round."""
KEYS: Final = 4
"""Keys that the phones share: each has a certificate of its own, which is what is looked at."""
Cpu = Callable[[], float]


@dataclass(frozen=True)
class Phone:
    """One phone of the load: its identity, and messages that are signed once and sent often."""

    number: int
    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    def put(self, content: dict[str, Any]) -> bytes:
        """The bytes of one signed request."""
        body = plist.write({"UDID": seed.udid(self.number), **content})
        signature = base64.b64encode(cms.sign(body, self.key, self.certificate, attached=False))
        return (
            b"PUT %s%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-apple-aspen-mdm; charset=UTF-8\r\n"
            b"Mdm-Signature: %s\r\nContent-Length: %d\r\n\r\n%s"
        ) % (addresses.SERVER.encode(), PLACE.encode(), signature, len(body), body)

    def acknowledged(self, place: int) -> bytes:
        """The bytes with which it says that it did the command at ``place``."""
        told = {"Status": "Acknowledged", "CommandUUID": seed.uuid(self.number, place), "ProfileList": []}
        return self.put(told)


@dataclass(frozen=True)
class Group:
    """Phones of the load that are alike: their past and their queue."""

    phones: tuple[Phone, ...]
    history: int
    pending: int

    @property
    def first(self) -> int:
        """The number of the first; the others follow."""
        return self.phones[0].number


@dataclass(frozen=True)
class Statements:
    """What one request asks of the database, told by a counter behind its driver."""

    alone: float
    """Statements, when nobody else asks anything."""
    crowd: float
    """Statements, when as many ask at one moment as there are connections."""
    commits: float
    """Commits, in the crowd."""


@dataclass(frozen=True)
class Found:
    """One line of the table."""

    history: int
    pending: int
    used: Used
    late: Outcome


@dataclass(frozen=True)
class Measured:
    """What a fleet cost."""

    seeded: float
    """Seconds that the fleet took to be written."""
    bare: Used
    idle: list[Found]
    rounds: list[Found]
    """A request counts as half a round."""
    idle_statements: Statements
    round_statements: Statements


def phones(count: int) -> list[Phone]:
    """Phones with certificates of their own; what the signer would have given them is written straight into the tables."""
    keys = [rsa.generate_private_key(65537, 2048) for _ in range(KEYS)]
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])

    def one(number: int) -> Phone:
        key = keys[number % KEYS]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(number)
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=30))
            .sign(key, hashes.SHA256())
        )
        return Phone(number, key, certificate)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, range(1, count + 1)))


def groups(past: Sequence[int], waiting: Sequence[int]) -> tuple[list[Group], list[Group], list[Group]]:
    """The phones of the load: those that are idle, those with a queue, and those of which the statements are counted."""
    idlers = [(QUIET, history, 0) for history in past if 0 in waiting]
    wanted = idlers + [(QUEUES[some][0], history, some) for history in past for some in waiting if some]
    wanted += [(COUNTED, 100, 0), (COUNTED, 100, 50)]
    supply = iter(phones(sum(count for count, _, _ in wanted)))
    made = [Group(tuple(itertools.islice(supply, count)), history, pending) for count, history, pending in wanted]
    return made[: len(idlers)], made[len(idlers) : -2], made[-2:]


@contextmanager
def _connections(here: House, count: int) -> Iterator[list[ssl.SSLSocket]]:
    made = [connect(here.gateway_port, here.authority, None) for _ in range(count)]
    try:
        yield made
    finally:
        for connection in made:
            connection.shutdown(socket.SHUT_RDWR)
            connection.close()


def idle(here: House, group: Group, cpu: Cpu) -> Found:
    """Idle connections: signed once, because what a phone's own processor does is not ours to measure."""
    order = itertools.cycle([one.put({"Status": "Idle"}) for one in group.phones])
    assert here.gateway is not None
    with _connections(here, CONNECTIONS) as connections:
        run(connections, order, 1)
        return Found(
            group.history, group.pending, *used(here.gateway, cpu, lambda: run(connections, order, SECONDS, _empty))
        )


def _empty(body: bytes) -> None:
    if body:
        raise RuntimeError("a phone without a queue was given something")


def rounds(here: House, group: Group, cpu: Cpu) -> Found:
    """Whole rounds: idle, command, acknowledged, and what comes then. Between two passes the queue is filled again."""
    assert here.gateway is not None
    _, turns, passes = QUEUES[group.pending]
    spent: list[Used] = []
    late: list[Outcome] = []
    with _connections(here, CONNECTIONS) as connections:
        for number in range(passes):
            begin = group.history + number * turns
            if number:
                added = (begin + group.pending - turns, begin + group.pending)
                seed.queue(here.engine, (group.first, group.first + len(group.phones) - 1), added, datetime.now(UTC))
            last = begin + group.pending
            lanes = [_conversation(group.phones[one::CONNECTIONS], (begin, turns, last)) for one in range(CONNECTIONS)]
            used_in, outcome = used(here.gateway, cpu, lambda lanes=lanes: _talk(connections, lanes))  # type: ignore[misc]
            if number:
                spent.append(used_in)
                late.append(outcome)
    return Found(group.history, group.pending, _sum(spent), _all(late))


def _sum(spent: Sequence[Used]) -> Used:
    return Used(
        sum(one.requests for one in spent),
        sum(one.wall for one in spent),
        sum(one.cpu for one in spent),
        sum(one.database_cpu for one in spent),
    )


def _all(late: Sequence[Outcome]) -> Outcome:
    return Outcome(
        sum(one.requests for one in late),
        sum(one.wall for one in late),
        {},
        [each for one in late for each in one.latencies],
    )


Exchange = tuple[bytes, bytes]
"""A request, and what its answer must hold."""


def _conversation(some: tuple[Phone, ...], queue: tuple[int, int, int]) -> list[Exchange]:
    """What the phones of one connection say, one after the other: from the first place of their queue so many turns."""
    said: list[Exchange] = []
    begin, turns, last = queue
    for one in some:
        asks = one.put({"Status": "Idle"})
        for place in range(begin, begin + turns):
            after = seed.uuid(one.number, place + 1).encode() if place + 1 < last else b""
            said += [(asks, seed.uuid(one.number, place).encode()), (one.acknowledged(place), after)]
    return said


def _talk(connections: list[ssl.SSLSocket], lanes: list[list[Exchange]]) -> Outcome:
    statuses: dict[int, int] = {}
    latencies: list[float] = []
    begun = time.perf_counter()
    for step in zip(*lanes, strict=True):
        sent = []
        for connection, (request, _) in zip(connections, step, strict=True):
            connection.sendall(request)
            sent.append(time.perf_counter())
        for connection, at, (_, held) in zip(connections, sent, step, strict=True):
            status, body = read_answer(connection)
            latencies.append(time.perf_counter() - at)
            statuses[status] = statuses.get(status, 0) + 1
            if held not in body or bool(held) != bool(body):
                raise RuntimeError("a phone was given something else than what is next in its queue")
    return Outcome(len(latencies), time.perf_counter() - begun, statuses, latencies)


def statements(here: House, quiet: Group, busy: Group) -> tuple[Statements, Statements]:
    """Statements of an idle connection and of a request within a round, by a gateway that counts them."""
    file = here.home / "count"
    count = Count.create(file)
    here.start_gateway("tests.bench.counted", BENCH_COUNT=str(file))
    asks = [(one.put({"Status": "Idle"}), b"") for one in quiet.phones]
    begun = (busy.history, 12, busy.history + busy.pending)
    rounds_of = [_conversation((one,), begun) for one in busy.phones]

    def counted(lanes: list[list[Exchange]]) -> tuple[float, float]:
        with _connections(here, len(lanes)) as connections:
            _talk(connections, [lane[:1] for lane in lanes] if lanes[0][0][1] == b"" else [[] for _ in lanes])
            before, requests = count.read(), sum(map(len, lanes))
            _talk(connections, lanes)
            after = count.read()
        return (after[0] - before[0]) / requests, (after[1] - before[1]) / requests

    one_idle, all_idle = counted([asks[:20]]), counted([[ask] * 20 for ask in asks])
    one_round, all_rounds = counted(rounds_of[:1]), counted(rounds_of[1:])
    return Statements(one_idle[0], *all_idle), Statements(one_round[0], *all_rounds)


def measure(
    folder: Path, url: str | None, cpu: Cpu, fleet: tuple[int, int], past: Sequence[int], waiting: Sequence[int]
) -> Measured:
    """What is asked for by ``past`` and ``waiting``, in a fleet: its phones, and the past commands of those not of the load."""
    count, background = fleet
    with house(folder, url) as here:
        quiet, busy, counted = groups(past, waiting)
        known = [one for group in (*quiet, *busy, *counted) for one in group.phones]
        begun = time.perf_counter()
        now = datetime.now(UTC)
        seed.fleet(
            here.engine, {one.number: one.certificate.fingerprint(hashes.SHA256()).hex() for one in known}, count, now
        )
        made = [
            (one.first, one.first + len(one.phones) - 1, one.history, one.pending) for one in (*quiet, *busy, *counted)
        ]
        seed.commands(here.engine, [*made, (len(known) + 1, count, background, 0)], now)
        with here.engine.connect() as connection:
            # What a database does by itself some minutes after so much was written is not to happen while others measure.
            settled = connection.execution_options(isolation_level="AUTOCOMMIT")
            settled.exec_driver_sql("ANALYZE" if here.engine.dialect.name == "sqlite" else "VACUUM ANALYZE")
        seeded = time.perf_counter() - begun
        here.start_gateway()
        waited = [idle(here, group, cpu) for group in quiet]
        turned = [rounds(here, group, cpu) for group in busy]
        plain = bare(here, [None] * CONNECTIONS, counted[0].phones[0].put({"Status": "Idle"}))[0]
        return Measured(seeded, plain, waited, turned, *statements(here, *counted))
