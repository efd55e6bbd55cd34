"""Signed messages (CMS, RFC 5652): verified and made. What is enveloped is in ``envelope``.

The parser is ``cryptography.hazmat.asn1``, which its makers call unstable: the version is pinned, and the tests hold it against
OpenSSL and a second parser.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ObjectIdentifier

from mdm.core.errors import N_, InvalidError
from mdm.platforms.apple.ber import children, der, encode

MAX_SIZE: Final = 64 * 1024
"""Bytes of a signed message, unless the caller allows more."""
MAX_CERTIFICATES: Final = 16

DATA: Final = "1.2.840.113549.1.7.1"
SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
SIGNING_TIME: Final = "1.2.840.113549.1.9.5"
RSA_ENCRYPTION: Final = "1.2.840.113549.1.1.1"
_PSS: Final = "1.2.840.113549.1.1.10"
_EC_KEY: Final = "1.2.840.10045.2.1"

_HASHES: Final[Mapping[str, hashes.HashAlgorithm]] = {
    "1.3.14.3.2.26": hashes.SHA1(),  # noqa: S303 -- taken only where the caller names it
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}
_DIGEST_OID: Final = {algorithm.name: oid for oid, algorithm in _HASHES.items()}
_PREHASHED: Final = {algorithm.name: utils.Prehashed(algorithm) for algorithm in _HASHES.values()}
_PKCS1: Final = padding.PKCS1v15()
_RSA_WITH: Final = {
    "1.2.840.113549.1.1.5": "sha1",
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}
_ECDSA_WITH: Final = {
    "1.2.840.10045.4.1": "sha1",
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
}

STRONG: Final = frozenset(("sha256", "sha384", "sha512"))
WITH_SHA1: Final = STRONG | {"sha1"}

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
T = TypeVar("T")


class CmsError(InvalidError):
    """A message that does not prove itself. ``code``: ``cms_malformed``, ``cms_algorithm`` or ``cms_signature``."""


@asn1.sequence
class _ContentInfo:
    kind: ObjectIdentifier
    content: Annotated[asn1.TLV, asn1.Explicit(0)]


@asn1.sequence
class _Encapsulated:
    kind: ObjectIdentifier
    content: Annotated[bytes | None, asn1.Explicit(0)]


@asn1.sequence
class _IssuerAndSerial:
    issuer: asn1.TLV
    serial: int


@asn1.sequence
class _Attribute:
    kind: ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


# What is a SET in the message stands here as a list behind its own tag: the order in which it came is not judged, because
# signatures are made over it as it is.
@asn1.sequence
class _SignerInfo:
    version: int
    sid: _IssuerAndSerial | Annotated[bytes, asn1.Implicit(0)]
    digest: list[asn1.TLV]
    attributes: Annotated[list[asn1.TLV] | None, asn1.Implicit(0)]
    algorithm: list[asn1.TLV]
    signature: bytes
    unsigned: Annotated[list[asn1.TLV] | None, asn1.Implicit(1)]


@asn1.sequence
class _SignedData:
    version: int
    digests: asn1.SetOf[asn1.TLV]
    encapsulated: _Encapsulated
    certificates: Annotated[list[asn1.TLV] | None, asn1.Implicit(0)]
    crls: Annotated[list[asn1.TLV] | None, asn1.Implicit(1)]
    signers: asn1.SetOf[_SignerInfo]


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate of a message, read once."""

    der: bytes
    fingerprint: str
    """SHA-256 (hexadecimal) of its DER."""
    issuer: bytes = field(compare=False)
    """The DER of its issuer's name."""
    key_identifier: bytes | None = field(compare=False)
    parsed: x509.Certificate = field(compare=False)
    key: PublicKey = field(compare=False)


