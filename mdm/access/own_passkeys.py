"""An operator's own passkeys: the list, adding one, its name, taking one away, and what the use of one leaves behind."""

from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import select, update

from mdm.access import ceremonies, challenges
from mdm.access.ceremonies import RefusedAnswerError
from mdm.access.challenges import Purpose
from mdm.access.model import Operator, Passkey, WebSession
from mdm.access.people_only import own_id
from mdm.access.relying_party import RelyingParty
from mdm.access.sessions import PROOF_NEEDED, Visit, is_fresh
from mdm.audit import service as audit
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import N_, ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.text import clean
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

log = structlog.get_logger(__name__)

MOST = 10
"""Passkeys of one person; a roster of approvers names at most as many."""
TYPE = "webauthn"


def passkeys_of(call: Call, operator_id: int, *, stopped: bool = True) -> Sequence[Passkey]:
    """The passkeys of an operator, oldest first; without the stopped ones where those are of no use."""
    query = select(Passkey).where(Passkey.operator_id == operator_id).order_by(Passkey.id)
    return call.session.scalars(query if stopped else query.where(Passkey.stopped_at.is_(None))).all()


def has_passkey(call: Call, operator_id: int) -> bool:
    """Whether an operator has a passkey that can be used."""
    query = select(Passkey.id).where(Passkey.operator_id == operator_id, Passkey.stopped_at.is_(None))
    return call.session.scalar(query.limit(1)) is not None


def begin_passkey(call: Call, party: RelyingParty, web_session: WebSession, visit: Visit) -> dict[str, Any]:
    """What the browser needs to make a passkey for oneself.

    Raises DeniedError (``PROOF_NEEDED``) when the session did not show a moment ago who it is, ConflictError for an eleventh
    passkey, and where the console is reached by a bare address, for which no browser makes one.
    """
    operator = _own(call, web_session)
    if not party.usable:
        raise ConflictError(
            N_("Passkeys need a name in the console's address, and this one has a bare number. Nothing was changed."),
            code="passkey_host",
        )
    mine = passkeys_of(call, operator.id)
    if len(mine) >= MOST:
        raise ConflictError(N_("You have ten passkeys already. Nothing was changed; remove one first."))
    challenge = challenges.make(call, Purpose.REGISTER, visit, web_session.id)
    return ceremonies.registration_options(
        party,
        challenge,
        handle=handle_of(operator.id),
        login=operator.email,
        name=operator.name,
        known=[one.credential_id for one in mine],
    )


def add_passkey(call: Call, party: RelyingParty, web_session: WebSession, written: str, name: str) -> Passkey:
    """Keeps the passkey that the authenticator has made. Raises as ``begin_passkey``, and InvalidError for an answer that
    does not hold."""
    operator = _own(call, web_session)
    try:
        challenge, credential = ceremonies.read_registration(written)
        challenges.take(call, challenge, Purpose.REGISTER, web_session.id)
        made = ceremonies.check_registration(party, challenge, credential)
    except RefusedAnswerError as error:
        log.warning("a passkey was not added", why=str(error), operator=operator.id)
        raise InvalidError(
            N_("The passkey could not be checked. Nothing was changed; begin again."), code="passkey_refused"
        ) from error
    mine = passkeys_of(call, operator.id)
    if len(mine) >= MOST:
        raise ConflictError(N_("You have ten passkeys already. Nothing was changed; remove one first."))
    passkey = Passkey(
        operator_id=operator.id,
        credential_id=made.credential_id,
        public_key=made.public_key,
        cose_key=made.cose_key,
        key_id=made.key_id,
        type=TYPE,
        sign_count=made.sign_count,
        name=clean(name, 64) or f"Passkey {len(mine) + 1}",
        transports=made.transports,
        added_at=call.now,
    )
    call.session.add(passkey)
    flush_unique(
        call.session, ConflictError(N_("This passkey is known already. Nothing was changed."), code="passkey_known")
    )
    _record(call, "passkey.added", operator, passkey)
    return passkey


def rename_passkey(call: Call, passkey_id: int, name: str) -> Passkey:
    """Gives one's own passkey another name. Raises NotFoundError for one that is not there or somebody else's."""
    passkey = _mine(call, passkey_id)
    written = clean(name, 64)
    if not written:
        sentence = N_("Give the passkey a name.")
        raise InvalidError(sentence, fields={"name": sentence})
    passkey.name = written
    return passkey


def remove_passkey(call: Call, web_session: WebSession, passkey_id: int) -> None:
    """Takes one of one's own passkeys away.

    Raises DeniedError (``PROOF_NEEDED``) as ``begin_passkey``, NotFoundError for one that is not one's own, ConflictError
    for the last way in: somebody without password and city account would not come back.
    """
    operator = _own(call, web_session)
    passkey = _mine(call, passkey_id)
    others = [one for one in passkeys_of(call, operator.id, stopped=False) if one.id != passkey.id]
    if not others and passkey.stopped_at is None and not operator.password_hash and not operator.oidc_subject:
        raise ConflictError(
            N_("This is your only way to sign in. Nothing was changed; add another passkey or a password first."),
            code="last_factor",
        )
    call.session.delete(passkey)
    call.session.flush()
    _record(call, "passkey.removed", operator, passkey)


def note_use(call: Call, passkey: Passkey, count: int) -> bool:
    """Keeps the count that an authenticator signed. False, and the passkey stopped, when it went back: the key was copied.

    WebAuthn level 3, 6.1.1: a count that does not grow means two authenticators with one key, or a replay; synced passkeys
    always say 0.
    """
    rising = Passkey.sign_count < count
    kept = call.session.execute(
        update(Passkey)
        .where(
            Passkey.id == passkey.id,
            Passkey.stopped_at.is_(None),
            rising if count else Passkey.sign_count == 0,
        )
        .values(sign_count=count, last_used_at=call.now)
    )
    if int(getattr(kept, "rowcount", 0)) == 1:
        return True
    if passkey.stopped_at is None:
        passkey.stopped_at = call.now
        operator = call.session.get_one(Operator, passkey.operator_id)
        speaker = Actor(ActorKind.OPERATOR, operator.id, operator.name, (), call.actor.request_id, call.actor.address)
        _record(call.by(speaker), "passkey.stopped", operator, passkey, {"count": count, "kept": passkey.sign_count})
    return False


def handle_of(operator_id: int) -> bytes:
    """The user handle that an authenticator keeps beside the key: says nothing about the person (WebAuthn level 3, 14.6.1)."""
    return f"operator:{operator_id}".encode()


def _own(call: Call, web_session: WebSession) -> Operator:
    operator = call.session.get_one(Operator, own_id(call))
    if web_session.operator_id != operator.id or not is_fresh(web_session, call.now):
        raise DeniedError(N_("Show who you are again first. Nothing was changed."), code=PROOF_NEEDED)
    return operator


def _mine(call: Call, passkey_id: int) -> Passkey:
    passkey = call.session.get(Passkey, passkey_id)
    if passkey is None or passkey.operator_id != own_id(call):
        raise NotFoundError(N_("There is no such passkey of yours."))
    return passkey


def _record(call: Call, action: str, operator: Operator, passkey: Passkey, more: dict[str, Any] | None = None) -> None:
    details = {"passkey": passkey.name, "key": passkey.key_id, **(more or {})}
    audit.record(call, action, ("operator", operator.id), name=operator.name, details=details)
