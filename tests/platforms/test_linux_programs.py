"""The programs of a Linux device read what is rendered for it, and our own agent puts it in place and takes it back."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent import wire
from agent.apply import software, targets, usb
from agent.apply.engine import Engine
from agent.collect import screenlock
from agent.roots import Root
from agent.state import State
from tests.platforms.linux_settings import EVERYTHING, LINUX, read_ini

Ask = Callable[[dict[str, Any], Path], subprocess.CompletedProcess[bytes]]


def nmcli(resource: dict[str, Any], _folder: Path) -> subprocess.CompletedProcess[bytes]:
    command = ["nmcli", "--offline", "connection", "modify", "connection.autoconnect-retries", "-1"]
    return subprocess.run(command, input=resource["content"].encode(), capture_output=True, check=False)


def systemd(resource: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[bytes]:
    path = folder / resource["name"]
    path.write_text(resource["content"])
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(path)]
    return subprocess.run(command, capture_output=True, check=False)


def nft(resource: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[bytes]:
    path = folder / "nftables.conf"
    path.write_text(resource["content"])
    return subprocess.run(["nft", "-c", "-f", str(path)], capture_output=True, check=False)


def apt(resource: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[bytes]:
    path = folder / "90apt"
    path.write_text(resource["content"])
    return subprocess.run(["apt-config", "-c", str(path), "dump"], capture_output=True, check=False)


def usbguard(resource: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[bytes]:
    path = folder / "rules.conf"
    path.write_text(usb.content(resource))
    return subprocess.run(["usbguard-rule-parser", "-f", str(path)], capture_output=True, check=False)


def shell(resource: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[bytes]:
    path = folder / "script"
    path.write_text(resource["content"])
    return subprocess.run(["bash", "-n", str(path)], capture_output=True, check=False)


@pytest.mark.parametrize(
    ("program", "kind", "ask"),
    [
        ("nmcli", "network", nmcli),
        ("systemd-analyze", "unit", systemd),
        ("nft", "nft", nft),
        ("apt-config", "apt", apt),
        ("usbguard-rule-parser", "usb", usbguard),
        ("bash", "shell", shell),
    ],
)
def test_the_real_programs_can_read_what_is_rendered(tmp_path: Path, program: str, kind: str, ask: Ask) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed: what is rendered for it was only read back by this test's own reader")
    resources = [
        one for one in LINUX.render(EVERYTHING, []) if kind in (one["kind"], one.get("validate")) and "mask" not in one
    ]

    assert resources
    for one in resources:
        answer = ask(one, tmp_path)
        assert answer.returncode == 0, (one["id"], answer.stderr.decode())


def test_networkmanager_reads_the_network_that_was_meant(tmp_path: Path) -> None:
    if shutil.which("nmcli") is None:
        pytest.skip("nmcli is not installed")
    values = {"wifi.networks": [EVERYTHING["wifi.networks"][1]]}
    [network] = LINUX.render(values, [])

    told = nmcli(network, tmp_path).stdout.decode()

    parser = read_ini(told)
    assert parser["wifi-security"]["psk"] in ("\\sleading\\\\backslash", " leading\\\\backslash")
    assert parser["wifi"]["ssid"].replace("\\", "") in ("65;66;", "54;53;59;54;54;59;")


def test_a_broken_unit_is_refused_by_the_same_program(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")

    answer = systemd({"name": "x.service", "content": "[Service]\nExecStart=relative/path\n"}, tmp_path)

    assert answer.returncode != 0


def test_our_own_agent_can_take_apart_every_resource() -> None:
    for one in LINUX.render(EVERYTHING, []):
        if one["kind"] == "packages":
            assert software.read_wish(one).blocked == ("steam", "vlc")
        else:
            assert targets.take_apart(one).targets


def test_our_own_agent_puts_everything_in_place_sees_it_and_takes_it_all_back(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "state").mkdir()
    root = Root(tmp_path / "root")
    engine = Engine(State(tmp_path / "state"), root)
    resources = [one for one in LINUX.render(EVERYTHING, []) if one["kind"] != "packages"]

    engine.settle({"digest": wire.short_digest(resources), "resources": resources})
    states = {name: one["state"] for name, one in engine.section()["resources"].items()}
    lock = screenlock.collect(root)
    engine.settle({"digest": wire.short_digest([]), "resources": []})

    assert states == {one["id"]: "staged" for one in resources}
    assert (lock["enabled"], lock["timeout_seconds"]) == (True, 305)
    assert [path for path in (tmp_path / "root").rglob("*") if path.is_file()] == []
