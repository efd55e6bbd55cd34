"""The four processes as the supervisor starts them: how each is started, and how one sees that it answers."""

import http.client
import json
import os
import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path

from mdm.cli.supervisor import Service
from mdm.core.errors import ConfigurationError
from mdm.operation.health import heartbeat_file
from mdm.settings import Settings

QUICK = 1.0
"""Seconds that one look at a process may take."""


def the_four(settings: Settings) -> dict[str, Service]:
    """Console, gateway, worker and signer by name. Stopped in this order: doors, worker, signer."""
    env = {"HAVENMEESTER_HOME": str(settings.home), "PROMETHEUS_MULTIPROC_DIR": str(figures_folder(settings.home))}

    def service(name: str, rank: int, ready: Callable[[], bool], patience: float) -> Service:
        parent = str(os.getpid())
        argv: tuple[str, ...] = (sys.executable, "-m", "mdm.cli.main", "process", name, "--parent", parent)
        if name == "gateway":
            # It replaces the process that starts it: without the command line in between it is there a second earlier.
            argv = (sys.executable, "-m", "mdm.operation.parent", parent, "-m", "web.gateway")
        return Service(name, argv, ready, rank=rank, patience=patience, env=env)

    return {
        "signer": service("signer", 1, lambda: socket_answers(settings.signer_socket), 3),
        "worker": service("worker", 2, lambda: _worker_lives(settings.home), 6),
        "gateway": service("gateway", 3, lambda: _gateway_answers(settings), 5),
        "console": service("console", 3, lambda: _console_answers(settings), 5),
    }


def figures_folder(home: Path) -> Path:
    """Where the processes of this home keep their figures for Prometheus."""
    return home / "run" / "figures"


def check_ports(settings: Settings) -> None:
    """Nothing when both ports are free; raises ConfigurationError that names the key of the one that is taken."""
    for key, host, port in (
        ("console_port", settings.console_host, settings.console_port),
        ("gateway_port", settings.gateway_host, settings.gateway_port),
    ):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise ConfigurationError(
                    "Port %(port)s of %(host)s cannot be used: %(why)s.",
                    port=port,
                    host=host,
                    why=error.strerror,
                    mend=f"Stop what listens there, or set HAVENMEESTER_{key.upper()} to another port.",
                ) from error


def socket_answers(path: Path) -> bool:
    """Whether somebody accepts connections on this local socket."""
    if not path.exists():
        return False
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(QUICK)
            # A path may be longer than a socket's address: the folder's descriptor is a short name for it.
            probe.connect(f"/proc/self/fd/{folder}/{path.name}")
    except OSError:
        return False
    finally:
        os.close(folder)
    return True


def _worker_lives(home: Path) -> bool:
    try:
        told = json.loads(heartbeat_file(home).read_text())
        os.kill(int(told["pid"]), 0)
    except (OSError, ValueError, KeyError):
        return False
    return True


def _console_answers(settings: Settings) -> bool:
    host, port = _reach(settings.console_host), settings.console_port
    if settings.console_base.startswith("https://"):
        return _answers(http.client.HTTPSConnection(host, port, timeout=QUICK, context=_trusting_anybody()))
    return _answers(http.client.HTTPConnection(host, port, timeout=QUICK))


def _gateway_answers(settings: Settings) -> bool:
    connection = http.client.HTTPSConnection(
        _reach(settings.gateway_host), settings.gateway_port, timeout=QUICK, context=_trusting_anybody()
    )
    return _answers(connection)


def _trusting_anybody() -> ssl.SSLContext:
    """Only whether it answers is asked, of ourselves: the certificate may be for another name.

    The authorities of the system are not read: that costs more than the whole look, twenty times a second.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _reach(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- a name for "everywhere", not bound


def _answers(connection: http.client.HTTPConnection) -> bool:
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
