"""What of a certificate request counts here: the key, proved by its own signature. Its subject is never read."""

import hashlib

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mdm.core.errors import N_, InvalidError

MAX_CSR = 8192


def proved_key(csr: str) -> str:
    """SHA-256 (hexadecimal) of the DER of the request's public key, whose owner holds the private one.

    Raises InvalidError for what is no request, proves nothing, or has another kind of key than EC P-256.
    """
    wrong = InvalidError(
        N_("This is no certificate request with an EC P-256 key that proves itself. No certificate was issued."),
        code="csr_wrong",
    )
    if len(csr) > MAX_CSR:
        raise wrong
    try:
        request = x509.load_pem_x509_csr(csr.encode())
        key, proved = request.public_key(), request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise wrong from error
    if not proved or not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise wrong
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
