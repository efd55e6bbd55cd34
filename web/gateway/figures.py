"""What a gateway process counts about itself, and how it comes into the figures of the whole installation.

On the hot path a lock and a write per count would cost more than the count, so plain numbers are added to and published
from time to time.
"""

from dataclasses import dataclass, fields

from prometheus_client import Counter, Gauge

COUNTERS = {
    name: Counter(f"havenmeester_gateway_{name}", text)
    for name, text in (
        ("idle_checkins", "Check-ins with nothing new."),
        ("idle_checkin_seconds", "Seconds spent in them, waiting for the doorbell included."),
        ("exchanges", "Check-ins in which something was told."),
        ("reports", "Reports that were taken."),
        ("refused", "Requests with a certificate that is missing or refused."),
        ("sent_away", "Check-ins that were told to come back later because too many came at once."),
        ("android_polls", "Long polls of Android phones that were answered."),
        ("apple_idle", "Idle connections of phones."),
        ("apple_turns", "Turns of phones that needed no more than the queue."),
        ("enrolled", "Devices that got their first certificate."),
    )
}
WAITING = Gauge("havenmeester_gateway_waiting", "Long polls that wait for the doorbell.", multiprocess_mode="livesum")


@dataclass
class Figures:
    """Plain numbers since the last ``publish``."""

    idle_checkins: int = 0
    idle_checkin_seconds: float = 0.0
    exchanges: int = 0
    reports: int = 0
    refused: int = 0
    sent_away: int = 0
    android_polls: int = 0
    apple_idle: int = 0
    apple_turns: int = 0
    enrolled: int = 0

    def publish(self, waiting: int) -> None:
        """Adds what was counted since the last time to the figures; ``waiting`` is how many long polls wait now."""
        for one in fields(self):
            value = getattr(self, one.name)
            setattr(self, one.name, one.default)
            COUNTERS[one.name].inc(value)
        WAITING.set(waiting)
