"""Figures for Prometheus. Every process of one home counts into files of one folder; the console shows the sum.

The folder is ``PROMETHEUS_MULTIPROC_DIR``, which must be in the environment before this module is imported; without it a
process shows only its own figures.
"""

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"

REQUESTS = Counter(
    "havenmeester_requests_total", "Requests answered, by door, endpoint and status.", ("door", "endpoint", "status")
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
DEVICES = Gauge("havenmeester_devices", "Devices, by verdict.", ("verdict",), multiprocess_mode="mostrecent")
LEADS = Gauge("havenmeester_worker_leads", "1 while this worker leads.", multiprocess_mode="livesum")


def exposition() -> tuple[bytes, str]:
    """The figures of all processes of this home and their content type."""
    registry: CollectorRegistry = REGISTRY
    if os.environ.get(FOLDER):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST
