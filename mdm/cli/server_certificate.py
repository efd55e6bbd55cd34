"""The console's certificate when it listens beyond loopback: the operator's own, or one of our authority.

``HOME/tls/console.pem`` and ``console.key``: where somebody has put them they are used as they are; what we made ourselves
(``console.ours`` says so) is made anew a month before its end, or when the host name has changed.
"""

import os
import socket
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from mdm.core.clock import utcnow
from mdm.core.errors import ConfigurationError, UnavailableError
from mdm.settings import Settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from mdm.signing.client import SignerClient

DAYS = 365
RENEW = timedelta(days=30)
PATIENCE = 30.0
"""Seconds that a console without a certificate waits for the signer."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Where certificate chain and key are."""

    certificate: Path
    key: Path


def console(settings: Settings) -> Tls | None:
    """What the console shows browsers; None where it speaks plain HTTP, on loopback."""
    if settings.console_base.startswith("http://"):
        return None
    folder = settings.home / "tls"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = Tls(folder / "console.pem", folder / "console.key")
    ours = folder / "console.ours"
    names = _names(settings)
    if found.certificate.exists() and found.key.exists() and not (ours.exists() and _due(found, ours, names)):
        return found
    try:
        _make(settings, found, names)
    except ConfigurationError:
        if not (found.certificate.exists() and found.key.exists()):
            raise
        # A certificate that still holds is better than no console; the next start tries again.
        return found
    ours.write_text("\n".join(names))
    return found


def _names(settings: Settings) -> list[str]:
    from urllib.parse import urlsplit

    wildcard = settings.console_host in ("0.0.0.0", "::")  # noqa: S104 -- compared, not bound
    names = [
        urlsplit(settings.console_base).hostname or "",
        socket.gethostname() if wildcard else settings.console_host,
    ]
    return sorted({name for name in names if name and name not in ("0.0.0.0", "::")} | {"localhost"})  # noqa: S104


def _due(found: Tls, ours: Path, names: list[str]) -> bool:
    from cryptography import x509

    if ours.read_text().split("\n") != names:
        return True
    certificate = x509.load_pem_x509_certificate(found.certificate.read_bytes())
    return certificate.not_valid_after_utc - utcnow() < RENEW


def _make(settings: Settings, found: Tls, names: list[str]) -> None:
    """Has the signer certify a new key. The signer's own key is not for this process to read."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    from mdm.signing.client import SignerClient

    key = generate_private_key(SECP256R1())
    chain = _patient(SignerClient(settings.signer_socket), names, _request(key))
    descriptor = os.open(found.key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    found.certificate.write_text(chain)


def _request(key: "EllipticCurvePrivateKey") -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def _patient(signer: "SignerClient", names: list[str], csr: str) -> str:
    """The chain; waits for a signer that is started at the same moment. Raises ConfigurationError when it stays away."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return signer.issue_server(names=names, csr=csr, days=DAYS).chain
        except UnavailableError as error:
            if time.monotonic() > end:
                raise ConfigurationError(
                    "The console has no certificate yet, and the signer does not answer.",
                    mend="Start the signer first, or put console.pem and console.key into HOME/tls.",
                ) from error
            time.sleep(0.2)
