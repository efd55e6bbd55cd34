"""Starts the process that sets kiosks up when there is something to do; it ends by itself."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from mdm.kiosks.book import Book
from mdm.worker.office import Office

PAUSE = 5.0
"""Seconds between two starts, however often it ends at once."""


class KioskCrew:
    """Remembers the process that it started last."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.lock = threading.Lock()

    def look(self, office: Office) -> None:
        """Starts the process where something is open and none runs. One that was started elsewhere holds the lock: it stays."""
        with self.lock:
            if self.process is not None and self.process.poll() is None:
                return
            self.process = None
            if time.monotonic() < self.started + PAUSE or not Book(office.engine, office.clock).anything_open():
                return
            self.started = time.monotonic()
            self.process = _start(office.settings.home)


def _start(home: Path) -> "subprocess.Popen[bytes]":
    folder = home / "log"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "kiosks.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "mdm.cli.main", "kiosk", "work", "--parent", str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "HAVENMEESTER_HOME": str(home)},
        )
