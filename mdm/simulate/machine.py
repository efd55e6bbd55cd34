"""One simulated machine, without any network: what it says of itself, how it takes settings, what it answers. Pure.

Facts are drawn from the machine's number, so that the same fleet comes back at the next run. Every fiftieth machine has
strings that no honest machine would send.
"""

import random
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from agent.proof import RefusedError
from agent.wire import Answer, Checkin, Command, Desired, Report, Result, report_digest, short_digest
from mdm.core.clock import iso, utcnow
from mdm.core.ids import new_uid
from mdm.simulate import kiosk
from mdm.simulate.trust import Trust

NOTHING = "-"
IMAGES = 12
"""Distinct sets of packages that a fleet is installed from."""
HOSTILE = (
    "\u202eskoik\u202c",
    "<script>alert(1)</script>",
    '=HYPERLINK("http://example.org")',
    "'; DROP TABLE device; --",
    "zuil\x00\x1b[2J\x07",
    "Ž" * 300,
    "👩‍🔧 kiosk",
    "%s%n${jndi:x}",
)
MODELS = (("Dell", "Latitude 5450"), ("Lenovo", "ThinkPad L14"), ("Advantech", "UTC-520"), ("Intel", "NUC 13"))
_WORDS = ("core", "dev", "gtk", "ssl", "xml", "png", "dbus", "data", "common", "utils", "python3", "perl", "fonts")


@lru_cache(maxsize=IMAGES * 4)
def packages(image: int, patch: int) -> tuple[dict[str, Any], str]:
    """The packages of one image at one patch level, with the digest of that section."""
    draw = random.Random(image)  # noqa: S311 -- a fleet that comes back the same, not a secret
    items = {f"lib{draw.choice(_WORDS)}-{draw.choice(_WORDS)}{n}": f"{draw.randint(0, 9)}.{n % 7}" for n in range(600)}
    items |= {"bash": "5.2.15-2+b7", "chromium": f"{140 + patch}.0.{6000 + image}", "systemd": "252.38-1~deb12u1"}
    section = {"manager": "dpkg", "items": items}
    return section, short_digest(section)


