"""Keys as a roster names them."""

import base64
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from agent.proof import key_id
from mdm.access.model import Passkey
from mdm.core.errors import N_, InvalidError

MAX_FILE = 4096


def of_passkey(passkey: Passkey) -> dict[str, str]:
    """An operator's passkey."""
    return _named(passkey.public_key, "webauthn")


def of_file(pem: bytes) -> dict[str, str]:
    """The key in a ``.pub`` file of ``havenmeester key new``. Raises InvalidError for anything but an Ed25519 public key."""
    sentence = N_("This is not the .pub file of an approver's key. Nothing was changed.")
    try:
        key: Any = load_pem_public_key(pem[:MAX_FILE])
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidError(sentence, code="key_file") from error
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidError(sentence, code="key_file")
    return _named(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), "ed25519")


def _named(public: bytes, kind: str) -> dict[str, str]:
    return {"id": key_id(public), "public": base64.b64encode(public).decode(), "type": kind}
