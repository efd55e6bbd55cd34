"""What runs on the kiosk itself: sent there over SSH, started by a line of a fixed table, and removed at the end.

Standard library alone, because nothing of ours is there yet. It reads what to do from its input, one JSON object, runs other
programs by argument lists and never by a shell, and ends with one line: base64 of ``{"ok": true, ...}`` or ``{"ok": false,
"code", "sentence"}``. Each verb may be run again after a cut: it finds what was done. ``before.json`` beside it says what
was there before us, so that ``undo`` leaves a kiosk as it was; ``owner`` says whose set-up this is.
"""

import base64
import contextlib
import functools
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PACKAGE = "havenmeester-agent"
UNIT = "havenmeester-agent.service"
STATE = "var/lib/havenmeester-agent"
MOST = 256 * 1024
ROOM = 160 * 1024 * 1024
CLEAN = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}


class NotDoneError(Exception):
    """It cannot be done; ``code`` is a stable word."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        super().__init__(sentence)


@functools.cache
def task() -> dict[str, Any]:
    """What the server wants."""
    try:
        found = json.loads(sys.stdin.buffer.read(MOST))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise NotDoneError("task_broken", "what was sent to be done is no object")
    return found


def own() -> None:
    """Makes this folder the set-up's own. Raises NotDoneError while another one that is still under way has it."""
    mine, path = str(task()["setup"]), HERE / "owner"
    with contextlib.suppress(FileNotFoundError):
        owner = path.read_text(encoding="utf-8", errors="replace").strip()
        if owner == mine:
            return
        if owner in task()["others"]:
            raise NotDoneError("also_begun", "another set-up of this same kiosk is under way")
    path.write_text(mine + "\n", encoding="ascii")


def root() -> Path:
    """The machine, or the folder that stands for it."""
    return Path(task()["root"])