@dataclass
class Machine:
    """What a machine knows and has."""

    number: int
    trust: Trust | None = None
    """Whom it believes; None: it has not enrolled, and obeys nobody."""
    server_knows: dict[str, str] = field(default_factory=dict)
    """Digests of what was acknowledged."""
    desired: str = NOTHING
    applied: int = 0
    """How many desired states it has applied."""
    answers: list[Result] = field(default_factory=list)
    done: dict[str, Result] = field(default_factory=dict)
    """Answers by command: what comes twice is done once."""
    wiped: bool = False
    _sections: dict[str, dict[str, Any]] = field(default_factory=dict)
    _digests: dict[str, str] = field(default_factory=dict)
    _sent: "tuple[Report | None, list[Result]]" = (None, [])

    def __post_init__(self) -> None:
        self.draw = random.Random(self.number)  # noqa: S311 -- as above
        self._put(self._first())
        if kiosk.is_kiosk(self.number):
            self._put({"kiosk": kiosk.section(self.number, self.draw, utcnow())})

    @property
    def hostname(self) -> str:
        """Its name; a hostile one for every fiftieth machine."""
        if self.number % 50 == 49:
            return HOSTILE[self.number // 50 % len(HOSTILE)]
        return f"sim-{self.number:05}"

    @property
    def serial(self) -> str:
        """Its serial number."""
        return f"SIM{self.number:07}"

    @property
    def report_digest(self) -> str:
        """What ``r`` of its check-in is: what it believes the server knows."""
        return report_digest(self.server_knows) if self.server_knows else NOTHING

    def to_say(self) -> Checkin | None:
        """What it has to tell now, None when nothing."""
        changed = {name: digest for name, digest in self._digests.items() if self.server_knows.get(name) != digest}
        report: Report | None = None
        if changed:
            report = {
                "id": new_uid(),
                "at": iso(utcnow()),
                "sections": {name: self._sections[name] for name in changed},
                "digests": dict(self._digests),
            }
        self._sent = (report, list(self.answers))
        said: Checkin = {}
        if report is not None:
            said["report"] = report
        if self.answers:
            said["results"] = list(self.answers)
        return said or None

    def acknowledged(self) -> None:
        """The server took what was said last."""
        report, answers = self._sent
        if report is not None:
            self.server_knows = dict(report["digests"])
        self.answers = [answer for answer in self.answers if answer not in answers]
        self._sent = (None, [])

    def take(self, answer: Answer) -> None:
        """Does what the server answered: forgets what it lacks, applies settings, carries out commands."""
        for name in answer.get("want", []):
            if name == "*":
                self.server_knows = {}
            self.server_knows.pop(name, None)
        if "desired" in answer:
            self._apply(answer["desired"])
        for command in answer.get("commands", []):
            self._carry_out(command)

    def live(self) -> None:
        """A moment in its life: disks fill, updates come."""
        kind = self.draw.random()
        if kind < 0.3 and kiosk.is_kiosk(self.number):
            self._put({"kiosk": kiosk.section(self.number, self.draw, utcnow())})
        elif kind < 0.6:
            self._put({"disks": self._disks()})
        elif kind < 0.9:
            self._put({"patch": self._patch(self.draw.randint(0, 9))})
        else:
            section, digest = packages(self.number % IMAGES, self.draw.randint(1, 3))
            self._sections["packages"], self._digests["packages"] = section, digest

    def _apply(self, desired: Desired) -> None:
        states = {
            str(resource["id"]): {"state": "failed", "detail": "the validator said no"}
            if self.number % 100 == 99 and place == 0
            else {"state": "applied", "detail": ""}
            for place, resource in enumerate(desired["resources"])
        }
        self.desired = desired["digest"]
        self.applied += 1
        lists: dict[str, list[str]] = {"packages_missing": [], "packages_extra": [], "packages_blocked": []}
        self._put({"desired": {"digest": self.desired, "resources": states, **lists}})

    def _carry_out(self, command: Command) -> None:
        if command["id"] not in self.done:
            self.done[command["id"]] = self._result(command)
        if self.done[command["id"]] not in self.answers:
            self.answers.append(self.done[command["id"]])

    def _result(self, command: Command) -> Result:
        verb = command["verb"]
        if verb in ("wipe", "roster"):
            return self._judged(command)
        if verb == "screenshot":
            return {"id": command["id"], "state": "refused", "detail": "A simulated kiosk has no screen."}
        if self.draw.random() < 0.05:
            return {"id": command["id"], "state": "refused", "detail": "the person at the machine said no"}
        if verb == "refresh":
            self.server_knows = {}
        if verb == "diagnostics":
            return {"id": command["id"], "state": "done", "data": {"uptime": "up 3 days", "df": "/ 41%"}}
        return {"id": command["id"], "state": "done"}

    def _judged(self, command: Command) -> Result:
        """An order or a roster, judged as a real agent does."""
        if self.trust is None:
            return {"id": command["id"], "state": "refused", "detail": "This device has not enrolled."}
        try:
            if command["verb"] == "roster":
                version = self.trust.learn(command["args"].get("rosters"))
                self._put({"agent": {**self._sections["agent"], "roster": version}})
                return {"id": command["id"], "state": "done", "data": {"version": version}}
            self.trust.accept(command["args"])
        except RefusedError as refused:
            return {"id": command["id"], "state": "refused", "detail": str(refused), "data": {"rule": refused.rule}}
        self.wiped = True
        return {"id": command["id"], "state": "done", "detail": "keys destroyed", "data": {"luks": "erased"}}

    def _put(self, sections: dict[str, dict[str, Any]]) -> None:
        for name, section in sections.items():
            self._sections[name] = section
            self._digests[name] = short_digest(section)

    def _first(self) -> dict[str, dict[str, Any]]:
        maker, model = MODELS[self.number % len(MODELS)]
        section, digest = packages(self.number % IMAGES, 0)
        self._sections["packages"], self._digests["packages"] = section, digest
        mac = ":".join(f"{self.draw.randint(0, 255):02x}" for _ in range(6))
        return {
            "system": {
                "hostname": self.hostname,
                "serial": self.serial,
                "manufacturer": maker,
                "model": model,
                "os_name": "Debian GNU/Linux",
                "os_version": "12" if self.number % 5 else "11",
                "os_codename": "bookworm" if self.number % 5 else "bullseye",
                "kernel": "6.1.0-40-amd64",
                "arch": "x86_64",
                "timezone": "Europe/Brussels",
            },
            "patch": self._patch(self.draw.randint(0, 5)),
            "encryption": {
                "root_encrypted": None if self.number % 40 == 0 else self.number % 9 != 0,
                "method": "luks2" if self.number % 9 else "none",
                "volumes": [{"name": "sda3_crypt", "method": "luks2"}] if self.number % 9 else [],
            },
            "screenlock": {"enabled": self.number % 7 != 0, "timeout_seconds": 300, "method": "light-locker"},
            "firewall": {"active": self.number % 11 != 0, "backend": "nftables"},
            "disks": self._disks(),
            "network": {"interfaces": [{"name": "eth0", "kind": "ethernet", "mac": mac, "addresses": ["10.1.2.3"]}]},
            "agent": {
                "version": "0.1.0",
                "python": "3.11.2",
                "tampered": [],
                "privileged": True,
                "root": "/",
                "roster": 0,
            },
        }

    def _patch(self, pending: int) -> dict[str, Any]:
        return {
            "pending_updates": pending,
            "pending_security": pending // 3,
            "last_update": "2026-11-20T06:25:00Z",
            "reboot_required": pending > 7,
        }

    def _disks(self) -> dict[str, Any]:
        free = self.draw.randint(20, 200) * 512
        return {"filesystems": [{"mount": "/", "type": "ext4", "size_mb": 118_784, "free_mb": free}]}
