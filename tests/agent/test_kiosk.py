"""A kiosk is watched: the browser is started anew but not for ever, a citizen is never told of, a picture is taken with care."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent import wire
from agent.collect import warmth
from agent.kiosk import guard, picture, session, used, wishes
from agent.kiosk.watch import Watch
from agent.roots import Root
from agent.state import State
from tests.agent.conftest import Device
from tests.sim.gateway import Gateway

UNIT = "etc/systemd/system/havenmeester-kiosk.service"
DAYS = '["mon", "tue", "wed", "thu", "fri", "sat", "sun"]'
ALWAYS = f'{{"days": {DAYS}, "from": "12:01", "to": "12:00"}}'
"""But for one minute of the day."""


def plant_kiosk(root: Path, said: str = "{}") -> Path:
    """A kiosk's session below a folder, with what the desired state says to the watch."""
    (root / UNIT).parent.mkdir(parents=True, exist_ok=True)
    (root / UNIT).write_text("[Service]\n")
    (root / "etc/havenmeester/managed").mkdir(parents=True, exist_ok=True)
    (root / "etc/havenmeester/managed/kiosk.json").write_text(said)
    (root / "run/havenmeester-kiosk").mkdir(parents=True, exist_ok=True)
    return root


class Program:
    """A session that is one real process; it is well while the process lives."""

    def __init__(self, *command: str) -> None:
        self.command = command
        self.process = subprocess.Popen(command)
        self.starts = 1

    def look(self, port: int | None) -> str | None:
        if self.process.poll() is not None:
            return "stopped"
        return "running" if port is None or session.answers(port) else "silent"

    def start_anew(self) -> str:
        self.stop()
        self.process, self.starts = subprocess.Popen(self.command), self.starts + 1
        return ""

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def lasting() -> Iterator[Program]:
    program = Program("sleep", "600")
    yield program
    program.stop()


@pytest.fixture
def broken() -> Iterator[Program]:
    """A browser that ends as soon as it begins."""
    program = Program("true")
    program.process.wait()
    yield program
    program.stop()


def state_in(folder: Path) -> State:
    folder.mkdir(exist_ok=True)
    return State(folder)


def look_often(watch: Watch, times: int) -> None:
    for _ in range(times):
        watch.look_again()
        watch.tend()


def section(watch: Watch) -> dict[str, Any]:
    found = watch.section()
    assert found is not None
    return found


def test_a_browser_that_stops_is_started_anew_and_says_so(tmp_path: Path, lasting: Program) -> None:
    watch = Watch(state_in(tmp_path / "state"), Root(plant_kiosk(tmp_path / "root")), lasting)
    look_often(watch, 5)
    assert (section(watch)["browser"], section(watch)["restarts"], lasting.starts) == ("running", 0, 1)
    lasting.stop()
    look_often(watch, guard.PATIENCE - 1)
    assert lasting.starts == 1
    look_often(watch, 2)
    assert (section(watch)["browser"], section(watch)["restarts"], lasting.starts) == ("running", 1, 2)


def test_a_browser_that_never_lives_is_given_up_until_a_person_asks(tmp_path: Path, broken: Program) -> None:
    state, root = state_in(tmp_path / "state"), Root(plant_kiosk(tmp_path / "root"))

    def ended() -> None:
        broken.process.wait()

    def try_for_long(watch: Watch) -> None:
        for _ in range(8 * guard.PATIENCE):
            ended()
            look_often(watch, 1)

    watch = Watch(state, root, broken)
    try_for_long(watch)
    assert broken.starts == 1 + guard.LIMIT
    assert section(watch)["gave_up_at"] is not None
    again = Watch(state, root, broken)
    try_for_long(again)
    assert broken.starts == 1 + guard.LIMIT, "a start of the agent alone is no new try"
    assert again.once_more() == ""
    assert section(again)["gave_up_at"] is None
    try_for_long(again)
    assert broken.starts == 2 + guard.LIMIT + guard.LIMIT
    assert section(again)["gave_up_at"] is not None


