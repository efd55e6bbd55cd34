"""The short hold on a computer's desktop: stopped it leaves nothing, pressed again it leaves at once, and it is never lost.

The programs that ask are small scripts of the test, started as true processes; the spool is a true folder.
"""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent import panic, panic_hold, programs
from agent.panic_words import WORDS, spoken

WORDS_HERE = WORDS["en"]
Desk = Callable[..., dict[str, str]]


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desktop on which these programs are installed: name → what their script does."""

    def make(**scripts: str) -> dict[str, str]:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name, script in scripts.items():
            path = folder / name.replace("_", "-")
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)
        monkeypatch.setitem(programs.CLEAN, "PATH", f"{folder}:/usr/bin:/bin" if scripts else str(folder))
        return {"XDG_RUNTIME_DIR": str(tmp_path), "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere", "DISPLAY": ":9"}

    return make


def _waits(spool: Path) -> list[float]:
    return [call.wait(time.time()) for call in panic.waiting(spool)]


def test_stopped_in_time_nothing_is_left_to_send(desk: Desk, spool: Path) -> None:
    said = panic_hold.press(spool, 10, WORDS_HERE, environment=desk(notify_send="echo stop"))
    assert said == panic_hold.Held(None, stopped=True)
    assert list(spool.iterdir()) == []


def test_with_an_older_desktop_the_other_question_is_shown(desk: Desk, spool: Path) -> None:
    said = panic_hold.press(spool, 10, WORDS_HERE, environment=desk(notify_send="exit 1", zenity="sleep 0.5; exit 1"))
    assert said.stopped
    assert list(spool.iterdir()) == []


@pytest.mark.parametrize(
    "scripts",
    [
        {},
        {"notify_send": "echo now"},
        {"notify_send": "exit 1", "zenity": "exit 0"},
        {"notify_send": "exit 1"},
        {"notify_send": "exit 1", "zenity": "echo 'cannot open display: :9' >&2; exit 1"},
    ],
    ids=["nothing-to-show", "now", "now-in-the-window", "cannot-be-shown", "no-screen"],
)
def test_where_nothing_stops_it_or_now_is_said_it_leaves_at_once(
    desk: Desk, spool: Path, scripts: dict[str, str]
) -> None:
    said = panic_hold.press(spool, 10, WORDS_HERE, environment=desk(**scripts))
    assert said.path is not None
    assert _waits(spool) == [0.0]


def test_it_lies_in_the_spool_from_the_press_on_and_leaves_by_itself(desk: Desk, spool: Path) -> None:
    environment = desk(notify_send="exec sleep 60")
    begun = time.monotonic()
    pressing = threading.Thread(
        target=panic_hold.press, args=(spool, 1.0, WORDS_HERE), kwargs={"environment": environment}
    )
    pressing.start()
    while not (waits := _waits(spool)):
        assert time.monotonic() < begun + 60
    assert waits[0] > 0
    pressing.join(60)
    assert len(panic.waiting(spool)) == 1


def test_pressed_again_or_held_down_it_is_the_same_call_and_leaves_at_once(
    desk: Desk, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panic_hold, "HELD", 0.2)
    environment = desk(notify_send="exec sleep 60")
    found: list[panic_hold.Held] = []
    pressing = threading.Thread(
        target=lambda: found.append(panic_hold.press(spool, 10, WORDS_HERE, environment=environment))
    )
    pressing.start()
    end = time.monotonic() + 60
    while pressing.is_alive() and time.monotonic() < end:
        if panic.waiting(spool):
            assert panic_hold.press(spool, 10, WORDS_HERE, environment=environment).path is None
        time.sleep(0.05)
    assert found[0].path is not None
    assert [call.path for call in panic.waiting(spool)] == [found[0].path]
    assert _waits(spool) == [0.0]


def test_a_true_press_never_waits_for_a_practised_one(desk: Desk, spool: Path) -> None:
    environment = desk(notify_send="exec sleep 60")
    practising = threading.Thread(
        target=panic_hold.press,
        args=(spool, 1.5, WORDS_HERE),
        kwargs={"environment": environment, "exercise": True},
    )
    practising.start()
    end = time.monotonic() + 60
    while not panic.waiting(spool):
        assert time.monotonic() < end
    said = panic_hold.press(spool, 10, WORDS_HERE, environment=environment)
    assert said.path is not None
    true, practised = sorted(panic.waiting(spool), key=lambda call: call.exercise)
    assert (true.path, true.wait(time.time())) == (said.path, 0.0)
    assert practised.exercise
    practising.join(60)


def test_who_asks_to_be_held_for_long_or_sets_the_clock_is_not_believed(spool: Path) -> None:
    kept = panic.press(spool)
    told = json.loads(kept.read_text())
    for hold, at in ((3600, told["at"]), (-1, told["at"]), (True, told["at"]), ("9", told["at"]), (5, told["at"] + 99)):
        kept.write_text(json.dumps(told | {"hold": hold, "at": at}))
        assert _waits(spool) == [0.0], hold


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "nl_BE.UTF-8"}, "nl"),
        ({"LANGUAGE": "ar:en", "LANG": "nl_BE.UTF-8"}, "ar"),
        ({"LANG": "nlx"}, "en"),
        ({"LC_ALL": "C.UTF-8", "LANG": "tr_TR"}, "tr"),
        ({}, "en"),
    ],
)
def test_it_speaks_the_language_of_the_desktop(environment: dict[str, str], language: str) -> None:
    assert spoken(environment) == WORDS[language]
    assert all(sentence.strip() for sentence in WORDS[language])


def test_a_desktop_without_notes_is_asked_in_a_window_though_the_note_waits_for_ever(desk: Desk, spool: Path) -> None:
    waits = "echo 'Actions are not supported by this notifications server.' >&2; exec sleep 60"
    said = panic_hold.press(
        spool, 10, WORDS_HERE,
        environment=desk(notify_send=waits, zenity="echo 'Gtk: Locale not supported' >&2; sleep 0.5; exit 1"),
    )  # fmt: skip
    assert said == panic_hold.Held(None, stopped=True)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Whoever runs the tests in the background of a shell ignores interrupts, and so would every program that they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_the_question_is_off_the_screen_when_nothing_can_be_stopped_any_more(
    desk: Desk, spool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panic_hold, "TAKEN_OFF", 60)
    off, ready = tmp_path / "off", tmp_path / "ready"
    shown = f"trap 'echo off > {off}; exit 0' INT\ntouch {ready}\nwhile true; do sleep 0.05; done"
    environment = desk(notify_send=shown)
    pressing = threading.Thread(
        target=panic_hold.press, args=(spool, panic.MOST_HELD, WORDS_HERE), kwargs={"environment": environment}
    )
    pressing.start()
    end = time.monotonic() + 60
    while not ready.exists() and time.monotonic() < end:
        time.sleep(0.02)
    panic_hold.sooner(panic.waiting(spool)[0].path)
    pressing.join(60)
    assert off.read_text() == "off\n"


def test_a_key_that_is_still_down_when_it_has_left_makes_no_second_call(desk: Desk, spool: Path) -> None:
    environment = desk(notify_send="echo now")
    first = panic_hold.press(spool, 10, WORDS_HERE, environment=environment)
    assert panic_hold.press(spool, 10, WORDS_HERE, environment=environment) == panic_hold.Held(None)
    practised = panic_hold.press(spool, 10, WORDS_HERE, exercise=True, environment=environment)
    true = panic_hold.press(spool, 10, WORDS_HERE, environment=environment)
    assert {call.path for call in panic.waiting(spool)} == {first.path, practised.path, true.path}


def test_whoever_stopped_it_and_presses_again_calls_for_help(desk: Desk, spool: Path) -> None:
    script = desk(notify_send=f"test -e {spool}/../once && echo now || (touch {spool}/../once; echo stop)")
    assert panic_hold.press(spool, 10, WORDS_HERE, environment=script).stopped
    assert panic_hold.press(spool, 10, WORDS_HERE, environment=script).path is not None


DESKTOP_PROGRAMS = ("Xvfb", "xdotool", "zenity")


@pytest.mark.skipif(not all(map(shutil.which, DESKTOP_PROGRAMS)), reason="needs a desktop's programs")
@pytest.mark.parametrize(("key", "stopped"), [("Escape", True), ("Return", False)])
def test_on_a_true_screen_escape_stops_it_and_enter_sends_it(
    spool: Path, tmp_path: Path, key: str, stopped: bool
) -> None:
    reading, writing = os.pipe()
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-nolisten", "tcp", "-screen", "0", "640x480x24"],
        pass_fds=[writing], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writing)
    with os.fdopen(reading) as told:
        display = f":{told.readline().strip()}"
    environment = {"DISPLAY": display, "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    hand = subprocess.Popen(
        ["xdotool", "search", "--sync", "--onlyvisible", "--name", "Havenmeester", "windowfocus", "--sync", "sleep", "0.5",
         "key", key],
        env=programs.CLEAN | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        said = panic_hold.press(spool, panic.MOST_HELD, WORDS_HERE, environment=environment)
    finally:
        for process in (hand, screen):
            process.terminate()
            process.wait(60)
    assert (said.stopped, said.path is None) == (stopped, stopped)
    assert _waits(spool) == ([] if stopped else [0.0])
