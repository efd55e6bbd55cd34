"""The session of a kiosk as systemd and the browser itself see it."""

import socket
import time
from typing import Final

from agent import programs
from agent.kiosk.wishes import UNIT

START_SECONDS: Final = 60
"""A session that began less long ago is starting: a browser on a small machine takes its time."""
ANSWER_SECONDS: Final = 5
MAX_ANSWER: Final = 4096


class Session:
    """The session unit on this machine."""

    def look(self, port: int | None) -> str | None:
        """running, starting, silent (it runs, and the browser does not answer), stopped; None where nobody can tell."""
        told = self._told()
        if told is None:
            return None
        if told.get("ActiveState") != "active" or told.get("SubState") != "running":
            return "stopped"
        begun = told.get("ActiveEnterTimestampMonotonic", "")
        if begun.isascii() and begun.isdigit() and time.monotonic() - int(begun) / 1_000_000 < START_SECONDS:
            return "starting"
        return "running" if port is None or answers(port) else "silent"

    def start_anew(self) -> str:
        """Starts it again; what went wrong, empty for nothing."""
        # Also a unit that systemd itself has given up, because it was begun too often.
        programs.run(["systemctl", "reset-failed", UNIT], timeout=20)
        outcome = programs.run(["systemctl", "restart", UNIT], timeout=90)
        return "" if outcome.good else outcome.text[-300:] or "systemctl failed"

    def process(self) -> int | None:
        """The number of its main process; None where there is none."""
        said = (self._told() or {}).get("MainPID", "")
        return int(said) if said.isascii() and said.isdigit() and said != "0" else None

    @staticmethod
    def _told() -> dict[str, str] | None:
        names = "ActiveState,SubState,ActiveEnterTimestampMonotonic,MainPID"
        outcome = programs.run(["systemctl", "show", UNIT, f"--property={names}"], timeout=20)
        if not outcome.good:
            return None
        return dict(line.partition("=")[::2] for line in outcome.text.splitlines())


def answers(port: int) -> bool:
    """Whether the browser answers at its own port of this machine, within ``ANSWER_SECONDS`` in all.

    Only the first line is looked at: what a browser says that a stranger has used is not believed.
    """
    deadline = time.monotonic() + ANSWER_SECONDS
    request = f"GET /json/version HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS) as link:
            link.sendall(request.encode())
            heard = b""
            while b"\n" not in heard and len(heard) < MAX_ANSWER:
                link.settimeout(max(0.01, deadline - time.monotonic()))
                piece = link.recv(MAX_ANSWER)
                if not piece:
                    break
                heard += piece
    except OSError:
        return False
    return heard.startswith(b"HTTP/1.1 200")
