"""A kiosk's session for tests: what the interpreter rendered, applied by the real agent below a root, and run for true.

The compositor has a screen that nobody sees; policies and files lie where the browser looks for them, in a mount namespace of
their own. systemd's part is played here: the service's folder is made before a run, and removed after it.
"""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from agent.apply.engine import Engine
from agent.roots import Root
from agent.state import State
from mdm.platforms.linux.render import LinuxInterpreter

PATIENCE = 60.0
NOBODY = 65534
SESSION = ("chromium", "cage", "Xwayland", "swayidle", "unshare", "setpriv")
BROWSER = ("chromium", "unshare")
_SETTING = f"""
set -eu
mount --bind "$1/etc/chromium" /etc/chromium
mount --bind "$1/usr/local/share" /usr/local/share
shift
exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups -- "$@"
"""


def why_not(programs: tuple[str, ...] = SESSION) -> str:
    """Why this cannot run here; empty when it can."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    if os.geteuid() != 0:
        return "only root may put policies where the browser looks for them"
    asked = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    return "" if asked.returncode == 0 else f"no mount namespaces here: {asked.stderr.decode().strip()}"


def wait_for(true: Callable[[], bool], what: str) -> None:
    """Waits until it is true. Raises AssertionError when it does not come."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"did not come: {what}"
        time.sleep(0.05)


class Site:
    """A web site on a free port that answers every path with one page, and remembers what was asked of it."""

    def __init__(self, html: str = "<title>site</title>") -> None:
        self.html = html
        self.asked: list[tuple[str, str]] = []
        """(host as the browser wrote it, path with query), in order."""
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append((self.headers.get("Host", ""), self.path))
                body = site.html.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = int(self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Answers nobody any more."""
        self.server.shutdown()
        self.server.server_close()


class Session:
    """A kiosk with these settings. ``run`` is one citizen."""

    def __init__(self, folder: Path, settings: dict[str, Any], **told: Any) -> None:
        """``told`` stands in for single policies of the browser."""
        self.root, self.run_folder = folder / "root", folder / "run"
        self.root.mkdir()
        (folder / "state").mkdir()
        resources = [one for one in LinuxInterpreter().render(settings, []) if one["kind"] != "packages"]
        for one in resources:
            if one["kind"] == "chromium":
                one["content"].update(told)
        engine = Engine(State(folder / "state"), Root(self.root))
        engine.settle({"digest": "d", "resources": resources})
        assert {record["state"] for record in engine.resources.values()} == {"staged"}, engine.resources
        unit = (self.root / "etc/systemd/system/havenmeester-kiosk.service").read_text()
        line = next(line for line in unit.splitlines() if line.startswith("ExecStart="))
        self.command = [word.replace("%%", "%") for word in shlex.split(line.removeprefix("ExecStart="))]
        (self.root / "usr/local/share").mkdir(parents=True, exist_ok=True)
        self.log = folder / "log"

    def begin(self, *, clean: bool = True) -> subprocess.Popen[bytes]:
        """Starts a session; ``clean`` removes what the one before left, as systemd does."""
        if clean and self.run_folder.exists():
            shutil.rmtree(self.run_folder)
        self.run_folder.mkdir(exist_ok=True)
        os.chown(self.run_folder, NOBODY, NOBODY)
        environment = {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "RUNTIME_DIRECTORY": str(self.run_folder),
            "XDG_RUNTIME_DIR": str(self.run_folder),
            "WLR_BACKENDS": "headless",
            "WLR_RENDERER": "pixman",
            "WLR_LIBINPUT_NO_DEVICES": "1",
        }
        with self.log.open("ab") as log:
            return subprocess.Popen(
                ["unshare", "-m", "--", "sh", "-c", _SETTING, "sh", str(self.root), *self.command],
                env=environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def shorten(self, seconds: int) -> None:
        """Less patience than any policy allows, so that a test need not wait."""
        self.command[self.command.index("chromium") - 1] = str(seconds)

    def touch(self) -> None:
        """What the watcher does when somebody comes back to the screen."""
        (self.run_folder / "used").touch()

    @staticmethod
    def end(process: subprocess.Popen[bytes]) -> None:
        """Ends everything of a run, as systemd ends a control group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that another user may look into, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="havenmeester-kiosk-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
