"""Which orders are refused, and that a wipe happens once, whatever interrupts it."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent import programs, shred, wire
from tests.agent.conftest import Device
from tests.agent.test_exchange import until
from tests.sim.gateway import Gateway

needs_cryptsetup = pytest.mark.skipif(programs.find("cryptsetup") is None, reason="cryptsetup is not installed")


def tree(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def test_an_order_can_be_verified_without_being_carried_out(enrolled: Device, gateway: Gateway, tmp_path: Path) -> None:
    enrolled.once()
    before = tree(enrolled.root)
    file = tmp_path / "order.json"
    file.write_text(json.dumps(gateway.sign(gateway.order())))
    assert "accepted: wipe " in enrolled.good("verify-order", str(file))
    for bad, rule in (
        (gateway.sign(gateway.order(), Ed25519PrivateKey.generate()), "signature"),
        ({**gateway.sign(gateway.order()), "signature": "AAAA"}, "signature"),
        ({**gateway.sign(gateway.order()), "signature": "!"}, "signature"),
        (
            {**gateway.sign(gateway.order()), "order": wire.canonical(gateway.order(reason="else")).decode()},
            "signature",
        ),
        (gateway.sign(gateway.order(device="e" * 32)), "device"),
        ({"order": "{}"}, "envelope"),
        ({**gateway.sign(gateway.order()), "order": "{}"}, "kind"),
        ({**gateway.sign(gateway.order()), "approvals": []}, "approvals"),
        ([], "envelope"),
    ):
        file.write_text(json.dumps(bad))
        outcome = enrolled.call("verify-order", str(file))
        assert outcome.returncode == 5
        assert f"refused ({rule})" in outcome.stderr
    assert tree(enrolled.root) == before
    assert not (enrolled.state / "orders.journal").exists()


def test_an_order_that_waited_over_a_renewal_is_still_for_this_enrollment_and_one_for_another_is_not(
    enrolled: Device, gateway: Gateway, tmp_path: Path
) -> None:
    file = tmp_path / "order.json"
    file.write_text(json.dumps(gateway.sign(gateway.order())))
    before = gateway.public_key
    gateway.ask_renewal = True
    enrolled.once()
    assert gateway.renewals == 1
    assert json.loads((enrolled.state / "identity.json").read_text())["public_key"] != before

    assert "accepted: wipe " in enrolled.good("verify-order", str(file))
    file.write_text(json.dumps(gateway.sign(gateway.order(enrollment="e" * 64))))
    assert "refused (enrollment)" in enrolled.call("verify-order", str(file)).stderr


def test_an_order_that_the_signer_did_not_sign_is_refused_and_nothing_is_touched(
    enrolled: Device, gateway: Gateway
) -> None:
    enrolled.once()
    before = tree(enrolled.root)
    gateway.command("c1", "wipe", gateway.sign(gateway.order(), Ed25519PrivateKey.generate()))
    enrolled.once()
    assert gateway.result("c1")["state"] == "refused"
    assert gateway.result("c1")["data"] == {"rule": "signature"}
    assert tree(enrolled.root) == before
    assert enrolled.status()["enrolled"]


def luks(path: Path, kind: str = "luks2") -> None:
    """Makes a small real LUKS container in a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(20 * 1024 * 1024)
    quick = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"]
    argv = ["cryptsetup", "luksFormat", "-q", "--type", kind, *quick, str(path), "-"]
    subprocess.run(argv, input=b"secret", check=True, capture_output=True)


def opens(path: Path) -> bool:
    argv = ["cryptsetup", "luksOpen", "--test-passphrase", str(path)]
    return subprocess.run(argv, input=b"secret", check=False, capture_output=True).returncode == 0


