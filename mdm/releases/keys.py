"""Keys of releases: root and targets lie offline, in a folder that somebody carries; snapshot and timestamp lie in the home.

An offline key is a PEM file, encrypted with a passphrase. The two online keys say only which list of releases is the newest:
whoever steals them can keep devices from an update for some days, and can install nothing.
"""

import os
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner

from mdm.core.errors import N_, ConfigurationError, ConflictError, InvalidError

OFFLINE: Final = ("root", "targets")
ONLINE: Final = ("snapshot", "timestamp")
ROLES: Final = (*OFFLINE, *ONLINE)
MIN_PASSPHRASE: Final = 12


def make(folder: Path, name: str, passphrase: str | None) -> CryptoSigner:
    """A new key in ``folder/name.pem``; one that is there is never replaced (ConflictError)."""
    if passphrase is not None and len(passphrase) < MIN_PASSPHRASE:
        raise InvalidError(N_("A passphrase has at least %(least)s characters. No key was made."), least=MIN_PASSPHRASE)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    how = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase.encode())
    path = folder / f"{name}.pem"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConflictError(N_("There is a key %(path)s already. It was not replaced."), path=str(path)) from None
    with os.fdopen(handle, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how))
        file.flush()
        os.fsync(file.fileno())
    return CryptoSigner(key)


def load(path: Path, passphrase: str | None) -> CryptoSigner:
    """The key in a file. Raises ConfigurationError when it is missing or no key, InvalidError for a wrong passphrase."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            "The key file %(path)s cannot be read: %(why)s.",
            path=path,
            why=error.strerror,
            mend="Name the folder that holds the keys of releases with --keys.",
        ) from error
    try:
        key = load_pem_private_key(data, passphrase.encode() if passphrase and b"ENCRYPTED" in data else None)
    except (ValueError, TypeError) as error:
        raise InvalidError(
            N_("The passphrase does not open %(path)s. Nothing was signed."), code="passphrase_wrong", path=path.name
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError("%(path)s is no key of releases.", path=path, mend="Name another folder.")
    return CryptoSigner(key)


def of_role(folder: Path, role: str, passphrase: str | None) -> dict[str, CryptoSigner]:
    """Every key of a role in a folder, by its key id; by the names ``root-1.pem``, ``root-2.pem``, …"""
    found = [load(path, passphrase) for path in sorted(folder.glob(f"{role}-*.pem"))]
    return {signer.public_key.keyid: signer for signer in found}


def next_name(folder: Path, role: str) -> str:
    """The name of the next key of a role."""
    taken = [path.stem.rpartition("-")[2] for path in folder.glob(f"{role}-*.pem")]
    return f"{role}-{max((int(one) for one in taken if one.isdigit()), default=0) + 1}"
