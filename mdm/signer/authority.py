"""Certificates: what may be certified, and what a certificate says. Of a request only the public key is taken."""

import hashlib
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from agent.proof import Pin, write_pin
from agent.wire import PIN_OID
from mdm.core.errors import N_, InvalidError
from mdm.signer.keys import Keys, public_text

PublicKey = EllipticCurvePublicKey | RSAPublicKey
SKEW = timedelta(minutes=5)
"""A new certificate is valid a little before now: clocks of devices differ."""

_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")


@dataclass(frozen=True, slots=True)
class Made:
    """A certificate that was just signed."""

    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        """The certificate as PEM, without its CA."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hexadecimal) of its DER."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()


def key_digest(key: PublicKey) -> str:
    """SHA-256 (hexadecimal) of the DER of the public key: what an order is bound to."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def requested_key(csr: str) -> PublicKey:
    """The public key of a request, once its owner has proved to hold the private one.

    Raises InvalidError for anything that is no request, is signed wrongly, or has a weak or strange key: EC P-256 or RSA
    of 2048 to 4096 bits with the exponent 65537 is taken.
    """
    try:
        request = x509.load_pem_x509_csr(csr.encode())
        key = request.public_key()
        proved = request.is_signature_valid
        algorithm = request.signature_hash_algorithm
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InvalidError(
            N_("This is not a certificate request that can be read. No certificate was issued."), code="csr_malformed"
        ) from error
    if not proved or not isinstance(algorithm, hashes.SHA256 | hashes.SHA384 | hashes.SHA512):
        raise InvalidError(
            N_("The request does not prove that its sender holds the key. No certificate was issued."),
            code="csr_unproved",
        )
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return key
    if isinstance(key, RSAPublicKey) and 2048 <= key.key_size <= 4096 and key.public_numbers().e == 65537:
        return key
    raise InvalidError(
        N_("The key must be EC P-256 or RSA of 2048 to 4096 bits. No certificate was issued."), code="csr_key"
    )


def certify_device(
    keys: Keys, *, device: str, key: PublicKey, organisation: str, now: datetime, days: int, roster: Pin | None = None
) -> Made:
    """A certificate for a device: its id is the common name, and it can only be a TLS client.

    It also says whom the device may believe: our order key, and the roster of approvers of this moment.
    """
    pin = x509.UnrecognizedExtension(x509.ObjectIdentifier(PIN_OID), write_pin(public_text(keys.order_key), roster))
    builder = (
        _builder(keys, key, device, organisation, now, days)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(pin, critical=False)
    )
    return Made(builder.sign(keys.ca_key, hashes.SHA256()))


def certify_server(
    keys: Keys, *, names: Sequence[str], key: PublicKey, organisation: str, now: datetime, days: int
) -> Made:
    """A certificate for one of our servers under these names. Raises InvalidError for a name that is none."""
    builder = (
        _builder(keys, key, names[0][:64], organisation, now, days)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
    )
    return Made(builder.sign(keys.ca_key, hashes.SHA256()))


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        if len(name) <= 253 and _HOST.fullmatch(name):
            return x509.DNSName(name.lower())
    raise InvalidError(N_("%(name)s is not a host name or an IP address. Nothing was signed."), name=name[:80])


def _builder(
    keys: Keys, key: PublicKey, common_name: str, organisation: str, now: datetime, days: int
) -> x509.CertificateBuilder:
    end = min(now + timedelta(days=days), keys.ca.not_valid_after_utc)
    return (
        x509.CertificateBuilder()
        .subject_name(
            x509.Name(
                [
                    x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]),
                    x509.NameAttribute(NameOID.COMMON_NAME, common_name),
                ]
            )
        )
        .issuer_name(keys.ca.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(keys.ca_key.public_key()), critical=False)
    )


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
