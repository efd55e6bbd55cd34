"""Enveloped messages (CMS EnvelopedData, RFC 5652) to the holder of an RSA key: opened, and made.

Opened here because phones and old clients use ciphers and forms that the library refuses. Whatever is wrong inside gives one and
the same error: who asks must not learn whether it was the padding.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Final

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm
from cryptography.hazmat.primitives.ciphers.algorithms import AES, AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7EnvelopeBuilder, PKCS7Options
from cryptography.x509 import ObjectIdentifier

from mdm.core.errors import N_, InvalidError
from mdm.platforms.apple.ber import children, der, encode

ENVELOPED_DATA: Final = "1.2.840.113549.1.7.3"
_RSA: Final = "1.2.840.113549.1.1.1"
_DES: Final = "1.3.14.3.2.7"
_OCTETS, _PIECES = 0x80, 0xA0


class EnvelopeError(InvalidError):
    """An envelope that does not open. ``code``: ``envelope_algorithm`` for a cipher that is not taken, else ``envelope``."""


def _des(key: bytes) -> CipherAlgorithm:
    """Single DES as three equal keys: the same function, and the only one that libraries still have."""
    return TripleDES(key * 3)


_CIPHERS: Final[Mapping[str, tuple[int, Callable[[bytes], CipherAlgorithm]]]] = {
    "2.16.840.1.101.3.4.1.2": (16, AES),
    "2.16.840.1.101.3.4.1.22": (24, AES),
    "2.16.840.1.101.3.4.1.42": (32, AES),
    "1.2.840.113549.3.7": (24, TripleDES),
    _DES: (8, _des),
}
"""Length of the key, and the cipher."""


@asn1.sequence
class _ContentInfo:
    kind: ObjectIdentifier
    content: Annotated[asn1.TLV, asn1.Explicit(0)]


@asn1.sequence
class _Recipient:
    version: int
    rid: asn1.TLV
    algorithm: list[asn1.TLV]
    key: bytes


@asn1.sequence
class _Enveloped:
    version: int
    recipients: asn1.SetOf[asn1.TLV]
    content: list[asn1.TLV]


def open_envelope(message: bytes, key: RSAPrivateKey, certificate: x509.Certificate, *, des: bool = False) -> bytes:
    """What is inside. ``des`` takes single DES too. Raises EnvelopeError."""
    try:
        info = asn1.decode_der(_ContentInfo, der(message))
        if info.kind.dotted_string != ENVELOPED_DATA:
            raise _closed()
        data = info.content.parse(_Enveloped)
        sealed = _sealed_key(data, certificate)
        algorithm, encrypted = _encrypted(data.content)
        oid, vector = _algorithm(algorithm)
    except EnvelopeError:
        raise
    except (ValueError, InvalidError, IndexError) as error:
        raise _closed() from error
    if oid not in _CIPHERS or (oid == _DES and not des):
        raise EnvelopeError(
            N_("The message is enciphered in a way that is not taken. Nothing was stored."), code="envelope_algorithm"
        )
    length, cipher = _CIPHERS[oid]
    try:
        # A padding that is wrong gives a key that is random here (implicit rejection): the block below fails then.
        content_key = key.decrypt(sealed, PKCS1v15())
        if len(content_key) != length:
            raise _closed()
        algorithm_with_key = cipher(content_key)
        decryptor = Cipher(algorithm_with_key, CBC(vector)).decryptor()
        padded = decryptor.update(encrypted) + decryptor.finalize()
        unpadder = PKCS7(len(vector) * 8).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError as error:
        raise _closed() from error


def _sealed_key(data: _Enveloped, certificate: x509.Certificate) -> bytes:
    """The content's key, sealed for this certificate."""
    ours = encode(0x30, certificate.issuer.public_bytes(), asn1.encode_der(certificate.serial_number))
    for one in data.recipients.as_list():
        recipient = one.parse(_Recipient)
        rid = encode(recipient.rid.tag_bytes[0], bytes(recipient.rid.data))
        oid = asn1.decode_der(ObjectIdentifier, _full(recipient.algorithm[0])).dotted_string
        if rid == ours or recipient.rid.tag_bytes[0] == _OCTETS:
            if oid != _RSA:
                raise EnvelopeError(
                    N_("The message is enciphered in a way that is not taken. Nothing was stored."),
                    code="envelope_algorithm",
                )
            return bytes(recipient.key)
    raise _closed()


def _encrypted(content: list[asn1.TLV]) -> tuple[bytes, bytes]:
    """The algorithm's content, and the enciphered bytes, which some clients send in pieces under a constructed tag."""
    _kind, algorithm, last = content
    if last.tag_bytes[0] == _OCTETS:
        return bytes(algorithm.data), bytes(last.data)
    if last.tag_bytes[0] != _PIECES:
        raise _closed()
    return bytes(algorithm.data), b"".join(piece for tag, piece in children(bytes(last.data)) if tag == 0x04)


def _algorithm(content: bytes) -> tuple[str, bytes]:
    (_, oid), (tag, vector) = children(content)
    if tag != 0x04:
        raise EnvelopeError(
            N_("The message is enciphered in a way that is not taken. Nothing was stored."), code="envelope_algorithm"
        )
    return asn1.decode_der(ObjectIdentifier, encode(0x06, oid)).dotted_string, vector


def _full(value: asn1.TLV) -> bytes:
    return encode(value.tag_bytes[0], bytes(value.data))


def _closed() -> EnvelopeError:
    return EnvelopeError(N_("The message does not open. Nothing was stored."), code="envelope")


def make_envelope(content: bytes, recipient: x509.Certificate) -> bytes:
    """The content for the holder of an RSA certificate, enciphered with AES-256, in DER. Raises TypeError for another key."""
    builder = PKCS7EnvelopeBuilder().set_data(content).add_recipient(recipient).set_content_encryption_algorithm(AES256)
    return builder.encrypt(Encoding.DER, [PKCS7Options.Binary])
