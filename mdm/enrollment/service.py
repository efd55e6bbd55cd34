"""What can be done about enrollment: invite, withdraw, open, revoke, leave. Using an invitation is in ``redeem``."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, DeniedError, GoneError, InvalidError
from mdm.core.ids import new_secret, new_uid, secret_digest
from mdm.core.permissions import Permission, Where
from mdm.core.risk import Risk, gate
from mdm.core.text import clean
from mdm.enrollment import queries
from mdm.enrollment.links import Links
from mdm.enrollment.model import Enrollment, Invitation
from mdm.enrollment.progress import Standing, standing
from mdm.inventory import queries as devices
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, DeviceKind, Ownership, Platform
from mdm.org import queries as org
from mdm.outbox import service as outbox
from mdm.people import queries as people_queries
from mdm.people import service as people
from mdm.storage.call import Call


def invite(
    call: Call,
    links: Links,
    *,
    email: str,
    platform: str,
    service_point_code: str,
    name: str | None = None,
    kind: str = "",
    ownership: str = Ownership.CITY.value,
    device_uid: str | None = None,
    person_id: int | None = None,
) -> tuple[Invitation, str]:
    """Invites a person to enrol one device; the invitation and its address, which is shown this once.

    ``person_id`` is somebody known, who needs no e-mail address; else the person is made where the address is unknown.
    ``device_uid`` names the device it is for, where there is one already. Raises InvalidError for an unknown platform, kind
    or ownership, NotFoundError for a service point or device that is not there or not the actor's, ConflictError for a
    closed service point or another platform.
    """
    _check_words(platform, kind, ownership)
    point = org.service_point_by_code(call, service_point_code)
    require(call.actor, Permission.ENROLLMENT_INVITE, Where(service_point_id=point.id))
    if point.closed_on is not None and point.closed_on <= call.now.date():
        raise ConflictError(
            N_("The service point %(name)s is closed. Nobody was invited."),
            code="service_point_closed",
            name=point.name,
        )
    if person_id is not None:
        person = people_queries.person(call, person_id)
    else:
        person = people.ensure(call, email, name=name, service_point_id=point.id)
    device = _for_device(call, device_uid, platform)
    token = new_secret()
    invitation = Invitation(
        uid=new_uid(),
        token_digest=secret_digest(token),
        person_id=person.id,
        platform=platform,
        service_point_id=point.id,
        unit_id=person.unit_id,
        ownership=device.ownership if device else ownership,
        kind=device.kind if device else kind,
        device_id=device.id if device else None,
        created_by=call.actor.name,
        created_at=call.now,
        expires_at=call.now + timedelta(hours=links.hours),
    )
    call.session.add(invitation)
    call.session.flush()
    _record(call, "invitation.created", invitation, {"for": person.email, "platform": platform})
    return invitation, links.url(token)


def withdraw(call: Call, uid: str) -> Invitation:
    """Makes an unused invitation worthless; twice is like once. Raises ConflictError when it was used already."""
    invitation = queries.invitation(call, uid)
    require(call.actor, Permission.ENROLLMENT_INVITE, Where(invitation.service_point_id, invitation.unit_id))
    if invitation.used_at is not None:
        raise ConflictError(
            N_("This invitation was used already. Nothing was withdrawn; revoke the device's certificate instead."),
            code="invitation_used",
        )
    if invitation.withdrawn_at is None:
        invitation.withdrawn_at = call.now
        _record(call, "invitation.withdrawn", invitation, {})
    return invitation


def opened(call: Call, token: str) -> Invitation:
    """Notes that the page was opened, and gives the invitation. For everybody who has the token.

    Raises NotFoundError for an unknown or withdrawn one, GoneError (``invitation_expired``) for one that is too old; a
    used one is given, because the page shows how far it came.
    """
    invitation = queries.by_token(call.session, token)
    if invitation is None:
        raise queries.unknown_invitation()
    if standing(invitation, call.now) is Standing.EXPIRED:
        raise expired()
    _note_opened(call, invitation)
    return invitation


def looked(call: Call, uid: str) -> Invitation:
    """The same for an invitation that the actor may see, without its token: somebody goes on with their own.

    Raises NotFoundError, GoneError (``invitation_expired``), ConflictError (``invitation_used``).
    """
    invitation = queries.invitation(call, uid)
    require(call.actor, Permission.ENROLLMENT_INVITE, Where(invitation.service_point_id, invitation.unit_id))
    now = standing(invitation, call.now)
    if now is Standing.EXPIRED:
        raise expired()
    if now is not Standing.OPEN:
        raise ConflictError(
            N_("This invitation was used already, or withdrawn. Nothing was changed."), code="invitation_used"
        )
    _note_opened(call, invitation)
    return invitation


def new_token(call: Call, uid: str) -> str:
    """A new token for an invitation that is still open; its earlier one opens nothing any more. Refuses like ``looked``."""
    invitation = looked(call, uid)
    token = new_secret()
    invitation.token_digest = secret_digest(token)
    _record(call, "invitation.renewed", invitation, {})
    return token


def revoke(call: Call, device_uid: str, why: str) -> int:
    """Refuses every certificate of a device from its next request on; how many were in force. Twice is like once.

    The signer is told through the post (topic ``certificate.revoked``): it signs no order for them and renews none.
    Raises ApprovalNeededError while one is in force: nothing reaches the device from then on.
    """
    device = devices.device_by_uid(call, device_uid)
    require(call.actor, Permission.ENROLLMENT_REVOKE, device.where)
    why = clean(why, 64) or "revoked"
    if _in_force(call, device):
        gate(call, Risk.ENROLLMENT_END, ("device", device.uid), {"why": why}, name=device.label, where=device.where)
    return end(call, device, why)


def leave(call: Call, device_id: int) -> int:
    """The device itself goes: its certificates are refused from now on. Raises DeniedError for another speaker."""
    if call.actor.id != device_id:
        raise DeniedError(N_("Only a device itself can leave. Nothing was changed."))
    return end(call, call.session.get_one(Device, device_id), "left")


def end(call: Call, device: Device, why: str, *, but: int | None = None) -> int:
    """Ends the device's certificates (all ``but`` one) without asking for a right: for use cases that asked theirs."""
    ended = [enrollment for enrollment in _in_force(call, device) if enrollment.id != but]
    for enrollment in ended:
        enrollment.revoked_at = call.now
        enrollment.revoked_why = why
        outbox.post(call, "certificate.revoked", {"fingerprint": enrollment.fingerprint, "why": why})
    if ended and but is None:
        inventory.apply_fields(call, device, {"key_digest": ""}, None)
        inventory.note(call, device, "enrollment_ended", {"why": why})
        audit.record(
            call,
            "enrollment.revoked",
            ("device", device.uid),
            name=device.label,
            where=device.where,
            details={"why": why, "fingerprints": [enrollment.fingerprint for enrollment in ended]},
        )
        outbox.post(call, "device.judge", {"device": device.id})
    return len(ended)


