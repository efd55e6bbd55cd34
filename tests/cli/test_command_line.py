"""The command line as a script sees it: exit codes, sentences on standard error, JSON on standard output."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mdm.cli.main import COMMANDS, run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder that the configuration points to."""
    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path))
    return tmp_path


def test_help_names_every_command_and_loads_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name, (_module, line) in COMMANDS.items() if line)
    heavy = "import sys; from mdm.cli.main import run; run(['--help']); print('sqlalchemy' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert told.stdout.strip().endswith("False")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    assert "Usage" in capsys.readouterr().out


def test_help_is_fast() -> None:
    begun = time.monotonic()
    subprocess.run([sys.executable, "-m", "mdm.cli.main", "--help"], capture_output=True, check=True)
    assert time.monotonic() - begun < 3


def test_a_wrong_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["devicez"]) == 2
    assert "No such command" in capsys.readouterr().err


def test_version_answers_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["version", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["flask"]


def test_a_wrong_setting_is_named_with_its_mend(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HAVENMEESTER_CONSOLE_PORT", "many")
    assert run(["database", "check"]) == 3
    told = capsys.readouterr().err
    assert "console_port is wrong" in told
    assert "To mend it: Set HAVENMEESTER_CONSOLE_PORT" in told


def test_a_database_that_does_not_answer_is_unavailable(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HAVENMEESTER_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert run(["database", "check"]) == 4
    assert "The database does not answer" in capsys.readouterr().err


def test_a_database_that_is_not_there_is_a_matter_of_configuration(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["database", "check", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["good"] is False
    assert list(home.iterdir()) == []
