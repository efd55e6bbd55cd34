"""The console beyond loopback: it speaks TLS with a certificate of our authority, and tells browsers to keep to it."""

import http.client
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from mdm.cli.main import run
from tests.conftest import free_port
from tests.signer.neighbour import RunningSigner
from web.build import build


@dataclass
class Console:
    """One console process that listens everywhere."""

    home: Path
    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def authority(self) -> Path:
        return self.home / "signer" / "ca.pem"

    def get(self, path: str, host: str = "localhost") -> http.client.HTTPResponse:
        """One request over TLS that is verified by our authority alone."""
        context = ssl.create_default_context(cafile=str(self.authority))
        connection = http.client.HTTPSConnection(host, self.port, timeout=10, context=context)
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    build()
    home, port = tmp_path / "home", free_port()
    monkeypatch.setenv("HAVENMEESTER_HOME", str(home))
    assert run(["init"]) == 0
    signer = RunningSigner(home)
    signer.start()
    environment = {
        **os.environ,
        "HAVENMEESTER_CONSOLE_HOST": "0.0.0.0",
        "HAVENMEESTER_CONSOLE_PORT": str(port),
        "HAVENMEESTER_CONSOLE_URL": f"https://localhost:{port}",
    }
    argv = [sys.executable, "-m", "mdm.cli.main", "process", "console", "--parent", str(os.getpid())]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(argv, env=environment, stdout=log, stderr=log)
    end = time.monotonic() + 60
    while True:
        assert process.poll() is None, (tmp_path / "log").read_text()
        assert time.monotonic() < end, (tmp_path / "log").read_text()
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.1)
    yield Console(home, port, process)
    process.terminate()
    process.wait(20)
    signer.stop()


def test_beyond_loopback_it_speaks_tls_by_our_authority_and_nothing_else(console: Console) -> None:
    health = console.get("/healthz")

    assert health.status == 200
    assert "max-age=" in (health.getheader("Strict-Transport-Security") or "")
    cookies = console.get("/sign-in").msg.get_all("Set-Cookie") or []
    assert [cookie.split("=")[0] for cookie in cookies] == ["__Host-hm_forms"]
    parts = {part.strip() for part in cookies[0].split(";")}
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= parts
    assert not any(part.startswith("Domain") for part in parts)

    with pytest.raises(ssl.SSLCertVerificationError):
        console.get("/healthz", host="127.0.0.2")
    plain = http.client.HTTPConnection("localhost", console.port, timeout=10)
    with pytest.raises((http.client.HTTPException, OSError)):
        plain.request("GET", "/healthz")
        plain.getresponse()
    plain.close()


def test_its_key_is_only_for_the_owner_and_its_certificate_names_this_machine(console: Console) -> None:
    folder = console.home / "tls"
    certificate = x509.load_pem_x509_certificate((folder / "console.pem").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert (folder / "console.key").stat().st_mode & 0o077 == 0
    assert {"localhost", socket.gethostname()} <= set(names.get_values_for_type(x509.DNSName))
