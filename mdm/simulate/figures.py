"""What a simulated fleet counts: answers, errors, latencies."""

from array import array
from collections import Counter
from dataclasses import dataclass, field
from time import monotonic
from typing import Any


@dataclass
class Figures:
    """Counts since the fleet began to run."""

    devices: int = 0
    online: int = 0
    enrolled: int = 0
    idle: int = 0
    exchanges: int = 0
    reports: int = 0
    commands: int = 0
    applied: int = 0
    wiped: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    latencies: "array[float]" = field(default_factory=lambda: array("d"))
    begun: float = field(default_factory=monotonic)
    ended: float | None = None
    by_desired: Counter[str] = field(default_factory=Counter)
    """How many devices have which desired state in their hands."""

    def begin(self) -> None:
        """Starts the clock of rates: enrolling is not part of them."""
        self.begun = monotonic()
        self.latencies = array("d")
        self.idle = self.exchanges = 0

    @property
    def seconds(self) -> float:
        """How long the fleet has run."""
        return max(0.001, (self.ended or monotonic()) - self.begun)

    @property
    def checkins(self) -> int:
        """All check-ins that were answered."""
        return self.idle + self.exchanges

    def percentile(self, share: float, ordered: list[float]) -> float | None:
        """Milliseconds under which ``share`` of the answers came; None while there are none."""
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 1) if ordered else None

    def summary(self) -> dict[str, Any]:
        """Everything as plain data."""
        ordered = sorted(self.latencies)
        return {
            "devices": self.devices,
            "online": self.online,
            "enrolled": self.enrolled,
            "seconds": round(self.seconds, 1),
            "checkins": self.checkins,
            "checkins_per_second": round(self.checkins / self.seconds, 1),
            "idle": self.idle,
            "reports": self.reports,
            "commands": self.commands,
            "applied": self.applied,
            "wiped": self.wiped,
            "desired": dict(self.by_desired.most_common(10)),
            "p50_ms": self.percentile(0.50, ordered),
            "p95_ms": self.percentile(0.95, ordered),
            "p99_ms": self.percentile(0.99, ordered),
            "errors": dict(self.errors),
        }