@dataclass(frozen=True, slots=True)
class Signed:
    """A message whose signature is that of ``certificate``. Who that is, and whether they may, is still to be asked."""

    certificate: Certificate
    content: bytes | None
    """What came inside the message; None for a detached signature."""
    attributes: Mapping[str, bytes]
    """Signed attributes: OID in dots to the DER of the first value. Empty where none were signed."""
    certificates: tuple[bytes, ...]
    """The DER of every certificate in the message, the signer's among them."""

    def attribute(self, oid: str, shape: type[T]) -> T | None:
        """A signed attribute's value; None where it is missing. Raises CmsError for one of another type."""
        value = self.attributes.get(oid)
        return None if value is None else _decode(shape, value)

    @property
    def signed_at(self) -> datetime | None:
        """When the signer says that it signed (UTC); None where it does not say so, or nothing that can be read."""
        value = self.attributes.get(SIGNING_TIME, b"")
        shape: type[asn1.UTCTime] | type[asn1.GeneralizedTime] = (
            asn1.UTCTime if value[:1] == b"\x17" else asn1.GeneralizedTime
        )
        try:
            return asn1.decode_der(shape, value).as_datetime().replace(tzinfo=UTC)
        except ValueError:
            return None


def verify(
    message: bytes, body: bytes | None = None, *, digests: frozenset[str] = STRONG, limit: int = MAX_SIZE
) -> Signed:
    """Proves a signed message over ``body``, or over what it carries where ``body`` is None.

    Exactly one signer, whose certificate is in the message; where attributes are signed, the digest among them must be that of
    the content. With a ``body`` what the message carries is ignored. Trust in the certificate is not judged here.
    Raises CmsError: ``cms_malformed``, ``cms_algorithm`` (a digest that is not among ``digests``, an unknown signature),
    ``cms_signature``.
    """
    if len(message) > limit:
        raise _malformed("it is too long")
    data = _signed_data(message)
    signers = data.signers.as_list()
    if len(signers) != 1:
        raise _malformed("it does not have exactly one signer")
    signer = signers[0]
    content = data.encapsulated.content if body is None else body
    if content is None:
        raise _malformed("it carries nothing")
    certificates = tuple(_full(one) for one in data.certificates or [])
    if len(certificates) > MAX_CERTIFICATES:
        raise _malformed("it has too many certificates")
    certificate = _of_signer(signer.sid, certificates)
    digest = _HASHES.get(_oid(signer.digest))
    if digest is None or digest.name not in digests:
        raise CmsError(
            N_("The message is signed with a digest that is not taken. Nothing was stored."), code="cms_algorithm"
        )
    attributes: dict[str, bytes] = {}
    signed = content
    if signer.attributes is not None:
        attributes = _attributes(signer.attributes)
        _check_attributes(attributes, data.encapsulated.kind.dotted_string, content, digest)
        signed = encode(0x31, *(_full(one) for one in signer.attributes))
    _check_signature(certificate.key, signer.algorithm, digest, signer.signature, signed)
    return Signed(certificate, data.encapsulated.content, attributes, certificates)


def unproved_attributes(message: bytes, *, limit: int = MAX_SIZE) -> dict[str, bytes]:
    """What a message claims in its signed attributes, without any proof: only good for telling its sender what is wrong.

    Empty where it has none, or not exactly one signer. Raises CmsError (``cms_malformed``).
    """
    if len(message) > limit:
        raise _malformed("it is too long")
    signers = _signed_data(message).signers.as_list()
    if len(signers) != 1 or signers[0].attributes is None:
        return {}
    return _attributes(signers[0].attributes)


def _signed_data(message: bytes) -> _SignedData:
    """The message, which is made DER first where it is not. Devices send BER."""
    try:
        info = asn1.decode_der(_ContentInfo, message)
        if info.kind.dotted_string == SIGNED_DATA:
            return info.content.parse(_SignedData)  # type: ignore[no-any-return]
    except ValueError:
        pass
    try:
        message = der(message)
    except InvalidError as error:
        raise _malformed("it is no ASN.1") from error
    info = _decode(_ContentInfo, message)
    if info.kind.dotted_string != SIGNED_DATA:
        raise _malformed("it is not signed")
    return _decode(_SignedData, _full(info.content))


def _decode(shape: type[T], content: bytes) -> T:
    try:
        return asn1.decode_der(shape, content)
    except ValueError as error:
        raise _malformed("its structure is not that of a signed message") from error


def _parsed(shape: type[T], value: asn1.TLV) -> T:
    """As ``_decode``, of a value that was read already."""
    try:
        return value.parse(shape)  # type: ignore[no-any-return]
    except ValueError as error:
        raise _malformed("its structure is not that of a signed message") from error


