"""The console's certificate when it listens beyond loopback: the operator's own, or one of our authority.

``HOME/tls/console.pem`` and ``console.key``: where somebody has put them they are used as they are; what we made ourselves
(``console.ours`` says so) is made anew a month before its end, or when the host name has changed.
"""

import os
import socket
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from mdm.core.clock import utcnow
from mdm.settings import Settings

DAYS = 365
RENEW = timedelta(days=30)


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
    _make(settings, found, names)
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
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    from mdm.signer import keys
    from mdm.signer.authority import certify_server

    held = keys.load(settings.home)
    key = generate_private_key(SECP256R1())
    made = certify_server(
        held, names=names, key=key.public_key(), organisation=settings.organisation, now=utcnow(), days=DAYS
    )
    descriptor = os.open(found.key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    found.certificate.write_text(made.pem + held.ca_pem)
