"""A gateway for the agent's tests: a real HTTPS server with a real authority, which speaks ``agent/wire.py``.

It knows one device at a time, keeps everything that it was told, and can be made to misbehave.
"""

import hashlib
import http.server
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from agent import wire
from agent.proof import write_pin
from tests.sim.approvers import Council


class Authority:
    """A certificate authority with an EC key."""

    def __init__(self, name: str = "Havenmeester test CA") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(self.name, self.key.public_key(), timedelta(days=30))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.certificate = builder.sign(self.key, hashes.SHA256())

    def _builder(self, subject: x509.Name, key: Any, lifetime: timedelta) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + lifetime)
        )

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def server(self, folder: Path, host: str = "localhost") -> tuple[Path, Path]:
        """Writes a server certificate and its key, and returns their paths."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        builder = self._builder(subject, key.public_key(), timedelta(days=1)).add_extension(names, critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        chain, secret = folder / "server.pem", folder / "server.key"
        chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return chain, secret

    def certify(
        self, csr: x509.CertificateSigningRequest, device: str, lifetime: timedelta, pin: bytes | None = None
    ) -> str:
        """A chain for a device; the subject is ours, never the request's. ``pin``: whom the device may believe."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device)])
        builder = self._builder(subject, csr.public_key(), lifetime)
        if pin is not None:
            extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(wire.PIN_OID), pin)
            builder = builder.add_extension(extension, critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM).decode() + self.pem


def key_digest(certificate_der: bytes) -> str:
    """SHA-256 of a certificate's public key, as an order names it."""
    public = x509.load_der_x509_certificate(certificate_der).public_key()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


