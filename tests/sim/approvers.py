"""People who approve: soft passkeys and key files, and what they make: rosters, proofs, orders, batches, envelopes.

council = Council()                          an order key, three people of roster 1 who may approve everywhere
envelope = council.envelope(council.order(device=..., enrollment=...), by=council.people[:2])
"""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Sequence
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent import wire
from agent.proof import key_id

RP_ID: Final = "console.antwerpen.test"
ORIGIN: Final = "https://console.antwerpen.test"
ASKER: Final = "operator:1"
DAY: Final = 86_400

PrivateKey = Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def b64(raw: bytes) -> str:
    """Standard Base64."""
    return base64.b64encode(raw).decode()


def text_of(statement: dict[str, Any] | str) -> str:
    """A statement as its canonical text; text stays as it is."""
    return statement if isinstance(statement, str) else wire.canonical(statement).decode()


def digest_of(statement: dict[str, Any] | str) -> bytes:
    """The 32 bytes that are signed."""
    return hashlib.sha256(text_of(statement).encode()).digest()


class Key:
    """One key of a person: ``kind`` is ed25519 (a key file), es256, eddsa or rs256 (a passkey)."""

    def __init__(self, kind: str = "ed25519") -> None:
        self.kind = kind
        self.private: PrivateKey
        if kind == "es256":
            self.private = ec.generate_private_key(ec.SECP256R1())
        elif kind == "rs256":
            self.private = rsa.generate_private_key(65537, 2048)
        else:
            self.private = Ed25519PrivateKey.generate()

    @property
    def type(self) -> str:
        """As a roster names it."""
        return "ed25519" if self.kind == "ed25519" else "webauthn"

    @property
    def public(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""
        return self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def id(self) -> str:
        """As a proof names it."""
        return key_id(self.public)

    def entry(self) -> dict[str, Any]:
        """As it stands in a roster."""
        return {"id": self.id, "public": b64(self.public), "type": self.type}

    def raw(self, message: bytes) -> bytes:
        """The bare signature."""
        if isinstance(self.private, Ed25519PrivateKey):
            return self.private.sign(message)
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            return self.private.sign(message, ec.ECDSA(hashes.SHA256()))
        return self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())


class Person:
    """An approver with one key or more."""

    def __init__(
        self, person: str, *kinds: str, name: str = "", places: Sequence[str] = ("*",), since: int | None = None
    ) -> None:
        self.person = person
        self.name = name or f"Approver {person}"
        self.places = list(places)
        self.since = int(time.time()) - 30 * DAY if since is None else since
        self.keys = [Key(kind) for kind in kinds or ("ed25519",)]

    def entry(self, **changes: Any) -> dict[str, Any]:
        """As this person stands in a roster."""
        good = {
            "from": self.since,
            "keys": [key.entry() for key in self.keys],
            "name": self.name,
            "person": self.person,
            "places": self.places,
        }
        return {**good, **changes}

    def proof(self, statement: dict[str, Any] | str, key: Key | None = None, **changes: Any) -> dict[str, Any]:
        """This person's signature over a statement; ``changes`` go to ``assertion`` for a passkey."""
        key = key or self.keys[0]
        digest = digest_of(statement)
        head = {"person": self.person, "key": key.id, "type": key.type}
        if key.type == "ed25519":
            return {**head, "signature": b64(key.raw(wire.APPROVAL_PREFIX + digest))}
        return {**head, **assertion(key, digest, **changes)}


def client_data(digest: bytes, /, **changes: Any) -> bytes:
    """What a browser writes for an assertion."""
    text = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    good = {"type": "webauthn.get", "challenge": text, "origin": ORIGIN, "crossOrigin": False}
    return json.dumps({**good, **changes}, separators=(",", ":")).encode()


def assertion(
    key: Key,
    digest: bytes,
    /,
    *,
    rp_id: str = RP_ID,
    flags: int = 0x05,
    counter: int = 0,
    more: bytes = b"",
    client: bytes | None = None,
    **changes: Any,
) -> dict[str, str]:
    """What a passkey answers to this challenge; ``changes`` go into the client data."""
    said = client_data(digest, **changes) if client is None else client
    data = hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + counter.to_bytes(4) + more
    signature = key.raw(data + hashlib.sha256(said).digest())
    return {"authenticator_data": b64(data), "client_data": b64(said), "signature": b64(signature)}


