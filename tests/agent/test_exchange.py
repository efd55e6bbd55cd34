"""Rounds with the gateway: reports, desired state, patience, what is lost on the way."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from agent import wire
from tests.agent.conftest import Device
from tests.sim.gateway import Gateway

MOTD = {"id": "motd", "kind": "file", "keys": ["text.motd"], "path": "/etc/motd", "content": "Welkom\n", "mode": "0644"}


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Waits for something to become true; fails when it does not."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def test_the_first_round_tells_every_section_and_the_second_tells_nothing(enrolled: Device, gateway: Gateway) -> None:
    enrolled.once()
    assert set(gateway.facts) == set(wire.SECTIONS) - {"kiosk"}
    assert gateway.reports[0]["digests"] == {
        name: wire.short_digest(content) for name, content in gateway.facts.items()
    }
    told = len(gateway.reports)
    enrolled.once()
    assert len(gateway.reports) == told
    assert gateway.checkins[-1]["query"]["r"] == wire.report_digest(gateway.reports[-1]["digests"])
    assert gateway.checkins[-1]["body"] == {}


def test_only_what_changed_is_told(enrolled: Device, gateway: Gateway) -> None:
    enrolled.once()
    (enrolled.root / "etc/ufw/ufw.conf").write_text("ENABLED=no\n")
    enrolled.once()
    assert list(gateway.reports[-1]["sections"]) == ["firewall"]
    assert gateway.facts["firewall"] == {"active": False, "backend": "none"}


def test_what_the_server_lacks_is_told_again(enrolled: Device, gateway: Gateway) -> None:
    enrolled.once()
    gateway.want = ["packages", "disks"]
    enrolled.once()
    assert set(gateway.reports[-1]["sections"]) == {"packages", "disks"}
    gateway.want = ["*"]
    enrolled.once()
    assert set(gateway.reports[-1]["sections"]) == set(wire.SECTIONS) - {"kiosk"}


def test_a_desired_state_is_fetched_applied_and_told_in_one_exchange(enrolled: Device, gateway: Gateway) -> None:
    gateway.wants(MOTD)
    enrolled.once()
    assert enrolled.read("etc/motd") == "Welkom\n"
    assert gateway.desired is not None
    assert gateway.facts["desired"]["digest"] == gateway.desired["digest"]
    assert gateway.facts["desired"]["resources"] == {"motd": {"state": "staged", "detail": ""}}


def test_what_could_not_be_applied_is_told_and_makes_once_fail(enrolled: Device, gateway: Gateway) -> None:
    gateway.wants(MOTD, {"id": "x", "kind": "hologram", "keys": []})
    outcome = enrolled.call("run", "--once")
    assert outcome.returncode == 1
    assert "x: unsupported. This agent does not know this kind of resource." in outcome.stderr
    assert gateway.facts["desired"]["resources"]["x"]["state"] == "unsupported"
    assert enrolled.read("etc/motd") == "Welkom\n"


def test_reports_made_while_the_gateway_is_away_arrive_later_in_order(enrolled: Device, gateway: Gateway) -> None:
    enrolled.once()
    gateway.reports.clear()
    gateway.stop()
    for name in ("een", "twee", "drie"):
        (enrolled.root / "etc/hostname").write_text(name + "\n")
        assert enrolled.call("run", "--once").returncode == 7
    assert enrolled.status()["waiting_reports"] == 3
    assert "cannot be reached" in enrolled.call("run", "--once").stderr
    gateway.again()
    enrolled.once()
    names = [report["sections"]["system"]["hostname"] for report in gateway.reports if "system" in report["sections"]]
    assert names == ["een", "twee", "drie"]
    assert enrolled.status()["waiting_reports"] == 0


def test_a_report_whose_acknowledgement_was_lost_is_sent_again_with_the_same_id(
    enrolled: Device, gateway: Gateway
) -> None:
    gateway.before_answer = lambda _, body: "drop" if "report" in body else None
    assert enrolled.call("run", "--once").returncode == 7
    gateway.before_answer = None
    enrolled.once()
    sent = [checkin["body"]["report"]["id"] for checkin in gateway.checkins if "report" in checkin["body"]]
    assert len(sent) == 2
    assert len(gateway.reports) == len(set(sent)) == 1


def test_a_section_that_the_server_never_takes_does_not_hold_the_others(enrolled: Device, gateway: Gateway) -> None:
    def picky(_: str, body: dict[str, Any]) -> Any:
        if "packages" in body.get("report", {}).get("sections", {}):
            return 422, {}, {"code": "invalid", "detail": "A package has an impossible name."}
        return None

    gateway.before_answer = picky
    enrolled.once()
    assert set(gateway.facts) == set(wire.SECTIONS) - {"packages", "kiosk"}
    rounds = len(gateway.checkins)
    enrolled.once()
    assert len(gateway.checkins) == rounds + 1
    gateway.before_answer = None
    status = enrolled.root / "var/lib/dpkg/status"
    status.write_text(status.read_text().replace("5.02-1+b1", "5.03-1"))
    enrolled.once()
    assert gateway.facts["packages"]["items"]["sl"] == "5.03-1"


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_a_refusal_removes_nothing_and_is_said(enrolled: Device, gateway: Gateway, status: int) -> None:
    gateway.wants(MOTD)
    enrolled.once()
    before = sorted(path.name for path in enrolled.state.rglob("*"))
    gateway.before_answer = lambda *_: (status, {"Retry-After": "7"}, {"code": "certificate_refused", "detail": "No."})
    outcome = enrolled.call("run", "--once")
    assert outcome.returncode == 5
    assert "No." in outcome.stderr
    assert set(before) <= {path.name for path in enrolled.state.rglob("*")}
    assert enrolled.read("etc/motd") == "Welkom\n"


def test_the_resident_agent_hears_the_doorbell_and_stops_when_told(enrolled: Device, gateway: Gateway) -> None:
    process = enrolled.start("--wait", "30")
    try:
        until(lambda: gateway.checkins and gateway.checkins[-1]["query"]["w"] == "30")
        gateway.wants(MOTD)
        until((enrolled.root / "etc/motd").exists, 5)
        until(lambda: gateway.facts.get("desired", {}).get("resources"))
        assert enrolled.call("run", "--once").returncode == 8
        assert gateway.connections <= 2 + 1  # enrolling took two; everything since went over one.
    finally:
        process.terminate()
        assert process.wait(5) == 0, enrolled.said.read_text()


def test_the_resident_agent_waits_as_long_as_it_is_asked_to_when_refused(enrolled: Device, gateway: Gateway) -> None:
    asked: list[float] = []

    def busy(*_: Any) -> Any:
        asked.append(time.monotonic())
        return 503, {"Retry-After": "2"}, {"code": "unavailable", "detail": "The database rests."}

    gateway.before_answer = busy
    process = enrolled.start()
    try:
        until(lambda: len(asked) >= 2)
        assert asked[1] - asked[0] >= 2
        gateway.before_answer = None
        until(lambda: gateway.reports)
    finally:
        process.terminate()
        process.wait(5)
    assert "The database rests." in (enrolled.state / "log").read_text()


def test_the_certificate_is_renewed_in_time_and_the_old_key_goes_only_then(device: Device, gateway: Gateway) -> None:
    gateway.lifetime = timedelta(minutes=2)  # With five minutes behind it, two thirds are over.
    device.enroll(gateway)
    gateway.lifetime = timedelta(days=30)
    device.once()
    assert gateway.renewals == 1
    assert [path.name for path in (device.state / "keys").iterdir()] == ["2"]
    device.once()
    assert gateway.renewals == 1


def test_a_new_certificate_that_is_not_let_in_leaves_the_old_one_in_use(enrolled: Device, gateway: Gateway) -> None:
    enrolled.once()
    gateway.ask_renewal = True
    certify = gateway._certify

    def forgetful(csr: str) -> str:
        kept = set(gateway.accepted)
        chain = certify(csr)
        gateway.accepted = kept
        return chain

    gateway._certify = forgetful  # type: ignore[method-assign]
    enrolled.once()
    assert gateway.renewals == 1
    assert enrolled.status()["enrolled"]
    gateway._certify = certify  # type: ignore[method-assign]
    enrolled.once()
    gateway.ask_renewal = True
    enrolled.once()
    assert json.loads((enrolled.state / "identity.json").read_text())["current"] == "2"
    enrolled.once()


def test_an_answer_that_is_not_of_the_protocol_is_left_aside(enrolled: Device, gateway: Gateway) -> None:
    for nonsense in (
        {"desired": {"digest": "../../x", "resources": []}},
        {"desired": {"digest": "abc", "resources": "all"}},
        {"commands": "wipe", "want": 7, "next": "soon"},
        {"commands": [{"id": "../x", "verb": "lock"}, 3], "next": -5},
    ):
        gateway.before_answer = lambda _, body, said=nonsense: None if body else (200, {}, said)
        enrolled.once()
    assert enrolled.status()["desired"] == "-"
    assert gateway.results == []


def test_many_reports_that_wait_become_one_and_nothing_true_is_lost(device: Device) -> None:
    from agent.spool import MAX_REPORTS, Spool
    from agent.state import State

    state = State(device.state)
    spool = Spool(state)
    for number in range(MAX_REPORTS + 10):
        section = wire.SECTIONS[number % len(wire.SECTIONS)]
        spool.add({section: {"n": number}}, {section: str(number)})
    again = Spool(state)
    assert len(again.files) == MAX_REPORTS
    told: dict[str, Any] = {}
    while (report := again.next()) is not None:
        told.update(report["sections"])
        again.acknowledged(report)
    assert {name: content["n"] for name, content in told.items()} == {
        wire.SECTIONS[number % len(wire.SECTIONS)]: number
        for number in range(MAX_REPORTS + 10 - len(wire.SECTIONS), MAX_REPORTS + 10)
    }
