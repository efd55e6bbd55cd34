"""Ed25519 keys of the installation's own in ``HOME/keys``: made at the first need, readable by their owner only."""

import os
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


def own_key(home: Path, name: str, *, form: PrivateFormat = PrivateFormat.PKCS8) -> Ed25519PrivateKey:
    """The key in ``HOME/keys/<name>``, made where there is none; two who make it at once end up with the same.

    ``form`` is PKCS8, or OpenSSH's own. Raises ConfigurationError for a file that holds no such key.
    """
    folder = home / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        _make(path, form)
    read = load_ssh_private_key if form is PrivateFormat.OpenSSH else load_pem_private_key
    try:
        key = read(path.read_bytes(), None)
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


def _make(path: Path, form: PrivateFormat) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, form, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())
    try:
        # Whoever comes second takes the key of the first: a link is never put over one that is there.
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
