"""What is wanted comes to be, can be taken back, and touches nothing else."""

import json
import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from agent import plan, programs
from agent.apply.engine import Engine
from agent.apply.targets import UnfitError, take_apart
from agent.roots import Root
from agent.state import State
from tests.sim.machine import plant

KEYFILE = (
    "[connection]\nid=stad\ntype=wifi\n\n[wifi]\nssid=stad\n\n[wifi-security]\nkey-mgmt=wpa-psk\npsk=geheim-geheim\n"
)
UNIT = "[Unit]\nDescription=Kiosk\n\n[Service]\nExecStart=/bin/true\n\n[Install]\nWantedBy=multi-user.target\n"
needs_nmcli = pytest.mark.skipif(programs.find("nmcli") is None, reason="nmcli is not installed")
needs_systemd = pytest.mark.skipif(programs.find("systemd-analyze") is None, reason="systemd-analyze is not installed")


def file(path: str, content: str = "wanted\n", **more: Any) -> dict[str, Any]:
    return {"id": path, "kind": "file", "keys": [], "path": path, "content": content, **more}


class Machine:
    """A root with an engine; ``want`` settles and returns the states."""

    def __init__(self, folder: Path) -> None:
        self.folder = plant(folder / "root")
        self.state = State(folder / "state")
        self.state.folder.mkdir()

    def want(self, *resources: dict[str, Any], insist: bool = False) -> dict[str, str]:
        self.engine = Engine(self.state, Root(self.folder))
        self.engine.settle({"digest": "d1", "resources": list(resources)}, insist=insist)
        return {name: record["state"] for name, record in self.engine.resources.items()}

    def detail(self, name: str) -> str:
        return self.engine.resources[name]["detail"]

    def path(self, inside: str) -> Path:
        return self.folder / inside.lstrip("/")

    def tree(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_file_is_written_with_its_mode_and_put_back_when_no_longer_wanted(machine: Machine) -> None:
    machine.path("/etc/motd").write_text("what was there\n")
    machine.path("/etc/motd").chmod(0o640)
    before = machine.tree()
    wanted = [file("/etc/motd", mode="0644"), file("/etc/sysctl.d/50-city.conf", "net.ipv4.ip_forward=0\n")]
    assert set(machine.want(*wanted).values()) == {"staged"}
    assert machine.path("/etc/motd").read_text() == "wanted\n"
    assert stat.S_IMODE(machine.path("/etc/motd").stat().st_mode) == 0o644
    machine.want()
    assert machine.tree() == before
    assert stat.S_IMODE(machine.path("/etc/motd").stat().st_mode) == 0o640


def test_settling_twice_is_like_once(machine: Machine) -> None:
    machine.want(file("/etc/motd"))
    saved = machine.state.file("applied.json").stat().st_mtime_ns
    written = machine.path("/etc/motd").stat().st_ino
    machine.want(file("/etc/motd"))
    assert machine.path("/etc/motd").stat().st_ino == written
    assert machine.state.file("applied.json").stat().st_mtime_ns == saved


def test_a_changed_wish_keeps_the_way_back_to_what_was_there_first(machine: Machine) -> None:
    machine.path("/etc/issue").write_text("Debian\n")
    machine.want(file("/etc/issue", "one\n"))
    machine.want(file("/etc/issue", "two\n"))
    assert machine.path("/etc/issue").read_text() == "two\n"
    machine.want()
    assert machine.path("/etc/issue").read_text() == "Debian\n"


def test_what_another_hand_changed_is_said_and_put_right(machine: Machine) -> None:
    machine.want(file("/etc/motd"))
    machine.path("/etc/motd").write_text("by another hand\n")
    machine.want(file("/etc/motd"))
    assert machine.engine.tampered() == ["/etc/motd"]
    assert machine.path("/etc/motd").read_text() == "wanted\n"
    machine.path("/etc/motd").unlink()
    machine.want(file("/etc/motd"))
    assert machine.path("/etc/motd").read_text() == "wanted\n"


def test_a_changed_wish_is_not_another_hand(machine: Machine) -> None:
    machine.want(file("/etc/motd", "one\n"))
    machine.want(file("/etc/motd", "two\n"))
    assert machine.engine.tampered() == []


@pytest.mark.parametrize(
    "path",
    [
        "/etc/shadow",
        "/etc/passwd",
        "/etc/sudoers.d/x",
        "/etc/cron.d/x",
        "/root/.ssh/authorized_keys",
        "/home/mo/x",
        "/etc/dconf/../shadow",
        "/etc/dconf//x",
        "/etc/dconf/",
        "/etc/dconf/a\nb",
        "etc/motd",
        "//etc/motd",
        "/etc/motd/..",
        "/var/lib/havenmeester-agent/identity.json",
        "/etc/systemd/system/x.service",
        "",
        7,
    ],
)
def test_nothing_is_written_outside_the_places_of_the_desired_state(machine: Machine, path: Any) -> None:
    before = machine.tree()
    assert machine.want({**file("/etc/motd"), "id": "x", "path": path}) == {"x": "unsupported"}
    assert machine.tree() == before


def test_a_link_on_the_way_is_never_followed(machine: Machine, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    machine.path("/etc/chromium").symlink_to(outside)
    states = machine.want({"id": "c", "kind": "chromium", "keys": [], "content": {"HomepageLocation": "https://a.be"}})
    assert states == {"c": "failed"}
    assert "is not a plain file" in machine.detail("c")
    assert list(outside.iterdir()) == []
    assert not machine.path("/etc/opt").exists()


def test_a_link_at_the_end_is_replaced_and_comes_back(machine: Machine, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not ours\n")
    machine.path("/etc/motd").symlink_to(secret)
    assert machine.want(file("/etc/motd")) == {"/etc/motd": "staged"}
    assert secret.read_text() == "not ours\n"
    assert not machine.path("/etc/motd").is_symlink()
    machine.want()
    assert machine.path("/etc/motd").readlink() == secret


def test_a_folder_in_the_place_of_a_file_is_left_alone(machine: Machine) -> None:
    machine.path("/etc/motd").mkdir()
    assert machine.want(file("/etc/motd")) == {"/etc/motd": "failed"}
    assert machine.path("/etc/motd").is_dir()
    assert machine.engine.paths == {}


@pytest.mark.parametrize(
    "more",
    [
        {"mode": "4755"},
        {"mode": "0666"},
        {"mode": 420},
        {"validate": "magic"},
        {"after": ["reboot"]},
        {"content": None},
        {"content": "x" * (1024 * 1024 + 1)},
    ],
)
def test_a_file_that_asks_for_what_we_do_not_do_is_not_written(machine: Machine, more: dict[str, Any]) -> None:
    assert machine.want({**file("/etc/motd"), **more}) == {"/etc/motd": "unsupported"}
    assert not machine.path("/etc/motd").exists()


def test_a_validator_that_says_no_keeps_the_old_file(machine: Machine) -> None:
    good = file("/etc/firefox/policies/policies.json", "{}", validate="json")
    assert machine.want(good) == {good["id"]: "staged"}
    assert machine.want({**good, "content": "{broken"}) == {good["id"]: "failed"}
    assert machine.path(good["path"]).read_text() == "{}"
    assert "not JSON" in machine.detail(good["id"])


def test_browser_policies_are_written_for_both_browsers(machine: Machine) -> None:
    content = {"HomepageLocation": "https://antwerpen.be", "URLBlocklist": ["*"]}
    machine.want({"id": "c", "kind": "chromium", "keys": [], "content": content})
    for browser in ("chromium", "opt/chrome"):
        text = machine.path(f"/etc/{browser}/policies/managed/havenmeester.json").read_text()
        assert json.loads(text) == content


@needs_nmcli
def test_a_network_is_checked_by_networkmanager_and_readable_by_root_only(machine: Machine) -> None:
    wifi = {"id": "w", "kind": "network", "keys": [], "name": "stad", "content": KEYFILE}
    assert machine.want(wifi) == {"w": "staged"}
    place = machine.path("/etc/NetworkManager/system-connections/stad.nmconnection")
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert "geheim" not in json.dumps(machine.engine.section())
    assert machine.want({**wifi, "content": KEYFILE.replace("ssid=stad\n", "")}) == {"w": "failed"}
    assert "ssid" in machine.detail("w")
    assert place.read_text() == KEYFILE


@pytest.mark.parametrize("name", ["../../motd", "a/b", "", ".hidden", "a\nb"])
def test_a_network_cannot_be_named_out_of_its_folder(machine: Machine, name: str) -> None:
    wifi = {"id": "w", "kind": "network", "keys": [], "name": name, "content": KEYFILE}
    assert machine.want(wifi) == {"w": "unsupported"}


@needs_systemd
def test_a_unit_is_verified_and_enabled_by_its_own_install_section(machine: Machine) -> None:
    unit = {"id": "u", "kind": "unit", "keys": [], "name": "kiosk.service", "content": UNIT, "enable": True}
    assert machine.want(unit) == {"u": "staged"}
    link = machine.path("/etc/systemd/system/multi-user.target.wants/kiosk.service")
    assert str(link.readlink()) == "/etc/systemd/system/kiosk.service"
    machine.want({**unit, "enable": False})
    assert not link.is_symlink()
    assert machine.path("/etc/systemd/system/kiosk.service").exists()
    machine.want()
    assert not machine.path("/etc/systemd/system/kiosk.service").exists()


@needs_systemd
def test_a_unit_that_systemd_would_refuse_is_not_written(machine: Machine) -> None:
    unit = {"id": "u", "kind": "unit", "keys": [], "name": "kiosk.service", "content": "[Service]\n", "enable": True}
    assert machine.want(unit) == {"u": "failed"}
    assert not machine.path("/etc/systemd/system/kiosk.service").exists()


@pytest.mark.parametrize("name", ["havenmeester-agent.service", "../x.service", "x", "x.service/y", "-x.service"])
def test_a_unit_cannot_take_the_agents_place_or_leave_its_folder(machine: Machine, name: str) -> None:
    unit = {"id": "u", "kind": "unit", "keys": [], "name": name, "content": UNIT, "enable": True}
    assert machine.want(unit) == {"u": "unsupported"}


def test_two_resources_for_one_path_are_told_and_the_first_stands(machine: Machine) -> None:
    states = machine.want({**file("/etc/motd", "a"), "id": "a"}, {**file("/etc/motd", "b"), "id": "b"})
    assert states == {"a": "staged", "b": "failed"}
    assert "already written by a" in machine.detail("b")
    assert machine.path("/etc/motd").read_text() == "a"


def test_packages_are_compared_with_what_somebody_installed_on_purpose(machine: Machine) -> None:
    wish = {
        "id": "p",
        "kind": "packages",
        "keys": [],
        "required": ["chromium", "cups"],
        "allowed": ["openssl"],
        "blocked": ["telnetd"],
    }
    assert machine.want(wish) == {"p": "pending"}
    section = machine.engine.section()
    assert section["packages_missing"] == ["cups"]
    assert section["packages_extra"] == ["sl"]  # libnss3 came along by itself, base-files is part of every Debian.
    assert section["packages_blocked"] == []
    assert machine.want({**wish, "required": [], "blocked": ["sl"]}) == {"p": "pending"}
    assert machine.engine.section()["packages_blocked"] == ["sl"]
    assert machine.want({**wish, "required": ["chromium"], "allowed": None}) == {"p": "applied"}


@pytest.mark.parametrize("names", [["-o=evil"], ["a b"], ["../x"], "cups", [7]])
def test_a_package_name_that_could_be_an_option_is_refused(machine: Machine, names: Any) -> None:
    wish = {"id": "p", "kind": "packages", "keys": [], "required": names, "allowed": None, "blocked": []}
    assert machine.want(wish) == {"p": "unsupported"}


def test_a_crash_between_the_note_and_the_write_is_finished_and_is_not_another_hand(machine: Machine) -> None:
    machine.path("/etc/motd").write_text("first\n")
    machine.want(file("/etc/motd"))
    saved = machine.state.read("applied.json")
    saved["paths"]["/etc/motd"]["done"] = False
    machine.state.save("applied.json", saved)
    machine.path("/etc/motd").write_text("first\n")
    machine.want(file("/etc/motd"))
    assert machine.engine.tampered() == []
    assert machine.path("/etc/motd").read_text() == "wanted\n"
    machine.want()
    assert machine.path("/etc/motd").read_text() == "first\n"


def test_kept_contents_go_when_nothing_leads_back_to_them(machine: Machine) -> None:
    machine.path("/etc/motd").write_text("first\n")
    machine.want(file("/etc/motd"))
    assert len(list(machine.state.file("before").iterdir())) == 1
    machine.want()
    assert list(machine.state.file("before").iterdir()) == []


def test_what_failed_rests_until_it_is_asked_for_or_asks_for_something_else() -> None:
    one = take_apart(file("/etc/motd"))
    record: plan.ResourceRecord = {"spec": one.spec, "state": "failed", "detail": "", "at": 1000}
    there = {"/etc/motd": "absent"}

    def writes(now: int, known: plan.ResourceRecord, *, insist: bool = False) -> bool:
        return bool(plan.make_plan([one], {}, {one.id: known}, there, now, insist=insist).write)

    assert not writes(1001, record)
    assert writes(1001, record, insist=True)
    assert writes(1000 + plan.RETRY_SECONDS, record)
    assert writes(900, record)  # The clock was set back.
    assert writes(1001, {**record, "spec": "another"})


def test_everything_that_the_interpreter_renders_is_applied_and_taken_back_to_the_last_byte(machine: Machine) -> None:
    from tests.platforms.linux_settings import EVERYTHING, LINUX

    before = machine.tree()
    states = machine.want(*LINUX.render(EVERYTHING, []))
    assert {name: state for name, state in states.items() if state != "staged"} == {"apps.packages": "pending"}
    assert machine.want(*LINUX.render(EVERYTHING, [])) == states
    assert machine.engine.tampered() == []
    assert machine.engine.put_all_back() == []
    assert machine.tree() == before


def test_a_resource_that_is_no_resource_breaks_nothing(machine: Machine) -> None:
    engine = Engine(machine.state, Root(machine.folder))
    engine.settle({"digest": "d", "resources": [None, 3, {}, {"id": 4}, {"id": "a", "kind": []}, file("/etc/motd")]})
    assert engine.resources["/etc/motd"]["state"] == "staged"
    assert engine.resources["a"]["state"] == "unsupported"


def test_an_unfit_resource_says_why() -> None:
    with pytest.raises(UnfitError, match="not among the places"):
        take_apart(file("/etc/shadow"))


@pytest.mark.skipif(os.geteuid() == 0 or shutil.which("true") is None, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_said(machine: Machine) -> None:
    machine.path("/etc").chmod(0o500)
    assert machine.want(file("/etc/motd")) == {"/etc/motd": "failed"}
