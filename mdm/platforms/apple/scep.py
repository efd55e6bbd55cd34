"""SCEP messages (RFC 8894): read by whoever holds the keys, and answered. Pure: decides nothing about who gets what."""

import hashlib
import secrets
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from mdm.core.errors import N_, InvalidError
from mdm.platforms.apple import cms
from mdm.platforms.apple.ber import children, der, encode
from mdm.platforms.apple.envelope import EnvelopeError, make_envelope, open_envelope

MAX_MESSAGE: Final = 48 * 1024
CAPABILITIES: Final = b"\n".join(
    (
        b"AES",
        b"DES3",
        b"POSTPKIOperation",
        b"Renewal",
        b"SCEPStandard",
        b"SHA-1",
        b"SHA-256",
        b"SHA-384",
        b"SHA-512",
        b"",
    )
)
"""SHA-384 stands here because strongSwan 5.9 believes AES and SHA-256 only where it does."""

_MESSAGE_TYPE: Final = "2.16.840.1.113733.1.9.2"
_PKI_STATUS: Final = "2.16.840.1.113733.1.9.3"
_FAIL_INFO: Final = "2.16.840.1.113733.1.9.4"
_SENDER_NONCE: Final = "2.16.840.1.113733.1.9.5"
_RECIPIENT_NONCE: Final = "2.16.840.1.113733.1.9.6"
_TRANSACTION: Final = "2.16.840.1.113733.1.9.7"
_CHALLENGE: Final = "1.2.840.113549.1.9.7"
MAX_TRANSACTION: Final = 256
MAX_CHALLENGE: Final = 256


class Kind(IntEnum):
    """What a client asks."""

    RENEWAL = 17
    REQUEST = 19
    POLL = 20


class FailInfo(IntEnum):
    """Why a client is refused."""

    BAD_ALGORITHM = 0
    BAD_MESSAGE_CHECK = 1
    BAD_REQUEST = 2
    BAD_TIME = 3
    BAD_CERTIFICATE = 4


class ScepError(InvalidError):
    """A message that is refused with a ``FailInfo`` in an answer of its own."""

    def __init__(self, info: FailInfo) -> None:
        self.info = info
        super().__init__(
            N_("This request for a certificate is refused. No certificate was issued."),
            code=f"scep_{info.name.lower()}",
        )


PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


@dataclass(frozen=True, slots=True)
class Address:
    """To which question an answer belongs, as it was claimed: transaction and nonce, both byte for byte."""

    transaction: str
    nonce: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """What counts of a certificate request: its key, proved, and the challenge. Subject and extensions are never read."""

    key: PublicKey
    challenge: str

    @property
    def key_digest(self) -> str:
        """SHA-256 (hexadecimal) of the DER of its public key."""
        return key_digest(self.key)


@dataclass(frozen=True, slots=True)
class Question:
    """A message that its signer signed. The signer may be anybody: the first certificate is signed by its own key."""

    kind: Kind
    address: Address
    signer: cms.Certificate
    envelope: bytes


