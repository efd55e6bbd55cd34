"""Calling for help from a computer: the agent as its own process, its spool on disk, a real gateway with real certificates."""

import json
import os
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from agent import panic, wire
from agent.apply.targets import take_apart
from agent.errors import AgentError
from agent.state import State
from mdm.audit.model import AuditEntry
from mdm.core.actor import command_line
from mdm.core.clock import utcnow
from mdm.core.permissions import Where
from mdm.inventory.model import Device as DeviceRow
from mdm.panic import drills
from mdm.panic.model import PanicAlarm, PanicSpot
from mdm.platforms.linux.render import LinuxInterpreter
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.agent.conftest import Device
from tests.agent.test_with_the_real_gateway import device, invitation
from tests.gateway.conftest import Agent, RunningGateway, gateway, shared_signer

__all__ = ["device", "gateway", "shared_signer"]


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """The folder in which calls wait."""
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


def _alarms(gateway: RunningGateway, uid: str) -> list[PanicAlarm]:
    with transaction(gateway.engine) as session:
        ours = select(PanicAlarm).join(DeviceRow, DeviceRow.id == PanicAlarm.device_id).where(DeviceRow.uid == uid)
        return list(session.scalars(ours.order_by(PanicAlarm.id)))


def test_a_call_waits_on_disk_while_the_line_is_lost_and_arrives_once(
    gateway: RunningGateway,
    device: Device,
    spool: Path,
) -> None:
    device.good("enroll", invitation(gateway), "--root", str(device.root))
    uid = device.status()["device"]
    gateway.stop()
    lost = device.call("panic", "--spool", str(spool), "--wait", "0")
    assert lost.returncode == 7
    assert "no line" in lost.stdout
    (kept,) = spool.iterdir()
    told = json.loads(kept.read_text())
    assert _alarms(gateway, uid) == []

    gateway.start()
    with transaction(gateway.engine) as session:
        row = session.scalars(select(DeviceRow).where(DeviceRow.uid == uid)).one()
        session.add(PanicSpot(device_id=row.id, spot="Counter 3", set_at=row.created_at, set_by="tests"))
    said = device.good("panic", "--deliver", "--spool", str(spool))
    kept.write_text(json.dumps(told))
    again = device.good("panic", "--deliver", "--spool", str(spool))

    (alarm,) = _alarms(gateway, uid)
    assert alarm.number in said
    assert alarm.number in again
    assert (alarm.spot, alarm.presses, alarm.drill_id) == ("Counter 3", 1, None)
    assert alarm.pressed_at < alarm.raised_at
    assert list(spool.iterdir()) == []
    with transaction(gateway.engine) as session:
        line = session.scalars(select(AuditEntry).where(AuditEntry.subject_id == alarm.uid)).one()
        assert (line.actor_kind, line.action) == ("device", "panic.raised")


def test_an_exercise_is_only_taken_while_somebody_practises_there(
    gateway: RunningGateway,
    device: Device,
    spool: Path,
) -> None:
    device.good("enroll", invitation(gateway), "--root", str(device.root))
    uid = device.status()["device"]
    refused = device.call("panic", "--exercise", "--spool", str(spool))
    assert "Nobody practises here now" in refused.stdout
    assert list(spool.iterdir()) == []
    with transaction(gateway.engine) as session:
        drills.begin(Call(command_line("tests"), session, utcnow()), Where(), 30)
    device.good("panic", "--exercise", "--spool", str(spool))
    (alarm,) = _alarms(gateway, uid)
    assert alarm.exercise


WRONG = (
    b"",
    b"[]",
    b'{"id": "x"}',
    b'{"id": "0123456789abcdef", "ago": -1}',
    b'{"id": "0123456789abcdef", "ago": NaN}',
    b'{"id": "0123456789abcdef", "where": "here"}',
    b'{"id": "' + b"a" * 65 + b'"}',
    b'{"id": "' + b"a" * 40_000 + b'"}',
)


