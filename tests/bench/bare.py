"""The baseline: a WSGI callable that does nothing, behind the same listener, the same TLS and the same worker."""

from gevent import monkey

monkey.patch_all()

import ssl  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable, Iterable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from gevent import ssl as gevent_ssl  # noqa: E402
from gunicorn.app.base import BaseApplication  # noqa: E402


def nothing(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """204, always. A body is read and thrown away."""
    if environ.get("CONTENT_LENGTH", "0") != "0":
        environ["wsgi.input"].read()
    start("204 No Content", [])
    return ()


class Bare(BaseApplication):  # type: ignore[misc]
    """gunicorn with gevent and client certificates, as the gateway has it."""

    def __init__(self, port: int, server: Path, authority: Path) -> None:
        self.port, self.server, self.authority = port, server, authority
        super().__init__()

    def load_config(self) -> None:
        """The gateway's own settings where they touch speed."""
        context = gevent_ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server)
        context.load_verify_locations(self.authority)
        context.verify_mode = ssl.CERT_OPTIONAL
        for key, value in {
            "bind": f"localhost:{self.port}",
            "worker_class": "gevent",
            "workers": 1,
            "certfile": str(self.server),
            "ssl_context": lambda _config, _default: context,
            "keepalive": 300,
            "control_socket_disable": True,
            "accesslog": None,
            "loglevel": "warning",
        }.items():
            self.cfg.set(key, value)

    def load(self) -> Callable[..., Any]:
        """The callable."""
        return nothing


if __name__ == "__main__":
    Bare(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])).run()
