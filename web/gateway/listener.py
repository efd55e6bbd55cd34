"""The gateway's process: gunicorn with gevent and mutual TLS on one port. Started by ``python -m web.gateway``."""

import resource
from typing import Any

from gunicorn.app.base import BaseApplication

from mdm.operation.logs import configure
from mdm.settings import Settings
from mdm.signing.client import SignerClient
from web.gateway import identity, tls
from web.gateway.app import make_gateway
from web.gateway.hot import HotPath

SPARE = 200
"""File descriptors that are kept for databases, logs and sockets of our own."""
GRACE = 8


class Listener(BaseApplication):  # type: ignore[misc]
    """The gateway as gunicorn runs it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.signer = SignerClient(settings.signer_socket)
        self.identity = identity.ensure(settings, self.signer)
        self.context: tls.Context | None = None
        super().__init__()

    def load_config(self) -> None:
        """Every setting of gunicorn that differs from its default."""
        settings = self.settings
        host = f"[{settings.gateway_host}]" if ":" in settings.gateway_host else settings.gateway_host
        chosen: dict[str, Any] = {
            "bind": f"{host}:{settings.gateway_port}",
            "worker_class": "web.gateway.worker.DeviceWorker",
            "workers": settings.gateway_workers,
            "worker_connections": places(),
            "backlog": 4096,
            "certfile": str(self.identity.server),
            "ssl_context": lambda _config, _default: self._context(),
            "keepalive": round(settings.checkin_seconds * 1.2) + 30,
            "timeout": 60,
            "graceful_timeout": GRACE,
            "limit_request_line": 8190,
            "limit_request_fields": 32,
            "limit_request_field_size": 8190,
            "forwarded_allow_ips": "",
            "control_socket_disable": True,
            "accesslog": None,
            "loglevel": "warning",
            "worker_tmp_dir": "/dev/shm",  # noqa: S108 -- the heartbeat file must not wait for a disk
            "proc_name": "havenmeester-gateway",
        }
        for key, value in chosen.items():
            self.cfg.set(key, value)

    def _context(self) -> tls.Context:
        if self.context is None:
            self.context = tls.context(self.identity)
        return self.context

    def load(self) -> HotPath:
        """The application, made in each worker after the fork."""
        configure("gateway", self.settings.log_level)
        return make_gateway(self.settings)


def places() -> int:
    """How many connections one process may hold: as many as there are file descriptors, but for a few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else 100_000
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return max(100, min(soft, 100_000) - SPARE)


def serve(settings: Settings) -> None:
    """Serves devices until SIGTERM or SIGINT. The process must have been patched by gevent before anything else."""
    configure("gateway", settings.log_level)
    Listener(settings).run()
