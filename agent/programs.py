"""Other programs: argument lists, never a shell; a time limit; no input from the agent's own terminal."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from agent.errors import AgentError

CLEAN = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
STEP_SECONDS = 10

heartbeat: list[Callable[[], None]] = []
"""Called every few seconds while a program runs, so that a watchdog knows that the agent is alive."""


class Outcome(NamedTuple):
    """How a program ended. ``code`` is None when it is not installed or took too long; ``text`` is what it said."""

    code: int | None
    text: str

    @property
    def good(self) -> bool:
        """It ran and was content."""
        return self.code == 0


def find(name: str) -> str | None:
    """The full path of a program; None when it is not installed."""
    places = (Path(folder, name) for folder in CLEAN["PATH"].split(":"))
    return next((str(place) for place in places if place.is_file() and os.access(place, os.X_OK)), None)


def run(
    argv: list[str], *, timeout: float = 60, stdin: bytes = b"", environment: dict[str, str] | None = None
) -> Outcome:
    """Runs a program to its end, or kills it at the time limit. Never raises for what the program does."""
    program = find(argv[0])
    if program is None:
        return Outcome(None, f"{argv[0]} is not installed")
    process = subprocess.Popen(
        [program, *argv[1:]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=CLEAN | (environment or {}),
        cwd="/",
        umask=0o022,
    )
    deadline = time.monotonic() + timeout
    given: bytes | None = stdin
    while True:
        try:
            output, _ = process.communicate(given, timeout=max(0.05, min(STEP_SECONDS, deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            given = None
            for beat in heartbeat:
                beat()
            if time.monotonic() >= deadline:
                process.kill()
                process.communicate()
                return Outcome(None, f"{argv[0]} took longer than {timeout:g} seconds and was stopped")
        else:
            return Outcome(process.returncode, output[-16384:].decode(errors="replace").strip())


def _start_of_child() -> list[str]:
    """How the child is started: isolated, and without looking at every installed package when the library is found."""
    script = Path(__file__).with_name("crypto.py").resolve()
    places = [str(script), str(script.parent.parent)]
    for folder in sys.path:
        if folder and Path(folder, "cryptography", "__init__.py").is_file():
            return [sys.executable, "-I", "-S", *places, str(Path(folder).resolve())]
    return [sys.executable, "-I", *places]


def crypto(request: dict[str, Any]) -> dict[str, Any]:
    """Asks the child process that has ``cryptography``. Raises AgentError when it cannot answer."""
    try:
        asked = json.dumps(request).encode()
    except (ValueError, RecursionError) as trouble:
        raise AgentError("What came for the helper for keys and signatures cannot be written as JSON.") from trouble
    try:
        process = subprocess.run(
            _start_of_child(),
            input=asked,
            capture_output=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as trouble:
        raise AgentError(f"The helper for keys and signatures cannot run: {trouble}.") from trouble
    if process.returncode != 0:
        said = process.stderr.decode(errors="replace").strip().rsplit("\n", 1)[-1]
        raise AgentError(f"The helper for keys and signatures failed: {said}")
    answer: dict[str, Any] = json.loads(process.stdout)
    return answer
