"""The watch over one kiosk: looks every half minute, starts the browser anew when it must, and tells how it all is.

``tend`` is called by the resident process also while the server cannot be reached. Nothing of it grows: one small file keeps
what must survive a start.
"""

import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from agent.collect import printer, warmth
from agent.kiosk import guard, used, wishes
from agent.kiosk.session import Session
from agent.kiosk.wishes import Wishes
from agent.roots import Root
from agent.state import State, now_text

EVERY: Final = 30
PRINTER_EVERY: Final = 300
WAIT: Final = 25
"""Seconds that the doorbell may keep a kiosk: shorter than one citizen, after whom the session leaves no trace."""
KEPT: Final = "kiosk.json"
CUPS: Final = "/etc/cups/printers.conf"


class SessionLike(Protocol):
    """What the watch needs of a session."""

    def look(self, port: int | None) -> str | None:
        """As ``Session.look``."""

    def start_anew(self) -> str:
        """As ``Session.start_anew``."""


class Watch:
    """One kiosk. A machine without a kiosk's session has nothing to watch, and ``section`` is None."""

    def __init__(
        self,
        state: State,
        root: Root,
        session: SessionLike | None = None,
        ask: Callable[[str], dict[str, Any]] = printer.ask,
    ) -> None:
        self.state, self.root, self._ask = state, root, ask
        self.session = session if session is not None else (Session() if root.real else None)
        kept = state.read(KEPT)
        self._guard = guard.read(kept, root.line("/proc/sys/kernel/random/boot_id") or "")
        self._used: int | None = kept["used"] if isinstance(kept.get("used"), int) else None
        self._browser: str | None = None
        self._warmth: int | None = None
        self._printer: dict[str, Any] | None = None
        self._asked: tuple[str, float] | None = None
        self._looked = -float(EVERY)
        self._written: dict[str, Any] = kept

    @property
    def here(self) -> bool:
        """Whether this machine has a kiosk's session."""
        return self.root.exists(wishes.UNIT_PATH)

    def last_used(self) -> int | None:
        """The last sign of a citizen, also one from before the watcher began anew."""
        seen = used.last(self.root, time.time())
        if seen is not None and (self._used is None or seen > self._used or self._used > time.time()):
            self._used = seen
        return self._used

    def tend(self) -> None:
        """One look, at most every ``EVERY`` seconds."""
        if not self.here or time.monotonic() - self._looked < EVERY:
            return
        self._looked = time.monotonic()
        asked = wishes.read(self.root)
        self.last_used()
        self._look_at_browser(asked)
        self._warmth = warmth.steady(warmth.warmest(self.root), self._warmth)
        self._look_at_printer(asked)
        self._keep()

    def _look_at_browser(self, asked: Wishes) -> None:
        dark = asked.hours is not None and not asked.hours.holds(time.localtime())
        seen = self.session.look(asked.port) if self.session is not None else None
        # Outside its hours a kiosk has no session, and none is started.
        self._browser = "off" if dark and seen in ("stopped", "silent") else seen
        if self._browser is None or self.session is None:
            return
        before = self._guard
        self._guard, again = guard.after(before, self._browser, time.time(), asked.limit)
        if self._guard.gave_up != before.gave_up:
            self.state.log(f"The kiosk's browser is {self._browser} and was started {asked.limit} times: given up.")
        if again:
            # Kept first: a machine that dies while it starts a browser must not forget that it did.
            self._keep()
            trouble = self.session.start_anew()
            self.state.log(f"The kiosk's browser was {self._browser} and was started anew. {trouble}".rstrip())

    def _look_at_printer(self, asked: Wishes) -> None:
        uri = asked.printer or ("cups:" if self.root.real and self.root.exists(CUPS) else "")
        if not uri:
            self._printer, self._asked = None, None
        elif self._asked is None or self._asked[0] != uri or time.monotonic() - self._asked[1] >= PRINTER_EVERY:
            self._printer = self._ask(uri)
            self._asked = (uri, time.monotonic())

    def _keep(self) -> None:
        value = {
            **self._guard.kept(),
            "used": None if self._used is None else self._used // used.QUARTER * used.QUARTER,
        }
        if value != self._written:
            try:
                self.state.save(KEPT, value)
                self._written = value
            except OSError as trouble:
                self.state.log(f"What the watch over the kiosk knows could not be kept: {trouble.strerror}.")

    def once_more(self) -> str:
        """A person asks that the browser is started anew, also after it was given up. What went wrong; empty for nothing."""
        self._guard = guard.once_more(self._guard)
        self._keep()
        self._looked = -float(EVERY)
        return self.session.start_anew() if self.session is not None else "there is no session that could be started"

    def look_again(self) -> None:
        """The next ``tend`` looks at everything, also at the printer."""
        self._looked, self._asked = -float(EVERY), None

    def section(self) -> dict[str, Any] | None:
        """The section ``kiosk`` of a report; None for a machine that is no kiosk."""
        if not self.here:
            return None
        given_up = self._guard.gave_up
        return {
            "browser": self._browser,
            "restarts": len(self._guard.lately(time.time())),
            "gave_up_at": None if given_up is None else now_text(given_up),
            "last_use": used.quarter(self._used),
            "temperature_c": self._warmth,
            "printer": self._printer,
        }