def run(argv: list[str], seconds: float = 120, given: bytes = b"") -> tuple[int, str]:
    """A program to its end, or to its time limit; its code and the end of what it said."""
    try:
        done = subprocess.run(
            argv,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=CLEAN,
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError:
        return 127, f"{argv[0]} is not installed"
    except subprocess.TimeoutExpired:
        return 124, f"{argv[0]} took longer than {seconds:g} seconds"
    return done.returncode, done.stdout[-4000:].decode(errors="replace")


def before() -> dict[str, Any]:
    """What was there before us; empty when nothing was changed yet."""
    try:
        found = json.loads((HERE / "before.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def note(**facts: Any) -> None:
    """Adds to what was there before; a fact that is noted stays."""
    fresh = HERE / ".before.json.new"
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(facts | before(), file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(HERE / "before.json")


def dpkg(*words: str) -> list[str]:
    """dpkg on the machine, or on the folder that stands for it."""
    if root() == Path("/"):
        return ["dpkg", *words]
    for name in ("info", "updates", "triggers"):
        (root() / "var/lib/dpkg" / name).mkdir(parents=True, exist_ok=True)
    for name in ("status", "available"):
        (root() / "var/lib/dpkg" / name).touch()
    force = ("not-root", "script-chrootless", "depends", "unsafe-io")
    return ["dpkg", f"--root={root()}", f"--log={HERE / 'dpkg.log'}", *(f"--force-{one}" for one in force), *words]


def installed() -> str:
    """The version of our package that is installed whole; empty when none is."""
    words = ["-W", "-f=\\n${db:Status-Status} ${Version}\\n", PACKAGE]
    code, said = run(["dpkg-query", f"--admindir={root() / 'var/lib/dpkg'}", *words])
    # Among the lines may be warnings about other packages.
    lines = [line.split() for line in said.splitlines() if code == 0]
    return next((line[1] for line in lines if len(line) == 2 and line[0] == "installed"), "")


def look() -> dict[str, Any]:
    """Facts on which it hangs whether this can work."""
    place = root()
    while not place.exists():
        place = place.parent
    free = os.statvfs(place)
    return {
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "machine": platform.machine(),
        "system": platform.system(),
        "uid": os.geteuid(),
        "free": free.f_bavail * free.f_frsize,
        "home_free": shutil.disk_usage(HERE).free,
        "dpkg": shutil.which("dpkg", path=CLEAN["PATH"]) is not None,
        "ssh_keygen": shutil.which("ssh-keygen", path=CLEAN["PATH"]) is not None,
        "sudo": os.geteuid() == 0 or run(["sudo", "-n", "true"], 20)[0] == 0,
        "installed": installed(),
        "enrolled": _enrolled(),
        "ours": bool(before()),
        "room": ROOM,
        "now": time.time(),
    }


def _enrolled() -> bool:
    try:
        return (root() / STATE / "identity.json").exists()
    except OSError:
        # The agent's folder is root's own; asked again as root before anything is done.
        return False


def check() -> dict[str, Any]:
    """Proves that the package is the one that was meant and that it is signed."""
    want, path = task()["package"], HERE / "agent.deb"
    whole = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                whole.update(block)
    except OSError:
        raise NotDoneError("package_missing", "the package did not arrive") from None
    if whole.hexdigest() != want["sha256"]:
        raise NotDoneError("package_changed", "the package that arrived is not the one that was sent")
    (HERE / "signature").write_text(want["signature"], encoding="ascii")
    (HERE / "signers").write_text(want["signers"] + "\n", encoding="ascii")
    words = ["-Y", "verify", "-f", str(HERE / "signers"), "-I", want["signer"], "-n", want["namespace"]]
    code, said = run(["ssh-keygen", *words, "-s", str(HERE / "signature")], given=path.read_bytes())
    if code != 0:
        raise NotDoneError("package_unsigned", f"the signature of the package does not hold: {said[-300:]}")
    return {}


def install() -> dict[str, Any]:
    """Installs the package, once. What was there before is noted first."""
    want = task()["package"]
    if _enrolled() and not before().get("enrols"):
        raise NotDoneError("already_enrolled", "this kiosk is enrolled already")
    if installed() == want["version"] and before().get("installs"):
        return {"version": want["version"], "again": True}
    check()
    note(package=installed(), installs=True, state=(root() / STATE).exists())
    code, said = run(dpkg("-i", str(HERE / "agent.deb")), 500)
    if code != 0:
        raise NotDoneError(_why(said), f"dpkg did not install the package: {said[-800:]}")
    os.sync()
    if installed() != want["version"]:
        raise NotDoneError("not_installed", "dpkg says that it is done, but the package is not installed")
    return {"version": want["version"]}


def _why(said: str) -> str:
    if "No space left on device" in said:
        return "disk_full"
    if "Read-only file system" in said:
        return "read_only"
    return "busy" if "lock" in said and "dpkg" in said else "not_installed"


def agent(*words: str, given: bytes = b"", seconds: float = 150) -> tuple[int, str]:
    """The agent that was installed, on its state folder."""
    program = root() / "usr/bin/havenmeester-agent"
    return run([str(program), *words, "--state", str(root() / STATE)], seconds, given)


def enrol() -> dict[str, Any]:
    """Enrols with the invitation; asked again after a cut it uses the same key, and so gets the same answer."""
    if _enrolled():
        if before().get("enrols"):
            return {"again": True}
        raise NotDoneError("already_enrolled", "this kiosk is enrolled already")
    note(enrols=True)
    code, said = agent("enroll", "-", "--root", str(root()), given=task()["invitation"].encode())
    if code == 7:
        raise NotDoneError("gateway_unreachable", f"the kiosk does not reach the gateway: {said[-500:]}")
    if code != 0:
        raise NotDoneError("not_enrolled", f"the agent did not enrol: {said[-500:]}")
    return {}


def start() -> dict[str, Any]:
    """Has the agent started now and at every start; under a folder that stands for a machine it speaks once."""
    if root() == Path("/"):
        for words in (("daemon-reload",), ("enable", "--now", UNIT)):
            code, said = run(["systemctl", *words], 100)
            if code != 0:
                raise NotDoneError("not_started", f"systemctl {words[0]} failed: {said[-500:]}")
        return {}
    wants = root() / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (wants / UNIT).symlink_to(f"/usr/lib/systemd/system/{UNIT}")
    code, said = agent("run", "--once")
    if code not in (0, 1):
        raise NotDoneError("not_started", f"the agent does not speak with the gateway: {said[-500:]}")
    return {}


def undo() -> dict[str, Any]:
    """Puts back what was there before. What was there before us stays."""
    was = before()
    left = []
    if was.get("enrols") and _enrolled():
        code, said = agent("leave", "--offline")
        if code != 0:
            left.append(f"the agent did not leave: {said[-200:]}")
    if was.get("installs") and not was.get("package"):
        if root() != Path("/"):
            (root() / "etc/systemd/system/multi-user.target.wants" / UNIT).unlink(missing_ok=True)
        # What an agent before us wrote is not ours to purge.
        code, said = run(dpkg("--remove" if was.get("state") else "--purge", PACKAGE), 250)
        if code != 0 and installed():
            left.append(f"the package was not removed: {said[-200:]}")
        with contextlib.suppress(OSError):
            shutil.rmtree(root() / "usr/lib/havenmeester-agent")
        if not was.get("state"):
            for folder in (root() / STATE, root() / (STATE + ".orders")):
                shutil.rmtree(folder, ignore_errors=True)
    if left:
        raise NotDoneError("not_undone", "; ".join(left))
    return {"undone": bool(was)}


def close() -> dict[str, Any]:
    """Takes our lines out of the account's authorized keys, and removes this folder."""
    ours = set(task()["keys"])
    removed = 0
    folder = Path.home() / ".ssh"
    for name in ("authorized_keys", "authorized_keys2"):
        path = folder / name
        try:
            lines = path.read_bytes().decode("utf-8", errors="surrogateescape").splitlines(keepends=True)
        except FileNotFoundError:
            continue
        kept = [line for line in lines if line.lstrip().startswith("#") or not ours & set(line.split())]
        if len(kept) == len(lines):
            continue
        _replace(path, "".join(kept).encode("utf-8", errors="surrogateescape"))
        removed += len(lines) - len(kept)
    shutil.rmtree(HERE, ignore_errors=True)
    return {"removed": removed}


def _replace(path: Path, content: bytes) -> None:
    """Replaces a file in one step, with the same mode and owner."""
    real = path.resolve()
    status = real.stat()
    handle, name = tempfile.mkstemp(dir=real.parent, prefix=".havenmeester-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), status.st_mode & 0o7777)
            with contextlib.suppress(PermissionError):
                os.fchown(file.fileno(), status.st_uid, status.st_gid)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(real)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


VERBS = {
    "look": look,
    "check": check,
    "install": install,
    "enrol": enrol,
    "start": start,
    "undo": undo,
    "close": close,
}


def main() -> int:
    """One verb."""
    try:
        own()
        answer = {"ok": True, **VERBS[sys.argv[1]]()}
    except NotDoneError as not_done:
        answer = {"ok": False, "code": not_done.code, "sentence": str(not_done)}
    except OSError as trouble:
        code = {28: "disk_full", 122: "disk_full", 30: "read_only"}.get(trouble.errno or 0, "trouble")
        answer = {"ok": False, "code": code, "sentence": str(trouble)}
    # In one line of its own and of plain letters, whatever a shell or a program has said before it.
    sys.stdout.write("\n" + base64.b64encode(json.dumps(answer).encode()).decode() + "\n")
    sys.stdout.flush()
    return 0 if answer["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