def _in_force(call: Call, device: Device) -> Sequence[Enrollment]:
    return call.session.scalars(
        select(Enrollment).where(Enrollment.device_id == device.id, Enrollment.revoked_at.is_(None))
    ).all()


def expired() -> GoneError:
    """The answer for an invitation that is too old."""
    return GoneError(
        N_("This invitation has expired. Nothing was changed. Ask for a new one."), code="invitation_expired"
    )


def _note_opened(call: Call, invitation: Invitation) -> None:
    if invitation.opened_at is None:
        invitation.opened_at = call.now


def _check_words(platform: str, kind: str, ownership: str) -> None:
    wrong = {
        field: N_("This must be one of: %s.") % ", ".join(sorted(words))
        for field, value, words in (
            ("platform", platform, {word.value for word in Platform}),
            ("kind", kind, {word.value for word in DeviceKind} | {""}),
            ("ownership", ownership, {word.value for word in Ownership}),
        )
        if value not in words
    }
    if wrong:
        raise InvalidError(N_("Nobody was invited: correct the fields that are marked."), fields=wrong)


def _for_device(call: Call, device_uid: str | None, platform: str) -> Device | None:
    if device_uid is None:
        return None
    device = devices.device_by_uid(call, device_uid)
    require(call.actor, Permission.ENROLLMENT_INVITE, device.where)
    if device.platform != platform:
        raise ConflictError(
            N_("This device runs %(platform)s. Nobody was invited."), code="platform", platform=device.platform
        )
    return device


def _record(call: Call, action: str, invitation: Invitation, details: dict[str, object]) -> None:
    where = Where(invitation.service_point_id, invitation.unit_id)
    audit.record(call, action, ("invitation", invitation.uid), where=where, details=details)
