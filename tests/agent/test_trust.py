"""Whom a device believes: pinned at enrollment, followed step by step, kept over crashes, and never given back."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from agent import orders
from agent.destroy import Destroyer
from agent.errors import OrderRefusedError
from agent.proof import write_pin
from agent.roots import Root
from agent.state import State
from tests.agent.conftest import Device
from tests.sim.approvers import DAY, Council, Person, digest_of
from tests.sim.gateway import Authority, Gateway

HOUR = 3600


def rule(device: Device, envelope: object, folder: Path) -> str:
    """What ``verify-order`` says: accepted, or the rule."""
    file = folder / "order.json"
    file.write_text(json.dumps(envelope))
    outcome = device.call("verify-order", str(file))
    if outcome.returncode == 0:
        return "accepted"
    assert outcome.returncode == 5, outcome.stderr
    return outcome.stderr.partition("(")[2].partition(")")[0]


def test_an_enrolled_device_believes_the_roster_of_its_certificate_and_says_so(
    enrolled: Device, gateway: Gateway
) -> None:
    assert enrolled.status()["roster"] == 1
    enrolled.once()
    assert gateway.facts["agent"]["roster"] == 1


def lies(gateway: Gateway) -> dict[str, bytes]:
    other = Council()
    return {
        "another signer": write_pin(other.order_key, gateway.council.pin),
        "another roster": write_pin(gateway.order_key, (1, "0" * 64)),
        "a later roster": write_pin(gateway.order_key, (2, gateway.council.pin[1])),
        "nothing": b"",
        "nonsense": b"\x0c\x02{}",
    }


@pytest.mark.parametrize("name", ["another signer", "another roster", "a later roster", "nothing", "nonsense"])
def test_a_gateway_that_says_otherwise_than_the_certificate_enrols_nobody(
    device: Device, gateway: Gateway, name: str
) -> None:
    gateway.pin = lies(gateway)[name]
    outcome = device.call("enroll", gateway.invitation(), "--root", str(device.root))
    assert outcome.returncode == 5
    assert "Somebody may stand in between" in outcome.stderr
    assert not device.status()["enrolled"]
    assert not (device.state / "roster.json").exists()


def test_a_certificate_that_the_invitations_authority_did_not_sign_enrols_nobody(
    device: Device, gateway: Gateway
) -> None:
    stranger = Authority()
    real = gateway.authority.certify
    gateway.authority.certify = stranger.certify  # type: ignore[method-assign]
    outcome = device.call("enroll", gateway.invitation(), "--root", str(device.root))
    gateway.authority.certify = real  # type: ignore[method-assign]
    assert outcome.returncode == 5
    assert "(authority)" in outcome.stderr
    assert not device.status()["enrolled"]


def test_a_device_that_enrolled_before_the_founding_obeys_nobody_until_it_has_the_first_roster(
    device: Device, gateway: Gateway, tmp_path: Path
) -> None:
    gateway.founded = False
    device.enroll(gateway)
    assert device.status()["roster"] == 0
    assert "no roster yet" in device.call("status").stdout
    envelope = gateway.sign(gateway.order())
    assert rule(device, {**envelope, "rosters": []}, tmp_path) == "no_roster"
    gateway.command("r1", "roster", {"rosters": gateway.council.rosters})
    device.once()
    assert gateway.result("r1")["data"] == {"version": 1}
    assert gateway.facts["agent"]["roster"] == 1
    assert rule(device, {**envelope, "rosters": []}, tmp_path) == "accepted"


def test_rosters_are_followed_by_command_and_by_what_comes_with_an_order(
    enrolled: Device, gateway: Gateway, tmp_path: Path
) -> None:
    council = gateway.council
    ada, bo, _ = council.people
    council.change([ada, bo], [ada, bo])
    council.change([ada, bo], [ada, bo])
    for number, wrong in enumerate((council.rosters[2:], [council.rosters[1], council.rosters[1], {}], "all")):
        gateway.command(f"w{number}", "roster", {"rosters": wrong})
    gateway.command("r1", "roster", {"rosters": council.rosters})
    enrolled.once()
    assert [gateway.result(f"w{n}")["data"]["rule"] for n in range(3)] == ["roster_gap", "roster_form", "roster_form"]
    assert gateway.result("r1")["data"] == {"version": 3}
    assert enrolled.status()["roster"] == 3
    made = council.change([ada, bo], [ada, bo])
    order = gateway.order()
    assert rule(enrolled, council.envelope(order, [ada, bo], rosters=[made]), tmp_path) == "accepted"
    assert enrolled.status()["roster"] == 3  # Verifying an order teaches nothing.
    gateway.command("c1", "wipe", council.envelope({**order, "device": "e" * 32}, [ada, bo], rosters=[made]))
    enrolled.once()
    assert gateway.result("c1")["data"] == {"rule": "device"}
    assert enrolled.status()["roster"] == 4
    kept = json.loads((enrolled.state / "roster.json").read_text())
    assert kept["chain"] == [[n + 1, digest_of(one["roster"]).hex()] for n, one in enumerate(council.rosters)]


def test_who_has_left_the_roster_approves_nothing_any_more(enrolled: Device, gateway: Gateway, tmp_path: Path) -> None:
    council = gateway.council
    ada, bo, cy = council.people
    order = gateway.order()
    before = council.envelope(order, [ada, cy])
    assert rule(enrolled, before, tmp_path) == "accepted"
    council.change([ada, bo], [ada, bo])
    gateway.command("r1", "roster", {"rosters": council.rosters})
    enrolled.once()
    assert rule(enrolled, before, tmp_path) == "person"
    assert rule(enrolled, council.envelope(order, [ada, bo]), tmp_path) == "accepted"


def test_a_stolen_signer_brings_no_new_approvers(enrolled: Device, gateway: Gateway, tmp_path: Path) -> None:
    council = gateway.council
    mine = [Person(f"operator:{n}") for n in (7, 8, 9)]
    stolen = Council(*mine, key=council.signer)
    order = gateway.order()
    assert rule(enrolled, stolen.envelope(order), tmp_path) == "roster_fork"
    assert rule(enrolled, stolen.envelope(order, rosters=[]), tmp_path) == "person"
    stolen.change(mine, mine)
    assert rule(enrolled, stolen.envelope(order, rosters=stolen.rosters[1:]), tmp_path) == "roster_waiting"
    waiting = [Person(one.person, since=int(time.time()) + 73 * HOUR) for one in mine]
    made = stolen.sealed({**json.loads(stolen.rosters[1]["roster"]), **_with(waiting)}, waiting)
    assert rule(enrolled, stolen.envelope(order, rosters=[made]), tmp_path) == "roster_threshold"


def _with(people: list[Person]) -> dict[str, Any]:
    return {"approvers": [one.entry() for one in people]}


# Restored, enrolled anew, clocks that jump


def without_volumes(device: Device) -> None:
    shutil.rmtree(device.root / "sys/block")


def test_an_older_copy_of_the_state_folder_makes_no_order_fresh_again(
    enrolled: Device, gateway: Gateway, tmp_path: Path
) -> None:
    without_volumes(enrolled)
    enrolled.once()
    shutil.copytree(enrolled.state, tmp_path / "copy")
    envelope = gateway.sign(gateway.order())
    gateway.command("c1", "wipe", envelope)
    assert "was wiped by an order" in enrolled.once()
    (enrolled.root / "home").mkdir()
    (enrolled.root / "home/new").write_text("of somebody else")
    shutil.rmtree(enrolled.state)
    shutil.copytree(tmp_path / "copy", enrolled.state)
    assert rule(enrolled, envelope, tmp_path) == "replay"
    gateway.command("c2", "wipe", envelope)
    assert "was wiped by an order" in enrolled.once()  # The identity that came back goes again; the data stays.
    assert (enrolled.root / "home/new").exists()
    assert not enrolled.status()["enrolled"]


def test_an_order_of_the_enrollment_before_is_refused_after_enrolling_again(
    enrolled: Device, gateway: Gateway, tmp_path: Path
) -> None:
    envelope = gateway.sign(gateway.order())
    assert rule(enrolled, envelope, tmp_path) == "accepted"
    enrolled.good("leave")
    gateway.used_by = None
    enrolled.enroll(gateway)
    assert rule(enrolled, envelope, tmp_path) == "enrollment"


def test_after_a_wipe_and_a_new_enrollment_the_order_is_refused_and_the_new_data_stays(
    enrolled: Device, gateway: Gateway
) -> None:
    without_volumes(enrolled)
    first = gateway.order()
    gateway.command("c1", "wipe", gateway.sign(first))
    enrolled.once()
    gateway.used_by = None
    enrolled.root.mkdir(exist_ok=True)
    enrolled.enroll(gateway)
    (enrolled.root / "new").write_text("of somebody else")
    for number, order in enumerate((first, {**first, "enrollment": gateway.public_key})):
        gateway.command(f"again{number}", "wipe", gateway.sign(order))
    enrolled.once()
    assert gateway.result("again0")["data"] == {"rule": "enrollment"}
    assert gateway.result("again1")["data"] == {"rule": "replay"}
    assert (enrolled.root / "new").exists()


class Bench:
    """The parts of an enrolled device in this process, with a clock that can be set."""

    def __init__(self, device: Device) -> None:
        self.state = State(device.state)
        self.now = time.time()
        self.destroyer = Destroyer(self.state, Root(str(device.root)), self.state.identity(), lambda: self.now)

    def rule(self, envelope: object) -> str:
        parts = (self.destroyer.identity, self.destroyer.journal, self.destroyer.trust, self.now)
        try:
            orders.verify(envelope, *parts, keep=False)
        except OrderRefusedError as refused:
            return refused.rule
        return "accepted"


JUMPS = [0, 299, -299, 301 + HOUR, -400 * DAY, 3 * DAY, 2**31 - 1_700_000_000, -(10**9)]


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_jumps_lets_no_order_in_outside_its_time(enrolled: Device, gateway: Gateway, jump: int) -> None:
    bench = Bench(enrolled)
    real = time.time()
    bench.now = real + jump
    envelope = gateway.sign(gateway.order())
    assert bench.rule(envelope) == ("accepted" if abs(jump) < 300 else "window")
    ended = gateway.sign(gateway.order(not_before=int(real) - 30 * DAY, not_after=int(real) - 29 * DAY))
    coming = gateway.sign(gateway.order(not_before=int(real) + 30 * DAY, not_after=int(real) + 31 * DAY))
    assert bench.rule(ended) == "window"
    assert bench.rule(coming) == "window"


def test_a_clock_that_is_put_back_does_not_make_an_ended_order_good_again(enrolled: Device, gateway: Gateway) -> None:
    real = time.time()
    bench = Bench(enrolled)
    ended = gateway.sign(gateway.order(not_before=int(real) - 2 * DAY, not_after=int(real) - DAY))
    bench.now = real - 1.5 * DAY
    # The certificate was signed today, so it is today at least.
    assert bench.rule(ended) == "window"
    assert bench.rule(gateway.sign(gateway.order())) == "window"


def test_an_order_from_before_a_restore_of_the_server_is_refused_once_a_newer_one_was_accepted(
    enrolled: Device, gateway: Gateway
) -> None:
    bench = Bench(enrolled)
    old, new = gateway.sign(gateway.order(epoch=2)), gateway.sign(gateway.order(epoch=3))
    assert bench.rule(old) == bench.rule(new) == "accepted"
    journal = bench.destroyer.journal
    noted = {"command": "c", "enrollment": "x", "signer": gateway.order_key, "asked": 1, "presence": ""}
    journal.note("accepted", "f" * 32, epoch=3, **noted)
    assert bench.rule(old) == "epoch"
    assert bench.rule(new) == "accepted"
    # What another authority's orders said does not count here.
    journal.note("accepted", "a" * 32, epoch=9, **{**noted, "signer": Council().order_key})
    assert bench.rule(new) == "accepted"


def test_a_full_disk_keeps_an_order_waiting_and_loses_none(enrolled: Device, gateway: Gateway) -> None:
    """The journal cannot be written at first: nothing is destroyed; when it can, the order is carried out once."""
    without_volumes(enrolled)
    bench = Bench(enrolled)
    journal = bench.destroyer.journal
    blocked = enrolled.state / "orders.journal"
    blocked.mkdir()
    with pytest.raises(OSError, match="directory"):
        bench.destroyer.obey("c1", gateway.sign(gateway.order()))
    assert journal.orders == {}
    assert (enrolled.root / "etc/hostname").exists()
    blocked.rmdir()
    assert bench.destroyer.obey("c1", gateway.sign(gateway.order()))["state"] == "done"
    assert not (enrolled.root / "etc/hostname").exists()
