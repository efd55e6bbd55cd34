"""How long a person waits for ``make run``: the first time, and the second time."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from mdm.inventory.model import Device
from mdm.storage.engine import make_engine, transaction
from tests.conftest import free_port

PATIENCE = 120.0


def measure(home: Path) -> dict[str, float]:
    """Seconds to the first enrolled device and to the sign-in link, and to the link of a second start."""
    first, device = _up(home, look=True)
    second, _ = _up(home, look=False)
    return {"first_device": device, "first": first, "second": second}


def _up(home: Path, *, look: bool) -> tuple[float, float]:
    environment = {
        **os.environ,
        "HAVENMEESTER_HOME": str(home),
        "HAVENMEESTER_CONSOLE_PORT": str(free_port()),
        "HAVENMEESTER_GATEWAY_PORT": str(free_port()),
    }
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "mdm.cli.main", "up"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        device = _first_device(home, begun) if look else 0.0
        assert process.stdout is not None
        for line in process.stdout:
            if "http" in line:
                return time.perf_counter() - begun, device
        raise RuntimeError("it ended without a sign-in link")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _first_device(home: Path, begun: float) -> float:
    engine = make_engine(f"sqlite:///{home / 'havenmeester.db'}")
    while time.perf_counter() - begun < PATIENCE:
        if (home / "havenmeester.db").exists():
            try:
                with transaction(engine, write=False) as session:
                    if session.scalar(select(func.count()).where(Device.enrolled_at.is_not(None))):
                        return time.perf_counter() - begun
            except OperationalError:
                pass  # The schema is not there yet.
        time.sleep(0.05)
    raise RuntimeError("no device enrolled in time")
