"""Listening and asking on a real interface, in network namespaces of the tests' own; and how fast packets may leave."""

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from mdm.core.clock import utcnow
from mdm.core.errors import ConfigurationError, InvalidError
from mdm.discovery import listening, networks, reading
from mdm.discovery.model import DiscoveryRun
from mdm.discovery.reader.live import targets
from mdm.discovery.reader.pace import BURST, PER_SECOND, Bucket
from mdm.discovery.reader.refusal import NotACaptureError
from mdm.discovery.reading import Order
from mdm.org.model import ServicePoint
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.conftest import FLEET_ADMIN, alone
from tests.discovery.packets import PRINTER, mdns

LISTEN = """
import json, sys
from mdm.core.errors import HavenmeesterError
from mdm.discovery.reading import read_live
for interface, seconds, *ask in json.loads(sys.argv[1]):
    try:
        result = read_live(interface, seconds, ask)
        print(json.dumps({"macs": [one.mac for one in result.heard], "addresses": [one.addresses for one in result.heard]}))
    except HavenmeesterError as error:
        print(error.code)
"""
ORDERED = """
import json, sys
from mdm.discovery.reading import Order, read_live
quiet, stop, *ask = json.loads(sys.argv[1])
looks = []
def watch(packets):
    looks.append(packets)
    if packets >= stop:
        return Order.STOP
    return Order.QUIET if packets >= quiet else Order.GO_ON
result = read_live("here", 60, ask, watch=watch)
print(json.dumps({"macs": [one.mac for one in result.heard], "ended": result.ended, "looks": len(looks), "cut": result.cut}))
"""
AT_WORK = """
import sys, time
from pathlib import Path
from mdm.core.clock import utcnow
from mdm.settings import load
from mdm.storage.engine import make_engine
from mdm.worker.listening import Listening
from mdm.worker.office import Office
settings = load(home=Path(sys.argv[1]), database_url=sys.argv[2])
office = Office(make_engine(settings.database), settings, utcnow)
listening = Listening(lambda: False, lambda: settings)
listening.look(office)
for thread in listening.at_work.values():
    thread.join(60)
"""
SEND = """
import socket, sys, time
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind(("there", 0))
while True:
    out.send(bytes.fromhex(sys.argv[1]))
    time.sleep(0.1)
"""
COUNT = """
import socket, time, sys
seen = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
seen.bind(("there", 3))
sys.stdout.write("ready\\n")
sys.stdout.flush()
while True:
    data, (name, kind, way, *rest) = seen.recvfrom(2048)
    if way != 4:
        sys.stdout.write(f"{time.monotonic()} {data[12:14].hex()} {data[38:42].hex()}\\n")
        sys.stdout.flush()
"""


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Waits until it is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def spaces() -> Iterator[tuple[str, str]]:
    """Two network namespaces with a cable between them: ``here`` 10.99.0.1 and ``there`` 10.99.0.2."""
    here, there = (f"hm{secrets.token_hex(3)}" for _ in range(2))
    if os.geteuid() != 0:
        pytest.skip("network namespaces: only for root")
    try:
        _ip("netns", "add", here)
        _ip("netns", "add", there)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("network namespaces: not allowed here, or no ip(8)")
    try:
        _ip("link", "add", "here", "netns", here, "type", "veth", "peer", "name", "there", "netns", there)
        for space, name, address in ((here, "here", "10.99.0.1/24"), (there, "there", "10.99.0.2/24")):
            _ip("-n", space, "address", "add", address, "dev", name)
            _ip("-n", space, "link", "set", name, "up")
        yield here, there
    finally:
        for space in (here, there):
            subprocess.run(["ip", "netns", "delete", space], check=False, capture_output=True)


def _inside(space: str, script: str, *words: str) -> "subprocess.Popen[str]":
    argv = ["ip", "netns", "exec", space, sys.executable, "-c", script, *words]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def _ended(process: "subprocess.Popen[str]") -> str:
    process.kill()
    return process.communicate()[0]


