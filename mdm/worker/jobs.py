"""A job of the clock: how often, what; and what is known of its runs. Errors are logged and make it wait longer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from mdm.operation import logs, metrics
from mdm.worker.office import Office

log = structlog.get_logger(__name__)
LONGEST_WAIT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Job:
    """``run`` happens every ``every``; with ``at_start`` also as soon as the worker leads."""

    name: str
    every: timedelta
    run: Callable[[Office], object]
    at_start: bool = False


@dataclass(slots=True)
class Runs:
    """What is known of one job's runs since this worker began."""

    good: datetime | None = None
    failures: int = 0
    error: str = ""
    not_before: datetime | None = None
    told: dict[str, object] = field(default_factory=dict)


def run(job: Job, office: Office, runs: Runs) -> None:
    """Runs the job once and notes how it went; skips it while an earlier failure makes it wait.

    After the n-th failure in a row it waits its own interval times 2 to the n, at most a quarter of an hour.
    """
    now = office.clock()
    if runs.not_before is not None and now < runs.not_before:
        return
    try:
        job.run(office)
    except Exception as error:
        runs.failures += 1
        runs.error = logs.harmless(f"{type(error).__name__}: {error}")[:500]
        runs.not_before = now + min(LONGEST_WAIT, job.every * 2 ** min(runs.failures, 16))
        metrics.JOB_RUNS.labels(job.name, "failed").inc()
        log.exception("a job failed", job=job.name, failures=runs.failures)
        return
    runs.good, runs.failures, runs.error, runs.not_before = office.clock(), 0, "", None
    metrics.JOB_RUNS.labels(job.name, "done").inc()
