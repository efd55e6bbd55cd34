"""The process that sets kiosks up: up to twenty side by side, and gone when nothing is left to do.

It is a process of its own, because what a stranger's SSH server sends is read here: when it dies, console, gateway and worker
notice nothing, and the worker starts it again. Only one works on a home at a time; a lock holds that.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import structlog

from mdm.core.alone import alone
from mdm.enrollment.links import Links
from mdm.kiosks import networks
from mdm.kiosks.book import Book, Claimed
from mdm.kiosks.runner import Ground, work
from mdm.kiosks.ssh import Limits
from mdm.releases import package, trusted
from mdm.settings import Settings
from mdm.signing.client import SignerClient
from mdm.storage.engine import make_engine

log = structlog.get_logger(__name__)
SIDE_BY_SIDE: Final = 20
LOCK: Final = "kiosks.lock"
"""In ``HOME/run``: one process sets kiosks up."""
IDLE: Final = 20.0
"""Seconds without anything open after which the process ends."""
KEEP: Final = 20.0
"""Seconds between two renewals of the claims."""


def ground_of(settings: Settings, book: Book, limits: Limits | None = None) -> Ground:
    """What set-ups of this installation stand on. Asks nobody yet."""
    made: list[package.Package] = []
    links: list[Links] = []
    once = threading.Lock()

    def the_package() -> package.Package:
        with once:
            if not made:
                made.append(package.make(settings.home, trusted_root=trusted.root(settings.home)))
            return made[0]

    def the_links() -> Links:
        with once:
            if not links:
                links.append(Links.of(settings, SignerClient(settings.signer_socket).ca().fingerprint))
            return links[0]

    return Ground(
        book, settings.home, networks.read(settings.kiosk_networks), the_links, the_package, limits or Limits()
    )


class Crew:
    """Twenty at work. ``serve`` returns when ``stop`` was called, or when nothing was open for a while."""

    def __init__(self, ground: Ground, *, side_by_side: int = SIDE_BY_SIDE, idle: float = IDLE) -> None:
        self.ground = ground
        self.idle, self.side_by_side = idle, side_by_side
        self.ended = threading.Event()
        self.at_work: dict[str, Future[None]] = {}

    def stop(self) -> None:
        """Asks for the end: nothing new is begun. What is under way is gone on with by the next process."""
        self.ended.set()

    def serve(self, finished: Callable[[], bool] = lambda: False) -> None:
        """Works until there is nothing to do, or until ``finished`` says so."""
        book = self.ground.book
        book.free_claims()
        since, kept = time.monotonic(), time.monotonic()
        pool = ThreadPoolExecutor(self.side_by_side, thread_name_prefix="kiosk")
        try:
            while not self.ended.is_set() and not finished():
                self._reap()
                room = self.side_by_side - len(self.at_work)
                for job in book.claim(room) if room else ():
                    self.at_work[job.claim] = pool.submit(self._one, job)
                now = time.monotonic()
                if now - kept > KEEP:
                    book.keep(list(self.at_work))
                    kept = now
                if self.at_work:
                    since = now
                elif now - since > self.idle:
                    if not book.anything_open():
                        break
                    since = now
                self.ended.wait(0.3)
        finally:
            pool.shutdown(wait=not self.ended.is_set(), cancel_futures=True)
            self._reap()

    def _reap(self) -> None:
        self.at_work = {claim: future for claim, future in self.at_work.items() if not future.done()}

    def _one(self, job: Claimed) -> None:
        try:
            work(self.ground, job)
        except Exception:
            # A mistake of ours, or a neighbour that is away: the claim runs out, and it is tried again.
            log.exception("setting up a kiosk failed", kiosk=job.uid)


def serve(settings: Settings, *, idle: float = IDLE, crew: Callable[[Ground], Crew] = Crew) -> bool:
    """Works on this installation until nothing is open: False when another process does so already."""
    with alone(settings.home / "run" / LOCK) as free:
        if not free:
            return False
        engine = make_engine(settings.database_of("worker"), pool_size=6)
        try:
            one = crew(ground_of(settings, Book(engine)))
            one.idle = idle
            _on_signals(one)
            one.serve()
        finally:
            engine.dispose()
        return True


def _on_signals(crew: Crew) -> None:
    import signal

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: crew.stop())