def test_listening_hears_what_is_called_out_and_sends_nothing(spaces: tuple[str, str]) -> None:
    here, there = spaces
    counting = _inside(there, COUNT)
    sending = _inside(there, SEND, bytes(mdns(PRINTER, "10.99.0.9", "p", "_ipp._tcp")).hex())
    try:
        listening = _inside(here, LISTEN, json.dumps([["here", 2]]))
        told = json.loads(listening.communicate(timeout=60)[0])
    finally:
        _ended(sending)
        lines = _ended(counting).splitlines()

    assert PRINTER in told["macs"]
    # The kernel itself may announce its IPv6 address; of ARP, mDNS and SSDP over IPv4 there is nothing.
    assert [line for line in lines[1:] if line.split()[1] in ("0806", "0800")] == []


def test_asking_is_slower_than_fifty_a_second_and_finds_who_is_silent(spaces: tuple[str, str]) -> None:
    here, there = spaces
    counting = _inside(there, COUNT)
    try:
        assert counting.stdout is not None
        counting.stdout.readline()
        listening = _inside(here, LISTEN, json.dumps([["here", 3, "10.99.0.0/26"]]))
        told = json.loads(listening.communicate(timeout=60)[0])
    finally:
        lines = [line.split() for line in _ended(counting).splitlines()]

    moments = [float(at) for at, kind, _ in lines if kind == "0806"]
    asked = {target for _, kind, target in lines if kind == "0806"}
    assert ["10.99.0.2"] in told["addresses"]
    assert len(asked) == 61
    assert "0a630002" in asked
    # Only inside 10.99.0.0/26.
    assert all(int(target, 16) < 0x0A630040 for target in asked)
    assert max(sum(begin <= one < begin + 1 for one in moments) for begin in moments) < 50


def test_what_is_not_allowed_is_not_done(spaces: tuple[str, str]) -> None:
    wrong = [["here", 1, "192.168.7.0/24"], ["lo", 1], ["nowhere0", 1]]
    listening = _inside(spaces[0], LISTEN, json.dumps(wrong))

    assert listening.communicate(timeout=60)[0].split() == ["not_allowed", "other_link", "no_interface"]


def test_asking_ends_when_it_is_told_to_and_what_was_heard_counts(spaces: tuple[str, str]) -> None:
    here, there = spaces
    counting = _inside(there, COUNT)
    sending = _inside(there, SEND, bytes(mdns(PRINTER, "10.99.0.9", "p", "_ipp._tcp")).hex())
    try:
        assert counting.stdout is not None
        counting.stdout.readline()
        # Quiet after the first look that heard anything, the end some seconds later: far from all 253 were asked.
        listening = _inside(here, ORDERED, json.dumps([1, 30, "10.99.0.0/24"]))
        told = json.loads(listening.communicate(timeout=60)[0])
    finally:
        _ended(sending)
        asked = [line for line in _ended(counting).splitlines() if line.split()[1] == "0806"]

    assert told["ended"]
    assert PRINTER in told["macs"]
    assert 0 < len(asked) < 200


def test_the_worker_listens_for_whoever_asked_and_stops_when_they_say_so(
    spaces: tuple[str, str], sqlite_url: str, tmp_path: Path
) -> None:
    here, there = spaces
    engine = make_engine(sqlite_url)
    with transaction(engine) as session:
        place = ServicePoint(code="WERKHAVEN", name="Werkhaven", created_at=utcnow())
        session.add(place)
        session.flush()
        call = Call(FLEET_ADMIN, session, utcnow(), alone())
        uid = listening.begin(call, place, "here", 5, asks=False, interfaces={"WERKHAVEN": ("here",)}, allowed=()).uid

    def row() -> DiscoveryRun:
        with transaction(engine, write=False) as session:
            return session.scalars(select(DiscoveryRun).where(DiscoveryRun.uid == uid)).one()

    sending = _inside(there, SEND, bytes(mdns(PRINTER, "10.99.0.9", "p", "_ipp._tcp")).hex())
    working = _inside(here, AT_WORK, str(tmp_path), sqlite_url)
    try:
        until(lambda: row().packets > 0)
        assert row().listens
        with transaction(engine) as session:
            call = Call(FLEET_ADMIN, session, utcnow(), alone())
            listening.stop(call, uid)
            listening.stop(call, uid)
        working.communicate(timeout=60)
    finally:
        _ended(sending)
        _ended(working)
    found = row()
    engine.dispose()
    assert (found.state, found.stopped_by, found.devices) == ("done", FLEET_ADMIN.name, 1)
    assert found.finished_at is not None
    assert found.finished_at < found.ends_at


