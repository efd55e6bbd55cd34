"""The phone's side of SCEP (RFC 8894): makes requests, reads answers. Each part alone, so that tests can bend it."""

import plistlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AttributeOID, NameOID

from mdm.platforms.apple import cms
from mdm.platforms.apple.ber import encode
from mdm.platforms.apple.envelope import make_envelope, open_envelope
from mdm.platforms.apple.scep import Kind

ARC = "2.16.840.1.113733.1.9."


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer says."""

    status: str
    """``0`` done, ``2`` refused, ``3`` not yet."""
    fail_info: str | None
    transaction: str
    recipient_nonce: bytes
    certificate: x509.Certificate | None


def request(key: RSAPrivateKey, challenge: str | None, name: str = "whoever I say I am") -> bytes:
    """A certificate request in DER."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    )
    if challenge is not None:
        builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, challenge.encode())
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def own_certificate(key: RSAPrivateKey, name: str = "SCEP") -> x509.Certificate:
    """The certificate with which a phone signs while it has none of ours: by itself, for itself."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=7))
        .sign(key, hashes.SHA256())
    )


def message(
    kind: Kind,
    inner: bytes,
    ca: x509.Certificate,
    key: RSAPrivateKey,
    certificate: x509.Certificate,
    *,
    transaction: str,
    nonce: bytes | None = None,
) -> bytes:
    """One message, sealed for the authority and signed."""
    return sealed(kind, make_envelope(inner, ca), key, certificate, transaction=transaction, nonce=nonce)


def sealed(
    kind: Kind | int,
    envelope: bytes,
    key: RSAPrivateKey,
    certificate: x509.Certificate,
    *,
    transaction: str,
    nonce: bytes | None = None,
) -> bytes:
    """One message around an envelope that was made already."""
    attributes = {
        ARC + "2": encode(0x13, str(int(kind)).encode()),
        ARC + "5": asn1.encode_der(secrets.token_bytes(16) if nonce is None else nonce),
        ARC + "7": encode(0x13, transaction.encode()),
    }
    return cms.sign(envelope, key, certificate, attributes=attributes)


def poll(ca: x509.Certificate, key: RSAPrivateKey, certificate: x509.Certificate, *, transaction: str) -> bytes:
    """Asks how a request stands: CertPoll, which names issuer and subject."""
    inner = encode(0x30, ca.subject.public_bytes(), certificate.subject.public_bytes())
    return message(Kind.POLL, inner, ca, key, certificate, transaction=transaction)


def told(reply: bytes, ca: x509.Certificate, key: RSAPrivateKey, certificate: x509.Certificate) -> Told:
    """An answer, once it is proved to be the authority's. Raises CmsError, EnvelopeError, and AssertionError for another's."""
    proved = cms.verify(reply, b"" if _empty(reply) else None)
    if proved.certificate.parsed != ca:
        raise ValueError("the answer is signed by somebody else")
    issued = None
    if proved.content:
        carried = cms.carried_certificates(open_envelope(proved.content, key, certificate))
        issued = x509.load_der_x509_certificate(carried[0])
    fail = proved.attributes.get(ARC + "4")
    return Told(
        _text(proved.attributes[ARC + "3"]),
        None if fail is None else _text(fail),
        _text(proved.attributes[ARC + "7"]),
        asn1.decode_der(bytes, proved.attributes[ARC + "6"]),
        issued,
    )


def _empty(reply: bytes) -> bool:
    """Whether an answer carries nothing, as refusals do."""
    try:
        cms.verify(reply)
    except cms.CmsError:
        return True
    return False


def _text(value: bytes) -> str:
    return value[2:].decode()


@dataclass(frozen=True, slots=True)
class Identity:
    """What a phone has once it has installed an enrollment profile."""

    key: RSAPrivateKey
    certificate: x509.Certificate
    checkin_path: str
    server_path: str
    topic: str


def install(profile: bytes, ask: Callable[[str, bytes], bytes], ca: x509.Certificate, key: RSAPrivateKey) -> Identity:
    """Does what a phone does with a signed enrollment profile: proves it, and gets its certificate by SCEP.

    ``ask`` sends a message to a path and gives the answer. Raises CmsError for a profile that is not signed, and ValueError
    where no certificate is given.
    """
    content = plistlib.loads(cms.verify(profile).content or b"")
    parts = {one["PayloadType"]: one for one in content["PayloadContent"]}
    identity, management = parts["com.apple.security.scep"]["PayloadContent"], parts["com.apple.mdm"]
    own = own_certificate(key)
    sent = message(Kind.REQUEST, request(key, identity["Challenge"]), ca, key, own, transaction=secrets.token_hex(16))
    answer = told(ask(urlsplit(identity["URL"]).path + "?operation=PKIOperation", sent), ca, key, own)
    if answer.certificate is None:
        raise ValueError(f"no certificate: status {answer.status}, reason {answer.fail_info}")
    return Identity(
        key,
        answer.certificate,
        urlsplit(management["CheckInURL"]).path,
        urlsplit(management["ServerURL"]).path,
        management["Topic"],
    )