def roster(people: Sequence[Person], version: int = 1, /, **changes: Any) -> dict[str, Any]:
    """The roster of these people as a statement."""
    good = {
        "approvers": [one.entry() for one in sorted(people, key=lambda one: one.person)],
        "ceremony": 3,
        "issued": int(time.time()) - 60,
        "kind": "roster",
        "origins": [ORIGIN],
        "rp_id": RP_ID,
        "threshold": 2,
        "v": 1,
        "version": version,
    }
    return {**good, **changes}


def uid() -> str:
    """A fresh id."""
    return secrets.token_hex(16)


class Council:
    """The signer's order key, the people of the first roster, and the chain of sealed rosters."""

    def __init__(self, *people: Person, key: Ed25519PrivateKey | None = None, **roster_changes: Any) -> None:
        self.signer = key or Ed25519PrivateKey.generate()
        self.people = list(people) or [
            Person("operator:21", "ed25519"),
            Person("operator:22", "es256"),
            Person("operator:23", "eddsa"),
        ]
        first = roster(self.people, **roster_changes)
        self.rosters = [self.sealed(first, self.people)]

    @property
    def order_key(self) -> str:
        """The public key that a device trusts, Base64."""
        return b64(self.signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    @property
    def pin(self) -> tuple[int, str]:
        """Version and digest of the newest roster, as a certificate pins it."""
        text = self.rosters[-1]["roster"]
        return json.loads(text)["version"], digest_of(text).hex()

    def sealed(self, statement: dict[str, Any] | str, by: Sequence[Person]) -> dict[str, Any]:
        """A roster with these people's proofs and the signer's seal, whether it is right or not."""
        text = text_of(statement)
        return {
            "roster": text,
            "signatures": [one.proof(text) for one in by],
            "seal": b64(self.signer.sign(wire.ROSTER_PREFIX + text.encode())),
        }

    def change(self, people: Sequence[Person], by: Sequence[Person], **changes: Any) -> dict[str, Any]:
        """The next roster, sealed, and kept as the newest."""
        version = json.loads(self.rosters[-1]["roster"])["version"] + 1
        made = self.sealed(roster(people, version, **{"issued": int(time.time()), **changes}), by)
        self.rosters.append(made)
        return made

    @staticmethod
    def order(device: str, enrollment: str, /, **changes: Any) -> dict[str, Any]:
        """A good order as a statement."""
        now = int(time.time())
        good = {
            "device": device,
            "enrollment": enrollment,
            "epoch": 1,
            "id": uid(),
            "kind": "order",
            "lane": "ordinary",
            "not_after": now + 3600,
            "not_before": now - 10,
            "place": "WINKEL-1",
            "presence": "",
            "reason": "Stolen from a van",
            "requested_by": "Mo Admin",
            "requester": ASKER,
            "v": 2,
            "verb": "wipe",
        }
        return {**good, **changes}

    @staticmethod
    def batch(orders: Sequence[dict[str, Any] | str], **changes: Any) -> dict[str, Any]:
        """A batch of these orders as a statement."""
        first = json.loads(text_of(orders[0]))
        good = {
            "id": uid(),
            "kind": "batch",
            "orders": sorted(digest_of(order).hex() for order in orders),
            "v": 1,
            **{name: first[name] for name in ("lane", "not_after", "reason", "requested_by", "requester")},
        }
        return {**good, **changes}

    def envelope(
        self,
        order: dict[str, Any] | str,
        by: Sequence[Person] | None = None,
        *,
        batch: dict[str, Any] | str | None = None,
        rosters: list[dict[str, Any]] | None = None,
        signer: Ed25519PrivateKey | None = None,
    ) -> dict[str, Any]:
        """An order as a device gets it; approved by the first two people of the roster when nobody is named."""
        text = text_of(order)
        approved = text if batch is None else text_of(batch)
        made = {
            "order": text,
            "signature": b64((signer or self.signer).sign(wire.ORDER_PREFIX + text.encode())),
            "approvals": [one.proof(approved) for one in (self.people[:2] if by is None else by)],
            "rosters": self.rosters if rosters is None else rosters,
        }
        return made if batch is None else {**made, "batch": approved}
