"""The gunicorn worker of the gateway: gevent's, which also ends idle kept connections when it is told to stop."""

import os
import socket
import time
from typing import Any

import structlog
from gevent import monkey, sleep, spawn
from gunicorn.workers.ggevent import GeventWorker

from mdm.core.errors import HavenmeesterError
from web.gateway import identity, tls
from web.gateway.app import FLUSH
from web.gateway.hot import HotPath
from web.gateway.pressure import Lateness

log = structlog.get_logger(__name__)
LINGER_BYTES = 4 * 1024 * 1024
LINGER_SECONDS = 2.0
LOOK_AT_CERTIFICATE = 3600


class DeviceWorker(GeventWorker):  # type: ignore[misc]
    """Serves devices until it is told to stop; then answers who is being served, and hangs up on who is only there."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.idle: set[Any] = set()

    def run(self) -> None:
        """Starts the doorbell and the batches beside the listener, and ends them after it."""
        here: HotPath = self.app.callable
        here.doorbell.start()
        lateness = Lateness()
        spawn(lateness.watch)
        if self.app.context is not None:
            self.app.context.lateness = lateness
        spawn(self._flush, here)
        spawn(self._renew)
        spawn(self._hang_up)
        try:
            super().run()
        finally:
            here.seen.flush()
            here.figures.publish(0)
            here.database.dispose()

    def _flush(self, here: HotPath) -> None:
        while True:
            sleep(FLUSH)
            here.seen.flush()
            here.figures.sent_away += here.queue.sent_away
            here.queue.sent_away = 0
            here.figures.publish(here.doorbell.waiting)

    def _hang_up(self) -> None:
        """Waits for the end, wakes long polls and closes connections on which nothing is being answered."""
        while self.alive and self.ppid == os.getppid():
            sleep(0.2)
        here: HotPath = self.app.callable
        here.doorbell.stop()
        while True:
            for client in list(self.idle):
                _shut(client)
            sleep(0.1)

    def _renew(self) -> None:
        """Keeps the gateway's own certificate fresh for as long as the process lives."""
        settings, signer, made = self.app.settings, self.app.signer, self.app.context
        loaded = time.time()
        while True:
            sleep(LOOK_AT_CERTIFICATE)
            try:
                found = identity.ensure(settings, signer)
            except HavenmeesterError as error:
                log.warning("the gateway's certificate is renewed later", error=str(error))
                continue
            if made is not None and found.server.stat().st_mtime > loaded:
                tls.reload(made, found.server)
                loaded = time.time()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """One connection, from its first request to its last."""
        self.idle.add(client)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            super().handle(listener, client, addr)
        finally:
            self.idle.discard(client)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """One request. A connection whose body was left unread is not kept."""
        self.idle.discard(sock)
        super().handle_request(listener_name, req, sock, addr)
        if sock in self.app.callable.unread:
            _drain(sock)
            raise StopIteration
        self.idle.add(sock)


def _drain(client: Any) -> None:
    """Reads a little of what is still coming: hanging up at once would make the client lose the answer."""
    last = time.monotonic() + LINGER_SECONDS
    size = 0
    try:
        client.settimeout(LINGER_SECONDS)
        while size < LINGER_BYTES and time.monotonic() < last:
            part = client.recv(65536)
            if not part:
                return
            size += len(part)
    except OSError:
        return


def _shut(client: Any) -> None:
    """Ends a connection for both sides. Whoever reads from it sees its end, as if the other side had hung up."""
    try:
        # By a descriptor of the library's own kind: gevent's way would make its reader fail instead of end.
        other = monkey.get_original("socket", "socket")(fileno=os.dup(client.fileno()))
    except OSError:
        return
    try:
        other.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
    finally:
        other.close()
