"""Secrets that must be read again are sealed: AES-256-GCM, bound to the place where they stand.

The key is a file of its own in ``HOME/keys``: a copy of the database alone opens nothing, and a sealed value that was moved
to another row does not open there.
"""

import hmac
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mdm.core.errors import ConfigurationError
from mdm.storage.once import made_once

FILE = "seal.key"
_VERSION = b"\x01"
_NONCE = 12
_KEY = 32


class Seal:
    """Seals and opens with one key. ``place`` names table, row and column: ``operator:7:totp``."""

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)
        self._marks = hmac.digest(key, b"havenmeester marks", "sha256")

    def seal(self, plain: bytes, place: str) -> bytes:
        """The sealed value: version, nonce, ciphertext with tag."""
        nonce = secrets.token_bytes(_NONCE)
        return _VERSION + nonce + self._aead.encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """What was sealed; raises ConfigurationError when it was sealed with another key or for another place."""
        if sealed[:1] != _VERSION:
            raise _not_ours()
        try:
            return self._aead.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], place.encode())
        except InvalidTag as error:
            raise _not_ours() from error

    def mark(self, plain: str, place: str) -> str:
        """A keyed digest, hexadecimal: the same text at the same place has the same one, and without the key nobody can tell
        which text it was, nor try all of them. HMAC-SHA-256 with a key made from this one."""
        return hmac.digest(self._marks, f"{place}:{plain}".encode(), "sha256").hex()


def _not_ours() -> ConfigurationError:
    return ConfigurationError(
        "A sealed value does not open with the key of this installation.",
        code="seal_broken",
        mend=f"Put the {FILE} back that belongs to this database, from the same backup.",
    )


def create_key(folder: Path) -> Path:
    """Makes the key file in ``folder``, readable by its owner only; one that is there is never replaced."""
    path = folder / FILE
    if not path.exists():
        made_once(path, lambda: secrets.token_bytes(_KEY))
    return path


def load_seal(folder: Path) -> Seal:
    """The seal with the key of ``folder``; raises ConfigurationError where it is missing or no key."""
    path = folder / FILE
    try:
        key = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            "The key file %(path)s cannot be read: %(why)s.",
            path=path,
            why=error.strerror,
            mend="Run havenmeester init.",
        ) from error
    if len(key) != _KEY:
        raise ConfigurationError(
            "The key file %(path)s is not a key.", path=path, mend="Put it back from the backup of this installation."
        )
    return Seal(key)
