"""Running simulated Android phones: each enrols by its number, waits at the doorbell, and does what its configuration says."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from gevent import GreenletExit, joinall, killall, sleep, spawn

from mdm.simulate.figures import Figures
from mdm.simulate.handset import EXTRA, Answer, Handset
from mdm.simulate.identities import context
from mdm.simulate.line import Line
from mdm.simulate.register import Kept, Register

PATIENCE = 300.0
"""Seconds that an agent waits at the doorbell."""
PAUSE, LONG_PAUSE = 5.0, 60.0
"""Seconds between two polls, and after one that failed."""


@dataclass(frozen=True, slots=True)
class Known(Kept):
    """One simulated phone that was enrolled, as it is kept for the next run."""

    device_number: str
    serial: str
    imei: str


def register(home: Path, ca: str) -> Register[Known]:
    """The phones that this installation's simulation enrolled under this authority."""
    return Register(home, "handsets", Known, ca)


class Androids:
    """Simulated phones on one thread."""

    def __init__(self, gateway: str, ca: str, figures: Figures, every: float | None) -> None:
        address = urlsplit(gateway)
        self.host, self.port = address.hostname or "localhost", address.port or 443
        self.figures = figures
        self.every = every
        self._context = context(ca, None)

    def enroll(
        self, numbers: Sequence[int], device_number: Callable[[int], str], register: Register[Known]
    ) -> dict[int, Known]:
        """Enrols phones one after the other; what is refused is counted and left out."""
        found = {}
        for number in numbers:
            draw = random.Random(number)  # noqa: S311 -- the same number is the same phone
            serial, imei = f"SIMA{draw.getrandbits(36):09X}", f"35{draw.randrange(10**13):013}"
            known = Known(number, register.ca, device_number(number), serial, imei)
            line = self._line()
            try:
                self.handset(known, line).enroll()
            except (OSError, ValueError, RuntimeError) as error:
                self.figures.errors[_named(error)] += 1
                continue
            finally:
                line.close()
            register.add(known)
            found[number] = known
            self.figures.enrolled += 1
        return found

    def _line(self) -> Line:
        return Line(self.host, self.port, lambda: self._context)

    def handset(self, known: Known, line: Line) -> Handset:
        """One phone on this connection."""

        def ask(method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
            wait = PATIENCE if "/polling/" in path else 0.0
            reply = line.ask(method, path, body, wait=wait, headers=headers)
            return reply.status, reply.headers, reply.body

        code = json.dumps({f"{EXTRA}ADMIN_EXTRAS_BUNDLE": {"com.hmdm.DEVICE_ID": known.device_number}})
        made = Handset(ask, code, known.serial, known.imei, model="Simulated")
        made.installed["com.hmdm.launcher"] = "6.36"
        return made

    def run(self, phones: Sequence[Known], seconds: float, ramp: float) -> None:
        """Lets every phone live until time is up."""
        self.figures.devices = len(phones)
        self.figures.begin()
        end = monotonic() + seconds
        greenlets = [spawn(self._live, one, place / ramp, end) for place, one in enumerate(phones)]
        try:
            while monotonic() < end and any(greenlets):
                sleep(0.2)
        except KeyboardInterrupt:
            pass
        finally:
            self.figures.ended = monotonic()
            killall(greenlets, GreenletExit, block=False)
            joinall(greenlets, timeout=10)

    def _live(self, known: Known, start: float, end: float) -> None:
        sleep(start)
        line = self._line()
        phone = self.handset(known, line)
        self.figures.online += 1
        try:
            self._timed(phone.visit)
            while monotonic() < end and not phone.wiped:
                self._turn(phone)
        finally:
            line.close()
            self.figures.online -= 1
            self.figures.wiped += phone.wiped

    def _turn(self, phone: Handset) -> None:
        """One visit by the clock where that is asked for, else one poll and what follows from it."""
        if self.every is not None:
            sleep(self.every * random.uniform(0.9, 1.1))  # noqa: S311 -- jitter
            self._timed(phone.visit)
            return
        try:
            news = phone.poll()
        except (OSError, ValueError, RuntimeError) as error:
            self.figures.errors[_named(error)] += 1
            sleep(LONG_PAUSE)
            return
        self.figures.idle += not news
        if news:
            self._timed(phone.visit)
        sleep(PAUSE)

    def _timed(self, act: Callable[[], None]) -> None:
        begun = monotonic()
        try:
            act()
        except (OSError, ValueError, RuntimeError) as error:
            self.figures.errors[_named(error)] += 1
            return
        self.figures.latencies.append(monotonic() - begun)
        self.figures.exchanges += 1
        self.figures.reports += 1


def _named(error: Exception) -> str:
    return str(error) if isinstance(error, RuntimeError) else type(error).__name__