class Gateway:
    """The server, and what it was told."""

    TOKEN = "invitation-token-0123456789"

    def __init__(self, folder: Path) -> None:
        self.authority = Authority()
        self.council = Council()
        self.founded = True
        """Whether the roster was there when a device enrolled."""
        self.device = "d0e1f2a3b4c5" + "0" * 20
        self.lifetime = timedelta(days=30)
        self.used_by: str | None = None
        self.accepted: set[str] = set()
        """Fingerprints of the certificates that are let in."""
        self.public_key = ""
        self.checkins: list[dict[str, Any]] = []
        self.reports: list[dict[str, Any]] = []
        self.facts: dict[str, Any] = {}
        self.results: list[dict[str, Any]] = []
        self.desired: dict[str, Any] | None = None
        self.commands: list[dict[str, Any]] = []
        self.want: list[str] = []
        self.ask_renewal = False
        self.next = 60
        self.left = False
        self.renewals = 0
        self.connections = 0
        self.before_answer: (
            Callable[[str, dict[str, Any]], tuple[int, dict[str, str], dict[str, Any]] | str | None] | None
        ) = None
        """May answer in our place: (status, headers, body); ``drop`` hangs up after the work is done, ``deaf`` before."""
        self.pin: bytes | None = None
        """What the certificate says instead of the truth."""
        self.closed_for = 0
        """Seconds for which strangers are asked to stay away; 0: they may come."""
        self.releases: Path | None = None
        """The folder of a repository of releases, served as it is."""
        self.ring = threading.Event()
        self.lock = threading.Lock()
        chain, secret = self.authority.server(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, secret)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=self.authority.pem)
        self.context = context
        self.server = _Server(("127.0.0.1", 0), _handler(self))
        self.port = self.server.server_address[1]
        self.url = f"https://localhost:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Closes everything; the port stays known, so that ``again`` can open it anew."""
        self.server.shutdown()
        self.server.hang_up()
        end = time.monotonic() + 10
        while self.server.open and time.monotonic() < end:
            self.ring.set()
            time.sleep(0.01)
        self.ring.clear()
        self.server.server_close()
        self.thread.join(5)

    def again(self) -> None:
        """Opens the same port again after ``stop``."""
        self.server = _Server(("127.0.0.1", self.port), _handler(self))
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def invitation(self, token: str = TOKEN, fingerprint: str = "") -> str:
        """The address that a person would paste."""
        where = self.url.replace(":", "%3A").replace("/", "%2F")
        return f"http://localhost:8080/e/{token}#ca={fingerprint or self.authority.fingerprint}&gateway={where}"

    @property
    def order_key(self) -> str:
        return self.council.order_key

    @property
    def rosters(self) -> list[dict[str, Any]]:
        return self.council.rosters if self.founded else []

    def order(self, **changes: Any) -> dict[str, Any]:
        """The fields of a good wipe for the enrolled device, changed as asked."""
        return self.council.order(self.device, self.public_key, **changes)

    def sign(self, order: dict[str, Any] | str, signer: Ed25519PrivateKey | None = None) -> dict[str, Any]:
        """An order as a wipe command carries it, approved by two people."""
        return self.council.envelope(order, signer=signer)

    def command(self, name: str, verb: str, args: dict[str, Any] | None = None, *, seconds: int = 600) -> None:
        """Queues a command; it is served until its result has come."""
        expires = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
        self.commands.append({"id": name, "verb": verb, "args": args or {}, "expires": expires})
        self.ring.set()

    def result(self, name: str) -> dict[str, Any]:
        """The one result of a command. Raises AssertionError when there is none, or when two differ."""
        found = [result for result in self.results if result["id"] == name]
        assert found, f"no result for {name}: {self.results}"
        assert all(one == found[0] for one in found)
        return found[0]

    # What the wire says

    def answer(self, method: str, path: str, body: bytes, peer: bytes | None) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with self.lock:
            if self.closed_for and not peer:
                headers = {"Content-Type": "application/problem+json", "Retry-After": str(self.closed_for)}
                return (
                    503,
                    headers,
                    json.dumps({"code": "unavailable", "detail": "The signer does not answer."}).encode(),
                )
            if (method, parts.path) == ("GET", wire.CA):
                return 200, {"Content-Type": "application/x-pem-file"}, self.authority.pem.encode()
            if parts.path == wire.ENROLL:
                return _json(*self._enroll(json.loads(body)))
            if peer is None:
                return _json(401, {"code": "certificate_missing", "title": "No certificate"})
            if hashlib.sha256(peer).hexdigest() not in self.accepted:
                return _json(401, {"code": "certificate_refused", "title": "The certificate is refused."})
            self.public_key = key_digest(peer) if parts.path == wire.CHECKIN else self.public_key
            if parts.path.startswith(wire.RELEASES):
                file = (self.releases or Path("/nonexistent")) / parts.path.removeprefix(wire.RELEASES)
                return (200, {}, file.read_bytes()) if file.is_file() else _json(404, {"code": "not_found"})
            if parts.path == wire.RENEW:
                return _json(*self._renew(json.loads(body)))
            if parts.path == wire.LEAVE:
                self.left = True
                self.accepted.clear()
                return 204, {}, b""
        return self._checkin(query, json.loads(body) if body else {})

    def _certify(self, csr_pem: str) -> str:
        csr = x509.load_pem_x509_csr(csr_pem.encode())
        assert csr.is_signature_valid
        pin = write_pin(self.order_key, self.council.pin if self.founded else None)
        chain = self.authority.certify(csr, self.device, self.lifetime, pin if self.pin is None else self.pin)
        certificate = x509.load_pem_x509_certificate(chain.encode())
        self.accepted.add(certificate.fingerprint(hashes.SHA256()).hex())
        self.public_key = key_digest(certificate.public_bytes(serialization.Encoding.DER))
        return chain

    def _enroll(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        assert set(request) == set(wire.EnrollRequest.__annotations__), request
        if request["token"] != self.TOKEN:
            return 404, {"code": "invitation_unknown", "title": "No such invitation", "detail": "It is not known."}
        csr = x509.load_pem_x509_csr(request["csr"].encode())
        key = csr.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        digest = hashlib.sha256(key).hexdigest()
        if self.used_by not in (None, digest):
            return 410, {"code": "invitation_used", "detail": "This invitation has been used. Ask for a new one."}
        self.used_by = digest
        self.enrolled_with = request
        return 200, {
            "device": self.device,
            "certificate": self._certify(request["csr"]),
            "order_key": self.order_key,
            "rosters": self.rosters[-1:],
            "organisation": "Stad Antwerpen",
            "next": 1,
        }

    def _renew(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.renewals += 1
        self.ask_renewal = False
        return 200, {"certificate": self._certify(request["csr"])}

    def _checkin(self, query: dict[str, str], body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        early = self.before_answer(wire.CHECKIN, body) if self.before_answer else None
        if isinstance(early, tuple):
            return early[0], early[1], json.dumps(early[2]).encode()
        if early == "deaf":
            raise _HangUpError
        with self.lock:
            self.checkins.append({"query": query, "body": body})
            report = body.get("report")
            if report:
                if not self.reports or self.reports[-1]["id"] != report["id"]:
                    self.reports.append(report)
                self.facts.update(report["sections"])
            self.results += body.get("results", [])
            finished = {result["id"] for result in body.get("results", [])}
            self.commands = [command for command in self.commands if command["id"] not in finished]
            answer = self._news(query)
        if not answer and not body and query["w"] != "0":
            self.ring.wait(min(int(query["w"]), 10))
            self.ring.clear()
            with self.lock:
                answer = self._news(query)
        if early == "drop":
            raise _HangUpError
        if not answer:
            return 204, {"Next": str(self.next)}, b""
        return _json(200, {"next": self.next, **answer})

    def _news(self, query: dict[str, str]) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        if self.desired is not None and query["d"] != self.desired["digest"]:
            answer["desired"] = self.desired
        if self.want:
            answer["want"], self.want = self.want, []
        if self.commands:
            answer["commands"] = self.commands
        if self.ask_renewal:
            answer["renew"] = True
        return answer

    def wants(self, *resources: dict[str, Any]) -> None:
        """Sets the desired state."""
        self.desired = {"digest": wire.short_digest(resources), "resources": list(resources)}
        self.ring.set()


class _HangUpError(Exception):
    pass


def _json(status: int, value: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.open: set[socket.socket] = set()

    def hang_up(self) -> None:
        for link in list(self.open):
            try:
                link.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Agents that are killed hang up in the middle; that is what the tests do."""


def _handler(gateway: Gateway) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        timeout = 60

        def setup(self) -> None:
            self.request.settimeout(20)
            self.request = gateway.context.wrap_socket(self.request, server_side=True)
            gateway.connections += 1
            gateway.server.open.add(self.request)
            super().setup()

        def finish(self) -> None:
            try:
                super().finish()
            except OSError:
                pass  # The agent was killed while it was answered.
            finally:
                self.request.close()
                gateway.server.open.discard(self.request)

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            peer = self.request.getpeercert(True)
            try:
                status, headers, content = gateway.answer(self.command, self.path, body, peer)
            except _HangUpError:
                self.close_connection = True
                return
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()

        do_GET = _serve  # noqa: N815 -- the name that http.server looks for
        do_POST = _serve  # noqa: N815 -- the same

        def log_message(self, *arguments: Any) -> None:
            """Silent."""

    return Handler


@contextmanager
def running(folder: Path) -> Iterator[Gateway]:
    """A gateway for the length of a block."""
    gateway = Gateway(folder)
    try:
        yield gateway
    finally:
        gateway.stop()
