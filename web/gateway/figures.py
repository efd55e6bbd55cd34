"""What a gateway process counts about itself, in the Prometheus text format. Each process counts for itself."""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from web.gateway.doorbell import Doorbell


@dataclass
class Figures:
    """Plain numbers: on the hot path a lock per count would cost more than the count."""

    checkins: int = 0
    seconds: float = 0.0
    exchanges: int = 0
    reports: int = 0
    refused: int = 0
    enrolled: int = 0


class _Collector:
    def __init__(self, figures: Figures, doorbell: Doorbell) -> None:
        self.figures = figures
        self.doorbell = doorbell

    def collect(self) -> Iterator[Metric]:
        """Every figure as it is now."""
        for name, text, value in (
            ("idle_checkins", "Check-ins with nothing new.", self.figures.checkins),
            ("idle_checkin_seconds", "Seconds spent in them, waiting for the doorbell included.", self.figures.seconds),
            ("exchanges", "Check-ins in which something was told.", self.figures.exchanges),
            ("reports", "Reports that were taken.", self.figures.reports),
            ("refused", "Requests with a certificate that is missing or refused.", self.figures.refused),
            ("enrolled", "Devices that got their first certificate.", self.figures.enrolled),
        ):
            yield CounterMetricFamily(f"havenmeester_gateway_{name}", text, value=value)
        yield GaugeMetricFamily(
            "havenmeester_gateway_waiting", "Long polls that wait for the doorbell.", value=self.doorbell.waiting
        )


def page(figures: Figures, doorbell: Doorbell) -> bytes:
    """The figures in the text format of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(figures, doorbell))
    return bytes(generate_latest(registry))
