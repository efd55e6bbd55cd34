"""Calling for help from a computer: kept on disk first, then sent until the gateway has answered.

Whoever sits at the machine may put a call into the spool and can read nobody else's; only the agent, which has the device's key,
takes calls out of it. The id is made when the button is pressed, so a call that is sent ten times is one call.
"""

import contextlib
import fcntl
import json
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from agent import disk, errors, pace, programs, wire
from agent.errors import AgentError, RefusedError
from agent.panic_words import WORDS, Words
from agent.state import Identity, State
from agent.transport import Connection, with_certificate

SPOOL: Final = "/var/spool/havenmeester-panic"
MAX_BYTES: Final = 512
MAX_WAITING: Final = 50
LOOK: Final = 0.2
"""Seconds between two looks at a call that is held."""
LONGEST_PAUSE: Final = 30.0
"""Seconds between two tries at the most: somebody is waiting for help."""
MOST_HELD: Final = 10.0
"""Seconds for which a press may be held; who asks for longer is not believed."""
NEVER: Final = frozenset({400, 403, 409, 413, 422})
"""Answers after which sending the same again is of no use."""


class Call(NamedTuple):
    """One call for help that waits."""

    path: Path
    id: str
    at: float
    exercise: bool
    hold: float = 0.0

    def wait(self, now: float) -> float:
        """Seconds for which it may still be stopped; 0 also where a clock was set back meanwhile."""
        left = self.at + self.hold - now
        return left if 0 < left <= self.hold else 0.0


def press(spool: Path, *, exercise: bool = False, hold: float = 0.0) -> Path:
    """Keeps a call for help on disk, to be sent after so many seconds; where it is.

    Raises AgentError where nothing can be kept.
    """
    raw = os.urandom(16).hex()
    whole, beside = spool / f"{raw}.json", spool / f".{raw}"
    content = json.dumps({"id": raw, "at": time.time(), "exercise": exercise, "hold": hold}).encode()
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(whole)
    except OSError as trouble:
        raise AgentError(
            f"The call for help could not be kept in {spool}: {trouble.strerror}. Call the emergency number."
        ) from trouble
    return whole


def held(path: Path) -> bool:
    """Whether this call may still be stopped."""
    call = _read(path)
    return call is not None and call.wait(time.time()) > 0


def waiting(spool: Path) -> list[Call]:
    """The calls in the spool, oldest first. What is none is removed: it must not stand in the way of true ones."""
    found: list[Call] = []
    try:
        paths = sorted(spool.iterdir())
    except FileNotFoundError:
        return []
    for path in paths:
        if path.name.startswith("."):
            # It is being written, or its writer was stopped.
            _remove_if_old(path)
            continue
        call = _read(path) if len(found) < MAX_WAITING else None
        if call is not None:
            found.append(call)
        elif len(found) < MAX_WAITING:
            _clear_away(path)
    return sorted(found, key=lambda call: call.at)


