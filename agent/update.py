"""Installing another release of the agent: fetched and proved by a child process, then tried, with a way back by itself.

Only an agent that was started by ``launcher.py`` can do so: the launcher stands outside every release, counts the starts of
one that is on trial, and goes back to the one before when it does not speak with its gateway in time.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from agent import VERSION, launcher, wire
from agent.state import Identity, State

HOUSE: Final = "HAVENMEESTER_AGENT_HOUSE"
SECONDS: Final = 600
LOOK_EVERY: Final = 86_400
_VERSION: Final = re.compile(r"[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}")


def house() -> Path | None:
    """The folder of the launcher that started us; None when we were started in another way."""
    found = os.environ.get(HOUSE, "")
    return Path(found) if found and (Path(found) / "launcher.py").is_file() else None


def folder(state: State) -> Path:
    """Where releases lie side by side."""
    return state.file("releases")


def note(state: State) -> dict[str, Any]:
    """Which release is in force; see ``launcher.py``."""
    return launcher.read(folder(state) / "current.json")


def parts(version: str) -> tuple[int, ...]:
    """A version as numbers, to be compared."""
    return tuple(int(part) for part in version.split("."))


def install(state: State, identity: Identity, args: dict[str, Any]) -> dict[str, Any]:
    """Fetches a release and puts it on trial. Gives an answer that says why not, or none: the next start will answer."""
    from agent.commands import not_done

    version, here = args.get("version"), house()
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        return not_done("refused", "The command does not say which release.")
    if here is None:
        return not_done("refused", "This agent was not installed as a package, so it installs no release by itself.")
    if parts(version) < parts(VERSION):
        return not_done("refused", f"This agent is {VERSION}; it goes back to no older release.")
    if version == VERSION:
        return {"state": "done", "detail": f"This agent is {VERSION} already."}
    if version in launcher.bad_ones(note(state)) and not args.get("again"):
        return not_done("refused", f"The release {version} failed here before; it is not tried again by itself.")
    answer = _ask_child(state, identity, version, here)
    if "placed" not in answer:
        word, sentence = answer.get("refused", "broken"), answer.get("sentence", "")
        return not_done("failed", f"The release {version} was not installed ({word}): {sentence}")
    before = note(state)
    launcher.write(
        folder(state) / "current.json",
        {
            "version": version,
            "previous": before.get("version", "") if not before.get("trial") else before.get("previous", ""),
            "trial": True,
            "starts": 0,
            "until": time.time() + launcher.TRIAL_SECONDS,
            "bad": [one for one in launcher.bad_ones(before) if one != version],
        },
    )
    return {}


def _ask_child(state: State, identity: Identity, version: str, here: Path) -> dict[str, Any]:
    own = Path(__file__).resolve().parent
    vendor = next((one for one in sys.path if one and (Path(one) / "tuf" / "__init__.py").is_file()), "")
    keys = state.keys(identity.current)
    request = {
        "gateway": identity.gateway,
        "ca": state.file("ca.pem").read_text(encoding="ascii"),
        "chain": str(keys / "chain.pem"),
        "key": str(keys / "key.pem"),
        "bootstrap": str(here / "root.json"),
        "folder": str(folder(state)),
        "name": f"havenmeester-agent-{version}.tar.gz",
        "version": version,
        "address": wire.RELEASES,
        "vendor": vendor,
    }
    folder(state).mkdir(mode=0o755, parents=True, exist_ok=True)
    if not (here / "root.json").is_file():
        return {"refused": "unsigned", "sentence": "the package came without the document by which releases are judged"}
    argv = [sys.executable, "-I", str(own / "update_child.py"), str(own.parent), vendor]
    try:
        done = subprocess.run(
            argv, input=json.dumps(request).encode(), capture_output=True, timeout=SECONDS, check=False
        )
        found = json.loads(done.stdout) if done.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired) as trouble:
        return {"refused": "broken", "sentence": f"the helper for releases cannot run: {trouble}"}
    if not isinstance(found, dict):
        said = done.stderr.decode(errors="replace").strip().rsplit("\n", 1)[-1][-300:]
        return {"refused": "broken", "sentence": f"the helper for releases failed: {said}"}
    return found


def look(state: State, identity: Identity) -> None:
    """Once a day, looks at the list of releases though nobody asked for one: so a gateway that shows an old or a forged list
    is noticed, and reported in the section ``agent``. Nothing where the agent was not installed as a package."""
    here, at = house(), folder(state) / "looked.json"
    before = launcher.read(at)
    last = before.get("at")
    if here is None or (isinstance(last, (int, float)) and 0 <= time.time() - last < LOOK_EVERY):
        return
    answer = _ask_child(state, identity, "", here)
    word = str(answer.get("refused", ""))
    launcher.write(at, {"at": time.time(), "problem": word})
    if word and word != before.get("problem"):
        state.log(f"The list of releases is not right ({word}): {str(answer.get('sentence', ''))[:300]}")


def problem(state: State) -> str | None:
    """What was wrong with the list of releases at the last look; empty: nothing; None: nobody has looked."""
    found = launcher.read(folder(state) / "looked.json").get("problem")
    return found if isinstance(found, str) else None


def wants_restart(state: State) -> bool:
    """Whether another release than this one is to be started now."""
    found = note(state)
    return bool(found.get("trial")) and found.get("version") != VERSION and house() is not None


def restart() -> None:
    """Becomes the launcher, which starts the release in force. Does not return."""
    here = house()
    if here is not None:
        os.execv(sys.executable, [sys.executable, "-I", str(here / "launcher.py"), *sys.argv[1:]])  # noqa: S606 -- ourselves


def settle(state: State, version: str) -> dict[str, Any] | None:
    """The answer to the command that asked for a release: done, failed, or None while it is on trial."""
    from agent.commands import done, not_done

    found = note(state)
    if version in launcher.bad_ones(found):
        why = str(found.get("why", ""))[:200]
        return not_done("failed", f"The release {version} did not prove itself ({why}); {VERSION} is in force again.")
    if found.get("version") == version and found.get("trial"):
        return None
    if version == VERSION:
        return done(f"The release {version} is in force.")
    return not_done("failed", "The agent was stopped while it installed the release. It was not done again.")


def confirm(state: State) -> bool:
    """Ends the trial of this release: it has spoken with its gateway. True when it was on trial until now."""
    found = note(state)
    if not found.get("trial") or found.get("version") != VERSION:
        return False
    signal.alarm(0)
    kept = {key: value for key, value in found.items() if key in ("version", "previous", "bad")}
    launcher.write(folder(state) / "current.json", {**kept, "trial": False})
    state.log(f"The release {VERSION} has proved itself.")
    for one in folder(state).iterdir():
        if _VERSION.fullmatch(one.name) and one.name not in (VERSION, found.get("previous")):
            shutil.rmtree(one, ignore_errors=True)
    return True
