"""A small proxy that ends no TLS but begins it: plain HTTP on loopback, forwarded to a gateway as it came."""

import http.client
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@contextmanager
def plain(port: int, ca: Path) -> Iterator[str]:
    """The address (``http://127.0.0.1:...``) of a proxy in front of the gateway on ``port``."""

    class Forward(BaseHTTPRequestHandler):
        """Forwards one request."""

        def _forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            there = http.client.HTTPSConnection(
                "localhost", port, context=ssl.create_default_context(cafile=str(ca)), timeout=30
            )
            kept = {name: value for name, value in self.headers.items() if name.lower() in ("content-type", "accept")}
            there.request(self.command, self.path, body or None, kept)
            answer = there.getresponse()
            content = answer.read()
            there.close()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.getheader("Content-Type") or "")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _forward  # noqa: N815 -- the library's names

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Forward)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
