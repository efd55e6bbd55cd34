"""Ed25519 keys of the installation's own in ``HOME/keys``: made at the first need, readable by their owner only."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from mdm.core.errors import ConfigurationError
from mdm.storage.once import made_once


def own_key(home: Path, name: str, *, form: PrivateFormat = PrivateFormat.PKCS8) -> Ed25519PrivateKey:
    """The key in ``HOME/keys/<name>``, made where there is none; two who make it at once end up with the same.

    ``form`` is PKCS8, or OpenSSH's own. Raises ConfigurationError for a file that holds no such key.
    """
    path = home / "keys" / name
    read = load_ssh_private_key if form is PrivateFormat.OpenSSH else load_pem_private_key
    try:
        key = read(made_once(path, lambda: _fresh(form)), None)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            "The key file %(path)s cannot be read.", path=path, mend="Put it back from the backup of this installation."
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(
            "The key file %(path)s is not a key of the right kind.",
            path=path,
            mend="Put it back from the backup of this installation.",
        )
    return key


def _fresh(form: PrivateFormat) -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, form, NoEncryption())
