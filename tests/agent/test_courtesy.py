"""An edit of a kiosk's session waits for the citizen who is there; what is blocked is blocked at once."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from agent.kiosk import courtesy, used
from mdm.platforms.linux.render import LinuxInterpreter
from tests.agent.test_apply_units import Machine

UNIT = "havenmeester-kiosk.service"
PLACE = f"/etc/systemd/system/{UNIT}"
POLICY = "/etc/chromium/policies/managed/havenmeester.json"


def kiosk(address: str) -> list[dict[str, Any]]:
    rendered = LinuxInterpreter().render({"kiosk.url": address}, [])
    return [
        one for one in rendered if one["id"] in ("kiosk.session", "kiosk.script", "kiosk.greeter", "browser.policy")
    ]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine(tmp_path, monkeypatch)
    # A root that says it is the real one is asked for paths of this machine.
    monkeypatch.setattr(used, "STAMP", str(tmp_path / "used"))
    monkeypatch.setattr(courtesy, "FINISHED", str(tmp_path / "finished"))
    for program in ("bash", "systemd-analyze"):
        found.program(program, "#!/bin/sh\nexit 0\n")
    assert set(found.want(*kiosk("https://a.stad.example/")).values()) == {"applied"}
    return found


def read(machine: Machine, path: str) -> str:
    place = machine.root.folder / path[1:]
    return place.read_text() if place.exists() else ""


def touch(machine: Machine, age: float = 5) -> None:
    Path(used.STAMP).touch()
    at = time.time() - age
    os.utime(used.STAMP, (at, at))


def restarts(machine: Machine) -> int:
    return (machine.tools / "asked").read_text().count(f"restart -- {UNIT}")


def test_a_citizen_keeps_the_session_while_the_new_site_is_allowed_at_once(machine: Machine) -> None:
    touch(machine)
    before = restarts(machine)
    for _ in range(2):
        states = machine.want(*kiosk("https://b.stad.example/"))
        assert (states["kiosk.session"], states["browser.policy"]) == ("pending", "applied")
    assert machine.engine.resources["kiosk.session"]["detail"] == courtesy.WAITING
    assert "b.stad.example" in read(machine, POLICY)
    assert "a.stad.example" in read(machine, PLACE)
    assert restarts(machine) == before


def test_after_the_citizen_it_is_applied_once(machine: Machine) -> None:
    touch(machine)
    machine.want(*kiosk("https://b.stad.example/"))
    before = restarts(machine)
    Path(used.STAMP).unlink()
    for _ in range(2):
        assert machine.want(*kiosk("https://b.stad.example/"))["kiosk.session"] == "applied"
    assert "b.stad.example" in read(machine, PLACE)
    assert (restarts(machine), machine.engine.waiting) == (before + 1, 0)


def test_nobody_keeps_it_longer_than_an_hour(machine: Machine) -> None:
    touch(machine)
    machine.want(*kiosk("https://b.stad.example/"))
    saved = machine.state.read("applied.json")
    machine.state.save("applied.json", {**saved, "waiting": int(time.time()) - courtesy.LONGEST})
    # Another edit meanwhile does not begin the hour anew.
    assert machine.want(*kiosk("https://c.stad.example/"))["kiosk.session"] == "applied"


@pytest.mark.parametrize("sign", ["finished", "old"])
def test_a_citizen_who_has_gone_keeps_nothing(machine: Machine, sign: str) -> None:
    touch(machine, courtesy.LONGEST + 1 if sign == "old" else 5)
    if sign == "finished":
        Path(courtesy.FINISHED).touch()
    assert machine.want(*kiosk("https://b.stad.example/"))["kiosk.session"] == "applied"


def test_a_kiosk_that_is_to_be_none_stays_one_until_the_citizen_has_gone(machine: Machine) -> None:
    touch(machine)
    machine.want()
    assert "a.stad.example" in read(machine, PLACE)
    assert read(machine, POLICY) == ""
    Path(used.STAMP).unlink()
    machine.want()
    assert read(machine, PLACE) == ""


def test_who_takes_everything_back_waits_for_nobody(machine: Machine) -> None:
    touch(machine)
    assert machine.engine.put_all_back() == []
    assert read(machine, PLACE) == ""