def key_digest(key: PublicKey) -> str:
    """SHA-256 (hexadecimal) of the DER of a public key."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def address(content: bytes) -> Address:
    """Where an answer to this message goes, before anything of it is proved.

    Raises InvalidError for what is no SCEP message at all: that gets no answer in SCEP.
    """
    return _address(cms.unproved_attributes(content, limit=MAX_MESSAGE))


def read(content: bytes) -> Question:
    """The question. Raises InvalidError for what is no SCEP message, ScepError for one that is refused."""
    where = address(content)
    try:
        proved = cms.verify(content, digests=cms.WITH_SHA1, limit=MAX_MESSAGE)
    except cms.CmsError as error:
        if error.code == "cms_algorithm":
            raise ScepError(FailInfo.BAD_ALGORITHM) from error
        raise ScepError(FailInfo.BAD_MESSAGE_CHECK) from error
    try:
        kind = Kind(int(_text(proved.attributes.get(_MESSAGE_TYPE, b""))))
    except ValueError as error:
        raise ScepError(FailInfo.BAD_REQUEST) from error
    return Question(kind, where, proved.certificate, proved.content or b"")


def open_request(
    question: Question, key: rsa.RSAPrivateKey, certificate: x509.Certificate, *, des: bool = True
) -> Request:
    """The certificate request inside. Raises ScepError, of one kind for everything that fails while it is opened."""
    try:
        inner = open_envelope(question.envelope, key, certificate, des=des)
    except EnvelopeError as error:
        bad = FailInfo.BAD_ALGORITHM if error.code == "envelope_algorithm" else FailInfo.BAD_MESSAGE_CHECK
        raise ScepError(bad) from error
    try:
        return _request(der(inner))
    except ScepError:
        raise
    except (InvalidError, ValueError, IndexError) as error:
        raise ScepError(FailInfo.BAD_REQUEST) from error


def _request(content: bytes) -> Request:
    """Read by hand: old clients do not sort the attributes, which the library refuses."""
    ((tag, whole),) = children(content)
    (info_tag, info), (_, algorithm), (signature_tag, signature) = children(whole)
    if (tag, info_tag, signature_tag) != (0x30, 0x30, 0x03):
        raise ScepError(FailInfo.BAD_REQUEST)
    parts = children(info)
    key = _key(encode(*parts[2]))
    _check_possession(key, encode(0x06, children(algorithm)[0][1]), signature[1:], encode(0x30, info))
    attributes = children(parts[3][1]) if len(parts) > 3 and parts[3][0] == 0xA0 else []
    return Request(key, _challenge([one for _, one in attributes]))


def _key(content: bytes) -> PublicKey:
    try:
        key = load_der_public_key(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ScepError(FailInfo.BAD_REQUEST) from error
    if isinstance(key, rsa.RSAPublicKey) and 2048 <= key.key_size <= 4096 and key.public_numbers().e == 65537:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise ScepError(FailInfo.BAD_REQUEST)


# SHA-1 proves here only that the sender holds the key, over bytes that they chose themselves.
_DIGESTS: Final[dict[str, hashes.HashAlgorithm]] = {
    "1.2.840.113549.1.1.5": hashes.SHA1(),  # noqa: S303
    "1.2.840.113549.1.1.11": hashes.SHA256(),
    "1.2.840.113549.1.1.12": hashes.SHA384(),
    "1.2.840.113549.1.1.13": hashes.SHA512(),
    "1.2.840.10045.4.3.2": hashes.SHA256(),
    "1.2.840.10045.4.3.3": hashes.SHA384(),
    "1.2.840.10045.4.3.4": hashes.SHA512(),
}


def _check_possession(key: PublicKey, oid: bytes, signature: bytes, signed: bytes) -> None:
    digest = _DIGESTS.get(asn1.decode_der(x509.ObjectIdentifier, oid).dotted_string)
    if digest is None:
        raise ScepError(FailInfo.BAD_ALGORITHM)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), digest)
        else:
            key.verify(signature, signed, ec.ECDSA(digest))
    except (InvalidSignature, UnsupportedAlgorithm) as error:
        raise ScepError(FailInfo.BAD_MESSAGE_CHECK) from error


def _challenge(attributes: list[bytes]) -> str:
    """The challenge; empty where there is none. Raises ScepError where there are two."""
    found = [parts for parts in map(children, attributes) if parts[0][1] == cms.oid_content(_CHALLENGE)]
    if not found:
        return ""
    if len(found) > 1 or len(found[0]) != 2:
        raise ScepError(FailInfo.BAD_REQUEST)
    ((_, value),) = children(found[0][1][1])
    return value.decode("utf-8")[: MAX_CHALLENGE + 1]


def _address(attributes: dict[str, bytes]) -> Address:
    transaction = attributes.get(_TRANSACTION, b"")
    nonce = attributes.get(_SENDER_NONCE, b"")
    try:
        found = Address(_text(transaction), asn1.decode_der(bytes, nonce) if nonce else b"")
    except ValueError as error:
        raise _no_message() from error
    if not 1 <= len(found.transaction) <= MAX_TRANSACTION or len(found.nonce) > 64:
        raise _no_message()
    return found


def _text(value: bytes) -> str:
    """The text of a string of one of the simple types, ASCII only. Raises ValueError."""
    if value[:1] not in (b"\x0c", b"\x13", b"\x16"):
        raise ValueError("not a string")
    ((_, content),) = children(value)
    text = content.decode("ascii")
    if not text.isprintable():
        raise ValueError("not printable")
    return text


def _no_message() -> InvalidError:
    return InvalidError(
        N_("This is no request for a certificate that can be answered. No certificate was issued."),
        code="scep_malformed",
    )


# Answers ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Authority:
    """The certificate authority of phones: signs, and opens what is sealed for it."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate


def success(
    authority: Authority, question: Question, issued: x509.Certificate, more: tuple[x509.Certificate, ...] = ()
) -> bytes:
    """The new certificate, sealed for whoever signed the question. Raises ScepError where that is no RSA key."""
    try:
        inner = make_envelope(cms.certificates_only((issued, *more)), question.signer.parsed)
    except TypeError as error:
        raise ScepError(FailInfo.BAD_ALGORITHM) from error
    return _reply(authority, question.address, "0", inner)


def pending(authority: Authority, where: Address) -> bytes:
    """Not yet: the client asks again."""
    return _reply(authority, where, "3")


def failure(authority: Authority, where: Address, info: FailInfo) -> bytes:
    """No, and of what kind."""
    return _reply(authority, where, "2", info=info)


def _reply(
    authority: Authority,
    where: Address,
    status: Literal["0", "2", "3"],
    inner: bytes = b"",
    info: FailInfo | None = None,
) -> bytes:
    attributes = {
        _MESSAGE_TYPE: _printable("3"),
        _PKI_STATUS: _printable(status),
        _TRANSACTION: _printable(where.transaction),
        _RECIPIENT_NONCE: asn1.encode_der(where.nonce),
        _SENDER_NONCE: asn1.encode_der(secrets.token_bytes(16)),
    }
    if info is not None:
        attributes[_FAIL_INFO] = _printable(str(int(info)))
    # Without an envelope there is no content at all, rather than an empty one: that is how clients tell.
    return cms.sign(inner, authority.key, authority.certificate, attributes=attributes, attached=bool(inner))


def _printable(text: str) -> bytes:
    """A PrintableString; what is not printable in its sense comes back in it all the same, byte for byte."""
    return encode(0x13, text.encode("ascii"))
