"""The short hold of a computer's panic button: a call that was pressed by mistake can be stopped before it leaves.

It lies in the spool from the press on, with the seconds that it is held, so it leaves also when this process, or the session,
ends meanwhile. Only a clear "stop" takes it back. Pressed again, or held down where the desktop repeats keys, it leaves at once;
and so it does where nothing can be shown that would stop it. A key that is still down when it has left makes no second call.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from agent import panic, programs
from agent.panic_words import Words

HELD: Final = 1.0
"""Seconds after which a second press, or a key that is still down, means: now."""
MARGIN: Final = 0.3
"""Seconds before it leaves in which it is stopped no more: whoever sends it may hold it in the hand already."""
LOOK: Final = 0.05
DESKTOP: Final = ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "HOME")
STOP, NOW, WAIT = "stop", "now", "wait"
AFTER: Final = 3.0
"""Seconds after a call has left, or after the last press since, in which a press belongs to it: a hand that does not let go."""
CANNOT: Final = (b"not supported", b"Error")
"""What ``notify-send`` says, and then waits for ever, where nothing shows notes, or none with buttons."""
NO_SCREEN: Final = (b"open display", b"init server")
"""What GTK says where there is no screen; the window then ends as if somebody had chosen to stop."""
QUICK: Final = 0.3
"""Seconds in which nobody has read a question and answered it: a window that closed itself so soon was never on a screen."""
TAKEN_OFF: Final = 0.5
"""Seconds in which a question is to be off the screen."""
SECONDS: Final = 3.0
"""How long a press is held; the sentences say so."""


class Held(NamedTuple):
    """What became of a press: the call that is on its way, or that it was stopped. Neither: it belongs to one before it."""

    path: Path | None
    stopped: bool = False


class Press(NamedTuple):
    """What one press tells the next one, in a file of the session: which call, when, and when it was let go."""

    path: str
    at: float
    exercise: bool
    left: float = 0.0
    """0: it is still held, or was stopped."""


class Way(NamedTuple):
    """A program that shows the question, and what its answer means: ``stop``, ``now``, ``wait``; empty: it could not ask."""

    argv: list[str]
    meaning: Callable[[int, str, float], str]
    """Of its exit code, of what it said, and of the seconds that it ran."""
    cannot: tuple[bytes, ...] = ()
    """Said on standard error, it means that it could not ask, whatever it does then."""


def press(
    spool: Path, seconds: float, words: Words, *, exercise: bool = False, environment: Mapping[str, str] = os.environ
) -> Held:
    """Keeps a call for help, held for so many seconds while whoever sits here may stop it. Raises like ``panic.press``."""
    lock = _own(environment)
    if lock is None:
        return Held(panic.press(spool, exercise=exercise))
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return Held(_again(lock, spool, exercise=exercise))
        before = _noted(lock)
        if before is not None and before.left and 0 <= time.time() - before.left < AFTER and _covers(before, exercise):
            _note(lock, before._replace(left=time.time()))
            return Held(None)
        note = Press("", time.time(), exercise)
        _note(lock, note)
        kept = panic.press(spool, exercise=exercise, hold=seconds)
        note = note._replace(path=str(kept))
        _note(lock, note)
        goes = _ask(kept, time.time() + seconds, words, environment)
        # Who has stopped it and presses again means it.
        _note(lock, note._replace(left=time.time() if goes else 0.0))
        return Held(kept) if goes else Held(None, stopped=True)


def sooner(path: Path) -> None:
    """The call leaves at once; one that has left already stays as it is."""
    with contextlib.suppress(OSError, ValueError):
        told = json.loads(path.read_text(encoding="ascii"))
        beside = path.with_name(f".{path.stem}")
        # Everybody may put something into this folder: what lies there under this name already is not written to.
        number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(number, "w", encoding="ascii") as file:
            json.dump(told | {"hold": 0}, file)
        if path.exists():
            beside.rename(path)
        beside.unlink(missing_ok=True)


def _own(environment: Mapping[str, str]) -> TextIO | None:
    """A file of this person's session, by which one press knows of another; None without such a session."""
    folder = environment.get("XDG_RUNTIME_DIR", "")
    if not folder:
        return None
    try:
        number = os.open(Path(folder, "havenmeester-panic"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError:
        return None
    return os.fdopen(number, "r+", encoding="ascii")


def _note(lock: TextIO, told: Press) -> None:
    lock.seek(0)
    lock.truncate()
    json.dump(told._asdict(), lock)
    lock.flush()


def _noted(lock: TextIO) -> Press | None:
    """The last press of this session; None where nobody knows."""
    lock.seek(0)
    try:
        told = json.loads(lock.read(1000) or "{}")
        return Press(str(told["path"]), float(told["at"]), told["exercise"] is True, float(told["left"]))
    except (ValueError, KeyError, TypeError):
        return None


def _covers(before: Press, exercise: bool) -> bool:
    """Whether another press may belong to that one: a true call is never a part of a practised one, nor the other way round."""
    return before.exercise == exercise


def _again(lock: TextIO, spool: Path, *, exercise: bool) -> Path | None:
    """Another press is being held: the same one goes on at once, a true call never waits for a practised one."""
    before = _noted(lock)
    if before is None:
        # Nobody knows what the other press is; a true one is not lost whatever becomes of that.
        return None if exercise else panic.press(spool)
    if before.exercise and not exercise:
        return panic.press(spool)
    if before.path and time.time() - before.at >= HELD and _covers(before, exercise):
        sooner(Path(before.path))
    return None


def _ask(kept: Path, due: float, words: Words, environment: Mapping[str, str]) -> bool:
    """Whether the call goes on. Shows the question while there is time, and no longer than that."""
    for way in _ways(due - time.time(), words, environment):
        program = programs.find(way.argv[0])
        if program is None:
            continue
        said = _shown(way._replace(argv=[program, *way.argv[1:]]), kept, due, environment)
        if said is None:
            return True
        meaning = way.meaning(*said)
        if meaning == STOP:
            return not _stop(kept, due)
        if meaning == WAIT:
            while panic.held(kept):
                time.sleep(LOOK)
            return True
        if meaning == NOW:
            break
    sooner(kept)
    return True


def _ways(seconds: float, words: Words, environment: Mapping[str, str]) -> list[Way]:
    shown = str(max(1, round(seconds)))
    found = []
    if environment.get("DBUS_SESSION_BUS_ADDRESS"):
        note = ["notify-send", "--urgency=critical", f"--action={STOP}={words.stop}", f"--action={NOW}={words.now}"]
        found.append(
            Way(
                [*note, "--wait", "Havenmeester", words.held],
                lambda code, text, _: (text or WAIT) if code == 0 else "",
                CANNOT,
            )
        )
    if environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"):
        # The button that a blow on the keyboard presses is the one that sends.
        asked = ["zenity", "--question", "--title=Havenmeester", "--no-markup", f"--timeout={shown}"]
        buttons = [f"--text={words.held}", f"--ok-label={words.now}", f"--cancel-label={words.stop}"]
        found.append(
            Way(
                [*asked, *buttons],
                lambda code, _, ran: {0: NOW, 1: STOP if ran >= QUICK else "", 5: WAIT}.get(code, ""),
                NO_SCREEN,
            )
        )
    return found


def _shown(way: Way, kept: Path, due: float, environment: Mapping[str, str]) -> tuple[int, str, float] | None:
    """How the program ended, what it said and how long it ran; None when time was over first, or the call has left.

    It leaves nothing on the screen: a "stop" that is still there when nothing can be stopped any more would deceive.
    """
    desktop = {name: environment[name] for name in DESKTOP if name in environment}
    begun = time.monotonic()
    process = subprocess.Popen(
        way.argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=programs.CLEAN | desktop
    )
    troubles = b""
    try:
        if process.stderr:
            os.set_blocking(process.stderr.fileno(), False)
        over = False
        while not over:
            over = process.poll() is not None
            if not over and (time.time() >= due - MARGIN or not panic.held(kept)):
                return None
            troubles = troubles[-1000:] + (process.stderr.read(1000) or b"" if process.stderr else b"")
            if any(one in troubles for one in way.cannot):
                return -1, "", 0.0
            time.sleep(0 if over else LOOK)
        output = process.stdout.read(1000) if process.stdout else b""
        return process.returncode, output.decode(errors="replace").strip(), time.monotonic() - begun
    finally:
        # Interrupted, notify-send takes its note off the screen; killed, it would leave it there.
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(TAKEN_OFF)
        process.kill()
        process.communicate()


def _stop(kept: Path, due: float) -> bool:
    """Whether it could still be stopped."""
    if time.time() >= due - MARGIN / 2 or not panic.held(kept):
        return False
    try:
        kept.unlink()
    except OSError:
        return False
    return True
