"""The signer's door: a local socket, a thread per caller, a limit on everything."""

import logging
import os
import selectors
import socket
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from mdm.core.errors import N_, DeniedError, HavenmeesterError, TooLargeError, UnavailableError
from mdm.signer.desk import Desk
from mdm.signing.address import short
from mdm.signing.messages import MAX_LINE, decode_request, encode_error, encode_result

MAX_CALLERS: Final = 32
READ_SECONDS: Final = 10.0
"""How long a caller may stay silent, or take for one line."""

log = logging.getLogger("mdm.signer")


class Server:
    """Listens on ``path`` until ``stop`` is called. Only the user of this process and ``peers`` are answered."""

    def __init__(self, desk: Desk, path: Path, peers: frozenset[int] = frozenset()) -> None:
        self._desk = desk
        self._path = path
        self._peers = peers | {os.geteuid()}
        self._places = threading.Semaphore(MAX_CALLERS)
        self._busy: dict[threading.Thread, socket.socket] = {}
        self._stopping = threading.Event()
        self._woken, self._wake = socket.socketpair()
        self._wake.setblocking(False)
        self._listener = self._listen(bool(peers))

    def _listen(self, others: bool) -> socket.socket:
        folder = self._path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Where other users are let in, the file's mode cannot tell them apart; their credentials can.
        folder.chmod(0o711 if others else 0o700)
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        before = os.umask(0o177)
        try:
            with short(self._path) as address:
                listener.bind(address)
        finally:
            os.umask(before)
        self._path.chmod(0o666 if others else 0o600)
        listener.listen(MAX_CALLERS * 2)
        listener.setblocking(False)
        return listener

    def serve(self) -> None:
        """Answers until ``stop``; returns when the last answer under way was given."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._stopping.is_set():
                selector.select()
                self._accept()
        self._listener.close()
        self._path.unlink(missing_ok=True)
        self._finish()

    @property
    def alarm(self) -> int:
        """A descriptor that wakes ``serve`` when a byte is written to it: what ``signal.set_wakeup_fd`` asks for.

        The system may give a signal to a thread that attends to a caller; without this the thread that waits for callers
        would hear of it only when the next one comes.
        """
        return self._wake.fileno()

    def stop(self) -> None:
        """Asks ``serve`` to end. May be called from a signal handler or another thread, and more than once."""
        self._stopping.set()
        with suppress(BlockingIOError):
            self._wake.send(b"x")

    def _finish(self) -> None:
        """Lets every answer under way be given, and sends those away who only keep a connection."""
        for thread, caller in list(self._busy.items()):
            with suppress(OSError):
                caller.shutdown(socket.SHUT_RD)
            thread.join(READ_SECONDS)

    def _accept(self) -> None:
        try:
            caller, _ = self._listener.accept()
        except BlockingIOError:
            return
        except OSError as error:
            # No descriptor left, or the caller is gone: the door stays open, and does not spin.
            log.warning("a caller could not be let in: %s", error)
            time.sleep(0.05)
            return
        if not self._places.acquire(blocking=False):
            _refuse(caller, UnavailableError(N_("The signer has too many callers. Nothing was signed.")))
            return
        thread = threading.Thread(target=self._attend, args=(caller,), daemon=True)
        self._busy[thread] = caller
        thread.start()

    def _attend(self, caller: socket.socket) -> None:
        try:
            with caller:
                caller.settimeout(READ_SECONDS)
                uid = peer_uid(caller)
                if uid not in self._peers:
                    log.warning("user %s may not speak to the signer", uid)
                    # Closing on a line that was not read would cost the caller the answer.
                    _read_line(caller)
                    caller.sendall(
                        encode_error(
                            DeniedError(N_("You may not speak to the signer. Nothing was done."), code="peer_refused")
                        )
                    )
                    return
                while not self._stopping.is_set() and self._answer_one(caller):
                    pass
        except OSError as error:
            log.debug("a caller went away: %s", error)
        finally:
            self._places.release()
            self._busy.pop(threading.current_thread(), None)

    def _answer_one(self, caller: socket.socket) -> bool:
        """Whether the caller may ask again on this connection."""
        try:
            line = _read_line(caller)
        except TooLargeError as error:
            caller.sendall(encode_error(error))
            return False
        if not line:
            return False
        caller.sendall(self._answer(line))
        return True

    def _answer(self, line: bytes) -> bytes:
        begun, verb, outcome = time.monotonic(), "?", "done"
        try:
            verb, args = decode_request(line)
            return encode_result(self._desk.answer(verb, args))
        except HavenmeesterError as error:
            outcome = error.code
            return encode_error(error)
        except Exception:  # The border: whatever is wrong in here, the caller gets an answer and others are served.
            outcome = "broken"
            log.exception("the signer failed")
            return encode_error(UnavailableError(N_("The signer failed at this. Nothing was signed."), code="broken"))
        finally:
            log.info("%s: %s in %.1f ms", verb, outcome, (time.monotonic() - begun) * 1000)


def peer_uid(connection: socket.socket) -> int:
    """The user at the other end, as the kernel knows it (SO_PEERCRED, unix(7))."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", raw)
    return int(uid)


def _read_line(caller: socket.socket) -> bytes:
    """One line with its line feed, empty when the caller has gone. Raises TooLargeError, and TimeoutError when slow."""
    line, deadline = bytearray(), time.monotonic() + READ_SECONDS
    while not line.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the line took too long")
        caller.settimeout(left)
        part = caller.recv(min(65536, MAX_LINE + 1 - len(line)))
        if not part:
            return b""
        line += part
        if len(line) > MAX_LINE:
            raise TooLargeError(N_("A request may be %(limit)s bytes at the most. Nothing was done."), limit=MAX_LINE)
    caller.settimeout(READ_SECONDS)
    return bytes(line)


def _refuse(caller: socket.socket, error: HavenmeesterError) -> None:
    with caller:
        try:
            caller.settimeout(0.2)
            caller.sendall(encode_error(error))
        except OSError as gone:
            log.debug("a caller went away: %s", gone)
