"""What the supervisor promises: ready means ready, a crash is mended with back-off, stop leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mdm.cli import supervisor
from mdm.cli.supervisor import Service, Supervisor


def program(folder: Path, name: str, code: str, *, rank: int = 0, patience: float = 2.0) -> Service:
    """A service that writes ``NAME.ready`` once it runs; ``code`` says what it does afterwards."""
    ready = folder / f"{name}.ready"
    text = f"import os, pathlib, signal, sys, time\npathlib.Path({str(ready)!r}).write_text(str(os.getpid()))\n{code}"
    return Service(name, (sys.executable, "-c", text), ready.exists, rank=rank, patience=patience)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def until(true: Callable[[], bool], watched: Supervisor, limit: float = 10) -> None:
    end = time.monotonic() + limit
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        watched.tick()
        time.sleep(0.02)


SLEEP = "time.sleep(60)"


def test_everything_is_ready_before_the_wait_ends_and_gone_after_the_stop(tmp_path: Path) -> None:
    watched = Supervisor([program(tmp_path, "one", SLEEP), program(tmp_path, "two", SLEEP)], tmp_path / "log", print)
    watched.start()
    assert watched.wait_ready(10) == []
    pids = [int((tmp_path / f"{name}.ready").read_text()) for name in ("one", "two")]
    watched.stop()
    assert all(gone(pid) for pid in pids)


def test_a_killed_child_is_started_again_and_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "BACK_OFF", (0.1,))
    told: list[str] = []
    watched = Supervisor([program(tmp_path, "one", SLEEP)], tmp_path / "log", told.append)
    watched.start()
    watched.wait_ready(10)
    first = int((tmp_path / "one.ready").read_text())
    os.kill(first, signal.SIGKILL)
    until(lambda: int((tmp_path / "one.ready").read_text() or first) != first, watched)
    watched.stop()
    assert told[0].startswith("one was ended by signal 9 and starts again in 0.1 s")


def test_a_child_that_cannot_start_is_named_with_its_last_words_and_waits_longer_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "BACK_OFF", (0.05, 0.1))
    told: list[str] = []
    broken = Service("broken", (sys.executable, "-c", "raise SystemExit('the key is missing')"), lambda: False)
    watched = Supervisor([broken], tmp_path / "log", told.append)
    watched.start()
    until(lambda: sum("starts again" in line for line in told) >= 2, watched)
    watched.stop()
    assert watched.waiting_for() == ["broken"]
    assert "ended with code 1 and starts again in 0.05 s" in told[0]
    assert told[1] == "  its last line: the key is missing"
    assert "starts again in 0.1 s" in told[2]


def test_a_tied_program_ends_with_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    said = tmp_path / "pid"
    child = f"import os, pathlib, time; pathlib.Path({str(said)!r}).write_text(str(os.getpid())); time.sleep(60)"
    parent = (
        "import os, subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-m', 'mdm.operation.parent', str(os.getpid()), '-c', {child!r}])\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", parent]) as process:
        end = time.monotonic() + 20
        while not (said.exists() and said.read_text()):
            assert time.monotonic() < end, "the tied program did not start"
            time.sleep(0.02)
        process.kill()
    end = time.monotonic() + 10
    while not gone(int(said.read_text())):
        assert time.monotonic() < end, "the tied program outlived its parent"
        time.sleep(0.02)


def test_what_ignores_the_signal_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    child = tmp_path / "grandchild"
    code = (
        "import subprocess\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(child)!r}).write_text(str(p.pid))\ntime.sleep(60)"
    )
    told: list[str] = []
    watched = Supervisor([program(tmp_path, "deaf", code, patience=0.3)], tmp_path / "log", told.append)
    watched.start()
    watched.wait_ready(10)
    until(lambda: child.exists() and child.read_text() != "", watched)
    watched.stop()
    assert told == ["deaf did not stop within 0.3 s and is killed"]
    time.sleep(0.1)
    state = Path(f"/proc/{child.read_text()}/stat")
    assert not state.exists() or state.read_text().split()[2] == "Z"


def test_the_highest_rank_stops_first(tmp_path: Path) -> None:
    order = tmp_path / "order"
    code = (
        "def end(*_):\n    with open({path!r}, 'a') as f: f.write({name!r})\n    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\npathlib.Path({path!r} + {name!r}).touch()\ntime.sleep(60)"
    )
    services = [
        program(tmp_path, name, code.format(path=str(order), name=name), rank=rank)
        for name, rank in (("a", 1), ("c", 3), ("b", 2))
    ]
    watched = Supervisor(services, tmp_path / "log", print)
    watched.start()
    until(lambda: all(Path(f"{order}{name}").exists() for name in "abc"), watched)
    watched.stop()
    assert order.read_text() == "cba"


def test_a_log_of_another_day_is_begun_anew_when_something_starts(tmp_path: Path) -> None:
    logs = tmp_path / "log"
    logs.mkdir()
    (logs / "one.log").write_text("x" * 200)
    watched = Supervisor([program(tmp_path, "one", SLEEP)], logs, print)
    watched.start()
    watched.wait_ready(10)
    watched.stop()
    assert [path.read_text() for path in logs.glob("one.log.*")] == ["x" * 200]
    assert (logs / "one.log").read_text() == ""
