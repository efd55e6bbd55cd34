"""The token of Apple's device list: sealed for a key of ours at Apple's portal, brought in as a file, kept sealed."""

import base64
import email
import json
from datetime import UTC, datetime, timedelta
from typing import Annotated

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509.oid import NameOID
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, InvalidError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.platforms.apple.automated.model import AppleTie
from mdm.platforms.apple.envelope import EnvelopeError, open_envelope
from mdm.storage.call import Call
from mdm.storage.seal import Seal

MAX_FILE = 64 * 1024
Text = Annotated[str, Field(min_length=1, max_length=1000)]


class Token(BaseModel):
    """What Apple gives: OAuth 1.0 credentials, good for a year."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    consumer_key: Text
    consumer_secret: Text
    access_token: Text
    access_secret: Text
    access_token_expiry: datetime


def begin(call: Call, seal: Seal, organisation: str) -> AppleTie:
    """A new tie, with the certificate to upload at Apple's portal."""
    require(call.actor, Permission.PHONES_MANAGE)
    key = generate_private_key(65537, 2048)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, "Havenmeester device list"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(call.now - timedelta(days=1))
        .not_valid_after(call.now + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    uid = new_uid()
    raw = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    tie = AppleTie(
        uid=uid,
        certificate=certificate.public_bytes(Encoding.PEM).decode(),
        key=seal.seal(raw, f"apple_tie:{uid}:key"),
        created_at=call.now,
    )
    call.session.add(tie)
    call.session.flush()
    audit.record(call, "apple_tie.begun", ("apple_tie", uid), details={})
    return tie


def bring_in(call: Call, seal: Seal, uid: str, file: bytes) -> AppleTie:
    """Takes the token that Apple's portal gave as a file (.p7m), also a new one in the place of one that ends.

    Raises NotFoundError for a tie that is not there, InvalidError (``token_wrong``) for a file that is not sealed for its key
    or holds no token that is good now: the one that was there stays.
    """
    require(call.actor, Permission.PHONES_MANAGE)
    tie = call.session.scalar(select(AppleTie).where(AppleTie.uid == uid).with_for_update())
    if tie is None:
        raise NotFoundError(N_("There is no such tie with Apple's device list."))
    token = read(file, seal, tie)
    if token.access_token_expiry <= call.now:
        raise _wrong()
    tie.token = seal.seal(token.model_dump_json().encode(), f"apple_tie:{tie.uid}:token")
    tie.token_ends_at = token.access_token_expiry
    tie.cursor = tie.problem = ""
    tie.warned = None
    audit.record(call, "apple_tie.token", ("apple_tie", tie.uid), details={"until": str(tie.token_ends_at)})
    return tie


def opened(tie: AppleTie, seal: Seal) -> Token | None:
    """The token, opened; None where there is none yet."""
    if tie.token is None:
        return None
    return Token.model_validate_json(seal.open(tie.token, f"apple_tie:{tie.uid}:token"))


def read(file: bytes, seal: Seal, tie: AppleTie) -> Token:
    """The token in a file. Raises InvalidError (``token_wrong``)."""
    if len(file) > MAX_FILE:
        raise _wrong()
    key = load_der_private_key(seal.open(tie.key, f"apple_tie:{tie.uid}:key"), None)
    certificate = x509.load_pem_x509_certificate(tie.certificate.encode())
    if not isinstance(key, RSAPrivateKey):
        raise _wrong()
    try:
        inside = open_envelope(_enveloped(file), key, certificate)
        text = inside.decode("utf-8").replace("\r\n", "\n")
        _, begun, rest = text.partition("-----BEGIN MESSAGE-----")
        message, ended, _ = rest.partition("-----END MESSAGE-----")
        if not begun or not ended:
            raise _wrong()
        found = Token.model_validate(json.loads(message))
    except (EnvelopeError, ValidationError, ValueError, RecursionError) as error:
        raise _wrong() from error
    if found.access_token_expiry.tzinfo is None:
        return found.model_copy(update={"access_token_expiry": found.access_token_expiry.replace(tzinfo=UTC)})
    return found


def _enveloped(file: bytes) -> bytes:
    """The envelope in a file, which is a mail message (S/MIME) or the bare bytes."""
    if file[:1] == b"\x30":
        return file
    payload = email.message_from_bytes(file).get_payload(decode=True)
    if isinstance(payload, bytes) and payload[:1] == b"\x30":
        return payload
    return base64.b64decode(b"".join(file.split()), validate=True)


def _wrong() -> InvalidError:
    return InvalidError(
        N_(
            "This is not a token that Apple's portal made for this certificate, or it has ended. Nothing was changed. "
            "Upload the certificate there and download the token anew."
        ),
        code="token_wrong",
    )
