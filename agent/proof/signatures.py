"""One person's signature over one statement: by passkey (WebAuthn Level 2, section 7.2) or by key file; and how many
different people's make an approval."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from agent import wire
from agent.proof.statements import RefusedError, statement_digest

if TYPE_CHECKING:
    from agent.proof.rosters import Roster

Verify = Callable[[bytes, bytes, bytes], bool]
"""(public key as DER of its SubjectPublicKeyInfo, signature, message) → whether the signature holds. Never raises.

The key says the algorithm: Ed25519 (RFC 8032), P-256 with SHA-256 (ES256), RSA PKCS #1 v1.5 with SHA-256 (RS256).
"""

MAX_SIGNATURE: Final = 1024
MAX_CLIENT_DATA: Final = 4096
MAX_AUTHENTICATOR_DATA: Final = 1024
_ED25519: Final = bytes.fromhex("302a300506032b6570032100")
"""What stands before the 32 bytes of an Ed25519 key in its SubjectPublicKeyInfo (RFC 8410)."""
_PRESENT, _VERIFIED, _ATTESTED, _EXTENDED = 0x01, 0x04, 0x40, 0x80
_FIELDS: Final = {
    "ed25519": {"person", "key", "type", "signature"},
    "webauthn": {"person", "key", "type", "authenticator_data", "client_data", "signature"},
}


def key_id(public: bytes) -> str:
    """How a proof names a key: the first 32 hexadecimal characters of SHA-256 of its SubjectPublicKeyInfo (DER)."""
    return hashlib.sha256(public).hexdigest()[:32]


def ordinary_key(raw: str) -> bytes:
    """The SubjectPublicKeyInfo of an Ed25519 key that is given as Base64 of its 32 bytes. Raises RefusedError ``key``."""
    public = binary(raw, 32, "key")
    if len(public) != 32:
        raise RefusedError("key", "This is not an Ed25519 key.")
    return _ED25519 + public


def is_ed25519(public: bytes) -> bool:
    """Whether a SubjectPublicKeyInfo is that of an Ed25519 key."""
    return len(public) == 44 and public.startswith(_ED25519)


def binary(value: object, limit: int, rule: str = "proof_form") -> bytes:
    """The bytes behind standard Base64 in its one spelling, at least one. Raises RefusedError with this rule."""
    raw = b""
    if isinstance(value, str) and len(value) <= 4 * limit // 3 + 4:
        try:
            raw = base64.b64decode(value, validate=True)
        except ValueError:
            raw = b""
    if not 0 < len(raw) <= limit or base64.b64encode(raw).decode() != value:
        raise RefusedError(rule, "A value is not Base64, not in its one spelling, or too long.")
    return raw


def check_proof(proof: object, statement: str, roster: "Roster", verify: Verify) -> str:
    """The person of the roster who signed this statement. Raises RefusedError that says why it is no proof.

    ``proof_form``, ``person`` (not in the roster), ``key`` (not this person's), ``passkey_client``,
    ``passkey_authenticator``, ``proof_signature``.
    """
    if not isinstance(proof, dict) or set(proof) != _FIELDS.get(str(proof.get("type"))):
        raise RefusedError("proof_form", "An approval has not exactly the fields of one.")
    signature = binary(proof["signature"], MAX_SIGNATURE)
    if not isinstance(proof["person"], str) or not isinstance(proof["key"], str):
        raise RefusedError("proof_form", "An approval does not say whose it is.")
    approver = roster.people.get(proof["person"])
    if approver is None:
        raise RefusedError("person", "An approval is by somebody who is not in the roster of approvers.")
    kind, public = approver.keys.get(proof["key"], ("", b""))
    if kind != proof["type"]:
        raise RefusedError("key", "An approval was made with a key that the roster does not have for this person.")
    digest = statement_digest(statement)
    message = wire.APPROVAL_PREFIX + digest if kind == "ed25519" else _assertion(proof, digest, roster)
    if not verify(public, signature, message):
        raise RefusedError("proof_signature", "The signature of an approval does not hold for this statement.")
    return approver.person


def _assertion(proof: dict[str, Any], digest: bytes, roster: "Roster") -> bytes:
    """What a passkey has signed, once the rules of an assertion hold."""
    client = binary(proof["client_data"], MAX_CLIENT_DATA)
    authenticator = binary(proof["authenticator_data"], MAX_AUTHENTICATOR_DATA)
    _check_client(client, digest, roster)
    _check_authenticator(authenticator, roster)
    return authenticator + hashlib.sha256(client).digest()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _check_client(client: bytes, digest: bytes, roster: "Roster") -> None:
    try:
        data = json.loads(client, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise RefusedError("passkey_client", "The passkey's client data is not JSON.") from None
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if not isinstance(data, dict) or data.get("type") != "webauthn.get":
        raise RefusedError("passkey_client", "The passkey was not asked for an assertion.")
    if data.get("challenge") != challenge:
        raise RefusedError("passkey_client", "The passkey has signed something else than this statement.")
    if not isinstance(data.get("origin"), str) or data["origin"] not in roster.origins:
        raise RefusedError("passkey_client", "The passkey was used on a page that the roster does not name.")
    if data.get("crossOrigin", False) is not False:
        raise RefusedError("passkey_client", "The passkey was used inside another site's page.")


def _check_authenticator(data: bytes, roster: "Roster") -> None:
    if len(data) < 37 or data[:32] != hashlib.sha256(roster.rp_id.encode()).digest():
        raise RefusedError("passkey_authenticator", "The passkey belongs to another site.")
    flags = data[32]
    if not flags & _PRESENT or not flags & _VERIFIED:
        raise RefusedError("passkey_authenticator", "The passkey did not verify that its owner was there.")
    if len(data) > 37 and not flags & (_ATTESTED | _EXTENDED):
        raise RefusedError("passkey_authenticator", "The passkey's data is longer than it says.")


def check_approvals(
    statement: str,
    proofs: object,
    roster: "Roster",
    verify: Verify,
    *,
    requester: str,
    place: str | None,
    now: int,
    need: int,
) -> tuple[str, ...]:
    """The different people whose proofs over this statement count, at least ``need`` of them. Raises RefusedError.

    It counts who is in the roster, past their waiting time at ``now``, entitled for ``place`` (None: whatever place; "":
    only who may everywhere), and not the ``requester`` ("" when nobody asked). What does not count is passed over; when
    too few are left, the first reason is the refusal's: ``requester``, ``same_person``, ``waiting``, ``place``, those of
    ``check_proof``, ``approvals`` when nothing was wrong but the number, ``proof_form`` for what is no list of proofs.
    """
    counted: list[str] = []
    reasons: list[RefusedError] = []
    for proof in listed(proofs):
        try:
            _check_entitled(proof, roster, requester, place, now, counted)
            counted.append(check_proof(proof, statement, roster, verify))
        except RefusedError as refused:
            reasons.append(refused)
    if len(counted) < need:
        if reasons:
            raise reasons[0]
        raise RefusedError("approvals", f"It needs the approval of {need} people, and has {len(counted)}.")
    return tuple(counted)


def listed(proofs: object) -> list[object]:
    """Proofs as a list that is not too long. Raises RefusedError ``proof_form``."""
    if not isinstance(proofs, list) or len(proofs) > wire.MAX_PROOFS:
        raise RefusedError("proof_form", "The approvals are not a list of at most 100.")
    return proofs


def _check_entitled(
    proof: object, roster: "Roster", requester: str, place: str | None, now: int, counted: list[str]
) -> None:
    """Nothing when the person whom a proof names may approve this now. Who is unknown is left to ``check_proof``."""
    person = proof.get("person") if isinstance(proof, dict) else None
    approver = roster.people.get(person) if isinstance(person, str) else None
    if approver is None:
        return
    if approver.person == requester:
        raise RefusedError("requester", "Nobody approves what they asked for themselves.")
    if approver.person in counted:
        raise RefusedError("same_person", "One person cannot approve twice.")
    if approver.since > now:
        raise RefusedError("waiting", "A new approver waits for 72 hours; this approval does not count yet.")
    if place is not None and not approver.entitled(place):
        raise RefusedError("place", "The approver may not approve for this place.")


def distinct(statement: str, proofs: Iterable[object], roster: "Roster", verify: Verify) -> set[str]:
    """The different people of the roster whose proofs over this statement hold; what does not hold is passed over."""
    found = set()
    for proof in proofs:
        try:
            found.add(check_proof(proof, statement, roster, verify))
        except RefusedError:
            continue
    return found