@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=400))
def test_the_bucket_never_gives_more_than_it_holds(pauses: list[float]) -> None:
    bucket, now, given_out = Bucket(), 1000.0, 0
    for pause in pauses:
        now += pause
        given_out += bucket.wait(now) == 0.0

    assert given_out <= BURST + PER_SECOND * sum(pauses) + 1e-6
    assert BURST + PER_SECOND < 50


def test_only_addresses_of_the_own_network_and_the_list_are_asked() -> None:
    from ipaddress import IPv4Network as Net

    own = ("10.1.0.5", Net("10.1.0.0/29"))
    assert targets(own, [Net("10.0.0.0/8")]) == ["10.1.0.1", "10.1.0.2", "10.1.0.3", "10.1.0.4", "10.1.0.6"]
    assert targets(own, [Net("10.1.0.4/30"), Net("192.168.0.0/16")]) == ["10.1.0.6"]
    wide = ("10.1.0.5", Net("10.1.0.0/16"))
    for wrong, allowed, code in (
        (own, [], "not_allowed"),
        (None, [Net("10.0.0.0/8")], "no_address"),
        (wide, [Net("10.0.0.0/8")], "too_wide"),
    ):
        with pytest.raises(NotACaptureError) as refused:
            targets(wrong, allowed)
        assert refused.value.code == code


def test_a_wrong_network_in_the_settings_is_named() -> None:
    assert networks.read("10.1.0.0/24, 10.2.0.0/24,") == ("10.1.0.0/24", "10.2.0.0/24")
    with pytest.raises(ConfigurationError, match=r"10\.1\.0\.7/24"):
        networks.read("10.1.0.7/24")


def test_an_interface_hears_one_place_and_a_wrong_line_is_named() -> None:
    assert networks.interfaces("werkhaven=eth0.12, ZUID=eth0.13,ZUID=br-1,") == {
        "WERKHAVEN": ("eth0.12",),
        "ZUID": ("eth0.13", "br-1"),
    }
    for wrong in ("eth0", "ZUID=", "=eth0", "ZUID=eth0, NOORD=eth0", "ZUID=..", "ZUID=" + "e" * 16):
        with pytest.raises(ConfigurationError):
            networks.interfaces(wrong)


def test_a_list_that_is_narrowed_meanwhile_ends_the_asking() -> None:
    allowed = ["10.0.0.0/8"]
    stop = [False]
    watch = listening.watch_of(("10.1.0.0/24",), lambda: tuple(allowed), lambda _packets: stop[0])

    assert watch(0) is Order.GO_ON
    allowed[:] = ["10.1.0.0/25"]
    assert watch(0) is Order.QUIET
    stop[0] = True
    assert watch(0) is Order.STOP


def test_only_one_asks_at_a_time(tmp_path: Path) -> None:
    with listening.asking_alone(tmp_path) as first, listening.asking_alone(tmp_path) as second:
        assert (first, second) == (True, False)


def test_the_service_of_systemd_is_asked_over_its_socket(tmp_path: Path) -> None:
    """A socket that starts the process for a connection, as its unit does; it says no to an interface that is not there."""
    path = tmp_path / "discovery.sock"
    with socket.socket(socket.AF_UNIX) as waiting:
        waiting.bind(str(path))
        waiting.listen(1)

        def serve() -> None:
            line, _ = waiting.accept()
            with line:
                argv = [sys.executable, "-m", "mdm.discovery.reader", "--allow", "10.0.0.0/8"]
                subprocess.run(argv, stdin=line, stdout=line, check=False)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(InvalidError) as refused:
            reading.read_live("nowhere0", 1, service=path)
        thread.join(60)

    assert refused.value.code in ("no_interface", "no_right")
