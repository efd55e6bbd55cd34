"""Setting up a device oneself: begun, gone on with, helped with, stopped. What is kept lives with the invitation."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Role
from mdm.desk.custody import queries as custody
from mdm.enrollment import service as enrollment
from mdm.enrollment.links import Links
from mdm.enrollment.model import Invitation
from mdm.enrollment.progress import Progress, Standing, Step, standing
from mdm.enrollment.queries import invitation_progress, unfinished
from mdm.inventory.model import Device, Ownership, Platform
from mdm.org.model import ServicePoint
from mdm.outbox import service as outbox
from mdm.people import employee
from mdm.people.model import Person
from mdm.portal import inviting, own
from mdm.portal.families import KINDS, PLATFORMS, Family, family_of
from mdm.portal.inviting import Had, Limits, Target
from mdm.portal.letters import stuck_letter
from mdm.portal.model import PortalEnrollment
from mdm.storage.call import Call

LAST: Final = {Platform.IOS.value: 5, Platform.LINUX.value: 4, Platform.ANDROID.value: 4}
"""How many steps there are; the last one is to wait."""
FRESH: Final = timedelta(days=1)
"""So long a device that was set up but has not all its settings is still shown as under way."""
STALLED: Final = timedelta(minutes=3)
"""So long after a device took its invitation without a first word, waiting is not what helps."""
FETCHED: Final = 3
"""The step after the profile or the line was fetched."""


@dataclass(frozen=True, slots=True)
class Under:
    """A device that is being set up."""

    invitation: Invitation
    family: Family
    device: Device | None
    """The one in the person's name; None for one of their own that is not enrolled yet."""
    point: ServicePoint | None
    progress: Progress
    asked: bool
    """Whether the service point was told that the person is stuck."""
    stalled: bool
    """Whether the device took the invitation and then nothing came: the person may begin again."""


def waiting(call: Call) -> list[Device]:
    """The devices in the person's name that are still to be set up, by name."""
    reader = employee.lent(call, Role.DESK_CLERK)
    held = (one.device for one in custody.held_by(reader, employee.me(call).id))
    found = [one for one in held if one.state in inviting.IN_HAND and not _set_up(call, one)]
    return sorted(found, key=lambda one: one.label.lower())


def begin(call: Call, links: Links, limits: Limits, family: Family, device_uid: str | None) -> Invitation:
    """Invites the person themselves; what they began earlier and did not use is withdrawn.

    Raises NotFoundError for a device that is not theirs, ConflictError where the rules (``inviting``) refuse.
    """
    person = employee.me(call)
    device = own.device(call, device_uid) if device_uid else None
    target = Target(device.platform, device.state, _set_up(call, device)) if device else None
    point = point_of(call, person, device)
    refused = inviting.refusal(family, target, _had(call, person, point), limits)
    if refused is not None or point is None:
        raise refused or NotFoundError(N_("There is no such service point."))
    clerk = employee.lent(call, Role.DESK_CLERK)
    for earlier in _begun(call, person):
        if standing(earlier, call.now) in (Standing.OPEN, Standing.EXPIRED):
            enrollment.withdraw(clerk, earlier.uid)
    invitation, _url = enrollment.invite(
        clerk,
        links,
        email="",
        person_id=person.id,
        platform=PLATFORMS[family].value,
        service_point_code=point.code,
        kind=KINDS[family].value,
        ownership=Ownership.CITY.value if device else Ownership.PRIVATE.value,
        device_uid=device.uid if device else None,
    )
    call.session.add(
        PortalEnrollment(invitation_id=invitation.id, person_id=person.id, family=family.value, begun_at=call.now)
    )
    call.session.flush()
    return invitation


def under_way(call: Call) -> Under | None:
    """What the person has begun and not finished; None when there is nothing."""
    person = employee.me(call)
    for one in _begun(call, person):
        fresh = one.used_at is not None and one.used_at > call.now - FRESH
        if fresh or standing(one, call.now) is Standing.OPEN:
            found = mine(call, one.uid)
            return None if found.progress.green else found
    return None


def mine(call: Call, uid: str) -> Under:
    """One that the person began. NotFoundError for anybody else's, as for one that was withdrawn."""
    person = employee.me(call)
    row = call.session.execute(
        select(Invitation, PortalEnrollment)
        .join(PortalEnrollment, PortalEnrollment.invitation_id == Invitation.id)
        .where(Invitation.uid == uid, PortalEnrollment.person_id == person.id)
    ).first()
    if row is None or (row[0].withdrawn_at is not None and row[0].used_at is None):
        raise NotFoundError(N_("This was stopped, or you began again with another device. Begin anew."))
    invitation, kept = row
    device = call.session.get(Device, invitation.device_id) if invitation.device_id is not None else None
    known = family_of(device.platform, device.kind, device.model) if device else None
    family = known if known and PLATFORMS[known] == invitation.platform else Family(kept.family)
    progress = invitation_progress(call.session, invitation, call.now)
    return Under(
        invitation,
        family,
        device,
        call.session.get(ServicePoint, invitation.service_point_id),
        progress,
        kept.stuck_at is not None,
        _stalled(invitation, progress, call.now),
    )


def _stalled(invitation: Invitation, progress: Progress, now: datetime) -> bool:
    if invitation.used_at is None or Step.REPORTED in progress.done:
        return False
    return bool(progress.failure) or invitation.used_at <= now - STALLED


def _set_up(call: Call, device: Device) -> bool:
    return device.enrolled_at is not None and not unfinished(call.session, device.id)


def fetched(call: Call, uid: str) -> Invitation:
    """Notes that the person fetched what enrols the device. Raises ConflictError or GoneError when it is too late."""
    return enrollment.looked(employee.lent(call, Role.DESK_CLERK), mine(call, uid).invitation.uid)


def line(call: Call, links: Links, uid: str) -> str:
    """The line for a computer's terminal, with a new secret: one that was shown before does not work any more.

    Raises NotFoundError for what is no computer, and as ``fetched`` does.
    """
    if mine(call, uid).invitation.platform != Platform.LINUX:
        raise NotFoundError(N_("This device needs no line. Nothing was changed."))
    fetched(call, uid)
    token = enrollment.new_token(employee.lent(call, Role.DESK_CLERK), uid)
    return links.command(token)


def fresh_token(call: Call, uid: str) -> tuple[Invitation, str]:
    """The invitation of an Android phone with a new token; a QR code that was shown before does not work any more.

    Raises NotFoundError for what is no Android phone, and as ``fetched`` does.
    """
    under = mine(call, uid)
    if under.invitation.platform != Platform.ANDROID:
        raise NotFoundError(N_("This device needs no QR code. Nothing was changed."))
    fetched(call, uid)
    return under.invitation, enrollment.new_token(employee.lent(call, Role.DESK_CLERK), uid)


def stop(call: Call, uid: str) -> None:
    """Stops what the person began; twice is like once. Raises ConflictError when the device is set up already."""
    enrollment.withdraw(employee.lent(call, Role.DESK_CLERK), mine(call, uid).invitation.uid)


def stuck(call: Call, uid: str, step: int) -> bool:
    """Tells the service point, once, that the person is stuck; whether somebody was told, now or before.

    False where the service point has no address: the page shows its telephone number and hours.
    """
    under = mine(call, uid)
    if under.point is None or not under.point.email:
        return False
    kept = call.session.scalars(
        select(PortalEnrollment).where(PortalEnrollment.invitation_id == under.invitation.id)
    ).one()
    if kept.stuck_at is None:
        person = employee.me(call)
        kept.stuck_at = call.now
        subject, text = stuck_letter(
            name=person.name,
            device=(under.device.product or under.device.label) if under.device else under.family.value,
            step=f"{step}/{LAST[under.invitation.platform]}",
            phone=person.phone or "-",
            email=person.email or "-",
            language=person.language,
        )
        outbox.post(call, "mail", {"to": under.point.email, "subject": subject, "text": text})
    return True


def resume(platform: str, progress: Progress) -> int:
    """The step at which somebody goes on who closed the page. Pure."""
    if progress.standing is Standing.USED:
        return LAST[platform]
    return FETCHED if Step.OPENED in progress.done else 1


def point_of(call: Call, person: Person, device: Device | None) -> ServicePoint | None:
    """The open service point that looks after the device, else after the person; None when there is none."""
    for number in (device.service_point_id if device else None, person.service_point_id):
        point = call.session.get(ServicePoint, number) if number is not None else None
        if point is not None and (point.closed_on is None or point.closed_on > call.now.date()):
            return point
    return None


def _begun(call: Call, person: Person) -> list[Invitation]:
    query = (
        select(Invitation)
        .join(PortalEnrollment, PortalEnrollment.invitation_id == Invitation.id)
        .where(PortalEnrollment.person_id == person.id, Invitation.withdrawn_at.is_(None))
        .order_by(Invitation.id.desc())
    )
    return list(call.session.scalars(query))


def _had(call: Call, person: Person, point: ServicePoint | None) -> Had:
    private = call.session.scalar(
        select(func.count()).where(
            Device.person_id == person.id,
            Device.ownership == Ownership.PRIVATE.value,
            Device.enrolled_at.is_not(None),
            Device.key_digest != "",
        )
    )
    today = call.session.scalar(
        select(func.count()).where(
            PortalEnrollment.person_id == person.id, PortalEnrollment.begun_at > call.now - timedelta(days=1)
        )
    )
    return Had(private or 0, today or 0, point is not None)