def _full(value: asn1.TLV) -> bytes:
    """Tag, length and content of a value that was parsed as DER."""
    return encode(value.tag_bytes[0], bytes(value.data))


def _oid(algorithm: Sequence[asn1.TLV]) -> str:
    if not algorithm:
        raise _malformed("an algorithm is missing")
    return _parsed(ObjectIdentifier, algorithm[0]).dotted_string


def _of_signer(sid: _IssuerAndSerial | bytes, certificates: Sequence[bytes]) -> Certificate:
    for content in certificates:
        certificate = read_certificate(content)
        if isinstance(sid, bytes):
            if sid == certificate.key_identifier:
                return certificate
        elif certificate.parsed.serial_number == sid.serial and certificate.issuer == _full(sid.issuer):
            return certificate
    raise _malformed("the certificate of its signer is not in it")


def _key_identifier(certificate: x509.Certificate) -> bytes | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return None


@lru_cache(maxsize=2048)
def read_certificate(content: bytes) -> Certificate:
    """A certificate in DER with an RSA or EC key. Raises CmsError for anything else."""
    try:
        certificate = x509.load_der_x509_certificate(content)
        issuer, key = certificate.issuer.public_bytes(), certificate.public_key()
        identifier = _key_identifier(certificate)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension) as error:
        raise _malformed("a certificate in it cannot be read") from error
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise CmsError(
            N_("The signer has a key of a kind that is not taken. Nothing was stored."), code="cms_algorithm"
        )
    return Certificate(content, hashlib.sha256(content).hexdigest(), issuer, identifier, certificate, key)


def _attributes(found: Sequence[asn1.TLV]) -> dict[str, bytes]:
    attributes: dict[str, bytes] = {}
    for one in found:
        attribute = _parsed(_Attribute, one)
        values = attribute.values.as_list()
        kind = attribute.kind.dotted_string
        if not values or kind in attributes:
            raise _malformed("a signed attribute is empty or stands twice")
        if kind in (CONTENT_TYPE, MESSAGE_DIGEST) and len(values) != 1:
            raise _malformed("a signed attribute has several values")
        attributes[kind] = _full(values[0])
    return attributes


def _check_attributes(attributes: Mapping[str, bytes], kind: str, content: bytes, digest: hashes.HashAlgorithm) -> None:
    """Without this, a signature made for one body would be taken for every other."""
    if CONTENT_TYPE not in attributes or MESSAGE_DIGEST not in attributes:
        raise _malformed("a signed attribute is missing")
    if _decode(ObjectIdentifier, attributes[CONTENT_TYPE]).dotted_string != kind:
        raise _unsigned()
    if not hmac.compare_digest(_decode(bytes, attributes[MESSAGE_DIGEST]), _hash(digest, content)):
        raise _unsigned()


def _hash(digest: hashes.HashAlgorithm, content: bytes) -> bytes:
    return hashlib.new(digest.name, content, usedforsecurity=True).digest()


def _check_signature(
    key: PublicKey, algorithm: Sequence[asn1.TLV], digest: hashes.HashAlgorithm, signature: bytes, signed: bytes
) -> None:
    oid = _oid(algorithm)
    hashed, prehashed = _hash(digest, signed), _PREHASHED[digest.name]
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, hashed, _padding(oid, algorithm, digest), prehashed)
        else:
            if oid != _EC_KEY and _ECDSA_WITH.get(oid) != digest.name:
                raise _unknown_signature()
            key.verify(signature, hashed, ec.ECDSA(prehashed))
    except (InvalidSignature, ValueError, IndexError, UnsupportedAlgorithm) as error:
        raise _unsigned() from error


def _padding(oid: str, algorithm: Sequence[asn1.TLV], digest: hashes.HashAlgorithm) -> padding.AsymmetricPadding:
    if oid == RSA_ENCRYPTION or _RSA_WITH.get(oid) == digest.name:
        return _PKCS1
    if oid != _PSS or len(algorithm) != 2:
        raise _unknown_signature()
    # RFC 4055: the parameters name the digest again. The length of the salt is found rather than believed.
    named = [inner for tag, inner in children(bytes(algorithm[1].data)) if tag == 0xA0]
    if len(named) != 1 or children(children(named[0])[0][1])[0][1] != oid_content(_DIGEST_OID[digest.name]):
        raise _unknown_signature()
    return padding.PSS(padding.MGF1(digest), padding.PSS.AUTO)


