"""The systemd units that docs/operate.md gives are units: ``systemd-analyze verify`` finds nothing in them."""

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "operate.md"
INSTALLED = "/opt/havenmeester/bin/havenmeester"
UNIT = re.compile(r"^    # /etc/systemd/system/([a-z-]+\.service).*\n((?:    .*\n)+)", re.MULTILINE)


def units() -> dict[str, str]:
    """Name and text of each unit on the page."""
    return {name: textwrap.dedent(text) for name, text in UNIT.findall(PAGE.read_text(encoding="utf-8"))}


def verified(folder: Path, name: str, text: str) -> str:
    """What systemd finds wrong with a unit; empty when nothing."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze: not installed; nobody read the units of docs/operate.md")
    command = Path(sys.executable).with_name("havenmeester")
    path = folder / name
    path.write_text(text.replace(INSTALLED, str(command)), encoding="utf-8")
    outcome = subprocess.run([program, "verify", "--man=no", path], capture_output=True, text=True, check=False)
    lines = [line for line in outcome.stderr.splitlines() if name in line or str(path) in line]
    return "\n".join(lines) or ("" if outcome.returncode == 0 else outcome.stderr)


@pytest.mark.parametrize("name", units())
def test_the_units_of_the_page_are_units(tmp_path: Path, name: str) -> None:
    assert verified(tmp_path, name, units()[name]) == ""


def test_the_page_has_them_all_and_a_wrong_one_is_noticed(tmp_path: Path) -> None:
    assert units().keys() == {"havenmeester-signer.service", "havenmeester-console.service"}
    name = "havenmeester-signer.service"
    assert "restart specifier" in verified(tmp_path, name, units()[name].replace("Restart=always", "Restart=sometimes"))


DISCOVERY = re.compile(
    r"^    # /etc/systemd/system/([a-z@-]+\.(?:service|socket))\n((?:    (?!# /).*\n)+)", re.MULTILINE
)


def test_the_units_that_listen_to_networks_are_units(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze: not installed; nobody read the units of docs/discovery.md")
    page = PAGE.with_name("discovery.md").read_text(encoding="utf-8")
    found = {name: textwrap.dedent(text) for name, text in DISCOVERY.findall(page)}
    assert found.keys() == {"havenmeester-discovery.socket", "havenmeester-discovery@.service"}
    for name, text in found.items():
        text = text.replace("/opt/havenmeester/.venv/bin/python", sys.executable)
        (tmp_path / name).write_text(text, encoding="utf-8")
    names = [tmp_path / "havenmeester-discovery.socket", tmp_path / "havenmeester-discovery@.service"]
    said = subprocess.run(
        [program, "verify", "--man=no", *names], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert [line for line in said.stderr.splitlines() if "discovery" in line] == []