@needs_cryptsetup
@pytest.mark.parametrize("kind", ["luks1", "luks2"])
def test_a_wipe_destroys_keys_then_data_and_its_receipt_says_so(
    enrolled: Device, gateway: Gateway, tmp_path: Path, kind: str
) -> None:
    kept = [tmp_path / "data.img", tmp_path / "disk.img"]
    for copy, container in zip(kept, ("var/data.img", "dev/sda3"), strict=True):
        luks(enrolled.root / container, kind)
        os.link(enrolled.root / container, copy)  # So that it can still be looked at when its name is gone.
        assert opens(copy)
    (enrolled.root / "etc/crypttab").write_text("data /var/data.img none luks\n")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("somebody else's")
    (enrolled.root / "home").mkdir()
    (enrolled.root / "home/link").symlink_to(outside)
    enrolled.once()
    assert gateway.facts["encryption"]["volumes"][-1] == {"name": "data", "method": kind}
    gateway.command("c1", "wipe", gateway.sign(gateway.order()))
    assert "was wiped by an order" in enrolled.once()
    receipt = gateway.result("c1")["data"]
    assert gateway.result("c1")["state"] == "done"
    assert [(volume["name"], volume["destroyed"]) for volume in receipt["volumes"]] == [
        ("sda3_crypt", True),
        ("data", True),
    ]
    assert receipt["method"] == ["luks-erase", "delete"]
    assert receipt["files_deleted"] > 20
    assert not any(opens(copy) for copy in kept)
    assert list(enrolled.root.iterdir()) == []
    assert (outside / "file").read_text() == "somebody else's"
    assert not (enrolled.state / "identity.json").exists()
    assert not (enrolled.state / "keys").exists()
    assert enrolled.call("run", "--once").returncode == 3
    assert "Wiped on" in enrolled.call("status").stdout


@needs_cryptsetup
@pytest.mark.parametrize("kind", ["luks1", "luks2"])
def test_without_cryptsetup_the_part_that_holds_the_keys_is_overwritten_and_the_rest_is_not(
    tmp_path: Path, kind: str
) -> None:
    container = tmp_path / "disk.img"
    luks(container, kind)
    size = container.stat().st_size
    with container.open("r+b") as file:
        file.seek(size - 8)
        file.write(b"the data")
    whole = container.read_bytes()
    assert shred.overwrite(container) == ""
    assert not opens(container)
    repaired = subprocess.run(["cryptsetup", "repair", "-q", str(container)], check=False, capture_output=True)
    assert repaired.returncode != 0 or not opens(container)
    after = container.read_bytes()
    assert len(after) == size
    assert after[-8:] == b"the data"
    area = shred.key_area(whole)
    assert whole[area:] == after[area:]
    assert b"LUKS" not in after[:area]


def test_a_header_that_cryptsetup_cannot_read_is_overwritten_all_the_same(enrolled: Device, gateway: Gateway) -> None:
    (enrolled.root / "dev").mkdir()
    (enrolled.root / "dev/sda3").write_bytes(b"LUKS\xba\xbe\x00\x02" + b"x" * 100_000)
    gateway.command("c1", "wipe", gateway.sign(gateway.order()))
    enrolled.once()
    [volume] = gateway.result("c1")["data"]["volumes"]
    assert (volume["destroyed"], volume["method"]) == (True, "header overwritten")
    assert gateway.result("c1")["state"] == "done"


def without_volumes(device: Device) -> None:
    shutil.rmtree(device.root / "sys/block")


def test_a_wipe_without_encryption_says_that_data_may_be_recoverable(enrolled: Device, gateway: Gateway) -> None:
    without_volumes(enrolled)
    gateway.command("c1", "wipe", gateway.sign(gateway.order()))
    enrolled.once()
    receipt = gateway.result("c1")["data"]
    assert receipt["method"] == ["delete"]
    assert receipt["keys_destroyed"] is None
    assert "may still be recoverable" in receipt["sentence"]


def test_a_volume_whose_keys_could_not_be_destroyed_makes_the_wipe_failed(enrolled: Device, gateway: Gateway) -> None:
    # The planted machine says that it has an open volume on a disk that is not there.
    gateway.command("c1", "wipe", gateway.sign(gateway.order()))
    enrolled.once()
    result = gateway.result("c1")
    assert result["state"] == "failed"
    assert result["data"]["keys_destroyed"] is False
    assert "Only 0 of 1 encrypted volumes lost their keys." in result["detail"]
    assert list(enrolled.root.iterdir()) == []


def test_a_wipe_spares_the_state_until_the_receipt_has_arrived(enrolled: Device, gateway: Gateway) -> None:
    without_volumes(enrolled)
    inside = enrolled.root / "var/lib/havenmeester-agent"
    inside.parent.mkdir(parents=True, exist_ok=True)
    enrolled.state.rename(inside)
    enrolled.state = inside
    gateway.command("c1", "wipe", gateway.sign(gateway.order()))

    def deaf_to_results(_: str, body: dict[str, Any]) -> Any:
        return "deaf" if body.get("results") else None

    gateway.before_answer = deaf_to_results
    assert enrolled.call("run", "--once").returncode == 7
    left = {path.name for path in enrolled.root.rglob("*") if path.is_file()}
    assert "identity.json" in left
    assert "dpkg" not in left
    reports = len(gateway.reports)
    gateway.before_answer = None
    enrolled.once()
    assert gateway.result("c1")["state"] == "done"
    assert len(gateway.reports) == reports
    assert not (inside / "identity.json").exists()


