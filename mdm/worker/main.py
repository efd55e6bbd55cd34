"""The worker's life: wait for the lead, run the table of jobs by the clock, tell that it lives, stop gracefully."""

import json
import os
import signal
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from types import FrameType

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.exc import SQLAlchemyError

from mdm.core.clock import iso
from mdm.operation import metrics
from mdm.operation.health import heartbeat_file
from mdm.orders import kernel
from mdm.settings import Settings
from mdm.storage.engine import make_engine
from mdm.worker import post
from mdm.worker.jobs import Job, Runs, run
from mdm.worker.lead import Lead, lead_for
from mdm.worker.office import Office

log = structlog.get_logger(__name__)
BEAT = 1.0
"""Seconds between two signs of life."""
THREADS = 6
"""Three may be held by slow neighbours (mail, SMS, what is asked elsewhere); the rest works on meanwhile."""


class Worker:
    """One worker on one database. ``serve`` returns when ``stop`` was called or when the lead was lost."""

    def __init__(self, office: Office, jobs: Sequence[Job], lead: Lead) -> None:
        self.office = office
        self.jobs = jobs
        self.lead = lead
        self.runs = {job.name: Runs() for job in jobs}
        self.ended = threading.Event()

    def stop(self) -> None:
        """Asks for a graceful end: jobs under way are finished, none begins."""
        self.ended.set()

    def serve(self) -> bool:
        """Waits for the lead and works: True after ``stop``, False when the lead was lost."""
        if not self._wait_for_lead():
            return True
        log.info("this worker leads", pid=os.getpid())
        self._begin()
        post.free_claims(self.office)
        scheduler = self._scheduler()
        scheduler.start()
        metrics.LEADS.set(1)
        kept = True
        while kept and not self.ended.wait(BEAT):
            self._beat(leads=True)
            kept = self.lead.held()
        if not kept:
            log.error("the lead was lost; this worker stops so that only one works")
        self.ended.set()
        scheduler.shutdown(wait=True)
        metrics.LEADS.set(0)
        self.lead.give_up()
        heartbeat_file(self.office.settings.home).unlink(missing_ok=True)
        return kept

    def _begin(self) -> None:
        """Makes the row of the safety kernel, which console and gateway may read and not make."""
        with self.office.call("start") as call:
            kernel.locked(call)

    def _wait_for_lead(self) -> bool:
        told = False
        while not self.ended.is_set():
            try:
                if self.lead.take():
                    return True
            except SQLAlchemyError as error:
                log.warning("the database does not answer", why=str(error).splitlines()[0])
            else:
                if not told:
                    log.info("another worker leads; this one waits")
                    told = True
            self.ended.wait(BEAT)
        return False

    def _scheduler(self) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(THREADS)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone="UTC",
        )
        now = self.office.clock()
        for place, job in enumerate(self.jobs):
            # Spread over the first seconds, so that they do not all ask for the write lock at once.
            first = now + (timedelta(seconds=0.2 * place) if job.at_start else job.every)
            scheduler.add_job(
                self._one,
                IntervalTrigger(seconds=int(job.every.total_seconds()), timezone="UTC"),
                args=[job],
                id=job.name,
                name=job.name,
                next_run_time=first,
            )
        return scheduler

    def _one(self, job: Job) -> None:
        if not self.ended.is_set():
            run(job, self.office, self.runs[job.name])

    def _beat(self, *, leads: bool) -> None:
        path = heartbeat_file(self.office.settings.home)
        known = {
            "pid": os.getpid(),
            "at": iso(self.office.clock()),
            "leads": leads,
            "jobs": {name: _shown(runs) for name, runs in self.runs.items()},
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(known))
        fresh.replace(path)


def _shown(runs: Runs) -> dict[str, object]:
    good: datetime | None = runs.good
    return {"good": iso(good) if good else None, "failures": runs.failures, "error": runs.error}


def serve(settings: Settings) -> int:
    """Runs the worker of this installation until TERM or INT: the exit code, 1 when the lead was lost."""
    from mdm.worker.table import jobs

    engine = make_engine(settings.database_of("worker"), pool_size=THREADS + 1)
    office = Office(engine, settings)
    ended = threading.Event()
    worker = Worker(office, jobs(ended.is_set), lead_for(engine, settings.home))

    def stop(_number: int, _frame: FrameType | None) -> None:
        ended.set()
        worker.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    kept = worker.serve()
    engine.dispose()
    return 0 if kept else 1
