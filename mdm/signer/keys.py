"""The signer's keys: made once, never overwritten, read by nobody else.

``HOME/signer`` (0700) holds ``ca.key`` and ``ca.pem`` (EC P-256), ``order.key`` and ``head.key`` (Ed25519), and the secret
``founding``, each 0600. Keys are PKCS #8, encrypted where ``passphrase.py`` finds a passphrase.
"""

import base64
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from mdm.core.clock import utcnow
from mdm.core.errors import ConfigurationError
from mdm.signer import passphrase

FOLDER = "signer"
FOUNDING = "founding"
PRIVATE = ("ca.key", "head.key", "order.key")
LATER = ("phones.key", "profiles.key")
"""Keys that are made when they are needed first."""
CA_DAYS = 3650


@dataclass(frozen=True, slots=True)
class Keys:
    """Every key of the signer, in memory."""

    ca_key: EllipticCurvePrivateKey
    ca: x509.Certificate
    order_key: Ed25519PrivateKey
    head_key: Ed25519PrivateKey
    folder: Path
    founding: str
    """The secret that whoever founds the first roster must know: whoever may read the signer's folder."""

    @property
    def ca_pem(self) -> str:
        """The certificate of our CA as PEM."""
        return self.ca.public_bytes(Encoding.PEM).decode()

    @property
    def ca_fingerprint(self) -> str:
        """SHA-256 (hexadecimal) of the DER of our CA: what an invitation carries."""
        return self.ca.fingerprint(hashes.SHA256()).hex()


def base64_of(raw: bytes) -> str:
    """Standard Base64."""
    return base64.b64encode(raw).decode()


def public_text(key: Ed25519PrivateKey) -> str:
    """Base64 of the raw public key."""
    return base64_of(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def create(home: Path, organisation: str, now: datetime | None = None) -> Path:
    """Makes the keys that are missing and returns their folder. What is there stays as it is, byte for byte."""
    folder = home / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    word = passphrase.find()
    for name in ("order.key", "head.key"):
        write_once(folder / name, lambda: _pem(Ed25519PrivateKey.generate(), word))
    write_once(folder / "ca.key", lambda: _pem(generate_private_key(SECP256R1()), word))
    write_once(folder / FOUNDING, _founding)
    if (folder / "ca.pem").exists():
        return folder
    key = _load_ca_key(folder / "ca.key", word)
    write_once(
        folder / "ca.pem",
        lambda: _self_signed(key, organisation, now or utcnow()).public_bytes(Encoding.PEM),
    )
    return folder


def load(home: Path) -> Keys:
    """The keys. Raises ConfigurationError when one is missing, broken, or open to others."""
    folder, word = home / FOLDER, passphrase.find()
    ca_key = _load_ca_key(folder / "ca.key", word)
    ca = load_certificate(folder / "ca.pem", ca_key.public_key())
    return Keys(
        ca_key,
        ca,
        _load_seal_key(folder / "order.key", word),
        _load_seal_key(folder / "head.key", word),
        folder,
        founding_secret(home),
    )


def ensure_founding(home: Path) -> None:
    """Makes the founding secret of an installation that is older than rosters; what is there stays."""
    folder = home / FOLDER
    if folder.is_dir():
        write_once(folder / FOUNDING, _founding)


def _founding() -> bytes:
    return secrets.token_urlsafe(32).encode()


def founding_secret(home: Path) -> str:
    """The founding secret. Raises ConfigurationError when it is missing or open to others."""
    return _read(home / FOLDER / FOUNDING).decode().strip()


def encrypt(home: Path, new: bytes | None) -> list[str]:
    """Writes every key file anew under the passphrase ``new`` (None: without one), and returns their names.

    They are read with the passphrase of this process. Each file is replaced whole: whoever is interrupted has files of
    both kinds, and runs it again. Stop the signer first; it holds its keys in memory, but its next start needs them.
    """
    folder, word = home / FOLDER, passphrase.find()
    done = []
    for name in (*PRIVATE, *(name for name in LATER if (folder / name).exists())):
        path = folder / name
        try:
            key = _load(path, word)
        except ConfigurationError:
            # Begun before and interrupted: this one is under the new passphrase already.
            key = _load(path, new)
        if not isinstance(key, EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey):
            raise _broken(path)
        draft = path.with_name(f".{name}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        write_once(draft, lambda key=key: _pem(key, new))  # type: ignore[misc]
        draft.replace(path)
        _settle(folder)
        done.append(name)
    return done


def write_key_once(path: Path, make: Callable[[], RSAPrivateKey]) -> None:
    """Makes a key where there is none yet, under the passphrase of this process."""
    write_once(path, lambda: _pem(make(), passphrase.find()))


def load_key(path: Path) -> PrivateKeyTypes:
    """A key of the signer. Raises ConfigurationError when it is missing, broken, or open to others."""
    return _load(path, passphrase.find())


def load_certificate(path: Path, key: EllipticCurvePublicKey | RSAPublicKey) -> x509.Certificate:
    """The certificate of this public key. Raises ConfigurationError when it is missing, broken, or of another key."""
    try:
        found = x509.load_pem_x509_certificate(_read(path))
    except ValueError as error:
        raise _broken(path) from error
    if found.public_key() != key:
        raise _broken(path)
    return found


def _pem(key: EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey, word: bytes | None) -> bytes:
    how = BestAvailableEncryption(word) if word else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)


def _self_signed(key: EllipticCurvePrivateKey, organisation: str, now: datetime) -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, "Havenmeester CA"),
        ]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def write_once(path: Path, make: Callable[[], bytes]) -> None:
    """Makes a file (0600), whole and on the disk, where there is none; what is there stays."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(make())
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link fails where the name is taken, and a rename would not: two that race keep the key of the first.
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink()
    _settle(path.parent)


def _settle(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _read(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            "The signer cannot read its file %(file)s: %(why)s.",
            file=path,
            why=error.strerror,
            mend="Run havenmeester init, or bring the folder back from a backup.",
        ) from error
    if mode & 0o077:
        raise ConfigurationError(
            "Others can read the signer's file %(file)s.", file=path, mend=f"Run chmod 600 {path} and find out why."
        )
    return content


def _load_ca_key(path: Path, word: bytes | None) -> EllipticCurvePrivateKey:
    key = _load(path, word)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise _broken(path)
    return key


def _load_seal_key(path: Path, word: bytes | None) -> Ed25519PrivateKey:
    key = _load(path, word)
    if not isinstance(key, Ed25519PrivateKey):
        raise _broken(path)
    return key


def _load(path: Path, word: bytes | None) -> PrivateKeyTypes:
    raw = _read(path)
    encrypted = b"ENCRYPTED" in raw.partition(b"\n")[0]
    if encrypted and word is None:
        raise ConfigurationError(
            "The signer's file %(file)s is encrypted, and this process has no passphrase.",
            file=path,
            mend=f"Give it the systemd credential {passphrase.CREDENTIAL}, or {passphrase.VARIABLE}.",
        )
    try:
        return load_pem_private_key(raw, word if encrypted else None)
    except (ValueError, TypeError) as error:
        if encrypted:
            raise ConfigurationError(
                "The signer's file %(file)s does not open with this passphrase.",
                file=path,
                mend="Give it the right one, or bring the file back from a backup.",
            ) from error
        raise _broken(path) from error


def _broken(path: Path) -> ConfigurationError:
    return ConfigurationError(
        "The signer's file %(file)s is not what it must be.", file=path, mend="Bring it back from a backup."
    )