def test_a_wipe_that_was_done_is_not_done_for_another_command(enrolled: Device, gateway: Gateway) -> None:
    order = gateway.order()
    steps: list[dict[str, Any]] = [{"step": "accepted", "command": "c0"}, {"step": "done", "receipt": {}}]
    lines = [json.dumps({**step, "order": order["id"]}) for step in [*steps, {"step": "acknowledged"}]]
    (enrolled.state / "orders.journal").write_text("\nhalf a li\n".join(lines) + "\n")
    before = tree(enrolled.root)
    gateway.command("c1", "wipe", gateway.sign(order))
    enrolled.once()
    assert gateway.result("c1")["data"] == {"rule": "replay"}
    assert tree(enrolled.root) == before


KILLS = 10


def test_killed_at_any_moment_a_wipe_is_finished_once_and_tells_one_receipt(
    device: Device, gateway: Gateway, tmp_path: Path
) -> None:
    """Real processes, killed after ever more milliseconds; the journal has one acceptance and one end each time."""
    template = tmp_path / "template"
    device.enroll(gateway)
    without_volumes(device)
    for number in range(300):
        (device.root / "home" / str(number % 7)).mkdir(parents=True, exist_ok=True)
        (device.root / f"home/{number % 7}/{number}").write_text("data")
    device.once()
    shutil.copytree(device.state, template / "state")
    shutil.copytree(device.root, template / "root", symlinks=True)
    for turn in range(KILLS):
        for part in ("state", "root"):
            shutil.rmtree(device.state.parent / part)
            shutil.copytree(template / part, device.state.parent / part, symlinks=True)
        device.state.with_name("state.orders").unlink(
            missing_ok=True
        )  # Another machine, as it were: this one's memory is not in its folder.
        gateway.results.clear()
        gateway.commands.clear()
        gateway.command("c1", "wipe", gateway.sign(gateway.order()))
        journal = device.state / "orders.journal"
        process = device.start()
        until(journal.exists)
        time.sleep(turn * 0.002)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        if (device.state / "identity.json").exists():
            process = device.start()
            assert process.wait(30) == 0, device.said.read_text()
        steps = [json.loads(line)["step"] for line in journal.read_text().splitlines()]
        assert steps.count("accepted") == 1, steps
        assert steps.count("done") == 1, steps
        assert gateway.result("c1")["state"] == "done"
        assert list(device.root.iterdir()) == []
        assert not (device.state / "identity.json").exists()


STEPS = ("accepted", "keys", "done", "acknowledged")


@pytest.mark.parametrize("step", STEPS)
def test_stopped_right_after_each_step_of_the_journal_the_rest_follows(
    enrolled: Device, gateway: Gateway, step: str
) -> None:
    """The journal is cut off after a step, as a power cut leaves it; whatever had not begun is done, nothing twice."""
    without_volumes(enrolled)
    enrolled.once()
    receipt = {"order": "order-1", "at": "2026-11-23T09:00:00Z", "complete": True, "sentence": "All went."}
    lines: dict[str, dict[str, Any]] = {
        "accepted": {"command": "c1", "enrollment": gateway.public_key},
        "keys": {"volumes": [{"name": "sda3_crypt", "destroyed": True}]},
        "done": {"receipt": receipt},
        "acknowledged": {},
    }
    with (enrolled.state / "orders.journal").open("w") as journal:
        for name in STEPS[: STEPS.index(step) + 1]:
            journal.write(json.dumps({"step": name, "order": "order-1", **lines[name]}) + "\n")
    assert "was wiped by an order" in enrolled.once()
    assert not (enrolled.state / "identity.json").exists()
    if step in ("accepted", "keys"):
        assert list(enrolled.root.iterdir()) == []
        assert gateway.result("c1")["data"]["keys_destroyed"] is (None if step == "accepted" else True)
    else:
        assert (enrolled.root / "etc/hostname").exists()  # It was done already: nothing is destroyed again.
    if step == "done":
        assert gateway.result("c1")["detail"] == "All went."
    if step == "acknowledged":
        assert gateway.results == []
