"""The code that proves that somebody stands before this device: eight digits, new every minute, each good for once.

``presence.json`` holds the secret, which codes were shown, and wrong tries. Ages are counted by the time since the machine
started, so that a clock that is set does not make an old code young again; after a restart all shown codes are void.
"""

import fcntl
import hashlib
import hmac
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from agent import disk
from agent.state import State

GOOD_SECONDS: Final = 600
"""How long a code is taken after it was first shown."""
MAX_WRONG: Final = 5
SHUT_SECONDS: Final = 3600
_KEEP: Final = 20
_FILE: Final = "presence.json"


class Moment(NamedTuple):
    """A point in time that a clock that is set cannot move: which start of the machine, and seconds since then."""

    boot: str
    up: float
    wall: float

    @classmethod
    def now(cls) -> "Moment":
        """This moment."""
        try:
            boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            boot = ""
        return cls(boot, time.clock_gettime(time.CLOCK_BOOTTIME), time.time())

    def stamp(self) -> dict[str, Any]:
        """As it is written down."""
        return {"boot": self.boot, "up": int(self.up), "at": int(self.wall)}

    def age(self, stamp: dict[str, Any]) -> float | None:
        """Seconds since a stamp of the same start of the machine; None for one of another start."""
        return self.up - stamp["up"] if stamp["boot"] == self.boot else None


class Code(NamedTuple):
    """What is shown: the digits, and for how many seconds they stay the same."""

    digits: str
    seconds: int


def _digits(secret: str, minute: int) -> str:
    found = hmac.new(bytes.fromhex(secret), minute.to_bytes(8), hashlib.sha256).digest()
    return f"{int.from_bytes(found[:8]) % 10**8:08d}"


@contextmanager
def _alone(state: State) -> Iterator[None]:
    """One process at a time: the command that shows a code and the resident agent write the same file."""
    disk.make_folder(state.folder)
    descriptor = os.open(state.file("presence.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def show(state: State, now: Moment | None = None) -> Code:
    """The code of this minute, noted as shown. Raises OSError when that cannot be noted; then no code counts."""
    now = now or Moment.now()
    minute = int(now.wall // 60)
    with _alone(state):
        fields = state.read(_FILE)
        secret = fields.setdefault("secret", os.urandom(32).hex())
        shown = [one for one in fields.get("shown", []) if now.age(one) is not None]
        digits = _digits(secret, minute)
        if all(one["code"] != digits for one in shown):
            fields["shown"] = [*shown, {"code": digits, **now.stamp()}][-_KEEP:]
            state.save(_FILE, fields)
    return Code(digits, 60 - int(now.wall % 60))


def accepted(state: State, now: Moment | None = None) -> frozenset[str]:
    """The codes that were shown in the last minutes, used or not."""
    now = now or Moment.now()
    ages = ((one["code"], now.age(one)) for one in state.read(_FILE).get("shown", []))
    return frozenset(code for code, age in ages if age is not None and age <= GOOD_SECONDS)


def wrong(state: State, now: Moment | None = None) -> None:
    """Notes a wrong code; the fifth shuts the lane for an hour. Raises OSError when it cannot be noted."""
    now = now or Moment.now()
    with _alone(state):
        fields = state.read(_FILE)
        count = fields.get("wrong", 0) + 1
        fields["wrong"] = 0 if count >= MAX_WRONG else count
        if count >= MAX_WRONG:
            fields["shut"] = now.stamp()
        state.save(_FILE, fields)


def shut(state: State, now: Moment | None = None) -> bool:
    """Whether no code is taken now. After a restart of the machine its own clock says how long ago it was shut."""
    now = now or Moment.now()
    stamp = state.read(_FILE).get("shut")
    if stamp is None:
        return False
    age = now.age(stamp)
    return (now.wall - stamp["at"] if age is None else age) < SHUT_SECONDS
