"""The short-lived child process that has ``cryptography``: run as a script, it reads one JSON request from standard
input, writes one JSON answer and ends. So the resident process never pays for the library.

    {"do": "key"}                                → {"key": PEM}
    {"do": "csr", "key": PEM}                    → {"csr": PEM}
    {"do": "inspect", "certificate": PEM}        → {"not_before": s, "not_after": s, "public_key": SHA-256 hex}
    {"do": "verify", "key": base64, "signature": base64, "message": base64} → {"valid": true or false}
"""

import base64
import binascii
import hashlib
import json
import sys


def make_key() -> dict[str, object]:
    """A new EC P-256 private key as unencrypted PKCS#8."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {"key": pem.decode()}


def make_csr(key_pem: str) -> dict[str, object]:
    """A request to certify the key. Its subject says nothing: the server takes it from the invitation."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = serialization.load_pem_private_key(key_pem.encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the device's key is not an elliptic-curve key")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "havenmeester-agent")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return {"csr": csr.public_bytes(serialization.Encoding.PEM).decode()}


def inspect(certificate_pem: str) -> dict[str, object]:
    """Validity in seconds since 1970 and the digest of the public key (SubjectPublicKeyInfo, DER)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    public = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return {
        "not_before": int(certificate.not_valid_before_utc.timestamp()),
        "not_after": int(certificate.not_valid_after_utc.timestamp()),
        "public_key": hashlib.sha256(public).hexdigest(),
    }


def verify(key: str, signature: str, message: str) -> dict[str, object]:
    """Whether the Ed25519 signature over the message was made with the key (RFC 8032). Malformed input is not valid."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))
        public.verify(base64.b64decode(signature, validate=True), base64.b64decode(message, validate=True))
    except (InvalidSignature, ValueError, binascii.Error):
        return {"valid": False}
    return {"valid": True}


def holds(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the signature over the message was made with this key (SubjectPublicKeyInfo, DER): ``proof.Verify``.

    Ed25519, P-256 with SHA-256, RSA of 2048 to 4096 bits (PKCS #1 v1.5 with SHA-256). Anything else does not hold.
    """
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        return _holds(load_der_public_key(public), signature, message)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False


def _holds(key: object, signature: bytes, message: bytes) -> bool:
    """As ``holds``, for a key that was read. Raises InvalidSignature."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

    if isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, message)
        return True
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        return True
    if isinstance(key, rsa.RSAPublicKey) and 2048 <= key.key_size <= 4096:
        key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        return True
    return False


def answer(request: dict[str, str]) -> dict[str, object]:
    """Does one request. Raises ValueError for one that is not in the table above."""
    match request["do"]:
        case "key":
            return make_key()
        case "csr":
            return make_csr(request["key"])
        case "inspect":
            return inspect(request["certificate"])
        case "verify":
            return verify(request["key"], request["signature"], request["message"])
    raise ValueError("not a request of this table")


if __name__ == "__main__":
    json.dump(answer(json.load(sys.stdin)), sys.stdout)
