"""Running simulated iPhones: each gets a profile and a certificate, checks in, and asks for commands at its own pace."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from gevent import GreenletExit, joinall, killall, sleep, spawn

from mdm.simulate import scep
from mdm.simulate.figures import Figures
from mdm.simulate.identities import context
from mdm.simulate.iphone import IPhone
from mdm.simulate.line import Line
from mdm.simulate.register import Kept, Register

LOCKED = 0.1
"""The part of connections at which a phone is locked and puts off what it must not do then."""
USUAL = 60.0
"""Seconds between two connections where nobody says otherwise: nothing pushes phones that are not there."""


@dataclass(frozen=True, slots=True)
class Known(Kept):
    """One simulated phone that was enrolled, as it is kept for the next run."""

    udid: str
    serial: str
    key: str
    certificate: str
    checkin: str
    server: str
    topic: str


def register(home: Path, ca: str) -> Register[Known]:
    """The phones that this installation's simulation enrolled under this authority."""
    return Register(home, "phones", Known, ca)


class Phones:
    """Simulated phones on one thread. ``profile`` gives a signed enrollment profile for a number."""

    def __init__(self, gateway: str, ca: str, phone_ca: str, figures: Figures, every: float | None) -> None:
        address = urlsplit(gateway)
        self.host, self.port = address.hostname or "localhost", address.port or 443
        self.ca = ca
        self.phone_ca = x509.load_pem_x509_certificate(phone_ca.encode())
        self.figures = figures
        self.every = every or USUAL
        self.stranger = context(ca, None)
        self._kept: list[Line] = []

    def enroll(
        self,
        numbers: Sequence[int],
        profile: Callable[[int], bytes],
        register: Register[Known],
        done: Callable[[], None],
    ) -> dict[int, Known]:
        """Enrols phones one after the other; what is refused is counted and left out."""
        found = {}
        for number in numbers:
            try:
                found[number] = self._enroll(number, profile(number), register)
            except (OSError, ValueError, RuntimeError) as error:
                self.figures.errors[type(error).__name__] += 1
            done()
        return found

    def _enroll(self, number: int, profile: bytes, register: Register[Known]) -> Known:
        key = rsa.generate_private_key(65537, 2048)
        line = self._line()
        one = scep.install(profile, lambda path, message: line.ask("POST", path, message).body, self.phone_ca, key)
        draw = random.Random(number)  # noqa: S311 -- the same number is the same phone
        known = Known(
            number,
            register.ca,
            f"00008110-{draw.getrandbits(64):016X}",
            f"SIM{draw.getrandbits(36):09X}",
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            one.certificate.public_bytes(Encoding.PEM).decode(),
            one.checkin_path,
            one.server_path,
            one.topic,
        )
        phone = self._phone(known, line)
        phone.enroll()
        phone.run()
        line.close()
        register.add(known)
        self.figures.enrolled += 1
        return known

    def _line(self) -> Line:
        return Line(self.host, self.port, lambda: self.stranger)

    def phone(self, known: Known) -> IPhone:
        """A phone on a connection of its own, which is kept until ``close``."""
        line = self._line()
        self._kept.append(line)
        return self._phone(known, line)

    def close(self) -> None:
        """Hangs up for every phone that was given by ``phone``."""
        for line in self._kept:
            line.close()

    def _phone(self, known: Known, line: Line) -> IPhone:
        def send(path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
            reply = line.ask("PUT", path, body, headers=headers)
            return reply.status, reply.body

        key: Any = load_pem_private_key(known.key.encode(), None)
        return IPhone(
            send=send,
            checkin_path=known.checkin,
            server_path=known.server,
            topic=known.topic,
            key=key,
            certificate=x509.load_pem_x509_certificate(known.certificate.encode()),
            udid=known.udid,
            serial=known.serial,
            name=f"iPhone {known.number:05}",
        )

    def run(self, phones: Sequence[Known], seconds: float, ramp: float, look: Callable[[], None]) -> None:
        """Lets every phone connect until time is up; ``look`` is called twice a second."""
        self.figures.devices = len(phones)
        self.figures.begin()
        end = monotonic() + seconds
        greenlets = [spawn(self._live, one, place / ramp, end) for place, one in enumerate(phones)]
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

    def _live(self, known: Known, start: float, end: float) -> None:
        sleep(start)
        line = self._line()
        phone = self._phone(known, line)
        self.figures.online += 1
        try:
            while monotonic() < end and not phone.erased:
                self._connect(phone)
                sleep(self.every * random.uniform(0.9, 1.1))  # noqa: S311 -- jitter
        finally:
            line.close()
            self.figures.online -= 1
            self.figures.wiped += phone.erased

    def _connect(self, phone: IPhone) -> None:
        """One connection, from idle to empty."""
        phone.locked = random.random() < LOCKED  # noqa: S311 -- how people are
        begun, applied = monotonic(), len(phone.profiles) + len(phone.declarations)
        try:
            count = phone.run()
        except (OSError, ValueError, RuntimeError) as error:
            self.figures.errors[str(error) if isinstance(error, RuntimeError) else type(error).__name__] += 1
            return
        self.figures.latencies.append((monotonic() - begun) / (count + 1))
        self.figures.commands += count
        self.figures.exchanges += bool(count)
        self.figures.idle += not count
        self.figures.applied += len(phone.profiles) + len(phone.declarations) != applied
