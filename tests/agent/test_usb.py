"""USB rules keep what people need in their hands, and never leave a machine that nobody can type on."""

import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from agent.apply import usb
from agent.apply.engine import Engine
from agent.roots import Root
from agent.state import State
from tests.sim.machine import plant

RULES: dict[str, Any] = {
    "id": "usb.rules",
    "kind": "usb",
    "keys": ["usb.only_allowed"],
    "rules": ["allow with-interface match-all { 09:*:* }"],
    "keep_attached": True,
}
KEYBOARD = 'allow id 046d:c31c serial "K1" with-interface equals { 03:01:01 03:00:00 }'
needs_parser = pytest.mark.skipif(shutil.which("usbguard-rule-parser") is None, reason="usbguard is not installed")


def plug(root: Path, name: str, ids: str, *interfaces: str, serial: str = "", authorized: str = "1") -> None:
    """A device as the kernel shows it."""
    devices = root / "sys/bus/usb/devices"
    here = devices / name
    here.mkdir(parents=True)
    maker, product = ids.split(":")
    said = {"idVendor": maker, "idProduct": product, "serial": serial, "authorized": authorized}
    for file, text in said.items():
        if text:
            (here / file).write_text(text + "\n")
    for number, interface in enumerate(interfaces):
        folder = devices / f"{name}:1.{number}"
        folder.mkdir()
        parts = ("bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol")
        for file, text in zip(parts, interface.split(":"), strict=True):
            (folder / file).write_text(text + "\n")


def store(root: Path, name: str, disk: str, number: str) -> None:
    """The disk of a device."""
    place = root / f"sys/devices/pci0000:00/usb1/{name}/{name}:1.0/host6/block/{disk}"
    (place / f"{disk}1").mkdir(parents=True)
    (place / "dev").write_text("8:0\n")
    (place / f"{disk}1" / "dev").write_text(number + "\n")
    (root / "sys/block").mkdir(parents=True, exist_ok=True)
    (root / f"sys/block/{disk}").symlink_to(f"../{place.relative_to(root / 'sys')}")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = plant(tmp_path / "root")
    plug(folder, "usb1", "1d6b:0002", "09:00:00")
    plug(folder, "1-1", "046d:c31c", "03:01:01", "03:00:00", serial="K1")
    plug(folder, "1-2", "0781:5567", "08:06:50", serial="STICK")
    plug(folder, "1-3", "05e3:0608", "09:00:01")
    return folder


class Machine:
    def __init__(self, root: Path, state: Path) -> None:
        self.root, self.state = root, State(state)
        self.state.folder.mkdir(exist_ok=True)

    def want(self, *resources: dict[str, Any]) -> dict[str, str]:
        self.engine = Engine(self.state, Root(self.root))
        self.engine.settle({"digest": "d", "resources": list(resources)})
        return {name: record["state"] for name, record in self.engine.resources.items()}

    @property
    def rules(self) -> list[str]:
        text = (self.root / "etc/usbguard/rules.conf").read_text()
        return [line for line in text.splitlines() if not line.startswith("#")]


@pytest.fixture
def machine(root: Path, tmp_path: Path) -> Machine:
    return Machine(root, tmp_path / "state")


@needs_parser
def test_what_is_attached_stays_usable_but_a_stick_does_not(machine: Machine) -> None:
    assert machine.want(RULES) == {"usb.rules": "staged"}
    assert machine.rules == [KEYBOARD, *RULES["rules"], "block"]
    assert stat.S_IMODE((machine.root / "etc/usbguard/rules.conf").stat().st_mode) == 0o600


@needs_parser
def test_what_is_plugged_in_afterwards_is_not_let_in_by_the_next_round(machine: Machine) -> None:
    machine.want(RULES)
    plug(machine.root, "1-4", "dead:beef", "03:01:01")
    assert machine.want(RULES) == {"usb.rules": "staged"}
    assert machine.rules == [KEYBOARD, *RULES["rules"], "block"]


@needs_parser
def test_new_rules_look_again_at_what_is_attached(machine: Machine) -> None:
    machine.want(RULES)
    plug(machine.root, "1-4", "0483:2016", "0b:00:00")
    machine.want({**RULES, "rules": ["allow id 1d6b:*"]})
    assert machine.rules == [
        KEYBOARD,
        "allow id 0483:2016 with-interface equals { 0b:00:00 }",
        "allow id 1d6b:*",
        "block",
    ]


