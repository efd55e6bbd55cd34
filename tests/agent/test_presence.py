"""The code on the counter: shown by this device, good for ten minutes and for once, and five wrong ones shut the lane."""

import json
import shutil
from pathlib import Path

import pytest

from agent import presence
from agent.presence import Moment
from agent.state import State
from tests.agent.conftest import Device
from tests.agent.test_trust import Bench, rule, without_volumes
from tests.sim.gateway import Gateway

START = Moment("boot-1", 1000.0, 1_800_000_000.0)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


def later(seconds: float, moment: Moment = START, *, clock: float = 0.0) -> Moment:
    """Some seconds on; ``clock`` is by how much somebody has set the clock in between."""
    return Moment(moment.boot, moment.up + seconds, moment.wall + seconds + clock)


def test_a_code_has_eight_digits_stays_for_a_minute_and_is_another_in_the_next(state: State) -> None:
    first = presence.show(state, START)
    assert len(first.digits) == 8
    assert first.digits.isdigit()
    assert first.seconds == 60
    assert presence.show(state, later(59)).digits == first.digits
    assert presence.show(state, later(60)).digits != first.digits
    assert presence.show(State(state.folder.with_name("other")), START).digits != first.digits


def test_a_code_is_good_for_ten_minutes_whatever_the_clock_says_and_not_after_a_restart(state: State) -> None:
    code = presence.show(state, START).digits
    for moment in (START, later(600), later(10, clock=86_400), later(10, clock=-86_400)):
        assert presence.accepted(state, moment) == {code}
    for moment in (later(601), later(601, clock=-601), Moment("boot-2", 1001.0, START.wall + 1)):
        assert presence.accepted(state, moment) == frozenset()


def test_a_code_that_was_never_shown_is_not_good(state: State) -> None:
    presence.show(state, START)
    coming = presence.show(State(state.folder), later(60)).digits
    shutil.rmtree(state.folder)
    presence.show(state, START)
    assert coming not in presence.accepted(state, later(61))


def test_five_wrong_codes_shut_the_lane_for_an_hour(state: State) -> None:
    for number in range(5):
        assert not presence.shut(state, later(number))
        presence.wrong(state, later(number))
    assert presence.shut(state, later(5))
    assert presence.shut(state, later(3603, clock=10**6))
    assert not presence.shut(state, later(3604))
    assert presence.shut(state, Moment("boot-2", 5.0, START.wall + 3603))
    assert not presence.shut(state, Moment("boot-2", 5.0, START.wall + 3604))
    for _ in range(4):
        presence.wrong(state, later(4000))
    assert not presence.shut(state, later(4000))


def shown(device: Device) -> str:
    code: str = json.loads(device.good("presence", "--json"))["code"]
    return code


def hand_in(gateway: Gateway, code: str) -> dict[str, object]:
    return gateway.council.envelope(gateway.order(lane="hand_in", presence=code), [])


def test_a_hand_in_with_the_shown_code_is_carried_out_without_an_approver(
    enrolled: Device, gateway: Gateway, tmp_path: Path
) -> None:
    without_volumes(enrolled)
    code = shown(enrolled)
    envelope = hand_in(gateway, code)
    for _ in range(3):
        assert rule(enrolled, envelope, tmp_path) == "accepted"  # Verifying uses nothing up.
    gateway.command("c1", "wipe", envelope)
    assert "was wiped by an order" in enrolled.once()
    assert gateway.result("c1")["state"] == "done"
    assert not (enrolled.state / "presence.json").exists()


def test_a_code_is_good_for_one_order_only(enrolled: Device, gateway: Gateway) -> None:
    bench = Bench(enrolled)
    code = presence.show(bench.state).digits
    envelope = hand_in(gateway, code)
    assert bench.rule(envelope) == "accepted"
    noted = {"command": "c", "enrollment": "x", "signer": "y", "epoch": 1, "asked": 1}
    bench.destroyer.journal.note("accepted", "f" * 32, presence=code, **noted)
    assert bench.rule(hand_in(gateway, code)) == "presence"


def test_wrong_codes_shut_the_lane_and_verifying_does_not_count(
    enrolled: Device, gateway: Gateway, tmp_path: Path
) -> None:
    right = shown(enrolled)
    wrong = f"{(int(right) + 1) % 10**8:08d}"
    for _ in range(6):
        assert rule(enrolled, hand_in(gateway, wrong), tmp_path) == "presence"
    for number in range(6):
        gateway.command(f"w{number}", "wipe", hand_in(gateway, wrong))
    gateway.command("right", "wipe", hand_in(gateway, right))
    enrolled.once()
    rules = [gateway.result(f"w{number}")["data"]["rule"] for number in range(6)]
    assert rules == ["presence"] * 5 + ["presence_shut"]
    assert gateway.result("right")["data"] == {"rule": "presence_shut"}
    assert (enrolled.root / "etc/hostname").exists()


def test_approvals_do_not_replace_the_code_and_a_code_does_not_replace_approvals(
    enrolled: Device, gateway: Gateway, tmp_path: Path
) -> None:
    code = shown(enrolled)
    order = gateway.order(lane="hand_in", presence=f"{(int(code) + 1) % 10**8:08d}")
    assert rule(enrolled, gateway.council.envelope(order, gateway.council.people), tmp_path) == "presence"
    assert rule(enrolled, gateway.council.envelope(gateway.order(presence=code), []), tmp_path) == "lane"


def test_status_shows_the_code_too_and_an_agent_without_identity_shows_none(device: Device, gateway: Gateway) -> None:
    assert device.status()["presence"] is None
    assert device.call("presence").returncode == 3
    device.enroll(gateway)
    told = device.status()["presence"]
    assert told["code"] in (shown(device), *presence.accepted(State(device.state)))
    assert 0 < told["seconds"] <= 60
    assert "good for ten minutes" in device.good("presence")
