"""Asking for a push certificate: a key that never leaves this server, and a request that Apple's portal takes.

The portal takes only requests that a vendor known to Apple has signed. Where this installation has a vendor's certificate the
signed request is made here; elsewhere the plain request goes to whoever signs it.
"""

import base64
import hashlib
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from sqlalchemy import select
from sqlalchemy.orm import Session

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConfigurationError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.platforms.apple import plist
from mdm.platforms.apple.model import ApplePush, ApplePushRequest
from mdm.storage.call import Call
from mdm.storage.seal import Seal

KEPT: Final = 10
"""Requests that are shown: older ones can still be answered, but nobody looks for them."""


def begin(call: Call, seal: Seal, organisation: str) -> ApplePushRequest:
    """A new request, for the first certificate or for the next one of the topic in use."""
    require(call.actor, Permission.PHONES_MANAGE)
    key = generate_private_key(65537, 2048)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, "Havenmeester push"),
        ]
    )
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    present = call.session.scalar(select(ApplePush.topic).order_by(ApplePush.id.desc()).limit(1))
    uid = new_uid()
    made = ApplePushRequest(
        uid=uid,
        csr=csr.public_bytes(Encoding.PEM).decode(),
        key=seal.seal(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), _place(uid)),
        key_digest=digest(key.public_key()),
        renews=present or "",
        created_by=clean(call.actor.name),
        created_at=call.now,
    )
    call.session.add(made)
    call.session.flush()
    audit.record(call, "push_certificate.asked", ("push_request", uid), details={"renews": made.renews})
    return made


def waiting(session: Session) -> list[ApplePushRequest]:
    """Requests that no certificate was brought in for, the newest first."""
    query = select(ApplePushRequest).where(ApplePushRequest.used_at.is_(None)).order_by(ApplePushRequest.id.desc())
    return list(session.scalars(query.limit(KEPT)))


def by_uid(call: Call, uid: str) -> ApplePushRequest:
    """One request. Raises DeniedError, NotFoundError."""
    require(call.actor, Permission.PHONES_MANAGE)
    found = call.session.scalar(select(ApplePushRequest).where(ApplePushRequest.uid == uid))
    if found is None:
        raise NotFoundError(N_("There is no such request for a push certificate."))
    return found


def key_for(call: Call, seal: Seal, certificate: x509.Certificate) -> str:
    """The key (PEM) that a certificate was asked for with; empty where it was asked for elsewhere."""
    found = _for(call, certificate)
    return "" if found is None else seal.open(found.key, _place(found.uid)).decode()


def answered(call: Call, certificate: x509.Certificate) -> None:
    """The request that this certificate answers waits no longer; nothing where it was asked for elsewhere."""
    found = _for(call, certificate)
    if found is not None:
        found.used_at = call.now


def _for(call: Call, certificate: x509.Certificate) -> ApplePushRequest | None:
    key = digest(certificate.public_key())
    return call.session.scalar(select(ApplePushRequest).where(ApplePushRequest.key_digest == key))


def digest(key: CertificatePublicKeyTypes) -> str:
    """SHA-256 (hexadecimal) of a public key."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def signed(request: ApplePushRequest, vendor: Path) -> bytes:
    """What Apple's portal takes: the request, signed with the vendor's key, with the chain of its certificate.

    ``vendor`` is a PEM file with the vendor's certificate first, those above it, and the key. Raises ConfigurationError.
    """
    try:
        text = vendor.read_bytes()
        chain = x509.load_pem_x509_certificates(text)
        key = load_pem_private_key(text, None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _vendor(vendor, str(error)) from error
    if not isinstance(key, RSAPrivateKey) or digest(key.public_key()) != digest(chain[0].public_key()):
        raise _vendor(vendor, "its key is no RSA key, or not that of its first certificate")
    csr = x509.load_pem_x509_csr(request.csr.encode()).public_bytes(Encoding.DER)
    document = plist.write(
        {
            "PushCertCertificateChain": "".join(one.public_bytes(Encoding.PEM).decode() for one in chain),
            "PushCertRequestCSR": base64.b64encode(csr).decode(),
            "PushCertSignature": base64.b64encode(key.sign(csr, PKCS1v15(), hashes.SHA256())).decode(),
        }
    )
    return base64.b64encode(document)


def _vendor(file: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        "The file %(file)s with the vendor's certificate and key cannot be used: %(why)s.",
        file=file,
        why=why,
        mend="Correct the setting apple_vendor, or leave it empty and have the request signed elsewhere.",
    )


def _place(uid: str) -> str:
    return f"apple_push_request:{uid}"
