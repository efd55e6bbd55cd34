"""What is done once."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import wire
from tests.agent.conftest import Device
from tests.agent.test_exchange import until
from tests.sim.gateway import Gateway


def test_commands_are_done_and_answered(enrolled: Device, gateway: Gateway) -> None:
    gateway.command("m1", "message", {"text": "Breng het toestel\nterug\x1b[2J"})
    gateway.command("l1", "lock", {"text": "Bel 1111"})
    gateway.command("d1", "diagnostics")
    gateway.command("f1", "refresh")
    enrolled.once()
    assert {gateway.result(name)["state"] for name in ("m1", "l1", "d1", "f1")} == {"done"}
    status = enrolled.status()
    assert status["lock"]["text"] == "Bel 1111"
    assert status["messages"][0]["text"] == "Breng het toestel\nterug[2J"
    gateway.command("u1", "unlock")
    enrolled.once()
    assert enrolled.status()["lock"] is None


def test_a_restart_under_a_root_is_refused_honestly(enrolled: Device, gateway: Gateway) -> None:
    gateway.command("r1", "restart")
    enrolled.once()
    assert gateway.result("r1") == {
        "id": "r1",
        "state": "refused",
        "detail": "This agent runs under a root: there is no machine that it could restart.",
    }


@pytest.mark.parametrize(
    ("verb", "seconds", "args"),
    [("lock", -1, {}), ("explode", 60, {}), ("message", 60, {}), ("message", 60, {"text": 7}), ("wipe", 60, {})],
)
def test_what_is_late_unknown_or_empty_is_refused(
    enrolled: Device, gateway: Gateway, verb: str, seconds: int, args: dict[str, Any]
) -> None:
    gateway.command("x1", verb, args, seconds=seconds)
    enrolled.once()
    assert gateway.result("x1")["state"] == "refused"
    assert enrolled.status()["lock"] is None
    assert enrolled.status()["messages"] == []


def test_a_command_that_comes_twice_is_done_once_and_answered_twice(enrolled: Device, gateway: Gateway) -> None:
    gateway.command("m1", "message", {"text": "een keer"})
    enrolled.once()
    gateway.command("m1", "message", {"text": "een keer"})
    enrolled.once()
    assert len(enrolled.status()["messages"]) == 1
    assert [result["state"] for result in gateway.results] == ["done", "done"]


def test_an_answer_that_could_not_be_delivered_is_delivered_later(enrolled: Device, gateway: Gateway) -> None:
    gateway.command("m1", "message", {"text": "hallo"})

    def deaf_to_results(_: str, body: dict[str, Any]) -> Any:
        return "deaf" if body.get("results") else None

    gateway.before_answer = deaf_to_results
    assert enrolled.call("run", "--once").returncode == 7
    gateway.before_answer = None
    enrolled.once()
    assert gateway.result("m1")["state"] == "done"
    assert len(enrolled.status()["messages"]) == 1


def test_a_command_that_was_interrupted_is_not_done_again_and_says_so(enrolled: Device, gateway: Gateway) -> None:
    enrolled.once()
    entry = {"verb": "lock", "at": 1, "boot": "", "result": None, "delivered": False, "args": {}}
    (enrolled.state / "commands.json").write_text(json.dumps({"commands": {"l1": entry}}))
    gateway.command("l1", "lock")
    enrolled.once()
    assert gateway.result("l1")["state"] == "failed"
    assert "It was not done again" in gateway.result("l1")["detail"]
    assert enrolled.status()["lock"] is None


def test_a_restart_is_answered_by_the_machine_that_has_started_again(enrolled: Device, gateway: Gateway) -> None:
    boot = enrolled.root / "proc/sys/kernel/random/boot_id"
    boot.parent.mkdir(parents=True)
    boot.write_text("first\n")
    enrolled.once()
    entry = {"verb": "restart", "at": 2**33, "boot": "first", "result": None, "delivered": False, "args": {}}
    (enrolled.state / "commands.json").write_text(json.dumps({"commands": {"r1": entry}}))
    enrolled.once()
    assert gateway.results == []
    boot.write_text("second\n")
    enrolled.once()
    assert gateway.result("r1")["state"] == "done"


def test_a_wipe_that_was_interrupted_before_its_order_was_accepted_is_looked_at_again(
    enrolled: Device, gateway: Gateway
) -> None:
    enrolled.once()
    args = gateway.sign(gateway.order(device="e" * 32))
    entry = {"verb": "wipe", "at": 1, "boot": "", "result": None, "delivered": False, "args": args}
    (enrolled.state / "commands.json").write_text(json.dumps({"commands": {"w1": entry}}))
    enrolled.once()
    assert gateway.result("w1")["data"] == {"rule": "device"}


def test_diagnostics_are_bounded_and_hold_no_secret(enrolled: Device, gateway: Gateway) -> None:
    (enrolled.state / "log").write_text("\x00\u20ac" * 100_000)
    gateway.command("d1", "diagnostics")
    enrolled.once()
    text = json.dumps(gateway.result("d1")["data"])
    assert len(text) <= wire.MAX_DIAGNOSTICS
    key = (enrolled.state / "keys/1/key.pem").read_text().splitlines()[1]
    assert key not in text


def test_killed_ten_times_between_commands_nothing_is_lost_or_done_twice(enrolled: Device, gateway: Gateway) -> None:
    gateway.next = 1
    for turn in range(10):
        process = enrolled.start("--wait", "5")
        gateway.command(f"m{turn}", "message", {"text": f"bericht {turn}"})
        until(lambda number=turn: f'"m{number}"' in read(enrolled), 20)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    enrolled.once()
    texts = [message["text"] for message in enrolled.status()["messages"]]
    assert len(texts) == len(set(texts))
    for turn in range(10):
        shown = f"bericht {turn}" in texts
        result = gateway.result(f"m{turn}")
        assert shown or result["state"] == "failed", result


@pytest.fixture
def small_disk(device: Device) -> Iterator[Path]:
    """The state on a disk of its own of one megabyte."""
    device.state.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(device.state)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs root, and a kernel that mounts tmpfs")
    yield device.state
    subprocess.run(["umount", "-l", str(device.state)], check=True)


def test_whoever_fills_the_disk_does_not_stop_a_wipe(device: Device, gateway: Gateway, small_disk: Path) -> None:
    device.enroll(gateway)
    shutil.rmtree(device.root / "sys/block")
    process = device.start("--wait", "5")
    try:
        until(lambda: gateway.facts and (small_disk / "reserve").exists())
        with (small_disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space"):
            while True:
                filler.write(os.urandom(4096))
        gateway.command("w1", "wipe", gateway.sign(gateway.order()))
        assert process.wait(40) == 0, device.said.read_text()
    finally:
        process.kill()
        process.wait()
    assert gateway.result("w1")["state"] == "done"
    assert list(device.root.iterdir()) == []


def read(device: Device) -> str:
    path = device.state / "commands.json"
    return path.read_text() if path.exists() else ""
