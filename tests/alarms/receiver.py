"""A program that hears webhooks: a real HTTPS server on loopback, with a certificate of its own authority."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass
class Receiver:
    """What was heard, and how it answers."""

    port: int
    trust: ssl.SSLContext
    heard: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    connections: int = 0
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    pause: float = 0.0
    """Seconds between two bytes of the answer's body."""


def _certificate(folder: Path, name: str) -> Path:
    key = generate_private_key(SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path


@contextmanager
def receiver(folder: Path, name: str = "localhost") -> Iterator[Receiver]:
    """A running receiver whose certificate is for ``name``."""
    pem = _certificate(folder, name)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    there = Receiver(0, ssl.create_default_context(cafile=str(pem)))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            there.heard.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(there.status)
            for key, value in there.headers.items():
                self.send_header(key, value)
            if there.status != 204:
                self.send_header("Content-Length", str(len(there.body)))
            self.end_headers()
            for start in range(0, len(there.body), 1 if there.pause else 1 << 16):
                self.wfile.write(there.body[start : start + (1 if there.pause else 1 << 16)])
                self.wfile.flush()
                time.sleep(there.pause)

        def log_message(self, *_args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def get_request(self) -> tuple[ssl.SSLSocket, object]:  # type: ignore[override]
            there.connections += 1
            return super().get_request()  # type: ignore[return-value]

        def handle_error(self, *_args: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        there.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield there
        server.shutdown()
        thread.join(10)
