"""The gateway's own key and certificate: made once, renewed in time, kept in one file so that they always fit.

``HOME/gateway`` (0700) holds ``server.pem`` (0600: the EC P-256 key, then the chain) and ``ca.pem`` (our CA, then the authority
for phones: both certify devices). With both files there, the gateway starts and lets known devices in while the signer is
away.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from mdm.core.clock import utcnow
from mdm.core.errors import ConfigurationError, UnavailableError
from mdm.settings import LOOPBACK, Settings
from mdm.signing.client import SignerClient

FOLDER = "gateway"
DAYS = 90
PATIENCE = 30.0
"""Seconds that a first start waits for the signer, which starts at the same moment."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Where the gateway's key, chain and CA are."""

    server: Path
    ca: Path


def ensure(settings: Settings, signer: SignerClient, now: datetime | None = None) -> Identity:
    """The identity, made or renewed where it has to be. What is good stays as it is.

    Raises ConfigurationError when there is none yet and the signer does not answer within half a minute.
    """
    folder = settings.home / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = Identity(folder / "server.pem", folder / "ca.pem")
    moment = now or utcnow()
    with _alone(folder):
        if _good(found, names(settings), moment):
            return found
        try:
            _make(settings, signer, found, patient=not found.server.exists())
        except UnavailableError as error:
            if _good(found, names(settings), moment, share=0.0):
                return found
            raise ConfigurationError(
                "The gateway has no certificate yet, and the signer does not answer at %(socket)s.",
                socket=settings.signer_socket,
                mend="Start the signer first, or all of it with: havenmeester up",
            ) from error
    return found


def names(settings: Settings) -> list[str]:
    """The names and addresses under which devices reach the gateway."""
    found = [urlsplit(settings.gateway_base).hostname or "localhost", settings.gateway_host]
    if settings.gateway_host in LOOPBACK:
        found += ["localhost", "127.0.0.1", "::1"]
    return [name for name in dict.fromkeys(found) if name not in ("", "0.0.0.0", "::")]  # noqa: S104 -- no name to certify


def _good(found: Identity, wanted: list[str], now: datetime, *, share: float = 1 / 3) -> bool:
    """Whether the certificate is there, ours, for these names, and has more than ``share`` of its lifetime left."""
    try:
        certificate = x509.load_pem_x509_certificates(found.server.read_bytes())[0]
        ca, _phones = x509.load_pem_x509_certificates(found.ca.read_bytes())
        certificate.verify_directly_issued_by(ca)
        present = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except Exception:  # noqa: BLE001 -- whatever is wrong with a file of ours, the mend is to make it anew
        return False
    held = {str(name) for name in present.get_values_for_type(x509.DNSName)}
    held |= {str(address) for address in present.get_values_for_type(x509.IPAddress)}
    lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return set(wanted) <= held and now < certificate.not_valid_after_utc - lifetime * share


def _make(settings: Settings, signer: SignerClient, found: Identity, *, patient: bool) -> None:
    authority = _asked(signer, PATIENCE if patient else 0.0)
    key = ec.generate_private_key(ec.SECP256R1())
    wanted = names(settings)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wanted[0][:64])])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    issued = signer.issue_server(names=wanted, csr=csr.public_bytes(Encoding.PEM).decode(), days=DAYS)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(found.ca, authority.encode())
    _write(found.server, private + issued.chain.encode())


def _asked(signer: SignerClient, patience: float) -> str:
    last = time.monotonic() + patience
    while True:
        try:
            return signer.ca().certificate + signer.phone_ca()
        except UnavailableError:
            if time.monotonic() >= last:
                raise
            time.sleep(0.1)


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and read by nobody else at any moment."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