def test_a_kiosk_whose_screen_is_off_at_this_hour_is_left_in_the_dark(tmp_path: Path, lasting: Program) -> None:
    now = time.localtime()
    later, end = f"{(now.tm_hour + 2) % 24:02}:00", f"{(now.tm_hour + 3) % 24:02}:00"
    said = f'{{"screen_hours": {{"days": {DAYS}, "from": "{later}", "to": "{end}"}}}}'
    watch = Watch(state_in(tmp_path / "state"), Root(plant_kiosk(tmp_path / "root", said)), lasting)
    lasting.stop()
    look_often(watch, 3 * guard.PATIENCE)
    assert (section(watch)["browser"], lasting.starts) == ("off", 1)


def test_restarts_of_more_than_an_hour_ago_do_not_count_and_a_machine_that_started_begins_afresh() -> None:
    old = guard.Guard("a", restarts=(100, 200, 300), missed=guard.PATIENCE)
    kept, again = guard.after(old, "stopped", 300 + guard.WINDOW)
    assert (again, kept.restarts, kept.gave_up) == (True, (300 + guard.WINDOW,), None)
    kept, again = guard.after(old, "stopped", 400)
    assert (again, kept.gave_up) == (False, 400)
    assert guard.after(kept, "stopped", 400 + 2 * guard.WINDOW)[1] is False, "given up is given up"
    assert guard.read(kept.kept(), "a").gave_up == 400
    assert guard.read(kept.kept(), "b") == guard.Guard("b")
    assert guard.read({"boot": "a", "restarts": "x", "gave_up": []}, "a") == guard.Guard("a")
    assert guard.after(guard.Guard("a", missed=guard.PATIENCE), "silent", 9, 0)[0].gave_up == 9


