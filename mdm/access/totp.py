"""Time-based codes (RFC 6238, 30 seconds, six digits): the second factor. The secret is sealed; a code works once."""

import hmac
from dataclasses import dataclass
from urllib.parse import quote

import pyotp

from mdm.access.model import Operator, WebSession
from mdm.access.operators import end_all, gate_sign_in, manageable
from mdm.access.people_only import own_id, require_person
from mdm.access.sessions import PROOF_NEEDED, is_fresh
from mdm.audit import service as audit
from mdm.core.errors import N_, ConflictError, DeniedError, InvalidError
from mdm.storage.call import Call
from mdm.storage.seal import Seal

STEP = 30
DRIFT = 1
"""Steps that the person's clock may be off, either way."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the person's app needs: the secret to type, and the address for the QR code."""

    secret: str
    uri: str


def begin_totp(call: Call, issuer: str, seal: Seal) -> Enrolment:
    """A new secret for oneself, in force only when a code has confirmed it.

    Raises ConflictError while a confirmed one is in force: it is removed first, with a code.
    """
    operator = call.session.get_one(Operator, own_id(call))
    if operator.totp_confirmed_at is not None:
        raise ConflictError(N_("A second factor is set up already. Nothing was changed; remove it first."))
    secret = pyotp.random_base32()
    operator.totp_sealed = seal.seal(secret.encode(), _place(operator))
    operator.totp_last_step = None
    label = quote(f"{issuer}:{operator.email}")
    return Enrolment(secret, f"otpauth://totp/{label}?secret={secret}&issuer={quote(issuer)}")


def confirm_totp(call: Call, code: str, seal: Seal) -> None:
    """Puts the secret in force by its first code; raises InvalidError, and nothing changes, for a wrong one."""
    operator = call.session.get_one(Operator, own_id(call))
    if operator.totp_sealed is None or operator.totp_confirmed_at is not None:
        raise ConflictError(N_("No second factor is being set up. Nothing was changed."))
    if not take_code(call, operator, code, seal):
        sentence = N_("The code is wrong. Look at the clock of your phone, wait for the next code and try again.")
        raise InvalidError(sentence, fields={"code": sentence}, code="code_wrong")
    operator.totp_confirmed_at = call.now
    audit.record(call, "operator.second_factor_set", ("operator", operator.id), name=operator.name)


def remove_totp(call: Call, web_session: WebSession) -> None:
    """Removes one's own second factor; raises DeniedError unless the session proved who it is a moment ago."""
    operator = call.session.get_one(Operator, own_id(call))
    if web_session.operator_id != operator.id or not is_fresh(web_session, call.now):
        raise DeniedError(N_("Show who you are again first. Nothing was changed."), code=PROOF_NEEDED)
    _clear(call, operator, "operator.second_factor_removed")


def reset_totp(call: Call, operator_id: int) -> None:
    """Removes somebody's second factor after its phone was lost, and ends their sessions and links.

    For fleet admins. Raises NotFoundError for an operator who is not the actor's, DeniedError for oneself,
    ApprovalNeededError for somebody who holds a role.
    """
    require_person(call)
    operator = manageable(call, operator_id)
    if call.actor.kind.value == "operator" and call.actor.id == operator_id:
        raise DeniedError(N_("Nobody resets their own second factor. Nothing was changed; ask another fleet admin."))
    gate_sign_in(call, operator, {"change": "second_factor"})
    end_all(call, operator_id)
    _clear(call, operator, "operator.second_factor_reset")


def take_code(call: Call, operator: Operator, code: str, seal: Seal) -> bool:
    """Whether the code is right, now or one step beside, and newer than the last one taken; taking it uses it up."""
    if operator.totp_sealed is None:
        return False
    written = "".join(code.split())
    generator = pyotp.TOTP(seal.open(operator.totp_sealed, _place(operator)).decode())
    now = int(call.now.timestamp()) // STEP
    for step in range(now - DRIFT, now + DRIFT + 1):
        expected = generator.generate_otp(step)
        if hmac.compare_digest(expected.encode(), written.encode()) and step > (operator.totp_last_step or 0):
            operator.totp_last_step = step
            return True
    return False


def _clear(call: Call, operator: Operator, action: str) -> None:
    if operator.totp_sealed is None:
        return
    operator.totp_sealed = None
    operator.totp_confirmed_at = None
    operator.totp_last_step = None
    audit.record(call, action, ("operator", operator.id), name=operator.name)


def _place(operator: Operator) -> str:
    return f"operator:{operator.id}:totp"
