"""``havenmeester process NAME``: one of the four processes in the foreground. ``up`` starts them; so may systemd."""

import os
import socket
import sys
import time

import rich_click as click

from mdm.cli import errors, services
from mdm.core.errors import ConfigurationError
from mdm.operation.parent import die_with_parent
from mdm.settings import Settings, load

NAMES = ("console", "gateway", "worker", "signer")
SIGNER_SECONDS = 30.0
CONSOLE_THREADS = 64
"""Slow bodies hold a thread each; waiting threads cost nothing."""


@click.command()
@click.argument("name", type=click.Choice(NAMES))
@click.option("--parent", type=int, default=None, help="End when this process ends.")
def process(name: str, parent: int | None) -> int:
    """Run one process in the foreground: console, gateway, worker or signer."""
    if parent is not None:
        die_with_parent(parent)
    settings = load()
    runs = {"console": console, "gateway": gateway, "worker": worker, "signer": signer}
    return runs[name](settings)


def console(settings: Settings) -> int:
    """Pages and API, by granian. TLS as soon as it listens beyond loopback."""
    from granian import Granian
    from granian.constants import Interfaces

    from mdm.cli import server_certificate
    from mdm.operation import logs

    logs.configure("console", settings.log_level)
    tls = server_certificate.console(settings)
    server = Granian(
        "mdm.cli.site:application",
        address=_address(settings.console_host),
        port=settings.console_port,
        interface=Interfaces.WSGI,
        factory=True,
        workers=1,
        blocking_threads=CONSOLE_THREADS,
        backpressure=CONSOLE_THREADS * 4,
        websockets=False,
        log_access=False,
        ssl_cert=tls.certificate if tls else None,
        ssl_key=tls.key if tls else None,
        respawn_failed_workers=True,
        workers_kill_timeout=3,
    )
    server.serve()
    return errors.OK


def _address(host: str) -> str:
    """The IP address of a host name, because the server wants one; raises ConfigurationError where there is none."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ConfigurationError(
            "The console cannot listen on %(host)s: %(why)s.",
            host=host,
            why=error.strerror,
            mend="Set HAVENMEESTER_CONSOLE_HOST to a name or an address of this machine.",
        ) from error
    addresses = [str(entry[4][0]) for entry in found]
    return next((address for address in addresses if ":" not in address), addresses[0])


def gateway(settings: Settings) -> int:
    """Devices, by gunicorn with gevent; it must be patched before anything else, so it replaces this process."""
    # It asks the signer for its certificate before it listens; when both are started together it would be too early.
    end = time.monotonic() + SIGNER_SECONDS
    while not services.socket_answers(settings.signer_socket) and time.monotonic() < end:
        time.sleep(0.05)
    os.environ["HAVENMEESTER_HOME"] = str(settings.home)
    os.execv(sys.executable, [sys.executable, "-m", "web.gateway"])  # noqa: S606 -- our own program, no shell


def worker(settings: Settings) -> int:
    """The clock and the post."""
    from mdm.operation import logs
    from mdm.worker.main import serve

    logs.configure("worker", settings.log_level)
    return serve(settings)


def signer(settings: Settings) -> int:
    """The keys."""
    from mdm.operation import logs
    from mdm.signer.main import run

    logs.configure("signer", settings.log_level)
    run(settings)
    return errors.OK
