"""Running a simulated fleet: enrols whoever is new, then every device checks in at its own pace until time is up."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import cast
from urllib.parse import urlsplit

from gevent import GreenletExit, joinall, killall, sleep, spawn
from gevent.pool import Pool

from agent.wire import CHECKIN, ENROLL, MAX_WAIT, Answer
from mdm.simulate.figures import Figures
from mdm.simulate.identities import Identity, Register, context, new_key
from mdm.simulate.line import Line, Reply
from mdm.simulate.machine import NOTHING, Machine
from mdm.simulate.trust import Trust

BACK_OFF, LONGEST_BACK_OFF = 2.0, 300.0
CHANGES = 0.05
"""The part of check-ins before which something has changed on the device."""
ENROLLING = 24
"""Devices that enrol at one moment."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the fleet behaves."""

    gateway: str
    ca: str
    """The certificate of our CA as PEM."""
    seconds: float
    every: float | None = None
    """Seconds between two check-ins of one device; None: as the server says, waiting at the doorbell in between."""
    ramp: float = 200.0
    """Devices that come online in a second."""


class Fleet:
    """Simulated devices on one thread."""

    def __init__(self, plan: Plan, register: Register, figures: Figures) -> None:
        self.plan = plan
        self.register = register
        self.figures = figures
        self.refused: set[int] = set()
        address = urlsplit(plan.gateway)
        self.host, self.port = address.hostname or "localhost", address.port or 443

    def enroll(self, tokens: dict[int, str], progress: Callable[[], None]) -> dict[int, Identity]:
        """Enrols one device for each token; those that could not are counted as errors and left out."""
        found: dict[int, Identity] = {}
        stranger = context(self.plan.ca, None)
        pool = Pool(ENROLLING)

        def one(number: int, token: str) -> None:
            line = Line(self.host, self.port, lambda: stranger)
            try:
                identity = self._enroll(line, number, token)
            finally:
                line.close()
            if identity is not None:
                found[number] = identity
            progress()

        for number, token in tokens.items():
            pool.spawn(one, number, token)
        pool.join()
        return found

    def _enroll(self, line: Line, number: int, token: str) -> Identity | None:
        machine = Machine(number)
        private, csr = new_key()
        message = {
            "token": token,
            "csr": csr,
            "platform": "linux",
            "serial": machine.serial,
            "hostname": machine.hostname[:255],
            "model": None,
            "version": "0.1.0",
        }
        for _ in range(10):
            reply = self._asked(line, "POST", ENROLL, json.dumps(message).encode())
            if reply is not None and reply.status == 200:
                answer = reply.json
                identity = Identity(number, answer["device"], private + answer["certificate"], self.register.ca)
                self.register.add(identity)
                self.figures.enrolled += 1
                return identity
            if reply is not None and reply.status not in (429, 500, 503):
                return None
            sleep(random.uniform(0.5, 2))  # noqa: S311 -- jitter
        return None

    def run(self, identities: Sequence[Identity], look: Callable[[], None]) -> None:
        """Lets every device check in until time is up; ``look`` is called twice a second."""
        self.figures.devices = len(identities)
        self.figures.begin()
        end = monotonic() + self.plan.seconds
        greenlets = [
            spawn(self._live, identity, place / self.plan.ramp, end) for place, identity in enumerate(identities)
        ]
        try:
            while monotonic() < end and any(greenlets):
                look()
                sleep(0.5)
        except KeyboardInterrupt:
            pass
        finally:
            self.figures.ended = monotonic()
            killall(greenlets, GreenletExit, block=False)
            joinall(greenlets, timeout=10)
            self.register.forget(self.refused)

    def _live(self, identity: Identity, start: float, end: float) -> None:
        sleep(start)
        machine = Machine(identity.number, Trust(identity.device, identity.pem))
        line = Line(self.host, self.port, lambda: context(self.plan.ca, identity.pem))
        self.figures.online += 1
        try:
            while monotonic() < end and not (machine.wiped and not machine.answers):
                pause = self._checkin(machine, line, identity)
                if pause is None:
                    return
                sleep(pause)
        finally:
            line.close()
            self.figures.online -= 1
            self.figures.wiped += machine.wiped

    def _checkin(self, machine: Machine, line: Line, identity: Identity) -> float | None:
        """One check-in; seconds until the next, None when the device is no longer let in."""
        if machine.server_knows and machine.draw.random() < CHANGES:
            machine.live()
        said = machine.to_say()
        body = json.dumps(said).encode() if said else b""
        wait = 0 if body or self.plan.every is not None else MAX_WAIT // 10
        path = f"{CHECKIN}?d={machine.desired}&r={machine.report_digest}&w={wait}"
        begun = monotonic()
        reply = self._asked(line, "POST", path, body, wait=wait)
        took = monotonic() - begun
        if reply is None:
            return _back_off(line.failures)
        if reply.status == 401:
            self.refused.add(identity.number)
            return None
        if reply.status not in (200, 204):
            asked = float(reply.retry_after or 0) * random.uniform(1, 1.25)  # noqa: S311 -- jitter
            return max(asked, _back_off(1 if asked else line.failures))
        if not wait:
            self.figures.latencies.append(took)
        machine.acknowledged()
        if said and "report" in said:
            self.figures.reports += 1
        if reply.status == 204:
            self.figures.idle += 1
            return self._until_next(reply.next or 60, took)
        return self._take(machine, cast(Answer, reply.json))

    def _take(self, machine: Machine, answer: Answer) -> float:
        self.figures.exchanges += 1
        before, applied = machine.desired, machine.applied
        machine.take(answer)
        if machine.applied > applied:
            self.figures.applied += 1
            self.figures.by_desired[machine.desired] += 1
            if before != NOTHING:
                self.figures.by_desired[before] -= 1
        self.figures.commands += len(answer.get("commands", []))
        # Like a real agent, it goes straight back: to tell what it did, or to wait at the doorbell.
        if self.plan.every is None or machine.answers or machine.applied > applied or "want" in answer:
            return 0.0
        return self._until_next(60, 0)

    def _until_next(self, hint: int, waited: float) -> float:
        if self.plan.every is not None:
            return self.plan.every * random.uniform(0.9, 1.1)  # noqa: S311 -- jitter
        return max(0.0, min(hint, MAX_WAIT // 10) - waited)

    def _asked(self, line: Line, method: str, path: str, body: bytes, *, wait: float = 0.0) -> Reply | None:
        """The reply, None when the gateway could not be reached; refusals and failures are counted."""
        try:
            reply = line.ask(method, path, body, wait=wait)
        except (OSError, ValueError) as error:
            self.figures.errors[type(error).__name__] += 1
            line.failures += 1
            return None
        if reply.status in (200, 204):
            line.failures = 0
        else:
            self.figures.errors[reply.code] += 1
            line.failures += 1
        return reply


def _back_off(failures: int) -> float:
    """Seconds until the next try, as a real agent waits: twice as long after each failure in a row, half of it by chance."""
    pause = min(BACK_OFF * 2.0 ** min(max(failures, 1) - 1, 16), LONGEST_BACK_OFF)
    return pause * random.uniform(0.5, 1)  # noqa: S311 -- jitter
