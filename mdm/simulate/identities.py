"""Who the simulated devices are: keys and certificates, got by true invitations, kept for the next run.

``HOME/simulated/devices.jsonl`` (0600) holds one line for each device: its number, its id, its key and its chain.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from gevent import ssl as gevent_ssl

FOLDER = "simulated"


@dataclass(frozen=True, slots=True)
class Identity:
    """One simulated device that was enrolled."""

    number: int
    device: str
    pem: str
    """Private key and chain."""
    ca: str
    """Fingerprint of the CA that certified it: with another CA it is worth nothing."""


def new_key() -> tuple[str, str]:
    """A private key as PEM, and a request with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "simulated")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, request.public_bytes(Encoding.PEM).decode()


class Register:
    """The file of identities."""

    def __init__(self, home: Path, ca_fingerprint: str) -> None:
        folder = home / FOLDER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / "devices.jsonl"
        self.ca = ca_fingerprint

    def read(self) -> dict[int, Identity]:
        """The devices that our CA has certified, by number. A line that was cut by a crash is skipped."""
        return {identity.number: identity for identity in self._lines() if identity.ca == self.ca}

    def _lines(self) -> Iterator[Identity]:
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as file:
            for line in file:
                try:
                    yield Identity(**json.loads(line))
                except (ValueError, TypeError):
                    continue

    def add(self, identity: Identity) -> None:
        """Writes one device down."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(identity)) + "\n")

    def forget(self, numbers: set[int]) -> None:
        """Strikes out devices that the gateway no longer lets in."""
        kept = [identity for identity in self._lines() if identity.number not in numbers]
        new = self.path.with_suffix(".new")
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(identity)) + "\n" for identity in kept)
        new.replace(self.path)


def context(ca: str, pem: str | None) -> gevent_ssl.SSLContext:
    """A TLS context that trusts our CA and nothing else, and shows this certificate."""
    made = gevent_ssl.SSLContext(gevent_ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(cadata=ca)
    if pem is not None:
        # The library reads certificates from files only; the file is there as long as it takes to read it.
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(pem)
            file.flush()
            made.load_cert_chain(file.name)
    return made
