"""Starts the release of the agent that is in force, and goes back by itself from one that does not prove itself.

It stands beside the package's own release, below ``base/``, and never changes with an update, so it can always go back.
Standard library alone, and nothing of the agent before a release was chosen.

``STATE/releases/current.json``: ``{"version", "trial", "starts", "until", "bad"}``. A release on trial has ``STARTS`` starts
and ``TRIAL_SECONDS`` to speak with its gateway and confirm itself (``agent.update.confirm``). The alarm that is set here is
kept when the release takes over this process (execve(2)), and ends it when nobody takes it back.
"""

import json
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any

STARTS = 3
TRIAL_SECONDS = 600
DEFAULT = "/var/lib/havenmeester-agent"
_NAME = re.compile(r"[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}")


def state_folder(arguments: list[str]) -> Path:
    """The state folder that a command line names."""
    for place, word in enumerate(arguments):
        if word == "--state" and place + 1 < len(arguments):
            return Path(arguments[place + 1]).absolute()
        if word.startswith("--state="):
            return Path(word.partition("=")[2]).absolute()
    return Path(DEFAULT)


def read(path: Path) -> dict[str, Any]:
    """The note of which release is in force; empty when there is none or it is damaged."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def write(path: Path, note: dict[str, Any]) -> None:
    """Replaces the note in one step that survives a crash."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(note, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def bad_ones(note: dict[str, Any]) -> list[str]:
    """The releases that failed their trial here."""
    found = note.get("bad")
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def gone_back(note: dict[str, Any], why: str) -> dict[str, Any]:
    """The note after a release failed its trial: the one before it is in force, and this one is not tried again."""
    bad = bad_ones(note)
    failed = str(note.get("version", ""))
    return {
        "version": str(note.get("previous", "")),
        "trial": False,
        "bad": [*[one for one in bad if one != failed], failed][-20:],
        "why": why,
    }


def choose(state: Path, house: Path, *, resident: bool, now: float) -> tuple[Path, float]:
    """The folder of the release to start, and the seconds that it has left to prove itself (0: it has proved itself)."""
    base, path = house / "base", state / "releases" / "current.json"
    note = read(path)
    if note.get("trial") and resident:
        starts, until = note.get("starts", 0), note.get("until", 0)
        known = isinstance(starts, int) and isinstance(until, (int, float))
        if not known or starts >= STARTS or now >= until or until > now + 2 * TRIAL_SECONDS:
            note = gone_back(note, "it did not speak with the gateway in time")
        else:
            note = {**note, "starts": starts + 1}
        write(path, note)
    version = note.get("version")
    folder = state / "releases" / version if isinstance(version, str) and _NAME.fullmatch(version) else base
    if not (folder / "agent" / "main.py").is_file():
        if note.get("trial"):
            write(path, gone_back(note, "its files are missing"))
        return base, 0.0
    until = note.get("until")
    return folder, float(until) - now if note.get("trial") and isinstance(until, (int, float)) else 0.0


def main() -> int:
    """Starts the chosen release in this process."""
    house, arguments = Path(__file__).resolve().parent, sys.argv[1:]
    resident = arguments[:1] == ["run"]
    try:
        folder, left = choose(state_folder(arguments), house, resident=resident, now=time.time())
    except OSError:
        folder, left = house / "base", 0.0
    vendor = folder / "vendor"
    places = [str(folder), str(vendor if vendor.is_dir() else house / "base" / "vendor")]
    start = (
        f"import sys; sys.dont_write_bytecode = True; sys.path[:0] = {places!r}; "
        "from agent.main import main; sys.exit(main(sys.argv[1:]))"
    )
    if left > 0:
        signal.alarm(max(1, int(left) + 1))
    os.environ["HAVENMEESTER_AGENT_HOUSE"] = str(house)
    os.execv(sys.executable, [sys.executable, "-I", "-c", start, *arguments])  # noqa: S606 -- itself, no shell


if __name__ == "__main__":
    sys.exit(main())
