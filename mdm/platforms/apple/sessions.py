"""Enrollment sessions: each profile that is handed out begins one, with a challenge and addresses of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from mdm.audit import service as audit
from mdm.core.errors import N_, ConflictError, NotFoundError
from mdm.core.ids import new_secret, new_uid, secret_digest
from mdm.core.permissions import Permission, Where
from mdm.enrollment.model import Enrollment, Invitation
from mdm.inventory.model import Device
from mdm.people.model import Person
from mdm.platforms.apple.model import AppleSession, Approval, SessionKind
from mdm.storage.call import Call
from mdm.storage.scoping import within

LIFE: Final = timedelta(hours=1)
"""How long a profile that was just downloaded can be installed."""
LONG_LIFE: Final = timedelta(hours=24)
"""The same for a phone that enrols by itself while it is set up, or that is renewed when it is next awake."""


def for_invitation(
    call: Call, invitation: Invitation, *, kind: SessionKind = SessionKind.INVITATION, account: str = ""
) -> tuple[AppleSession, str]:
    """A new session of an invitation that is still good, and its challenge, which is told this once.

    Sessions that were begun before stay good: whoever downloads twice may install either, and the first key takes it all.
    """
    made, challenge = _begin(call, kind, min(call.now + LIFE, invitation.expires_at) - call.now)
    made.invitation_id = invitation.id
    made.account = account
    made.user_enrollment = bool(account)
    if invitation.device_id is not None and not account:
        made.serial = call.session.get_one(Device, invitation.device_id).serial or ""
    call.session.flush()
    return made, challenge


def for_device(call: Call, device: Device) -> tuple[AppleSession, str]:
    """A new session of a device of the city's that enrols by itself while it is set up, and its challenge."""
    made, challenge = _begin(call, SessionKind.AUTOMATED, LONG_LIFE)
    made.device_id = device.id
    made.serial = device.serial or ""
    call.session.flush()
    return made, challenge


def for_renewal(call: Call, enrollment: Enrollment, before: AppleSession) -> tuple[AppleSession, str]:
    """A new session for the next certificate of an enrolled phone, and its challenge: same addresses, same kind."""
    made, challenge = _begin(call, SessionKind.RENEWAL, LONG_LIFE)
    made.place = before.place
    made.device_id = enrollment.device_id
    made.user_enrollment = before.user_enrollment
    made.account = before.account
    made.udid = before.udid
    made.details = {"previous": enrollment.fingerprint}
    call.session.flush()
    return made, challenge


def _begin(call: Call, kind: SessionKind, life: timedelta) -> tuple[AppleSession, str]:
    challenge = new_secret()
    made = AppleSession(
        uid=new_uid(),
        kind=kind.value,
        place=new_secret(),
        challenge_digest=secret_digest(challenge),
        created_at=call.now,
        expires_at=call.now + life,
        details={},
    )
    call.session.add(made)
    return made, challenge


def by_challenge(session: Session, challenge: str, *, lock: bool = False) -> AppleSession | None:
    """The session of this challenge. Only digests are compared, by an index: how long it takes tells nothing."""
    query = select(AppleSession).where(AppleSession.challenge_digest == secret_digest(challenge))
    return session.scalar(query.with_for_update() if lock else query)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request for a certificate that waits for somebody's yes, and for whom the invitation was."""

    session: AppleSession
    person: str
    email: str
    serial: str
    """Of the recorded device that is to enrol; empty where none is known."""


def waiting_for(call: Call) -> list[Waiting]:
    """``waiting`` with what somebody needs to know before they say yes."""
    found = waiting(call)
    rows = call.session.execute(
        select(Invitation.id, Person.name, Person.email)
        .join(Person, Person.id == Invitation.person_id)
        .where(Invitation.id.in_([one.invitation_id for one in found]))
    )
    people = {row[0]: (row[1], row[2] or "") for row in rows}
    return [Waiting(one, *people.get(one.invitation_id or 0, ("", "")), one.serial) for one in found]


def waiting(call: Call) -> Sequence[AppleSession]:
    """Requests for a certificate that wait for somebody's yes at the actor's places, oldest first."""
    scope = call.actor.scope(Permission.ENROLLMENT_INVITE)
    return call.session.scalars(
        select(AppleSession)
        .outerjoin(Invitation, Invitation.id == AppleSession.invitation_id)
        .where(
            AppleSession.approval == Approval.WAITING.value,
            within(scope, Invitation.service_point_id, Invitation.unit_id),
        )
        .order_by(AppleSession.id)
        .limit(500)
    ).all()


def decide(call: Call, uid: str, approval: Approval) -> AppleSession:
    """Says yes or no to a request that waits; twice is like once.

    Raises NotFoundError for one that is not there or not the actor's, ConflictError for one that was answered otherwise.
    """
    found = call.session.scalar(select(AppleSession).where(AppleSession.uid == uid).with_for_update())
    invitation = (
        call.session.get(Invitation, found.invitation_id) if found is not None and found.invitation_id else None
    )
    where = Where(invitation.service_point_id, invitation.unit_id) if invitation is not None else Where()
    if found is None or not found.approval or not call.actor.may(Permission.ENROLLMENT_INVITE, where):
        raise NotFoundError(N_("There is no such request for a certificate, or it is not one of yours."))
    if found.approval == approval:
        return found
    if found.approval != Approval.WAITING:
        raise ConflictError(N_("This request was answered already. Nothing was changed."), code="answered")
    found.approval = approval.value
    audit.record(call, f"certificate.{approval.value}", ("apple_session", found.uid), where=where, details={})
    return found