def test_a_message_that_is_none_raises_nothing_and_the_gateway_lives(gateway: RunningGateway) -> None:
    agent: Agent = gateway.enrolled()
    with transaction(gateway.engine) as session:
        before = session.scalars(select(PanicAlarm.id)).all()
    for body in WRONG:
        assert agent.send("POST", wire.PANIC, body).status in (413, 422), body
        agent.hang_up()
    assert agent.send("POST", wire.PANIC, b'{"id": "0123456789abcdef"}').status == 200
    with transaction(gateway.engine) as session:
        assert len(session.scalars(select(PanicAlarm.id)).all()) == len(before) + 1


def test_without_a_certificate_nobody_calls(gateway: RunningGateway) -> None:
    answer = gateway.agent().send("POST", wire.PANIC, b'{"id": "0123456789abcdef"}')
    assert (answer.status, answer.json["code"]) == (401, "certificate_missing")


def test_what_others_put_into_the_spool_stands_in_no_ones_way(spool: Path) -> None:
    good = panic.press(spool)
    (spool / "junk.json").write_text("[" * 100_000)
    (spool / "list.json").write_text("[1]")
    (spool / "long.json").write_text(json.dumps({"id": "a" * 41, "at": 1}))
    (spool / "time.json").write_text('{"id": "0123456789abcdef", "at": NaN}')
    (spool / "link.json").symlink_to("/etc/passwd")
    (spool / "folder.json" / "in").mkdir(parents=True)
    os.mkfifo(spool / "pipe.json")
    (spool / ".half").write_text("{")
    os.utime(spool / ".half", (0, 0))
    (spool / ".written-now").write_text("{")

    assert [call.path for call in panic.waiting(spool)] == [good]
    assert sorted(path.name for path in spool.iterdir()) == sorted([".written-now", good.name])


def test_they_are_sent_oldest_first_and_a_spool_that_is_not_there_is_told(spool: Path) -> None:
    made = [panic.press(spool) for _ in range(3)]
    for number, path in enumerate(made):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"at": time.time() - number}))
    assert [call.path for call in panic.waiting(spool)] == made[::-1]
    assert panic.waiting(spool / "none") == []
    with pytest.raises(AgentError, match="emergency number"):
        panic.press(spool / "none")


def test_it_is_sent_again_with_growing_pauses_until_the_time_is_over(
    device: Device,
    gateway: RunningGateway,
    spool: Path,
) -> None:
    device.good("enroll", invitation(gateway), "--root", str(device.root))
    identity = json.loads((device.state / "identity.json").read_text())
    (device.state / "identity.json").write_text(json.dumps(identity | {"gateway": "https://localhost:1"}))
    panic.press(spool)
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 8:
            (device.state / "identity.json").write_text(json.dumps(identity))

    assert panic.deliver(State(device.state), spool, None, lambda _: None, sleep) == 0
    assert len(pauses) == 8
    assert pauses[0] <= 2
    assert max(pauses) <= panic.LONGEST_PAUSE
    assert sum(pauses[4:]) > sum(pauses[:4])


def test_a_policy_puts_the_button_on_a_computer_where_the_agent_may_write() -> None:
    wanted = {"panic_button.enabled": True, "panic_button.shortcut": "Pause"}
    resources = LinuxInterpreter().render(wanted, [])
    paths = [target.path for one in resources for target in take_apart(one).targets]
    written = "".join(str(one["content"]) for one in resources)

    assert "/usr/local/share/applications/havenmeester-panic.desktop" in paths
    assert "/etc/systemd/system/multi-user.target.wants/havenmeester-panic.path" in paths
    assert f"DirectoryNotEmpty={panic.SPOOL}" in written
    assert "DirectoryMode=1733" in written
    assert "binding='Pause'" in written
    assert LinuxInterpreter().render({"panic_button.enabled": False}, []) == []
