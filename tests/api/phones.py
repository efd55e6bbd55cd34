"""What is Apple's in the small city: a tie with a token, a phone that waits for a certificate, one that is enrolled."""

import base64
import json
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7EnvelopeBuilder
from cryptography.x509.oid import NameOID

from mdm.core.ids import new_uid, secret_digest
from mdm.enrollment import service as enrollment
from mdm.enrollment.links import Links
from mdm.inventory import service as inventory
from mdm.platforms.android.model import AndroidNumber, AndroidPhone
from mdm.platforms.apple import plist, secrets, service
from mdm.platforms.apple.automated import token
from mdm.platforms.apple.model import AppleDevice, AppleSession, Approval, DeviceState, ScopedSecret, SessionKind
from mdm.storage.call import Call
from mdm.storage.seal import Seal, create_key, load_seal

if TYPE_CHECKING:
    from tests.api.city import City

NOBODYS = b"k" * 32
"""The key of the seal where the database is no file beside which another one could lie."""
LINKS = Links("http://localhost:8080", "https://localhost:8444", "a" * 64, 24)
TOKEN = {
    "consumer_key": "CK_1",
    "consumer_secret": "CS",
    "access_token": "AT_1",
    "access_secret": "AS_1",
    "access_token_expiry": "2041-01-01T00:00:00Z",
}


def apple(call: Call, city: "City") -> None:
    """Builds it, with the secrets sealed where the API looks for the key."""
    seal = _seal(call)
    tie = token.begin(call, seal, "Antwerpen")
    device = inventory.create(
        call,
        {"platform": "ios", "kind": "phone", "name": "Phone", "service_point_id": city.service_point["own"]},
    )
    device.enrolled_at, device.key_digest = call.now, "f" * 64
    phone = AppleDevice(
        device_id=device.id,
        udid="00008110-001A",
        state=DeviceState.ENROLLED.value,
        supervised=True,
        created_at=call.now,
    )
    call.session.add(phone)
    call.session.flush()
    secrets.keep(seal, phone, ScopedSecret.BYPASS_CODE, b"AAAAA-BBBBB")
    command = service.ask(call, seal, device.uid, "SecurityInfo")
    city.ids["android_uid"] = _android(call, city)
    city.ids |= {
        "tie_uid": tie.uid,
        "phone_uid": device.uid,
        "command_uuid": command.uuid,
        "certificate_request_uid": _waiting(call),
    }
    certificate, key = _push(call)
    city.files |= {
        "certificate": certificate,
        "key": key,
        "token": _token(tie.certificate),
        "profile": base64.b64encode(_profile()).decode(),
    }


def _seal(call: Call) -> Seal:
    """The seal of the installation whose database this is; one of nobody's where it is no file."""
    bind = call.session.get_bind()
    name = str(getattr(bind, "url", bind.engine.url).database)
    if not Path(name).is_file():
        return Seal(NOBODYS)
    create_key(Path(name).parent / "keys")
    return load_seal(Path(name).parent / "keys")


def _android(call: Call, city: "City") -> str:
    """An Android phone with the free agent."""
    invitation, _ = enrollment.invite(
        call, LINKS, email="own@example.org", platform="android", service_point_code="SP-own"
    )
    device = inventory.create(
        call,
        {"platform": "android", "kind": "phone", "name": "Android", "service_point_id": city.service_point["own"]},
    )
    device.enrolled_at, device.key_digest = call.now, "e" * 64
    lines = [{"at": 1_790_000_000_000, "level": "error", "package": "", "text": "No network"}]
    call.session.add_all(
        [
            AndroidPhone(device_id=device.id, way="headwind", created_at=call.now, details={"log": lines}),
            AndroidNumber(
                digest="a" * 64, invitation_id=invitation.id, token_digest="b" * 64, device_id=device.id,
                bound_at=call.now, created_at=call.now,
            ),
        ]
    )  # fmt: skip
    call.session.flush()
    return device.uid


def _waiting(call: Call) -> str:
    invitation, _ = enrollment.invite(call, LINKS, email="own@example.org", platform="ios", service_point_code="SP-own")
    made = AppleSession(
        uid=new_uid(),
        kind=SessionKind.INVITATION.value,
        place=new_uid(),
        challenge_digest=secret_digest("c"),
        challenge_used_at=call.now,
        invitation_id=invitation.id,
        key_digest="0" * 64,
        approval=Approval.WAITING.value,
        created_at=call.now,
        expires_at=call.now + timedelta(hours=1),
        details={},
    )
    call.session.add(made)
    call.session.flush()
    return made.uid


@cache
def _key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def _push(call: Call) -> tuple[str, str]:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.USER_ID, "com.apple.mgmt.External.test"),
            x509.NameAttribute(NameOID.COMMON_NAME, "x"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(_key().public_key())
        .serial_number(1)
        .not_valid_before(call.now - timedelta(days=1))
        .not_valid_after(call.now + timedelta(days=4000))
        .sign(_key(), hashes.SHA256())
    )
    key = _key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM).decode(), key.decode()


def _token(certificate: str) -> str:
    """What Apple's portal gives for the certificate of a tie, in Base64."""
    inner = f"-----BEGIN MESSAGE-----\n{json.dumps(TOKEN)}\n-----END MESSAGE-----\n"
    builder = PKCS7EnvelopeBuilder().set_data(inner.encode())
    sealed = builder.add_recipient(x509.load_pem_x509_certificate(certificate.encode()))
    return base64.b64encode(sealed.encrypt(Encoding.DER, [])).decode()


def _profile() -> bytes:
    return plist.write(
        {
            "PayloadType": "Configuration",
            "PayloadVersion": 1,
            "PayloadIdentifier": "example.wifi",
            "PayloadUUID": "8B4BBF5C-1C86-4B0C-9D3A-0B3E5F0C1A11",
            "PayloadContent": [],
        }
    )
