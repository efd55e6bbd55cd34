"""The short-lived child process that has ``cryptography``: run as a script, it reads one JSON request from standard
input, writes one JSON answer and ends. So the resident process never pays for the library.

    {"do": "key"}                                → {"key": PEM}
    {"do": "csr", "key": PEM}                    → {"csr": PEM}
    {"do": "inspect", "certificate": PEM}        → {"not_before": s, "not_after": s, "public_key": SHA-256 hex}
    {"do": "judge" | "follow" | "pin", ...}      → see ``agent/judge.py``

``holds`` is the one function of cryptography that ``agent/proof`` asks for.
"""

import gc
import hashlib
import json
import os
import sys
from typing import Any

_P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
"""What stands before the 65 bytes of an uncompressed P-256 point in its SubjectPublicKeyInfo (RFC 5480)."""
_ED25519 = bytes.fromhex("302a300506032b6570032100")
"""The same before the 32 bytes of an Ed25519 key (RFC 8410)."""


def make_key() -> dict[str, Any]:
    """A new EC P-256 private key as unencrypted PKCS#8."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {"key": pem.decode()}


def make_csr(key_pem: str) -> dict[str, Any]:
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


def inspect(certificate_pem: str) -> dict[str, Any]:
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


def pin_of(certificate_pem: str) -> bytes:
    """What the first certificate of a chain says about whom to believe (``wire.PIN_OID``); empty when it says nothing."""
    from cryptography import x509

    from agent import wire

    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    try:
        found = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier(wire.PIN_OID)).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return b""
    return found.value if isinstance(found, x509.UnrecognizedExtension) else b""


def vouched(certificate_pem: str, ca_pem: str) -> dict[str, Any]:
    """Whether the CA issued the certificate, for which device (common name, "" for none), and what ``pin_of`` says."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.x509.oid import NameOID

    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    try:
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(ca_pem.encode()))
        issued = True
    except (ValueError, TypeError, InvalidSignature):
        issued = False
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    device = str(names[0].value) if len(names) == 1 else ""
    return {"issued": issued, "device": device, "pin": pin_of(certificate_pem)}


def holds(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the signature over the message was made with this key (SubjectPublicKeyInfo, DER): ``proof.Verify``.

    Ed25519, P-256 with SHA-256, RSA of 2048 to 4096 bits (PKCS #1 v1.5 with SHA-256). Anything else does not hold.
    """
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        if len(public) == len(_ED25519) + 32 and public.startswith(_ED25519):
            _ed25519(public[len(_ED25519) :], signature, message)
        elif len(public) == len(_P256) + 65 and public.startswith(_P256):
            _p256(public[len(_P256) :], signature, message)
        else:
            return _rsa(public, signature, message)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _ed25519(key: bytes, signature: bytes, message: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    Ed25519PublicKey.from_public_bytes(key).verify(signature, message)


def _p256(point: bytes, signature: bytes, message: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    key.verify(signature, message, ec.ECDSA(hashes.SHA256()))


def _rsa(public: bytes, signature: bytes, message: bytes) -> bool:
    # Reading a key of any kind costs a process a hundred modules, so what is common goes the short way above.
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    key = load_der_public_key(public)
    if not isinstance(key, rsa.RSAPublicKey) or not 2048 <= key.key_size <= 4096:
        return False
    key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    return True


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Does one request. Raises ValueError for one that is not in the table above."""
    match request["do"]:
        case "key":
            return make_key()
        case "csr":
            return make_csr(request["key"])
        case "inspect":
            return inspect(request["certificate"])
    from agent import judge

    match request["do"]:
        case "judge":
            return judge.judge(request, holds)
        case "follow":
            return judge.follow(request, holds)
        case "pin":
            return judge.pin(request, holds, vouched)
    raise ValueError("not a request of this table")


if __name__ == "__main__":
    # The places that the parent names: where this house and the library are; nothing else of its path is taken over.
    sys.path += sys.argv[1:]
    # Looking for garbage takes longer than this process lives.
    gc.disable()
    json.dump(answer(json.load(sys.stdin)), sys.stdout)
    sys.stdout.flush()
    # Taking a hundred modules down in good order costs as much as proving three signatures; the kernel does it at once.
    os._exit(0)
