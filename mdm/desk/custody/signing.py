"""Signatures: asked for, shown word for word, given at the counter or by a link on the person's own phone, taken once."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select

from agent import wire
from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, GoneError, InvalidError, NotFoundError
from mdm.core.ids import new_secret, new_uid, secret_digest
from mdm.core.permissions import Permission, Where
from mdm.core.text import clean
from mdm.desk.custody.asked import Signed
from mdm.desk.custody.model import Signature, SignedHow
from mdm.desk.paper import strokes
from mdm.people.model import Person
from mdm.storage.call import Call

LIFE: Final = timedelta(minutes=30)
"""How long a link to sign at works: somebody stands at the counter."""
MAX_SECRET: Final = 64


def ask(call: Call, content: Mapping[str, Any], person: Person, where: Where) -> tuple[Signature, str]:
    """Asks the person for a signature on their own phone; the row and the secret of its link, which is shown this once."""
    secret = new_secret()
    row = _row(call, content, person, where)
    row.link_digest = secret_digest(secret)
    call.session.add(row)
    call.session.flush()
    return row, secret


def signature(call: Call, uid: str) -> Signature:
    """One signature, for the counter that waits for it; NotFoundError when it is not there or not at the actor's place."""
    found = call.session.scalar(select(Signature).where(Signature.uid == uid))
    if found is None or not call.actor.may(Permission.DESK_WORK, found.where):
        raise NotFoundError(N_("There is no such signature, or it is not one of yours."))
    return found


def withdraw(call: Call, uid: str) -> Signature:
    """Makes the link worthless; one that is signed already stays. Twice is like once."""
    found = signature(call, uid)
    if found.signed_at is None and found.withdrawn_at is None:
        found.withdrawn_at, found.link_digest = call.now, None
    return found


def opened(call: Call, secret: str) -> Signature:
    """What the link of this secret asks to sign, or what was signed by it; for everybody who has it.

    Raises NotFoundError for an unknown or withdrawn one, GoneError (``signature_expired``) for one that is too old.
    """
    found = call.session.scalar(
        select(Signature).where(Signature.link_digest == secret_digest(secret[:MAX_SECRET])).with_for_update()
    )
    if found is None:
        raise NotFoundError(N_("This link is not known. Nothing was signed; ask at the counter."))
    if found.expires_at <= call.now:
        raise GoneError(N_("This link is too old. Nothing was signed; ask at the counter."), code="signature_expired")
    if found.opened_at is None:
        found.opened_at = call.now
    return found


def sign(call: Call, secret: str, signed: Signed) -> Signature:
    """Signs by the link, once: whoever sends it again because the answer was lost changes nothing of what was signed.

    Raises as ``opened``, and InvalidError for what is no signature.
    """
    found = opened(call, secret)
    if found.signed_at is not None:
        return found
    _fill(found, signed, SignedHow.OWN_PHONE)
    found.signed_at = call.now
    audit.record(
        call,
        "signature.given",
        ("signature", found.uid),
        name=found.name,
        where=found.where,
        details={"how": found.how, "digest": found.digest},
    )
    return found


def take(call: Call, content: Mapping[str, Any], person: Person, where: Where, signed: Signed) -> Signature:
    """The signature over exactly this content: the one given on the person's phone, or the one brought along.

    Raises InvalidError for what is no signature, NotFoundError for an unknown request, ConflictError: ``signature_waiting``
    while it is not signed, ``signature_other`` when something else was signed, ``signature_used`` for a second paper.
    """
    if not signed.request:
        row = _row(call, content, person, where)
        _fill(row, signed, SignedHow.CLERK_SCREEN)
        row.signed_at = call.now
        call.session.add(row)
        call.session.flush()
        return row
    found = signature(call, signed.request)
    if found.signed_at is None:
        raise ConflictError(
            N_("%(name)s has not signed yet. Nothing was done; wait for it, or sign here."),
            code="signature_waiting",
            name=found.name,
        )
    if found.used_at is not None:
        raise ConflictError(
            N_("This signature was used already. Nothing was done; sign once more."), code="signature_used"
        )
    if found.digest != digest_of(content) or found.person_id != person.id:
        raise ConflictError(
            N_("Something else was signed than what stands here now. Nothing was done; sign once more."),
            code="signature_other",
        )
    return found


def digest_of(content: Mapping[str, Any]) -> str:
    """What a signature is bound to."""
    return wire.digest(dict(content))


def missing() -> InvalidError:
    """The answer where a signature is needed and there is none."""
    return InvalidError(
        N_("A signature is needed. Nothing was done; sign, or say why nobody signs."),
        fields={"signature": N_("Sign here.")},
        code="signature_missing",
    )


def _row(call: Call, content: Mapping[str, Any], person: Person, where: Where) -> Signature:
    require(call.actor, Permission.DESK_WORK, where)
    return Signature(
        uid=new_uid(),
        service_point_id=where.service_point_id,
        unit_id=person.unit_id,
        person_id=person.id,
        name=person.name,
        language=person.language,
        content=dict(content),
        digest=digest_of(content),
        asked_by=call.actor.name,
        asked_at=call.now,
        expires_at=call.now + LIFE,
    )


def _fill(row: Signature, signed: Signed, how: SignedHow) -> None:
    typed = clean(signed.typed, 255)
    if typed:
        row.typed, row.how, row.strokes = typed, SignedHow.TYPED.value, []
        return
    if signed.strokes is None:
        raise missing()
    row.strokes = [[list(point) for point in stroke] for stroke in strokes.checked(signed.strokes)]
    row.how = how.value