def oid_content(dotted: str) -> bytes:
    """The content of an OID in DER, without tag and length."""
    return children(oid(dotted))[0][1]


def _malformed(why: str) -> CmsError:
    return CmsError(
        N_("This is no signed message that is taken here: %(why)s. Nothing was stored."), code="cms_malformed", why=why
    )


def _unsigned() -> CmsError:
    return CmsError(
        N_("The signature of this message is not that of its signer over its content. Nothing was stored."),
        code="cms_signature",
    )


def _unknown_signature() -> CmsError:
    return CmsError(N_("The message is signed in a way that is not taken. Nothing was stored."), code="cms_algorithm")


# Making messages ------------------------------------------------------------------------------------------------------


def sign(
    content: bytes,
    key: PrivateKey,
    certificate: x509.Certificate,
    *,
    attributes: Mapping[str, bytes] | None = None,
    certificates: Sequence[x509.Certificate] = (),
    attached: bool = True,
    at: datetime | None = None,
) -> bytes:
    """A message signed with SHA-256, in DER. ``attributes`` maps an OID in dots to the DER of its one value.

    The signer's certificate goes along, and so do ``certificates``. An RSA signature is named ``rsaEncryption``, because there
    are clients that take no other name.
    """
    signed = {
        CONTENT_TYPE: oid(DATA),
        MESSAGE_DIGEST: asn1.encode_der(hashlib.sha256(content).digest()),
        **({SIGNING_TIME: asn1.encode_der(asn1.UTCTime(at.astimezone(UTC).replace(microsecond=0)))} if at else {}),
        **(attributes or {}),
    }
    encoded = sorted(encode(0x30, oid(kind), encode(0x31, value)) for kind, value in signed.items())
    digest = encode(0x30, oid(_DIGEST_OID["sha256"]), b"\x05\x00")
    info = encode(
        0x30,
        b"\x02\x01\x01",
        encode(0x30, certificate.issuer.public_bytes(), asn1.encode_der(certificate.serial_number)),
        digest,
        encode(0xA0, *encoded),
        *_signature(key, encode(0x31, *encoded)),
    )
    carried = encode(0xA0, asn1.encode_der(content)) if attached else b""
    return _message(
        encode(0x31, digest), encode(0x30, oid(DATA), carried), (certificate, *certificates), encode(0x31, info)
    )


def certificates_only(certificates: Sequence[x509.Certificate]) -> bytes:
    """A message that signs nothing and carries certificates, in DER: how SCEP hands them out."""
    return _message(encode(0x31), encode(0x30, oid(DATA)), certificates, encode(0x31))


def carried_certificates(message: bytes) -> list[bytes]:
    """The DER of the certificates that a message carries, signed or not. Raises CmsError for what is none."""
    return [_full(one) for one in _signed_data(message).certificates or []]


def oid(dotted: str) -> bytes:
    """An OID in DER."""
    return asn1.encode_der(ObjectIdentifier(dotted))


def _signature(key: PrivateKey, signed: bytes) -> tuple[bytes, bytes]:
    """Algorithm and value of a signature."""
    if isinstance(key, rsa.RSAPrivateKey):
        made = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return encode(0x30, oid(RSA_ENCRYPTION), b"\x05\x00"), asn1.encode_der(made)
    made = key.sign(signed, ec.ECDSA(hashes.SHA256()))
    return encode(0x30, oid("1.2.840.10045.4.3.2")), asn1.encode_der(made)


def _message(digests: bytes, content: bytes, certificates: Sequence[x509.Certificate], signers: bytes) -> bytes:
    held = sorted({one.public_bytes(Encoding.DER) for one in certificates})
    data = encode(0x30, b"\x02\x01\x01", digests, content, encode(0xA0, *held) if held else b"", signers)
    return encode(0x30, oid(SIGNED_DATA), encode(0xA0, data))
