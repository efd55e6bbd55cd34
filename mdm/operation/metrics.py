"""Figures for Prometheus. Every process of one home counts into files of one folder; the console shows the sum.

The folder is ``PROMETHEUS_MULTIPROC_DIR``, which must be in the environment before this module is imported; without it a
process shows only its own figures.
"""

import os
import re
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER = "PROMETHEUS_MULTIPROC_DIR"

REQUESTS = Counter(
    "havenmeester_requests_total",
    "Requests answered, by door, route (the template, never the path) and status.",
    ("door", "route", "status"),
)
REQUEST_SECONDS = Histogram(
    "havenmeester_request_seconds",
    "Seconds until a request was answered, by door.",
    ("door",),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
JOB_RUNS = Counter("havenmeester_job_runs_total", "Runs of the worker's jobs, by job and outcome.", ("job", "outcome"))
POST_WAITING = Gauge(
    "havenmeester_outbox_waiting",
    "Messages of the outbox that are due and not delivered.",
    multiprocess_mode="mostrecent",
)
POST_DEAD = Gauge(
    "havenmeester_outbox_dead", "Messages of the outbox that were given up.", multiprocess_mode="mostrecent"
)
DEVICES = Gauge(
    "havenmeester_devices", "Devices, by verdict, or not_enrolled.", ("verdict",), multiprocess_mode="mostrecent"
)
LEADS = Gauge("havenmeester_worker_leads", "1 while this worker leads.", multiprocess_mode="livesum")


def answered(door: str, route: str, status: int, seconds: float) -> None:
    """Counts one request that a door answered. ``route`` is the template: a path may hold a secret, and never ends."""
    REQUESTS.labels(door, route, str(status)).inc()
    REQUEST_SECONDS.labels(door).observe(seconds)


def _forget_the_dead(folder: Path) -> None:
    """Takes away what processes that were killed said of the present; what they have counted stays counted."""
    for file in folder.glob("gauge_live*.db"):
        found = re.search(r"_(\d+)\.db$", file.name)
        if found and not Path("/proc", found[1]).exists():
            mark_process_dead(int(found[1]), str(folder))  # type: ignore[no-untyped-call]


def exposition() -> tuple[bytes, str]:
    """The figures of all processes of this home and their content type."""
    registry: CollectorRegistry = REGISTRY
    folder = os.environ.get(FOLDER)
    if folder:
        _forget_the_dead(Path(folder))
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST
