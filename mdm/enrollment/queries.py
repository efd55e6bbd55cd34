"""Reads of invitations and enrollments. Those that take a ``Call`` give only what lies in its actor's scope."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session, aliased

from mdm.core.errors import N_, NotFoundError
from mdm.core.ids import secret_digest
from mdm.core.permissions import Permission
from mdm.enrollment.model import Enrollment, Invitation
from mdm.enrollment.progress import Progress, Standing
from mdm.enrollment.progress import progress as progress_of
from mdm.inventory import queries as devices
from mdm.inventory.model import Device
from mdm.policies.model import Cohort
from mdm.storage.call import Call
from mdm.storage.scoping import within

MAX_TOKEN = 64
RENEWED = "renewed"
"""Why a certificate ended whose successor was used."""


def former_keys(session: Session, enrollment_id: int) -> list[str]:
    """The keys (digests) that a device had under the same enrollment before this certificate; empty for the first one.

    An invitation takes one key and its renewals, so it says which certificates are one enrollment.
    """
    here, before = aliased(Enrollment), aliased(Enrollment)
    query = (
        select(before.key_digest)
        .join(here, (here.device_id == before.device_id) & (here.invitation_id == before.invitation_id))
        .where(here.id == enrollment_id, before.id != enrollment_id, before.revoked_why.in_(("", RENEWED)))
    )
    return list(session.scalars(query))


def invitations_select(call: Call) -> Select[Invitation]:
    """Invitations that the actor may see."""
    scope = call.actor.scope(Permission.ENROLLMENT_VIEW)
    return select(Invitation).where(within(scope, Invitation.service_point_id, Invitation.unit_id))


def invitations(
    call: Call,
    *,
    standing: Standing | None = None,
    person_id: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Sequence[Invitation]:
    """Invitations that the actor may see, newest first; ``before`` is the number of the last one of the page before."""
    query = invitations_select(call)
    if standing is not None:
        query = query.where(*_standing(standing, call.now))
    if person_id is not None:
        query = query.where(Invitation.person_id == person_id)
    if before is not None:
        query = query.where(Invitation.id < before)
    return call.session.scalars(query.order_by(Invitation.id.desc()).limit(limit)).all()


def invitation(call: Call, uid: str) -> Invitation:
    """One invitation; NotFoundError when it is not there or not the actor's."""
    found = call.session.scalar(invitations_select(call).where(Invitation.uid == uid))
    if found is None:
        raise NotFoundError(N_("There is no such invitation, or it is not one of yours."))
    return found


def enrollments(call: Call, device_uid: str) -> Sequence[Enrollment]:
    """The certificates of a device, newest first; NotFoundError when the device is not there or not the actor's."""
    device = devices.device_by_uid(call, device_uid)
    return call.session.scalars(
        select(Enrollment).where(Enrollment.device_id == device.id).order_by(Enrollment.id.desc())
    ).all()


def live(session: Session, device_id: int, now: datetime) -> Sequence[Enrollment]:
    """Certificates with which the device is let in now, newest first. For the machinery: not scoped."""
    return session.scalars(
        select(Enrollment)
        .where(Enrollment.device_id == device_id, Enrollment.revoked_at.is_(None), Enrollment.not_after > now)
        .order_by(Enrollment.id.desc())
    ).all()


def by_token(session: Session, token: str, *, lock: bool = False) -> Invitation | None:
    """The invitation that this token opens, None for one that is unknown or withdrawn: both answer alike.

    Only digests are compared, by an index: how long it takes tells nothing about other tokens.
    """
    query = select(Invitation).where(Invitation.token_digest == secret_digest(token[:MAX_TOKEN]))
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None or (found.withdrawn_at is not None and found.used_at is None):
        return None
    return found


def progress(session: Session, token: str, now: datetime) -> Progress:
    """How far the invitation behind this token has come; NotFoundError (``invitation_unknown``) for an unknown one."""
    found = by_token(session, token)
    if found is None:
        raise unknown_invitation()
    return invitation_progress(session, found, now)


def unfinished(session: Session, device_id: int) -> bool:
    """Whether a device got its certificate by an invitation and has not said a word since: the line was lost in the middle,
    or another device had the profile. Its certificate is there, and nobody can use the device by it."""
    last = (
        select(Invitation.reported_at)
        .where(Invitation.device_id == device_id, Invitation.certified_at.is_not(None))
        .order_by(Invitation.certified_at.desc())
        .limit(1)
    )
    row = session.execute(last).first()
    return row is not None and row.reported_at is None


def invitation_progress(session: Session, found: Invitation, now: datetime) -> Progress:
    """How far one invitation has come. Configured: the device applied what its cohort wants, in full."""
    row = None
    if found.device_id is not None and found.certified_at is not None:
        row = session.execute(
            select(Device.uid, Device.applied_digest, Device.last_report_at, Device.cohort_id, Cohort.desired_digest)
            .outerjoin(Cohort, Cohort.id == Device.cohort_id)
            .where(Device.id == found.device_id)
        ).first()
    if row is None:
        return progress_of(found, now, device=None, configured_at=None, configured=False)
    wanted = row.desired_digest
    configured = row.cohort_id is not None and wanted not in (None, "-") and row.applied_digest == wanted
    return progress_of(found, now, device=row.uid, configured_at=row.last_report_at, configured=configured)


def unknown_invitation() -> NotFoundError:
    """The one answer for an invitation that never was and for one that was withdrawn."""
    return NotFoundError(
        N_("This invitation is not known. Nothing was changed. Ask for a new one."), code="invitation_unknown"
    )


def _standing(wanted: Standing, now: datetime) -> list[ColumnElement[bool]]:
    if wanted is Standing.USED:
        return [Invitation.used_at.is_not(None)]
    unused = Invitation.used_at.is_(None)
    if wanted is Standing.WITHDRAWN:
        return [unused, Invitation.withdrawn_at.is_not(None)]
    over = Invitation.expires_at <= now
    return [unused, Invitation.withdrawn_at.is_(None), over if wanted is Standing.EXPIRED else ~over]
