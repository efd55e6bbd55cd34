"""A picture of a kiosk's screen: only in the maintenance window, only while no citizen is there, and never unannounced.

The notice and the picture are made by small programs of Debian (``foot`` and ``grim``) that speak with the session's own
compositor, as the account of that session: what the session says is never read by a process with more rights than it has.
"""

import os
import stat
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent import programs, wire
from agent.kiosk import used, wishes
from agent.kiosk.session import Session
from agent.kiosk.watch import Watch
from agent.roots import Root

NOTICE_SECONDS: Final = 10
SETTLE_SECONDS: Final = 1
"""After the notice has gone, until what was beneath it is drawn again."""
GRIM_SECONDS: Final = 30
SCALES: Final = ("1", "0.5", "0.25")
"""Tried in this order until the picture is small enough to be sent."""
PNG: Final = b"\x89PNG\r\n\x1a\n"
NOTICE: Final = (
    "Onderhoud: er wordt een foto van dit scherm gemaakt.",
    "Entretien : une image de cet écran est prise.",
    "Maintenance: a picture of this screen is taken.",
)


class NotTakenError(Exception):
    """No picture was taken. The message says why; ``state`` is refused or failed."""

    def __init__(self, message: str, state: str = "refused") -> None:
        super().__init__(message)
        self.state = state


@dataclass(frozen=True, slots=True)
class Screen:
    """Where a compositor listens, and whose it is."""

    folder: Path
    name: str
    user: int
    group: int

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to find it."""
        return {**programs.CLEAN, "XDG_RUNTIME_DIR": str(self.folder), "WAYLAND_DISPLAY": self.name, "HOME": "/"}


def take(root: Root, watch: Watch, screen: Screen | None = None) -> bytes:
    """The picture as PNG, at most ``MAX_PICTURE`` bytes. Raises NotTakenError, with the reason, where it may not or cannot.

    ``screen`` is found by itself on a running machine.
    """
    refuse_at_the_wrong_time(root, watch, time.time())
    screen = screen or _screen(root)
    if screen is None:
        raise NotTakenError("The kiosk's session shows nothing that a picture could be taken of.", "failed")
    _show_notice(screen)
    # Somebody may have come while the notice was there.
    refuse_at_the_wrong_time(root, watch, time.time())
    time.sleep(SETTLE_SECONDS)
    return shoot(screen)


def refuse_at_the_wrong_time(root: Root, watch: Watch, now: float) -> None:
    """Nothing when a picture may be taken now; NotTakenError that says why not."""
    if not watch.here:
        raise NotTakenError("This device has no kiosk's session. No picture was taken.")
    window = wishes.read(root).window
    if window is None:
        raise NotTakenError("No maintenance window is set for this kiosk. No picture was taken.")
    here = time.localtime(now)
    if not window.holds(here):
        raise NotTakenError(
            f"It is {time.strftime('%H:%M', here)} on this kiosk, outside its maintenance window ({window}). "
            "No picture was taken."
        )
    if not root.exists(used.FOLDER):
        raise NotTakenError("The kiosk's session does not run, so nothing tells whether a citizen is there.")
    last = watch.last_used()
    if last is not None and now - last < used.QUIET:
        raise NotTakenError("A citizen used this kiosk in the last ten minutes. No picture was taken; try it later.")


def _screen(root: Root) -> Screen | None:
    """The socket of the session's compositor, by the environment of its main process."""
    number = Session().process() if root.real else None
    if number is None:
        return None
    try:
        raw = Path(f"/proc/{number}/environ").read_bytes()[:65536]
    except OSError:
        return None
    said = dict(entry.partition(b"=")[::2] for entry in raw.split(b"\0"))
    folder = os.fsdecode(said.get(b"XDG_RUNTIME_DIR", b""))
    return screen_in(Path(folder)) if folder.startswith("/run/") else None


def screen_in(folder: Path) -> Screen | None:
    """The compositor that listens in a folder; None where there is none."""
    with suppress(OSError):
        for path in sorted(folder.glob("wayland-*"))[:16]:
            found = path.lstat()
            if stat.S_ISSOCK(found.st_mode):
                return Screen(folder, path.name, found.st_uid, found.st_gid)
    return None


def _start(arguments: list[str], screen: Screen, output: int) -> subprocess.Popen[bytes]:
    """A program of the session: as its account, where we are root and may take it."""
    other = os.geteuid() == 0 and screen.user != 0
    return subprocess.Popen(
        arguments,
        env=screen.environment,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.DEVNULL,
        user=screen.user if other else None,
        group=screen.group if other else None,
        extra_groups=[] if other else None,
    )


def _show_notice(screen: Screen) -> None:
    """Shows it over the whole screen for ``NOTICE_SECONDS``. Raises NotTakenError where it cannot be shown."""
    program = programs.find("foot")
    if program is None:
        raise NotTakenError("The notice cannot be shown: foot is not installed. No picture was taken.", "failed")
    # CSI ? 25 l: no cursor, which would look as if something could be typed.
    text = "\x1b[?25l\n\n\n" + "\n\n".join(f"   {line}" for line in NOTICE)
    look = ["--config=/dev/null", "--hold", "--override=font=monospace:size=24"]
    process = _start([program, *look, "/usr/bin/printf", "%s\n", text], screen, subprocess.DEVNULL)
    try:
        process.wait(NOTICE_SECONDS)
    except subprocess.TimeoutExpired:
        return
    else:
        raise NotTakenError("The notice could not be shown on the screen. No picture was taken.", "failed")
    finally:
        process.kill()
        process.wait()


def shoot(screen: Screen) -> bytes:
    """The screen as it is now, made smaller until it can be sent. Raises NotTakenError where nothing comes."""
    program = programs.find("grim")
    if program is None:
        raise NotTakenError("The picture cannot be taken: grim is not installed.", "failed")
    for scale in SCALES:
        content = _one_picture([program, "-s", scale, "-t", "png", "-"], screen)
        if len(content) <= wire.MAX_PICTURE:
            return content
    raise NotTakenError("The picture is too large to be sent, even made smaller.", "failed")


def _one_picture(arguments: list[str], screen: Screen) -> bytes:
    """One run of grim, of which no more is read than what can be sent and one byte; it ends after ``GRIM_SECONDS``."""
    with _start(arguments, screen, subprocess.PIPE) as process:
        late = threading.Timer(GRIM_SECONDS, process.kill)
        late.start()
        try:
            content = process.stdout.read(wire.MAX_PICTURE + 1) if process.stdout else b""
            large = len(content) > wire.MAX_PICTURE
            if large:
                process.kill()
            good = process.wait() == 0
        finally:
            late.cancel()
    if not content.startswith(PNG) or not (good or large):
        raise NotTakenError("The session's compositor gave no picture of its screen.", "failed")
    return content
