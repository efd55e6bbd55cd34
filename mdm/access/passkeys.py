"""Passkeys at work: signing in, showing again who one is, and signing a statement such as an order.

INVARIANT: what is refused is an answer and no exception, as in ``sign_in``: the used challenge, the wrong try and the stopped
passkey must be committed.
"""

import base64
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import select
from webauthn.helpers import bytes_to_base64url

from mdm.access import ceremonies, challenges, sessions
from mdm.access.ceremonies import Answer, RefusedAnswerError
from mdm.access.challenges import Purpose
from mdm.access.model import Operator, Passkey, WebSession
from mdm.access.own_passkeys import handle_of, note_use, passkeys_of
from mdm.access.people_only import own_id
from mdm.access.relying_party import RelyingParty
from mdm.access.sessions import Limits, Visit
from mdm.access.sign_in import REFUSED, SignIn
from mdm.access.tries import braked, note
from mdm.core.errors import N_, ConflictError
from mdm.storage.call import Call

log = structlog.get_logger(__name__)


def begin_passkey_sign_in(call: Call, party: RelyingParty, visit: Visit) -> dict[str, Any]:
    """What the browser of a stranger needs to find a passkey for this console. Raises LimitedError after too many tries."""
    braked(call, "", visit)
    return ceremonies.answer_options(party, challenges.make(call, Purpose.SIGN_IN, visit))


def with_passkey(call: Call, party: RelyingParty, written: str, visit: Visit, limits: Limits) -> SignIn:
    """Signs in whoever holds the passkey: key and finger are two factors, so no code is asked for.

    Everything that does not hold is refused alike. Raises LimitedError after too many wrong tries from this address.
    """
    braked(call, "", visit)
    operator = None
    passkey = _answered(call, party, written, Purpose.SIGN_IN)
    if passkey is not None:
        operator = call.session.get_one(Operator, passkey.operator_id)
    if operator is None or operator.disabled_at is not None:
        note(call, "", visit, succeeded=False)
        return REFUSED
    note(call, operator.email, visit, succeeded=True)
    return SignIn(sessions.start(call, operator, "passkey", visit, limits))


def begin_passkey_proof(call: Call, party: RelyingParty, web_session: WebSession, visit: Visit) -> dict[str, Any]:
    """What the browser needs to ask for one of one's own passkeys. Raises ConflictError for somebody who has none."""
    known = _usable(call)
    challenge = challenges.make(call, Purpose.PROVE, visit, web_session.id)
    return ceremonies.answer_options(party, challenge, [one.credential_id for one in known])


def prove_with_passkey(call: Call, party: RelyingParty, web_session: WebSession, written: str, visit: Visit) -> bool:
    """Makes one's own session fresh again. False, and the session as it was, for an answer that does not hold."""
    operator = call.session.get_one(Operator, own_id(call))
    braked(call, operator.email, visit)
    passkey = None
    if web_session.operator_id == operator.id:
        passkey = _answered(call, party, written, Purpose.PROVE, web_session)
    right = passkey is not None
    note(call, operator.email, visit, succeeded=right)
    if right:
        web_session.fresh_at = call.now
    return right


@dataclass(frozen=True, slots=True)
class Signature:
    """One person's signature with a passkey over one statement, as an approval carries it."""

    person: str
    key: str
    authenticator_data: bytes
    client_data: bytes
    signature: bytes

    @property
    def proof(self) -> dict[str, str]:
        """The proof in the words of the wire: standard Base64."""
        return {
            "person": self.person,
            "key": self.key,
            "type": "webauthn",
            "authenticator_data": base64.b64encode(self.authenticator_data).decode(),
            "client_data": base64.b64encode(self.client_data).decode(),
            "signature": base64.b64encode(self.signature).decode(),
        }


def signing_options(call: Call, party: RelyingParty, digest: bytes) -> dict[str, Any]:
    """What the browser needs to sign this statement, and no other: the challenge is the statement's SHA-256.

    Raises ConflictError for somebody who has no passkey.
    """
    known = _usable(call)
    return ceremonies.answer_options(party, bytes_to_base64url(digest), [one.credential_id for one in known])


def sign_statement(call: Call, party: RelyingParty, digest: bytes, written: str) -> Signature | None:
    """One's own signature over the statement with this digest; None for an answer that does not hold.

    Whether the signature counts is for others to say: here it is only proved whose it is, and that its count rises.
    """
    try:
        answer = ceremonies.read_answer(written)
        passkey = _known(call, answer, own_id(call))
        count = ceremonies.check_answer(party, bytes_to_base64url(digest), answer, passkey.cose_key)
    except RefusedAnswerError as error:
        log.warning("a signature with a passkey was refused", why=str(error), operator=call.actor.id)
        return None
    if not note_use(call, passkey, count):
        return None
    response = answer.credential.response
    return Signature(
        person=f"operator:{passkey.operator_id}",
        key=passkey.key_id,
        authenticator_data=bytes(response.authenticator_data),
        client_data=bytes(response.client_data_json),
        signature=bytes(response.signature),
    )


def _answered(
    call: Call, party: RelyingParty, written: str, purpose: Purpose, web_session: WebSession | None = None
) -> Passkey | None:
    """The passkey that answered an open challenge for this purpose; None when anything does not hold."""
    try:
        answer = ceremonies.read_answer(written)
        challenges.take(call, answer.challenge, purpose, web_session.id if web_session else None)
        passkey = _known(call, answer, web_session.operator_id if web_session else None)
        count = ceremonies.check_answer(party, answer.challenge, answer, passkey.cose_key)
    except RefusedAnswerError as error:
        log.warning("a passkey was refused", why=str(error), purpose=purpose.value)
        return None
    return passkey if note_use(call, passkey, count) else None


def _known(call: Call, answer: Answer, operator_id: int | None) -> Passkey:
    passkey = call.session.scalar(select(Passkey).where(Passkey.credential_id == answer.credential_id))
    if passkey is None:
        raise RefusedAnswerError("an unknown passkey")
    if operator_id not in (None, passkey.operator_id):
        raise RefusedAnswerError("somebody else's passkey")
    if passkey.stopped_at is not None:
        raise RefusedAnswerError("a stopped passkey")
    if answer.user_handle not in (None, b"", handle_of(passkey.operator_id)):
        raise RefusedAnswerError("the passkey says that it is somebody else's")
    return passkey


def _usable(call: Call) -> list[Passkey]:
    known = list(passkeys_of(call, own_id(call), stopped=False))
    if not known:
        raise ConflictError(
            N_("You have no passkey yet. Nothing was changed; add one under My account."), code="no_passkey"
        )
    return known
