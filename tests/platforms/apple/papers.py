"""Keys and certificates of tests, and OpenSSL as a second maker and reader of messages."""

import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Holder:
    """A private key with its certificate."""

    key: Key
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def files(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Certificate and key as PEM files."""
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        certificate.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, key


@cache
def key(kind: str = "rsa", number: int = 0) -> Key:
    """One of a few keys that all tests of a process share: making them is slow."""
    return rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())


def holder(
    name: str = "device",
    kind: str = "rsa",
    number: int = 0,
    issuer: Holder | None = None,
    *,
    days: int = 30,
    since: timedelta = timedelta(minutes=5),
    client: bool = True,
    authority: bool = False,
    serial: int | None = None,
) -> Holder:
    """A certificate, signed by itself unless an issuer is named."""
    mine = key(kind, number)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(mine.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(now - since)
        .not_valid_after(now - since + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(mine.public_key()), critical=False)
    )
    if client:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    return Holder(mine, builder.sign(issuer.key if issuer else mine, hashes.SHA256()))


def openssl(*arguments: str | Path, given: bytes = b"") -> bytes:
    """What the program prints. Skips the test where there is no such program."""
    if shutil.which("openssl") is None:
        pytest.skip("OpenSSL's program is not installed (apt install openssl)")
    done = subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