@needs_parser
def test_who_says_so_has_everything_judged(machine: Machine) -> None:
    machine.want({**RULES, "keep_attached": False})
    assert machine.rules == [*RULES["rules"], "block"]


@pytest.mark.parametrize(("mounted", "kept"), [("/", True), ("/boot/efi", True), ("/media/stick", False)])
def test_a_stick_stays_only_when_the_machine_runs_from_it(root: Path, mounted: str, kept: bool) -> None:
    store(root, "1-2", "sdb", "8:17")
    (root / "proc/self").mkdir(parents=True, exist_ok=True)
    (root / "proc/self/mountinfo").write_text(f"36 35 8:17 / {mounted} rw - ext4 /dev/sdb1 rw\n")
    assert any("0781:5567" in rule for rule in usb.kept_rules(Root(root))) is kept


def test_a_stick_below_an_encrypted_volume_is_one_the_machine_runs_from(root: Path) -> None:
    store(root, "1-2", "sdb", "8:17")
    (root / "sys/devices/pci0000:00/usb1/1-2/1-2:1.0/host6/block/sdb/sdb1/holders/dm-0").mkdir(parents=True)
    assert any("0781:5567" in rule for rule in usb.kept_rules(Root(root)))


@needs_parser
def test_rules_that_usbguard_cannot_read_are_refused_and_the_old_ones_stay(machine: Machine) -> None:
    machine.want(RULES)
    before = machine.rules
    assert machine.want({**RULES, "rules": ["allow id nonsense"]}) == {"usb.rules": "failed"}
    assert "parse error" in machine.engine.resources["usb.rules"]["detail"]
    assert machine.rules == before


@pytest.mark.parametrize("rules", [[], None, "allow", [7], ["a\nb"], ["allow"] * 501])
def test_rules_that_are_no_list_of_lines_are_not_written(machine: Machine, rules: Any) -> None:
    assert machine.want({**RULES, "keep_attached": False, "rules": rules}) == {"usb.rules": "unsupported"}
    assert not (machine.root / "etc/usbguard/rules.conf").exists()


@needs_parser
def test_what_a_device_says_of_itself_cannot_become_a_rule(machine: Machine) -> None:
    plug(machine.root, "1-5", "1111:2222", "03:00:00", serial='x" with-interface 08:*:*')
    plug(machine.root, "1-6", "zz\n:11", "03:00:00")
    assert machine.want(RULES) == {"usb.rules": "staged"}
    assert machine.rules[1] == "allow id 1111:2222 with-interface equals { 03:00:00 }"


@needs_parser
def test_another_hand_is_seen_and_rules_go_back_to_what_they_were(machine: Machine) -> None:
    place = machine.root / "etc/usbguard/rules.conf"
    place.parent.mkdir(parents=True)
    place.write_text("allow id 1111:1111\n")
    machine.want(RULES)
    place.write_text("allow\n")
    machine.want(RULES)
    assert machine.engine.tampered() == [usb.RULES]
    assert machine.rules[0] == KEYBOARD
    machine.want()
    assert place.read_text() == "allow id 1111:1111\n"


def test_without_a_single_rule_nothing_may_be_blocked(root: Path) -> None:
    assert not usb.has_rules(Root(root))
    (root / "etc/usbguard").mkdir(parents=True)
    (root / "etc/usbguard/rules.conf").write_text("# nothing\n\n")
    assert not usb.has_rules(Root(root))
    (root / "etc/usbguard/rules.d").mkdir()
    (root / "etc/usbguard/rules.d/10-own.conf").write_text("allow id 1111:1111\n")
    assert usb.has_rules(Root(root))
    plug(root, "1-9", "3333:4444", "03:00:00", authorized="0")
    (root / "sys/bus/usb/devices/usb1/authorized_default").write_text("0\n")
    usb.let_in(Root(root))
    assert (root / "sys/bus/usb/devices/1-9/authorized").read_text() == "1"
    assert (root / "sys/bus/usb/devices/usb1/authorized_default").read_text() == "1"
