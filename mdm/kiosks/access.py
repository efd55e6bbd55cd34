"""Our own way into kiosks that are not enrolled yet: one key, and an authority whose certificates last minutes.

A kiosk's image holds one of two lines in ``~/.ssh/authorized_keys``: the key, or the authority for one account. The last step
of setting up takes both out again. Private halves lie in ``HOME/keys``; only the process that sets kiosks up reads them.
"""

import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import paramiko
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    SSHCertificateBuilder,
    SSHCertificateType,
)

from mdm.kiosks.model import SignIn
from mdm.storage.own_key import own_key

KEY: Final = "kiosk-ssh.key"
AUTHORITY: Final = "kiosk-ssh-authority.key"
CERTIFICATE_MINUTES: Final = 15


@dataclass(frozen=True, slots=True)
class Access:
    """What a kiosk may hold of ours, as lines for ``authorized_keys``."""

    key: str
    authority: str

    def lines(self, account: str) -> dict[SignIn, str]:
        """The line for each way of signing in as ``account``."""
        return {
            SignIn.KEY: f"restrict {self.key} havenmeester-setup",
            SignIn.CERTIFICATE: f'cert-authority,restrict,principals="{account}" {self.authority} havenmeester-setup',
        }

    @property
    def blobs(self) -> list[str]:
        """What is looked for when our access is taken out of a kiosk."""
        return [self.key.split()[1], self.authority.split()[1]]


def access(home: Path) -> Access:
    """The public halves; both keys are made at the first need."""
    return Access(_public(_key(home, KEY)), _public(_key(home, AUTHORITY)))


def identity(home: Path, way: str, account: str, uid: str, now: datetime) -> paramiko.PKey:
    """What we sign in with: the key, or a new key with a certificate for this account, good for a quarter of an hour."""
    if way == SignIn.KEY:
        return _for_paramiko(_key(home, KEY))
    fresh = Ed25519PrivateKey.generate()
    certificate = (
        SSHCertificateBuilder()
        .public_key(fresh.public_key())
        .serial(int(uid[:15], 16))
        .type(SSHCertificateType.USER)
        .key_id(f"havenmeester-setup-{uid}".encode())
        .valid_principals([account.encode()])
        # A kiosk's clock may be behind.
        .valid_after((now - timedelta(minutes=5)).timestamp())
        .valid_before((now + timedelta(minutes=CERTIFICATE_MINUTES)).timestamp())
        .sign(_key(home, AUTHORITY))
    )
    key = _for_paramiko(fresh)
    key.load_certificate(certificate.public_bytes().decode())
    return key


def _for_paramiko(key: Ed25519PrivateKey) -> paramiko.PKey:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return paramiko.Ed25519Key.from_private_key(io.StringIO(pem))


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def _key(home: Path, name: str) -> Ed25519PrivateKey:
    return own_key(home, name, form=PrivateFormat.OpenSSH)
