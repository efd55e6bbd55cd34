"""A whole installation as a stranger has it: the real programs, in folders of their own, on free ports."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.conftest import free_port
from tests.sim.machine import plant

PROGRAMS = Path(sys.executable).parent
READY = 60.0
FORM_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def processes_of(home: Path) -> list[str]:
    """The command line of every living process that was started for this home."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str(home).encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


class House:
    """One installation. ``run`` is the command line; ``start`` and ``stop`` are ``up`` and Ctrl-C."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.console = f"http://localhost:{(port := free_port())}"
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("HAVENMEESTER_")} | {
            "HAVENMEESTER_HOME": str(self.home),
            "HAVENMEESTER_CONSOLE_PORT": str(port),
            "HAVENMEESTER_GATEWAY_PORT": str(free_port()),
            "HAVENMEESTER_ORDER_COOLING_MINUTES": "0",
        }
        self.up: subprocess.Popen[bytes] | None = None
        self.visitors: list[Visitor] = []

    def call(self, *arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
        """Runs ``havenmeester`` to its end."""
        return subprocess.run(
            [PROGRAMS / "havenmeester", *arguments],
            env=self.env | env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def run(self, *arguments: str | Path, **env: str) -> str:
        """What ``havenmeester`` prints; it must be content."""
        done = self.call(*arguments, **env)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def asked(self, *arguments: str | Path) -> Any:
        """The answer in JSON."""
        return json.loads(self.run(*arguments, "--json"))

    def start(self) -> None:
        """``up --no-demo``, until it says on standard output that it is ready."""
        said = self.folder / "up.out"
        with said.open("wb") as out, (self.folder / "up.err").open("wb") as err:
            self.up = subprocess.Popen(
                [PROGRAMS / "havenmeester", "up", "--no-demo"], env=self.env, stdout=out, stderr=err
            )
        until(lambda: self.up is not None and (self.up.poll() is not None or said.stat().st_size > 0), READY)
        assert self.up.poll() is None, (self.folder / "up.err").read_text()

    def processes(self) -> list[str]:
        """The command line of every living process that belongs to this house."""
        return processes_of(self.home)

    def stop(self) -> int:
        """Ctrl-C: the exit code of ``up``."""
        assert self.up is not None
        self.up.send_signal(signal.SIGINT)
        code = self.up.wait(20)
        self.up = None
        return code

    def visitor(self, link: str) -> "Visitor":
        """Somebody who has opened a sign-in link and pressed its button."""
        visitor = Visitor(self.console)
        self.visitors.append(visitor)
        visitor.sign_in(link)
        return visitor


class Visitor:
    """A browser that is signed in, or a stranger's."""

    def __init__(self, console: str) -> None:
        self.http = httpx2.Client(base_url=console, timeout=20, headers={"X-Havenmeester-Client": "journey"})

    def sign_in(self, link: str) -> None:
        """Opens a sign-in link and presses its button."""
        page = self.http.get(link)
        found = FORM_TOKEN.search(page.text)
        assert found is not None, f"{page.status_code} {page.text}"
        assert self.http.post(link, data={"csrf_token": found[1]}).status_code == 303

    def get(self, path: str, status: int = 200) -> Any:
        """Reads from the API."""
        answer = self.http.get(f"/api/v1{path}")
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def post(self, path: str, body: dict[str, Any], status: int = 200) -> Any:
        """Asks the API for something."""
        answer = self.http.post(f"/api/v1{path}", json=body)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()


class Machine:
    """A device: a folder that stands for a machine, and the real agent on it."""

    def __init__(self, folder: Path, serial: str) -> None:
        self.state = folder / "state"
        self.root = plant(folder / "root", {"sys/class/dmi/id/product_serial": f"{serial}\n"})

    def call(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Runs the agent to its end."""
        verb, *rest = arguments
        argv = [PROGRAMS / "havenmeester-agent", verb, *rest, "--state", self.state]
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    def enroll(self, url: str) -> subprocess.CompletedProcess[str]:
        """``enroll`` below this machine's root."""
        return self.call("enroll", url, "--root", self.root)

    def once(self) -> str:
        """One full exchange; the agent must be content."""
        done = self.call("run", "--once")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def resident(self) -> Iterator[None]:
        """The agent as it stays on a machine, for as long as the block lasts."""
        with (self.state / "said").open("wb") as said:
            argv = [PROGRAMS / "havenmeester-agent", "run", "--state", self.state]
            process = subprocess.Popen(argv, stdout=said, stderr=said)
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)

    def read(self, inside: str) -> str:
        """A file of the machine; empty when it is not there."""
        path = self.root / inside
        return path.read_text() if path.exists() else ""


def until(true: Callable[[], object], limit: float = 20.0, pause: float = 0.2) -> None:
    """Waits until something is so; fails after ``limit`` seconds."""
    end = time.monotonic() + limit
    while not true():
        assert time.monotonic() < end, f"it did not happen within {limit:g} s"
        time.sleep(pause)
