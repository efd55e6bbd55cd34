"""What is asked of an authenticator, and whether its answer holds. Pure: the challenge and the keys are given.

User verification (a finger, a face, a PIN) is always required, and the key must be one that the browser finds by itself.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    base64url_to_bytes,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from mdm.access.relying_party import RelyingParty
from mdm.core.text import clean

MAX_ANSWER = 16 * 1024
"""Characters of an authenticator's answer as JSON; a longer one is not read."""
MAX_ID = 1023
"""Bytes of a credential id (WebAuthn level 3, 4)."""
TIMEOUT = 120_000
"""Milliseconds that the browser may show its question."""
ALGORITHMS = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
TRANSPORTS = frozenset({"ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"})
_BROKEN = (WebAuthnException, UnsupportedAlgorithm, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What the libraries raise for answers that are not well formed."""


class RefusedAnswerError(Exception):
    """The answer does not hold. The text is for the log, never for the person: who guesses learns nothing."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A passkey that an authenticator has just made."""

    credential_id: str
    public_key: bytes
    cose_key: bytes
    key_id: str
    sign_count: int
    transports: list[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """An authenticator's answer as it was read, before anything of it is believed."""

    credential_id: str
    challenge: str
    user_handle: bytes | None
    credential: AuthenticationCredential


def registration_options(
    party: RelyingParty, challenge: str, *, handle: bytes, login: str, name: str, known: Sequence[str]
) -> dict[str, Any]:
    """What the browser is told for making a passkey; ``known`` are the credentials that this person has already."""
    options = generate_registration_options(
        rp_id=party.rp_id,
        rp_name=party.name,
        user_id=handle,
        user_name=login,
        user_display_name=name,
        challenge=base64url_to_bytes(challenge),
        timeout=TIMEOUT,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_descriptors(known),
        supported_pub_key_algs=ALGORITHMS,
    )
    told: dict[str, Any] = json.loads(options_to_json(options))
    return told


def answer_options(party: RelyingParty, challenge: str, known: Sequence[str] = ()) -> dict[str, Any]:
    """What the browser is told for using a passkey: any that it finds, or one of ``known``."""
    options = generate_authentication_options(
        rp_id=party.rp_id,
        challenge=base64url_to_bytes(challenge),
        timeout=TIMEOUT,
        allow_credentials=_descriptors(known),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    told: dict[str, Any] = json.loads(options_to_json(options))
    return told


def _descriptors(known: Sequence[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in known]


def read_registration(written: str) -> tuple[str, RegistrationCredential]:
    """The challenge that was answered, and the answer. Raises RefusedAnswerError for what cannot be read."""
    try:
        credential = parse_registration_credential_json(_limited(written))
        return _challenge(credential.response.client_data_json), credential
    except _BROKEN as error:
        raise RefusedAnswerError(f"not readable: {error}") from error


def check_registration(party: RelyingParty, challenge: str, credential: RegistrationCredential) -> NewKey:
    """The new key. Raises RefusedAnswerError that says which rule did not hold."""
    _same_site(credential.response.client_data_json)
    try:
        made = verify_registration_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=party.rp_id,
            expected_origin=party.origin,
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
        public = spki_of(made.credential_public_key)
        if len(made.credential_id) > MAX_ID:
            raise ValueError("a longer credential id than WebAuthn allows")
    except _BROKEN as error:
        raise RefusedAnswerError(f"registration: {error}") from error
    transports = [one.value for one in credential.response.transports or () if one.value in TRANSPORTS]
    return NewKey(
        credential_id=credential.id,
        public_key=public,
        cose_key=made.credential_public_key,
        key_id=key_id_of(public),
        sign_count=made.sign_count,
        transports=sorted(transports),
    )


def read_answer(written: str) -> Answer:
    """The answer with the challenge that it answers. Raises RefusedAnswerError for what cannot be read."""
    try:
        credential = parse_authentication_credential_json(_limited(written))
        return Answer(
            credential_id=credential.id,
            challenge=_challenge(credential.response.client_data_json),
            user_handle=credential.response.user_handle,
            credential=credential,
        )
    except _BROKEN as error:
        raise RefusedAnswerError(f"not readable: {error}") from error


def check_answer(party: RelyingParty, challenge: str, answer: Answer, cose_key: bytes) -> int:
    """The count of signatures that the authenticator says. Raises RefusedAnswerError that says which rule did not hold.

    The count itself is judged by the caller, after the signature: a forged count must raise no alarm.
    """
    _same_site(answer.credential.response.client_data_json)
    try:
        verified = verify_authentication_response(
            credential=answer.credential,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=party.rp_id,
            expected_origin=party.origin,
            credential_public_key=cose_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except _BROKEN as error:
        raise RefusedAnswerError(f"answer: {error}") from error
    return int(verified.new_sign_count)


def spki_of(cose_key: bytes) -> bytes:
    """The key as SubjectPublicKeyInfo, DER. Raises ValueError for a kind of key that nobody here verifies."""
    key = decoded_public_key_to_cryptography(decode_credential_public_key(cose_key))
    known = (
        isinstance(key, Ed25519PublicKey)
        or (isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1))
        or (isinstance(key, RSAPublicKey) and 2048 <= key.key_size <= 4096)
    )
    if not known:
        raise ValueError("a kind of key that is not used here")
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_id_of(public_key: bytes) -> str:
    """How a roster and an approval name a key: the first 32 hexadecimal characters of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:32]


def _limited(written: str) -> str:
    if len(written) > MAX_ANSWER:
        raise ValueError("longer than an authenticator answers")
    return written


def _challenge(client_data: bytes) -> str:
    from_browser = json.loads(client_data)["challenge"]
    parse_client_data_json(client_data)
    return clean(from_browser, 128)


def _same_site(client_data: bytes) -> None:
    """Refuses an answer that was given inside a page of another site."""
    if json.loads(client_data).get("crossOrigin") not in (None, False):
        raise RefusedAnswerError("given inside a page of another site")
