"""A citizen says that they are done: a button above the page that no site can reach, pressed in the true compositor."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mdm.platforms.linux.kiosk import BUTTON
from mdm.platforms.linux.render import LinuxInterpreter
from tests.platforms.kiosk_session import NOBODY, PATIENCE, SESSION, Session, Site, open_folder, wait_for, why_not

URL = "https://loket.stad.example/zuil"
QUIET, LOUD = (0x0B, 0x3D, 0x5C), (0x8A, 0x1C, 0x1C)


def rendered(**settings: Any) -> dict[str, dict[str, Any]]:
    told = {name.replace("__", "."): value for name, value in settings.items()}
    return {one["id"]: one for one in LinuxInterpreter().render(told, [])}


def test_without_the_setting_there_is_no_button_and_nothing_of_it() -> None:
    for told in ({}, {"kiosk__done_button": "none"}):
        found = rendered(kiosk__url=URL, **told)
        assert "kiosk.done" not in found
        assert "--done" not in found["kiosk.session"]["content"]
        assert "python3-tk" not in str(found)


def test_with_it_the_session_begins_with_its_corner_and_the_package_comes_along() -> None:
    found = rendered(kiosk__url=URL, kiosk__done_button="top")
    assert "/session --done top 120 " in found["kiosk.session"]["content"]
    assert "python3-tk" in str(found)
    assert found["kiosk.done"]["path"] == "/usr/local/share/havenmeester/kiosk/done"


def test_a_program_that_is_no_browser_gets_none() -> None:
    found = rendered(kiosk__url=URL, kiosk__app="gimp", kiosk__done_button="top")
    assert "kiosk.done" not in found
    assert "--done" not in found["kiosk.session"]["content"]


def test_who_presses_for_fun_does_not_wear_the_kiosk_out() -> None:
    unit = rendered(kiosk__url=URL, kiosk__done_button="top")["kiosk.session"]["content"]
    limits = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line)
    # Read and not imported: Tk need not be where tests are.
    least = float(re.findall(r"^LEAST: Final = (.*)$", BUTTON.read_text(), re.MULTILINE)[0])
    most = int(limits["StartLimitIntervalSec"]) / (least + int(limits["RestartSec"]))
    assert most < int(limits["StartLimitBurst"])


class Screen:
    """The screen of a running session, as a finger and an eye have it."""

    def __init__(self, session: Session) -> None:
        self.run_folder, self.display = session.run_folder, ""
        wait_for(self._found, "the button's program")

    def _found(self) -> bool:
        for one in Path("/proc").glob("[0-9]*"):
            try:
                words = (one / "cmdline").read_bytes().split(b"\0")
                told = (one / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if f"{self.run_folder}/finished".encode() in words and words[0] == b"/usr/bin/python3":
                self.display = next(line[8:].decode() for line in told if line.startswith(b"DISPLAY="))
                return True
        return False

    def _told(self, *words: str) -> str:
        # The screen knows its own account alone.
        session = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]
        environment = {**os.environ, "DISPLAY": self.display}
        return subprocess.run(
            [*session, "xdotool", *words], env=environment, check=False, capture_output=True, text=True
        ).stdout

    def windows(self) -> int:
        """How many windows the browser shows."""
        return len(self._told("search", "--onlyvisible", "--class", "chromium").split())

    def colour(self) -> tuple[int, ...]:
        """What is seen near the right corner at the bottom, within the button and beside its words."""
        done = subprocess.run(
            ["grim", "-t", "ppm", "-g", "1260,690 1x1", "-"],
            env={**os.environ, "XDG_RUNTIME_DIR": str(self.run_folder), "WAYLAND_DISPLAY": "wayland-0"},
            capture_output=True,
            check=False,
        )
        return tuple(done.stdout[-3:])

    def press(self) -> None:
        self._told("mousemove", "1200", "690", "click", "1")


@pytest.fixture
def opened() -> Iterator[tuple[Session, Site, subprocess.Popen[bytes]]]:
    reason = why_not((*SESSION, "xdotool", "grim"))
    if not reason and subprocess.run(["/usr/bin/python3", "-Ic", "import tkinter"], check=False).returncode:
        reason = "not installed: python3-tk"
    if reason:
        pytest.skip(reason)
    with open_folder() as folder:
        # A page that opens a second window, which the compositor puts above everything that was there.
        site = Site("<title>site</title><body style='background:#fff'><script>open('/second','x','popup')</script>")
        told = {"kiosk.url": f"http://127.0.0.1:{site.port}/start", "kiosk.done_button": "bottom"}
        session = Session(folder, {**told, "browser.popups": True})
        process = session.begin()
        try:
            yield session, site, process
        finally:
            session.end(process)
            site.close()


def test_pressed_twice_it_ends_the_session_above_whatever_the_site_opens(
    opened: tuple[Session, Site, subprocess.Popen[bytes]],
) -> None:
    session, site, process = opened
    wait_for(lambda: any(path == "/second" for _host, path in site.asked), "the site's second window")
    screen = Screen(session)
    wait_for(lambda: screen.windows() > 1, "the site's second window on the screen")
    seen: list[bool] = []
    # It comes up again within a second; seen for longer than that, it stays.
    wait_for(lambda: bool(seen.append(screen.colour() == QUIET) or all([len(seen) > 40, *seen[-40:]])), "the button")
    screen.press()
    wait_for(lambda: screen.colour() == LOUD, "the question whether it was meant")
    assert process.poll() is None
    assert not (session.run_folder / "finished").exists()
    screen.press()
    assert process.wait(PATIENCE) == 0, session.log.read_text()
    assert (session.run_folder / "finished").exists()
