"""``havenmeester up`` as a person meets it: it starts, a link is printed, nothing is left behind, nothing is lost."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from mdm.cli.work import work
from mdm.inventory.model import Device
from tests.conftest import free_port


class Up:
    """One home with ports of its own, and the process that keeps it running."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HAVENMEESTER_")}
        self.env = kept | {
            "HAVENMEESTER_HOME": str(home),
            "HAVENMEESTER_CONSOLE_PORT": str(self.port),
            "HAVENMEESTER_GATEWAY_PORT": str(free_port()),
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.home.parent / "up.log"

    def start(self, *options: str, limit: float = 180) -> str:
        """Starts it and returns what it printed until it was ready."""
        with self.log.open("wb") as sink:
            argv = [sys.executable, "-m", "mdm.cli.main", "up", *options]
            self.process = subprocess.Popen(argv, stdout=sink, stderr=sink, env=self.env, start_new_session=True)
        end = time.monotonic() + limit
        while "Ctrl-C stops everything." not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.1)
        return self.log.read_text()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "mdm.cli.main", *arguments]
        return subprocess.run(argv, capture_output=True, text=True, env=self.env, check=False, timeout=60)

    def stop(self, number: int = signal.SIGINT) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(30)

    def alive(self) -> list[str]:
        """Command lines of processes that still work for this home."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                environment, line = (path / "environ").read_bytes(), (path / "cmdline").read_bytes()
            except OSError:
                continue
            if f"HAVENMEESTER_HOME={self.home}\0".encode() in environment and line:
                found.append(line.replace(b"\0", b" ").decode(errors="replace"))
        return found

    def gone(self, limit: float = 15) -> bool:
        end = time.monotonic() + limit
        while self.alive() and time.monotonic() < end:
            time.sleep(0.1)
        return not self.alive()


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    one = Up(tmp_path / "home")
    yield one
    if one.process is not None:
        one.stop()


def enrolled(up: Up, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("HAVENMEESTER_HOME", str(up.home))
    with work(write=False) as call:
        query = select(Device.serial).where(Device.enrolled_at.is_not(None), Device.last_seen_at.is_not(None))
        return sorted(serial or "" for serial in call.session.scalars(query))


def devices(up: Up, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("HAVENMEESTER_HOME", str(up.home))
    with work(write=False) as call:
        return call.session.scalar(select(func.count(Device.id))) or 0


def test_it_starts_answers_and_stops_and_a_second_one_is_refused(up: Up) -> None:
    told = up.start("--no-demo")
    assert "havenmeester operator add EMAIL" in told
    with urllib.request.urlopen(f"http://localhost:{up.port}/healthz", timeout=10) as answer:
        assert answer.status == 200
    with urllib.request.urlopen(f"http://localhost:{up.port}/metrics", timeout=10) as answer:
        assert "havenmeester_worker_leads 1.0" in answer.read().decode()
    forwarded = urllib.request.Request(f"http://localhost:{up.port}/metrics", headers={"X-Forwarded-For": "192.0.2.1"})
    with pytest.raises(urllib.error.HTTPError, match="404") as refused:
        urllib.request.urlopen(forwarded, timeout=10)
    refused.value.close()
    second = up.run("up", "--no-demo")
    assert second.returncode == 3
    assert "already" in second.stderr
    begun = time.monotonic()
    assert up.stop() == 0
    assert time.monotonic() - begun < 20
    assert up.gone()
    assert up.log.read_text().rstrip().endswith("havenmeester up")


def test_when_it_is_killed_its_children_end_too(up: Up) -> None:
    up.start("--no-demo")
    up.stop(signal.SIGKILL)
    assert up.gone(), up.alive()


def test_a_port_that_is_taken_is_named_with_its_key_and_nothing_is_left(up: Up) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", up.port))
        taken.listen()
        done = up.run("up", "--no-demo")
    assert done.returncode == 3
    assert f"Port {up.port} of localhost cannot be used" in done.stderr
    assert "HAVENMEESTER_CONSOLE_PORT" in done.stderr
    assert up.gone()


def test_the_demonstration_enrols_eight_agents_and_a_second_start_loses_nothing(
    up: Up, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = up.start()
    link = re.search(r"Sign in once, within 15 minutes: (\S+)", told)
    assert link is not None
    with urllib.request.urlopen(link.group(1), timeout=10) as answer:
        assert answer.status == 200
    end = time.monotonic() + 60
    while len(enrolled(up, monkeypatch)) < 8:
        assert time.monotonic() < end, enrolled(up, monkeypatch)
        time.sleep(0.5)
    before = enrolled(up, monkeypatch), devices(up, monkeypatch)
    assert up.stop() == 0
    told = up.start()
    assert "Pilot" not in told
    assert "Enrolling" not in told
    assert (enrolled(up, monkeypatch), devices(up, monkeypatch)) == before
    assert up.stop() == 0
    assert up.gone()
