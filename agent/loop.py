"""The resident process: one round after the other, and patience in between."""

import os
import signal
import time
from types import FrameType
from typing import Final

from agent import notify, pace, update, wipe
from agent.errors import AgentError, RefusedError
from agent.exchange import Agent
from agent.kiosk.watch import WAIT as KIOSK_WAIT
from agent.state import State
from agent.text import printable

WAIT: Final = 600
"""Seconds that the doorbell may keep us at the most."""
MAX_AT_ONCE: Final = 20
"""Rounds without a pause; whoever asks for more gets the usual pace."""
ROUNDS_ONCE: Final = 30
RECEIPT_SECONDS: Final = 600
"""How long a wiped machine tries to deliver its receipt before it is switched off."""


def _chance() -> float:
    """A number from 0 to below 1."""
    return int.from_bytes(os.urandom(6), "big") / 2**48


class _StopError(Exception):
    """Somebody asked us to stop while we waited."""


class Loop:
    """Runs an agent until it is told to stop."""

    def __init__(self, agent: Agent, state: State, wait: int = WAIT) -> None:
        self.agent, self.state = agent, state
        agent.on_wait = self._mark
        patience = notify.patience()
        self.wait = wait if patience is None else max(1, min(wait, int(patience / 2)))
        self._stopping = False
        self._waiting = False
        self._failures = 0
        self._at_once = 0
        self._hint = pace.DEFAULT_NEXT
        self._wiped_since: float | None = None

    def _on_signal(self, _: int, __: FrameType | None) -> None:
        self._stopping = True
        if self._waiting:
            self._waiting = False
            raise _StopError

    def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises WipedError when the device was wiped and the server has the receipt."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        try:
            while not self._stopping:
                notify.alive()
                self._pause(self._round())
                self._end_of_wiped_machine()
        except _StopError:
            pass
        finally:
            notify.tell("STOPPING=1")

    def _round(self) -> float:
        """One round; returns the pause after it. Trouble is noted, and makes the pause longer."""
        begun = time.monotonic()
        try:
            # The doorbell fills the time until the next round that the gateway asked for, so there is always an ear at it.
            wait = min(self.wait, KIOSK_WAIT) if self.agent.watch.here else self.wait
            seconds = self.agent.cycle(min(wait, self._hint))
        except RefusedError as refused:
            return self._trouble(refused, refused.retry_after, slow=refused.status == 401)
        except AgentError as trouble:
            return self._trouble(trouble, None)
        except OSError as trouble:
            self.state.make_room()
            return self._trouble(trouble, None)
        finally:
            self._waiting = False
        if self._failures == 0 and self._at_once == 0:
            self.state.reserve()
        self._failures = 0
        self.state.note_contact()
        update.confirm(self.state)
        if update.wants_restart(self.state):
            self.agent.connection.close()
            update.restart()
        update.look(self.state, self.agent.identity)
        if seconds > 0:
            self._hint = int(seconds)
        if (seconds == 0 or (self.wait > 0 and not self.agent.listened)) and self._at_once < MAX_AT_ONCE:
            self._at_once += 1
            return 0
        self._at_once = 0
        return max(0.0, pace.until_next(self._hint, _chance()) - (time.monotonic() - begun))

    def _end_of_wiped_machine(self) -> None:
        """A wiped machine whose receipt finds no way is switched off all the same: only then are its volumes shut."""
        if not self.agent.destroyer.pending or not self.agent.root.real:
            return
        if self._wiped_since is None:
            self._wiped_since = time.monotonic()
        elif time.monotonic() > self._wiped_since + RECEIPT_SECONDS:
            wipe.power_off()

    def _mark(self, waiting: bool) -> None:
        self._waiting = waiting

    def _trouble(self, trouble: Exception, retry_after: int | None, *, slow: bool = False) -> float:
        self._failures += 1
        sentence = printable(str(trouble), 500)
        if self._failures == 1 or slow:
            self.state.log(sentence)
            notify.tell(f"STATUS={sentence}")
        self.state.note_contact(sentence)
        self.agent.connection.close()
        if slow:
            return pace.after_refusal(self._failures, _chance())
        return pace.after_failure(self._failures, retry_after, _chance())

    def _pause(self, seconds: float) -> None:
        """Waits, in pieces short enough for the watchdog."""
        end = time.monotonic() + seconds
        while not self._stopping and (left := end - time.monotonic()) > 0:
            self._waiting = True
            if not self._stopping:
                time.sleep(min(left, 20.0))
            self._waiting = False
            notify.alive()
            # Also while nobody can be reached: citizens stand before a kiosk that has no line to us.
            self.agent.watch.tend()


def once(agent: Agent) -> list[str]:
    """One full exchange: until everything is told, fetched, applied and told again. Returns what is not as it shall be.

    Raises AgentError when the gateway cannot be reached or refuses, and WipedError.
    """
    for _ in range(ROUNDS_ONCE):
        if agent.cycle(0) > 0:
            break
    agent.state.note_contact()
    update.look(agent.state, agent.identity)
    if update.confirm(agent.state):
        # Whoever asked for this release hears at once that it is in force.
        agent.cycle(0)
    return agent.engine.unfinished()
