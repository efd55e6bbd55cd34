"""What is known of each sender after many packets. Every set in it has an end: memory does not grow with the capture."""

import ipaddress
import signal
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from mdm.discovery.reader.frames import frame

Dissector = Callable[[bytes, bytes], Iterator[tuple[str, str]]]
MOST_DEVICES = 10_000
MOST_PRIVATE = 10_000
DISSECTED: tuple[tuple[int, int], ...] = ((5_000, 40), (10_000, 4), (20_000, 1))
"""Until so many packets were dissected, so many of each protocol of each sender are; the rest says only that it is there.

Dissecting costs a thousand times more than looking who sent it: a capture may be as varied as it likes, time has an end.
"""
CHEAP = frozenset({"arp", "lldp", "ndp", "ssdp"})
MOST_CHEAP = 40
MOST_VALUES = 16
_RECENT = 16
PLURAL = {
    "address": "addresses", "name": "names", "service": "services", "capability": "capabilities", "shared": "shared",
}  # fmt: skip
CLAIMED = frozenset({"arp", "ndp"})
"""Protocols in which a device says that an address is its own, and nobody else's."""
MOST_CLAIMS = 20_000
_OF_MANY = (b"\x00\x00\x5e\x00\x01", b"\x00\x00\x5e\x00\x02", b"\x00\x00\x0c\x07\xac", b"\x00\x00\x0c\x9f\xf0")
"""Addresses of no one router (VRRP, RFC 5798; HSRP): two routers answer for one of them in turn."""


@dataclass(slots=True)
class Seen:
    """One sender."""

    first: float
    last: float
    packets: int = 0
    protocols: dict[str, int] = field(default_factory=dict)
    recent: deque[int] = field(default_factory=lambda: deque(maxlen=_RECENT))
    one: dict[str, str] = field(default_factory=dict)
    many: dict[str, list[str]] = field(default_factory=dict)

    def take(self, key: str, value: str) -> None:
        """Remembers what it said: the first word of each kind, of some kinds the first few."""
        if not value:
            return
        if key in PLURAL:
            kept = self.many.setdefault(key, [])
            if value not in kept and len(kept) < MOST_VALUES:
                kept.append(value)
        else:
            self.one.setdefault(key, value)


class Gathering:
    """Takes packets one by one. ``dissectors`` are tried on what is worth it; what they raise is counted as malformed.

    A packet that takes longer than ``patience`` seconds is malformed as well; the process must have a handler of SIGALRM that
    raises TimeoutError. 0: nobody looks at the time.
    """

    def __init__(self, dissectors: dict[str, Dissector], patience: float = 0) -> None:
        self.dissectors = dissectors
        self.patience = patience
        self.seen: dict[bytes, Seen] = {}
        self.claims: dict[str, bytes] = {}
        self.private = 0
        self.packets = self.malformed = self.unread = self.beyond = self.dissected = 0

    def take(self, data: bytes, link: int, at: float) -> None:
        """``packet`` with an eye on the time."""
        signal.setitimer(signal.ITIMER_REAL, self.patience)
        try:
            self.packet(data, link, at)
        except TimeoutError:
            self.malformed += 1
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def packet(self, data: bytes, link: int, at: float) -> None:
        """Takes one packet; never raises for what is in it, except when memory or time is out."""
        self.packets += 1
        found = frame(data, link)
        if found is None:
            self.unread += 1
            return
        sender = self._of(found.source, at)
        if sender is None:
            return
        sender.packets += 1
        if found.protocol:
            self._dissect(sender, found.source, found.protocol, found.payload, found.address, at)

    def _of(self, mac: bytes, at: float) -> Seen | None:
        known = self.seen.get(mac)
        if known is None:
            private = bool(mac[0] & 2)
            if self.private >= MOST_PRIVATE if private else len(self.seen) - self.private >= MOST_DEVICES:
                self.beyond += 1
                return None
            self.private += private
            known = self.seen[mac] = Seen(at, at)
        known.first, known.last = min(known.first, at), max(known.last, at)
        return known

    def _dissect(self, sender: Seen, source: bytes, protocol: str, payload: bytes, address: bytes, at: float) -> None:
        digest = hash(payload)
        done = sender.protocols.get(protocol, 0)
        cheap = protocol in CHEAP
        if done >= (MOST_CHEAP if cheap else self._most()) or digest in sender.recent:
            sender.protocols.setdefault(protocol, 0)
            return
        self.dissected += not cheap
        sender.protocols[protocol] = done + 1
        sender.recent.append(digest)
        about = sender
        try:
            for key, value in self.dissectors[protocol](payload, source):
                if key == "client":
                    about = self._client(source, value, at) or sender
                elif key != "address":
                    about.take(key, value)
                elif _usable(value):
                    known = str(ipaddress.ip_address(value))
                    about.take("address", known)
                    if protocol in CLAIMED:
                        self._claimed(source, known)
        except (MemoryError, TimeoutError):
            raise
        except Exception:  # noqa: BLE001 -- scapy raises whatever a malformed packet made it stumble over
            self.malformed += 1
            return
        if address:
            text = str(ipaddress.ip_address(address))
            if _usable(text):
                sender.take("address", text)

    def _claimed(self, source: bytes, address: str) -> None:
        """Notes at both when two say that an address is theirs: a mistake, or somebody who stands in between."""
        if source.startswith(_OF_MANY):
            return
        before = self.claims.get(address)
        if before is None:
            if len(self.claims) < MOST_CLAIMS:
                self.claims[address] = source
        elif before != source:
            for one in (before, source):
                self.seen[one].take("shared", address)

    def _most(self) -> int:
        """How many packets of one protocol of one sender are dissected by now."""
        return next((most for until, most in DISSECTED if self.dissected < until), 0)

    def _client(self, source: bytes, value: str, at: float) -> Seen | None:
        """Whom a DHCP packet is about: its client, also where a relay or the server sent it."""
        mac = bytes.fromhex(value)
        if mac == source or mac[0] & 1 or not any(mac):
            return None
        known = self._of(mac, at)
        if known is not None:
            known.protocols.setdefault("dhcp", 0)
        return known

    def records(self) -> Iterator[dict[str, object]]:
        """Everything that is known, one record per sender."""
        for mac, seen in self.seen.items():
            yield {
                "type": "device",
                "mac": mac.hex(":"),
                "first": seen.first,
                "last": seen.last,
                "packets": seen.packets,
                "protocols": sorted(seen.protocols),
                **seen.one,
                **{PLURAL[key]: many for key, many in seen.many.items()},
            }

    def counts(self) -> dict[str, int]:
        """The figures of the whole."""
        return {
            "packets": self.packets,
            "malformed": self.malformed,
            "unread": self.unread,
            "beyond": self.beyond,
        }


def _usable(value: str) -> bool:
    try:
        one = ipaddress.ip_address(value)
    except ValueError:
        return False
    return not (one.is_unspecified or one.is_multicast or one.is_loopback)
