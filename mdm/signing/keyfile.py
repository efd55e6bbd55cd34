"""An approver's key file: an Ed25519 key in PKCS #8 (RFC 5958), always encrypted, and what it signs.

The library encrypts with few rounds, so the envelope is written here: PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC (RFC 8018),
which every tool reads. ``FILE.pub`` beside it holds the public key (PEM).
"""

import base64
import os
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from agent.proof import key_id, statement_digest
from agent.wire import APPROVAL_PREFIX
from mdm.core.errors import ConflictError, InvalidError

ROUNDS: Final = 600_000
LEAST: Final = 12
"""Characters that a passphrase needs."""
MAX_FILE: Final = 16 * 1024
_PBES2: Final = bytes.fromhex("06092a864886f70d01050d")
_PBKDF2: Final = bytes.fromhex("06092a864886f70d01050c")
_HMAC_SHA256: Final = bytes.fromhex("300c06082a864886f70d02090500")
_AES256_CBC: Final = bytes.fromhex("060960864801650304012a")


def check_passphrase(said: str) -> bytes:
    """The passphrase as bytes. Raises InvalidError for one that is too short."""
    if len(said) < LEAST:
        raise InvalidError(
            "A passphrase needs %(least)s characters at least. Nothing was written.", least=LEAST, code="passphrase"
        )
    return said.encode()


def create(path: Path, passphrase: str) -> Ed25519PrivateKey:
    """Writes a new key to ``path`` (0600) and its public key to ``path.pub``; the key comes back.

    Raises ConflictError where one of them is there already, InvalidError for a short passphrase.
    """
    word, public = check_passphrase(passphrase), public_path(path)
    for one in (path, public):
        if one.exists():
            raise ConflictError("%(file)s is there already. Nothing was written.", file=one)
    key = Ed25519PrivateKey.generate()
    _write(path, _encrypted(key, word), 0o600)
    _write(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), 0o644)
    return key


def public_path(path: Path) -> Path:
    """Where the public key of a key file is."""
    return path.with_name(path.name + ".pub")


def read_public(path: Path) -> bytes:
    """The public key in a file as SubjectPublicKeyInfo (DER). Raises InvalidError for anything else."""
    try:
        key = load_pem_public_key(_read(path))
    except ValueError as error:
        raise InvalidError("%(file)s holds no public key that can be read.", file=path, code="key_file") from error
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidError("%(file)s holds no Ed25519 key.", file=path, code="key_file")
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def read_private(path: Path, passphrase: str) -> Ed25519PrivateKey:
    """The key in a file. Raises InvalidError when it does not open with this passphrase, or is no key of ours."""
    raw = _read(path)
    if b"ENCRYPTED" not in raw.partition(b"\n")[0]:
        raise InvalidError("%(file)s is not an encrypted key file.", file=path, code="key_file")
    try:
        key = load_pem_private_key(raw, passphrase.encode())
    except (ValueError, TypeError) as error:
        raise InvalidError(
            "%(file)s does not open with this passphrase. Nothing was signed.", file=path, code="passphrase"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidError("%(file)s holds no Ed25519 key.", file=path, code="key_file")
    return key


def key_name(key: Ed25519PrivateKey) -> str:
    """How a roster names the key."""
    return key_id(public_of(key))


def sign(key: Ed25519PrivateKey, person: str, statement: str) -> dict[str, str]:
    """This person's proof over a statement."""
    return {
        "key": key_name(key),
        "person": person,
        "signature": base64.b64encode(key.sign(APPROVAL_PREFIX + statement_digest(statement))).decode(),
        "type": "ed25519",
    }


def public_of(key: Ed25519PrivateKey) -> bytes:
    """Its public key as SubjectPublicKeyInfo (DER)."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def roster_key(public: bytes, kind: str = "ed25519") -> dict[str, str]:
    """A public key (SubjectPublicKeyInfo, DER) as it stands in a roster."""
    return {"id": key_id(public), "public": base64.b64encode(public).decode(), "type": kind}


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        raw = file.read(MAX_FILE + 1)
    if len(raw) > MAX_FILE:
        raise InvalidError("%(file)s is too long for a key.", file=path, code="key_file")
    return raw


def _write(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _encrypted(key: Ed25519PrivateKey, word: bytes) -> bytes:
    """The key as PEM of an EncryptedPrivateKeyInfo."""
    salt, start = os.urandom(16), os.urandom(16)
    secret = PBKDF2HMAC(hashes.SHA256(), 32, salt, ROUNDS).derive(word)
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(secret), modes.CBC(start)).encryptor()
    hidden = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    derive = _der(0x30, _PBKDF2 + _der(0x30, _der(4, salt) + _der(2, ROUNDS.to_bytes(3)) + _HMAC_SHA256))
    cipher = _der(0x30, _AES256_CBC + _der(4, start))
    whole = _der(0x30, _der(0x30, _PBES2 + _der(0x30, derive + cipher)) + _der(4, hidden))
    lines = base64.encodebytes(whole).decode().replace("\n", "")
    wrapped = "\n".join(lines[place : place + 64] for place in range(0, len(lines), 64))
    return f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{wrapped}\n-----END ENCRYPTED PRIVATE KEY-----\n".encode()


def _der(tag: int, content: bytes) -> bytes:
    """One value in DER; none here is longer than 255 bytes."""
    size = len(content)
    return bytes([tag, size] if size < 128 else [tag, 0x81, size]) + content
