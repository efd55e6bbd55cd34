"""A software authenticator: makes passkeys and uses them as a phone or a security key does (WebAuthn level 3, section 6)."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
RP_ID, ORIGIN = "mdm.stad.example", "https://mdm.stad.example"


@dataclass
class SoftPasskey:
    """One key pair with its count."""

    id: bytes
    handle: bytes
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    count: int = 0

    def sign(self, content: bytes) -> bytes:
        """The signature as the algorithm of the key wants it."""
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(content, ec.ECDSA(hashes.SHA256()))
        return self.key.sign(content)

    @property
    def cose(self) -> bytes:
        """The public key as COSE (RFC 9053)."""
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            numbers = self.key.public_key().public_numbers()
            x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
            return encode_cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        raw = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return encode_cbor({1: 1, 3: -8, -1: 6, -2: raw})

    @property
    def spki(self) -> bytes:
        """The public key as a roster names it."""
        return self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@dataclass
class SoftAuthenticator:
    """Somebody's device. ``flags`` and ``counts`` may be changed to behave as a bad or a synced one does."""

    rp_id: str = RP_ID
    origin: str = ORIGIN
    algorithm: str = "es256"
    flags: int = PRESENT | VERIFIED
    counts: bool = True
    more_client_data: dict[str, Any] = field(default_factory=dict)
    passkeys: list[SoftPasskey] = field(default_factory=list)

    def create(self, options: Mapping[str, Any]) -> str:
        """Makes a passkey for these options; the answer as the browser's script sends it."""
        made = (
            ec.generate_private_key(ec.SECP256R1())
            if self.algorithm == "es256"
            else ed25519.Ed25519PrivateKey.generate()
        )
        passkey = SoftPasskey(secrets.token_bytes(32), base64url_to_bytes(options["user"]["id"]), made)
        self.passkeys.append(passkey)
        attested = bytes(16) + len(passkey.id).to_bytes(2, "big") + passkey.id + passkey.cose
        data = self._data(self.flags | ATTESTED, passkey.count) + attested
        response = {
            "clientDataJSON": bytes_to_base64url(self._client_data("webauthn.create", options["challenge"])),
            "attestationObject": bytes_to_base64url(encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})),
            "transports": ["internal"],
        }
        return self._answer(passkey, response)

    def get(self, options: Mapping[str, Any], passkey: SoftPasskey | None = None) -> str:
        """Uses a passkey for these options; the answer as the browser's script sends it."""
        used = passkey or self.passkeys[-1]
        if self.counts:
            used.count += 1
        data = self._data(self.flags, used.count)
        client = self._client_data("webauthn.get", options["challenge"])
        response = {
            "clientDataJSON": bytes_to_base64url(client),
            "authenticatorData": bytes_to_base64url(data),
            "signature": bytes_to_base64url(used.sign(data + hashlib.sha256(client).digest())),
            "userHandle": bytes_to_base64url(used.handle),
        }
        return self._answer(used, response)

    def _data(self, flags: int, count: int) -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + count.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str) -> bytes:
        content = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps({**content, **self.more_client_data}).encode()

    def _answer(self, passkey: SoftPasskey, response: dict[str, Any]) -> str:
        name = bytes_to_base64url(passkey.id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})