def deliver(
    state: State,
    spool: Path,
    patience: float | None,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
    words: Words = WORDS["en"],
) -> int:
    """Sends what waits, until the gateway has answered everything; ``patience``: seconds to go on trying, None for ever.

    Returns how many calls still wait. Each that the gateway will never take is told and removed. Another deliverer at work
    is waited for. Raises AgentError where this device is not enrolled.
    """
    identity = state.identity()
    end = None if patience is None else time.monotonic() + patience
    failures = 0
    with state.file("panic.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        connection = _connection(state, identity)
        try:
            while calls := waiting(spool):
                ready = [call for call in calls if not call.wait(time.time())]
                if not ready:
                    if end is not None and time.monotonic() > end:
                        return len(calls)
                    sleep(min(LOOK, *(call.wait(time.time()) for call in calls)))
                    continue
                try:
                    _send(connection, ready[0], say, words)
                    failures = 0
                except AgentError as trouble:
                    connection.close()
                    failures += 1
                    if failures == 1:
                        say(f"{trouble} {words.again}")
                        state.log(str(trouble))
                    pause = min(LONGEST_PAUSE, pace.after_failure(failures, None, _chance()))
                    if end is not None and time.monotonic() + pause > end:
                        return len(calls)
                    sleep(pause)
                    # The certificate may have been renewed meanwhile.
                    identity = state.identity()
                    connection = _connection(state, identity)
        finally:
            connection.close()
    return 0


def arrived(path: Path, patience: float) -> bool:
    """Whether a call has left the spool within so many seconds: the agent's service has sent it."""
    end = time.monotonic() + patience
    while path.exists():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


class Notes:
    """Notes on the desktop of whoever sits here, where there is one: a menu entry has no terminal to write to. Each takes the
    place of the one before, so that what is over does not stay on the screen."""

    def __init__(self) -> None:
        self._last = ""

    def show(self, sentence: str) -> None:
        """Shows one; nothing where there is no desktop."""
        bus = os.environ.get("DBUS_SESSION_BUS_ADDRESS")
        if not bus:
            return
        plain = ["notify-send", "--urgency=critical"]
        instead = [f"--replace-id={self._last}"] if self._last else []
        environment = {"DBUS_SESSION_BUS_ADDRESS": bus}
        said = programs.run(
            [*plain, "--print-id", *instead, "Havenmeester", sentence], timeout=5, environment=environment
        )
        if said.good:
            self._last = said.text.strip() if said.text.strip().isdigit() else ""
        elif said.code is not None:
            # Before libnotify 0.8 a note has no number.
            programs.run([*plain, "Havenmeester", sentence], timeout=5, environment=environment)


def _send(connection: Connection, call: Call, say: Callable[[str], None], words: Words) -> None:
    body: dict[str, Any] = {"id": call.id, "ago": max(0.0, time.time() - call.at), "exercise": call.exercise}
    try:
        answer = connection.ask("POST", wire.PANIC, json.dumps(body).encode()).json()
    except RefusedError as refused:
        if refused.status not in NEVER or refused.code == wire.PANIC_TWICE:
            raise
        say(words.nobody_practises if refused.code == wire.PANIC_NO_DRILL else f"{words.refused} ({refused})")
        _remove(call.path)
        return
    say(f"{words.arrived} {answer.get('number', '')}.")
    _remove(call.path)


def _connection(state: State, identity: Identity) -> Connection:
    ca = state.file("ca.pem").read_text(encoding="ascii")
    return Connection(identity.gateway, with_certificate(ca, state.keys(identity.current)))


def _read(path: Path) -> Call | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        content = os.read(descriptor, MAX_BYTES + 1)
    finally:
        os.close(descriptor)
    try:
        told = json.loads(content) if len(content) <= MAX_BYTES else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    number, at = told.get("id"), told.get("at")
    fits = isinstance(number, str) and number.isalnum() and number.isascii() and 8 <= len(number) <= 40
    if not fits or not isinstance(at, int | float) or isinstance(at, bool) or at != at:
        return None
    hold = told.get("hold", 0)
    asked = float(hold) if isinstance(hold, int | float) and not isinstance(hold, bool) and 0 < hold <= MOST_HELD else 0
    return Call(path, str(number), float(at), told.get("exercise") is True, asked)


def _remove_if_old(path: Path) -> None:
    try:
        if path.lstat().st_mtime < time.time() - 60:
            _clear_away(path)
    except OSError:
        return


def _clear_away(path: Path) -> None:
    """Removes what is no call for help, whatever it is; what cannot be removed stands in nobody's way."""
    if path.is_dir() and not path.is_symlink():
        disk.remove_folder(path)
        return
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as trouble:
        raise AgentError(f"{path} cannot be removed: {trouble.strerror}.", errors.BROKEN) from trouble


def _chance() -> float:
    return int.from_bytes(os.urandom(6), "big") / 2**48
