"""On a running machine: what must not run stops and comes back, what must run is started again, USB rules come before USBGuard.

The machine is a folder, and its ``systemctl`` a small program that keeps which units are active and what it was asked.
"""

from pathlib import Path
from typing import Any

import pytest

from agent import programs
from agent.apply.engine import Engine
from agent.roots import Root
from agent.state import State
from tests.sim.machine import plant

SYSTEMCTL = """#!/bin/sh
PATH=/usr/bin:/bin
echo "$*" >> {folder}/asked
verb=$1; shift
for unit in "$@"; do
    case "$verb $unit" in
        *" --"*) ;;
        restart*|start*) touch {folder}/active/$unit ;;
        stop*) rm -f {folder}/active/$unit ;;
        is-active*) if [ -e {folder}/active/$unit ]; then echo active; else echo inactive; code=3; fi ;;
    esac
done
exit ${{code:-0}}
"""
UNIT = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n\n[Install]\nWantedBy=multi-user.target\n"
MASK = {"id": "m", "kind": "unit", "keys": [], "name": "display-manager.service", "mask": True}
STAY = {"id": "u", "kind": "unit", "keys": [], "name": "wall.service", "content": UNIT, "enable": True, "stay": True}


class Machine:
    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tools = folder / "tools"
        (self.tools / "active").mkdir(parents=True)
        self.program("systemctl", SYSTEMCTL.format(folder=self.tools))
        self.program("systemd-analyze", "#!/bin/sh\nexit 0\n")
        monkeypatch.setitem(programs.CLEAN, "PATH", str(self.tools))
        self.root = Root(plant(folder / "root"))
        self.root.real = True
        self.state = State(folder / "state")
        self.state.folder.mkdir()

    def program(self, name: str, text: str) -> None:
        (self.tools / name).write_text(text)
        (self.tools / name).chmod(0o755)

    def want(self, *resources: dict[str, Any]) -> dict[str, str]:
        self.engine = Engine(self.state, self.root)
        self.engine.settle({"digest": "d", "resources": list(resources)})
        return {name: record["state"] for name, record in self.engine.resources.items()}

    def active(self, unit: str, on: bool | None = None) -> bool:
        place = self.tools / "active" / unit
        if on is not None:
            place.touch() if on else place.unlink()
        return place.exists()

    def path(self, inside: str) -> Path:
        return self.root.folder / inside.lstrip("/")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_what_must_not_run_is_stopped_and_runs_again_when_the_policy_goes(machine: Machine) -> None:
    machine.active("display-manager.service", on=True)
    assert machine.want(MASK) == {"m": "applied"}
    assert not machine.active("display-manager.service")
    assert str(machine.path("/etc/systemd/system/display-manager.service").readlink()) == "/dev/null"
    assert machine.want(MASK) == {"m": "applied"}
    machine.want()
    assert machine.active("display-manager.service")
    assert not machine.path("/etc/systemd/system/display-manager.service").is_symlink()


def test_what_did_not_run_before_is_not_started_when_the_policy_goes(machine: Machine) -> None:
    machine.want(MASK)
    machine.want()
    assert not machine.active("display-manager.service")


def test_what_must_run_and_was_stopped_is_started_again_and_told(machine: Machine) -> None:
    assert machine.want(STAY) == {"u": "applied"}
    assert machine.active("wall.service")
    assert machine.engine.tampered() == []
    machine.active("wall.service", on=False)
    assert machine.want(STAY) == {"u": "applied"}
    assert machine.active("wall.service")
    assert machine.engine.tampered() == ["/etc/systemd/system/wall.service"]
    machine.want()
    assert not machine.active("wall.service")


def test_a_unit_that_is_not_said_to_stay_may_be_stopped(machine: Machine) -> None:
    unit = {name: value for name, value in STAY.items() if name != "stay"}
    machine.want(unit)
    machine.active("wall.service", on=False)
    machine.want(unit)
    assert not machine.active("wall.service")
    assert machine.engine.tampered() == []


RULES = {"id": "r", "kind": "usb", "keys": [], "rules": ["allow id 1d6b:*"], "keep_attached": True}


def test_rules_are_there_before_usbguard_comes_and_are_judged_when_it_has_come(machine: Machine) -> None:
    assert machine.want(RULES) == {"r": "pending"}
    assert "allow id 1d6b:*\nblock\n" in machine.path("/etc/usbguard/rules.conf").read_text()
    machine.program("usbguard-daemon", "#!/bin/sh\n")
    machine.program("usbguard-rule-parser", "#!/bin/sh\nexit 0\n")
    assert machine.want(RULES) == {"r": "applied"}


def test_rules_that_nobody_can_judge_are_not_given_to_a_usbguard_that_is_there(machine: Machine) -> None:
    machine.program("usbguard-daemon", "#!/bin/sh\n")
    assert machine.want(RULES) == {"r": "unsupported"}
    assert not machine.path("/etc/usbguard/rules.conf").exists()