def test_a_browser_that_runs_and_does_not_answer_is_silent(tmp_path: Path, lasting: Program) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        root = plant_kiosk(tmp_path / "root", f'{{"browser_port": {port}}}')
        watch = Watch(state_in(tmp_path / "state"), Root(root), lasting)

        def serve(answer: bytes) -> threading.Thread:
            def once() -> None:
                link, _ = server.accept()
                with link:
                    link.recv(4096)
                    link.sendall(answer)

            thread = threading.Thread(target=once, daemon=True)
            thread.start()
            return thread

        for answer, state in ((b"HTTP/1.1 200 OK\r\n\r\n{}", "running"), (b"x" * 9000, "silent"), (b"", "silent")):
            thread = serve(answer)
            look_often(watch, 1)
            thread.join(60)
            assert section(watch)["browser"] == state
    look_often(watch, 1)
    assert lasting.starts == 2, "silent three times in a row"


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_chromium_itself_answers_at_its_port(tmp_path: Path) -> None:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    assert session.answers(port) is False
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile"]
    command = ["chromium", *flags, f"--remote-debugging-port={port}", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 60
            while not session.answers(port):
                assert time.monotonic() < deadline
                time.sleep(0.1)
        finally:
            process.terminate()


def test_only_the_quarter_of_an_hour_of_a_citizen_is_told(tmp_path: Path) -> None:
    root = plant_kiosk(tmp_path / "root")
    watch = Watch(state_in(tmp_path / "state"), Root(root))
    look_often(watch, 1)
    assert section(watch)["last_use"] is None
    stamp = root / "run/havenmeester-kiosk/used"
    stamp.write_text("")
    at = 1_795_000_000 // used.QUARTER * used.QUARTER
    for second in (at, at + 1, at + 899):
        os.utime(stamp, (second, second))
        look_often(watch, 1)
        assert section(watch)["last_use"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    stamp.unlink()
    look_often(watch, 1)
    assert section(watch)["last_use"] is not None, "a session that began anew forgets nothing"
    assert str(at) in (tmp_path / "state/kiosk.json").read_text()
    assert str(at + 899) not in (tmp_path / "state/kiosk.json").read_text()


def test_what_the_sensors_say_is_told_in_steps_that_stay_still(tmp_path: Path) -> None:
    root = tmp_path / "root"
    zone, chip = root / "sys/class/thermal/thermal_zone0", root / "sys/class/hwmon/hwmon0"
    zone.mkdir(parents=True)
    chip.mkdir(parents=True)
    assert warmth.warmest(Root(root)) is None
    (zone / "temp").write_text("41500\n")
    (chip / "temp1_input").write_text("68200\n")
    (chip / "temp2_input").write_text("-274000000\n")
    (chip / "temp3_input").write_text("hot\n")
    assert warmth.warmest(Root(root)) == 68
    assert warmth.steady(68, None) == 70
    assert [warmth.steady(now, 70) for now in (66, 70, 74)] == [70, 70, 70]
    assert warmth.steady(75, 70) == 75
    assert warmth.steady(64, 70) == 65
    assert warmth.steady(None, 70) is None


def test_a_kiosk_tells_of_itself_and_another_machine_does_not(enrolled: Device, gateway: Gateway) -> None:
    enrolled.once()
    assert "kiosk" not in gateway.facts
    plant_kiosk(enrolled.root, '{"printer": "ipp://127.0.0.1:9/ipp/print"}')
    enrolled.once()
    assert set(gateway.facts) == set(wire.SECTIONS)
    told = gateway.facts["kiosk"]
    assert (told["browser"], told["restarts"], told["gave_up_at"]) == (None, 0, None)
    assert (told["printer"]["state"], told["printer"]["paper"]) == ("unreachable", "unknown")


def test_a_window_is_in_the_device_s_own_time_and_may_go_over_midnight() -> None:
    night = wishes.Window(("fri",), 22 * 60, 2 * 60)
    friday = time.strptime("2026-11-20 23:00", "%Y-%m-%d %H:%M")
    saturday = time.strptime("2026-11-21 01:59", "%Y-%m-%d %H:%M")
    too_late = time.strptime("2026-11-21 02:00", "%Y-%m-%d %H:%M")
    day_before = time.strptime("2026-11-20 01:00", "%Y-%m-%d %H:%M")
    assert [night.holds(at) for at in (friday, saturday, too_late, day_before)] == [True, True, False, False]
    assert str(night) == "fri 22:00-02:00"


@pytest.mark.parametrize(
    "said",
    [
        "",
        "[]",
        "{",
        '{"printer": 3, "browser_port": true, "restarts_per_hour": -1, "maintenance": []}',
        '{"maintenance": {"days": ["mon"], "from": "25:00", "to": "26:00"}}',
        '{"maintenance": {"days": "mon"}}',
    ],
)
def test_what_is_damaged_wishes_nothing(tmp_path: Path, said: str) -> None:
    assert wishes.read(Root(plant_kiosk(tmp_path, said))) == wishes.Wishes()


def refusal(root: Path, folder: Path) -> str:
    with pytest.raises(picture.NotTakenError) as told:
        picture.take(Root(root), Watch(state_in(folder), Root(root)))
    assert told.value.state == "refused"
    return str(told.value)


def test_a_picture_is_refused_outside_the_window_and_while_somebody_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    (tmp_path / "root").mkdir()
    assert "no kiosk's session" in refusal(tmp_path / "root", folder)
    root = plant_kiosk(tmp_path / "root")
    assert "No maintenance window" in refusal(root, folder)
    now = time.localtime()
    later = f"{(now.tm_hour + 2) % 24:02}:00"
    end = f"{(now.tm_hour + 3) % 24:02}:00"
    plant_kiosk(root, f'{{"maintenance": {{"days": {DAYS}, "from": "{later}", "to": "{end}"}}}}')
    assert "outside its maintenance window" in refusal(root, folder)
    plant_kiosk(root, f'{{"maintenance": {ALWAYS}}}')
    (root / "run/havenmeester-kiosk").rmdir()
    assert "session does not run" in refusal(root, folder)
    plant_kiosk(root, f'{{"maintenance": {ALWAYS}}}')
    stamp = root / "run/havenmeester-kiosk/used"
    stamp.write_text("")
    os.utime(stamp, (time.time() - 300, time.time() - 300))
    assert "in the last ten minutes" in refusal(root, folder)


@pytest.fixture
def screen() -> Iterator[picture.Screen]:
    """A real compositor of one application without a screen, as an account of its own where we are root."""
    missing = [name for name in ("cage", "foot", "grim") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    # Not below pytest's own folder, into which no other account may look. cage refuses to run as root.
    folder = Path(tempfile.mkdtemp())
    root = os.geteuid() == 0
    who = 65534 if root else os.geteuid()
    os.chown(folder, who, -1)
    environment = {"WLR_BACKENDS": "headless", "WLR_RENDERER": "pixman", "WLR_LIBINPUT_NO_DEVICES": "1"}
    environment |= {"XDG_RUNTIME_DIR": str(folder), "HOME": str(folder), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    with subprocess.Popen(
        ["cage", "--", "foot", "--config=/dev/null", "--override=colors.background=204080", "sleep", "600"],
        env=environment,
        user=who if root else None,
        group=who if root else None,
        extra_groups=[] if root else None,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            deadline = time.monotonic() + 60
            while (found := picture.screen_in(folder)) is None:
                assert process.poll() is None, "cage did not start"
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield found
        finally:
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)


def colours(content: bytes) -> set[tuple[int, ...]]:
    """The colours that cover most of a picture."""
    import io

    from PIL import Image

    with Image.open(io.BytesIO(content), formats=("PNG",)) as opened:
        small = opened.convert("RGB").resize((64, 36))
    found: list[tuple[int, tuple[int, ...]]] = small.getcolors(64 * 36) or []
    return {colour for count, colour in found if count > 400}


def test_a_real_screen_shows_the_notice_first_and_then_what_was_beneath_it(
    screen: picture.Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "NOTICE_SECONDS", 3)
    root = plant_kiosk(tmp_path / "root", f'{{"maintenance": {ALWAYS}}}')
    stamp = root / "run/havenmeester-kiosk/used"
    stamp.write_text("")
    os.utime(stamp, (time.time() - 3600, time.time() - 3600))
    watch = Watch(state_in(tmp_path / "state"), Root(root))
    wait_for(lambda: (32, 64, 128) in colours(picture.shoot(screen)))
    shown: list[set[tuple[int, ...]]] = []
    taken: list[bytes] = []
    thread = threading.Thread(target=lambda: taken.append(picture.take(Root(root), watch, screen)))
    thread.start()
    while thread.is_alive():
        shown.append(colours(picture.shoot(screen)))
    thread.join()
    assert any((32, 64, 128) not in colour for colour in shown), "the notice covered the screen"
    assert colours(taken[0]) == {(32, 64, 128)}
    stamp.touch()
    with pytest.raises(picture.NotTakenError, match="last ten minutes"):
        picture.take(Root(root), watch, screen)


def wait_for(done: Any) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_screen_that_gives_nothing_is_told(screen: picture.Screen, tmp_path: Path) -> None:
    nowhere = picture.Screen(tmp_path, "wayland-9", screen.user, screen.group)
    with pytest.raises(picture.NotTakenError) as told:
        picture.shoot(nowhere)
    assert told.value.state == "failed"
    assert picture.screen_in(tmp_path) is None


@pytest.mark.parametrize("verb", ["kiosk_restart", "screenshot"])
def test_a_command_for_a_kiosk_is_refused_by_a_machine_that_is_none(
    enrolled: Device, gateway: Gateway, verb: str
) -> None:
    gateway.commands = [{"id": "one", "verb": verb, "args": {}, "expires": "2099-01-01T00:00:00Z"}]
    enrolled.once()
    (result,) = gateway.results
    assert result["state"] == "refused"
    assert "no kiosk's session" in result["detail"]
