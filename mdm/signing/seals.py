"""Proving what the signer signed: orders and heads of the diary. Pure: the public key is always given.

``mdm/signer`` makes these seals, the gateway and the agent prove them; both sides read the same bytes.
"""

import base64
import binascii
from dataclasses import asdict, dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.proof import RefusedError, read_statement, statement_digest
from agent.wire import MAX_WINDOW as MAX_WINDOW
from agent.wire import ORDER_PREFIX, canonical
from mdm.core.errors import N_, DeniedError, InvalidError

HEAD_PREFIX: Final = b"havenmeester-head/v1\x00"
"""What stands before a head when it is signed, so that a signature over anything else is never a head."""


@dataclass(frozen=True, slots=True)
class OrderText:
    """An order as it was read from its canonical text; ``agent/wire.py`` says what each field means."""

    id: str
    device: str
    enrollment: str
    epoch: int
    lane: str
    place: str
    presence: str
    reason: str
    requested_by: str
    requester: str
    not_before: int
    not_after: int
    verb: str = "wipe"

    @property
    def canonical(self) -> str:
        """The text that is signed."""
        return canonical({**asdict(self), "kind": "order", "v": 2}).decode()

    @property
    def digest(self) -> str:
        """SHA-256 (hexadecimal) of the text: what people approve, and how a batch names it."""
        return statement_digest(self.canonical).hex()


def read_order(text: str) -> OrderText:
    """The order in its canonical text. Raises InvalidError with the code ``order_malformed`` for anything else."""
    try:
        fields = read_statement(text, "order")
    except RefusedError as refused:
        raise InvalidError(
            N_("This is not an order in its canonical form: %(why)s Nothing was signed."),
            code="order_malformed",
            why=str(refused),
        ) from refused
    return OrderText(**{name: value for name, value in fields.items() if name not in ("kind", "v")})


def open_order(key: str, text: str, signature: str) -> OrderText:
    """The order, proved with the signer's public key (Base64). Raises DeniedError or InvalidError, typed by code.

    This is the signer's word only; ``agent.proof.check_envelope`` judges the approvals too.
    """
    if not proves(key, ORDER_PREFIX + text.encode(errors="replace"), signature):
        raise DeniedError(
            N_("The signature of this order is not the signer's. It was not taken."), code="order_signature"
        )
    return read_order(text)


@dataclass(frozen=True, slots=True)
class Head:
    """The signer's word that line ``number`` of the diary had this hash at ``at`` (seconds since 1970)."""

    number: int
    hash: str
    at: int
    signature: str

    @property
    def signed(self) -> bytes:
        """The bytes under the signature."""
        return head_bytes(self.number, self.hash, self.at)

    def proved(self, key: str) -> bool:
        """Whether the signature is that of this public key (Base64)."""
        return proves(key, self.signed, self.signature)


def head_bytes(number: int, line_hash: str, at: int) -> bytes:
    """What the signer signs for a head."""
    return HEAD_PREFIX + canonical({"at": at, "hash": line_hash, "number": number})


def proves(key: str, message: bytes, signature: str) -> bool:
    """Whether ``signature`` (Base64 of 64 bytes, in its one spelling) over ``message`` is that of ``key`` (Base64)."""
    try:
        raw = base64.b64decode(signature, validate=True)
        if base64.b64encode(raw).decode() != signature:
            return False
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True)).verify(raw, message)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
