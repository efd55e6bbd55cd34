"""Using an invitation: claimed by a key, certified by the signer, completed. Once, and safe to ask again.

The signer is a neighbour, and nothing leaves inside a transaction: so there are two, with the signer between them. What
the first one wrote (whose key it is, which device) makes every repetition the same, wherever the first try broke off.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import select

from agent.wire import EnrollAnswer, EnrollRequest
from mdm.audit import service as audit
from mdm.core.actor import system
from mdm.core.errors import N_, ConflictError, GoneError, HavenmeesterError, InvalidError, UnavailableError
from mdm.core.text import clean
from mdm.enrollment import queries, service
from mdm.enrollment.csr import proved_key
from mdm.enrollment.holders import holder_of
from mdm.enrollment.model import Enrollment, Invitation
from mdm.enrollment.progress import Standing, standing
from mdm.inventory import fields, lifecycle
from mdm.inventory import service as inventory
from mdm.inventory.fields import AssetData
from mdm.inventory.model import Device, DeviceKind, LifeCycle, Ownership, Platform
from mdm.outbox import service as outbox
from mdm.people.model import Person
from mdm.storage.call import Call


class Transact(Protocol):
    """Opens one transaction that commits at its end."""

    def __call__(self, *, write: bool = True) -> AbstractContextManager[Call]:
        """``write`` takes the write lock at once."""


RENEW_AT = 2 / 3
"""The part of a certificate's lifetime after which it is renewed."""


class Certificate(Protocol):
    """What the signer gives back; read only."""

    @property
    def chain(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def key_digest(self) -> str: ...
    @property
    def serial_number(self) -> str: ...
    @property
    def not_before(self) -> datetime: ...
    @property
    def not_after(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Claim:
    """An invitation that one key has claimed, and the device that it brings."""

    invitation_id: int
    invitation_uid: str
    device_id: int
    device_uid: str
    ownership: str
    certificate: str | None
    """The chain that was issued to this key already; None where the signer is still to be asked."""


Issue = Callable[[Claim, str], Certificate]
"""Asks the signer for the certificate of a claim with this request."""


def redeem(
    transact: Transact, issue: Issue, request: EnrollRequest, answer: Callable[[Claim, str], EnrollAnswer]
) -> EnrollAnswer:
    """Enrols a device by its invitation. The same key asking again is answered the same.

    Raises NotFoundError (``invitation_unknown``), GoneError (``invitation_expired``, ``invitation_used``), InvalidError
    (``csr_wrong``, ``platform``), ConflictError (``device_taken``), UnavailableError while the signer is away.
    """
    with transact(write=False) as call:
        # Whoever only guesses tokens never gets near the write lock.
        if queries.by_token(call.session, request["token"]) is None:
            raise queries.unknown_invitation()
    key = proved_key(request["csr"])
    with transact() as call:
        refused = _refusal(call, request, key)
        if refused is None:
            claimed = claim(call, request, key)
    if refused is not None:
        raise refused
    if claimed.certificate is not None:
        return answer(claimed, claimed.certificate)
    try:
        certificate = issue(claimed, request["csr"])
    except UnavailableError:
        raise
    except HavenmeesterError as error:
        with transact() as call:
            _failed(call, call.session.get_one(Invitation, claimed.invitation_id), str(error))
        raise
    with transact() as call:
        chain = complete(call, claimed, certificate)
    return answer(claimed, chain)


def _refusal(call: Call, request: EnrollRequest, key: str) -> HavenmeesterError | None:
    """Why this request is refused, noted on the invitation where there is one; None when it is not."""
    invitation = queries.by_token(call.session, request["token"], lock=True)
    if invitation is None:
        return queries.unknown_invitation()
    return refusal(call, invitation, request, key)


def refusal(call: Call, invitation: Invitation, request: EnrollRequest, key: str) -> HavenmeesterError | None:
    """Why this key cannot use this (locked) invitation, noted on it; None when it can."""
    error = _reason(call, invitation, request, key)
    if error is not None and invitation.used_at is None:
        _failed(call, invitation, str(error))
    return error


def _reason(call: Call, invitation: Invitation, request: EnrollRequest, key: str) -> HavenmeesterError | None:
    now = standing(invitation, call.now)
    if now is Standing.USED:
        if invitation.key_digest == key:
            return None
        return GoneError(
            N_("This invitation was used already. Nothing was changed. Ask for a new one."), code="invitation_used"
        )
    if now is Standing.WITHDRAWN:
        return queries.unknown_invitation()
    if now is Standing.EXPIRED:
        return service.expired()
    if request["platform"] != invitation.platform:
        return InvalidError(
            N_("This invitation is for %(platform)s. Nothing was changed. Ask for one that fits the device."),
            code="platform",
            platform=invitation.platform,
        )
    return device_refusal(call, invitation, _recorded(call, invitation, request))


def device_refusal(call: Call, invitation: Invitation, device: Device | None) -> HavenmeesterError | None:
    """Why the recorded device cannot be enrolled with this invitation; None where it can, or where there is none."""
    if device is None:
        return None
    if device.platform != invitation.platform:
        return _taken()
    mine = device.person_id == invitation.person_id and device.state in lifecycle.HELD
    free = LifeCycle.HANDED_OUT in lifecycle.MOVES[LifeCycle(device.state)] and device.person_id is None
    named = invitation.device_id == device.id and LifeCycle.HANDED_OUT in lifecycle.MOVES[LifeCycle(device.state)]
    if mine or named:
        return None
    return None if free and not queries.live(call.session, device.id, call.now) else _taken()


def _taken() -> ConflictError:
    return ConflictError(
        N_(
            "The device with this serial number is recorded as somebody else's, or as one that cannot be handed out. "
            "Nothing was changed. Ask the service point to take it back first."
        ),
        code="device_taken",
    )


def claim(call: Call, request: EnrollRequest, key: str) -> Claim:
    """The first transaction: the key is written down, and the device recorded or found."""
    invitation = queries.by_token(call.session, request["token"], lock=True)
    if invitation is None:
        raise queries.unknown_invitation()
    return take(call, invitation, request, key)


def take(call: Call, invitation: Invitation, request: EnrollRequest, key: str) -> Claim:
    """Gives a (locked) invitation that ``refusal`` has nothing against to a key, and finds or records its device."""
    if invitation.used_at is not None:
        device = call.session.get_one(Device, invitation.device_id)
        issued = call.session.scalar(
            select(Enrollment.certificate).where(
                Enrollment.invitation_id == invitation.id, Enrollment.key_digest == key
            )
        )
        return Claim(invitation.id, invitation.uid, device.id, device.uid, invitation.ownership, issued)
    device = _recorded(call, invitation, request) or _record_device(call, invitation, request)
    invitation.used_at = call.now
    invitation.key_digest = key
    invitation.device_id = device.id
    invitation.failed_at = None
    invitation.failure = ""
    return Claim(invitation.id, invitation.uid, device.id, device.uid, invitation.ownership, None)


def _recorded(call: Call, invitation: Invitation, request: EnrollRequest) -> Device | None:
    """The device that the invitation names, else the one with the serial number that the agent tells."""
    if invitation.device_id is not None:
        return call.session.get_one(Device, invitation.device_id)
    serial = fields.serial(request["serial"])
    if serial is None:
        return None
    return call.session.scalar(select(Device).where(Device.serial == serial))


def _record_device(call: Call, invitation: Invitation, request: EnrollRequest) -> Device:
    usual = DeviceKind.LAPTOP if invitation.platform == Platform.LINUX else DeviceKind.PHONE
    data: AssetData = {
        "platform": invitation.platform,
        "kind": invitation.kind or usual.value,
        "ownership": invitation.ownership,
        "serial": request["serial"],
        "name": clean(request["hostname"], 255) or f"{invitation.platform}-{invitation.uid[:6]}",
        "model": request["model"] or "",
        "service_point_id": invitation.service_point_id,
        "owner_unit_id": invitation.unit_id,
    }
    return inventory.create(_machinery(call), data)


def complete(call: Call, claimed: Claim, certificate: Certificate) -> str:
    """The second transaction: the certificate is written down and the device is in the person's hands; the chain."""
    invitation = call.session.scalars(
        select(Invitation).where(Invitation.id == claimed.invitation_id).with_for_update()
    ).one()
    known = call.session.scalar(select(Enrollment.certificate).where(Enrollment.fingerprint == certificate.fingerprint))
    if known is not None:
        return known
    device = call.session.get_one(Device, claimed.device_id)
    enrollment = add_enrollment(call, device.id, certificate, invitation.id)
    service.end(call, device, "enrolled again", but=enrollment.id)
    invitation.certified_at = call.now
    hand_over(call, invitation, device)
    inventory.apply_fields(call, device, {"key_digest": certificate.key_digest}, None)
    inventory.note(call, device, "enrolled", {"invitation": invitation.uid})
    audit.record(
        call,
        "device.enrolled",
        ("device", device.uid),
        name=device.label,
        where=device.where,
        details={"invitation": invitation.uid, "fingerprint": certificate.fingerprint},
    )
    for topic in ("device.place", "device.judge"):
        outbox.post(call, topic, {"device": device.id})
    return certificate.chain


def add_enrollment(
    call: Call, device_id: int, certificate: Certificate, invitation_id: int | None = None
) -> Enrollment:
    """Writes down a certificate that the signer issued to a device."""
    lifetime: timedelta = certificate.not_after - certificate.not_before
    enrollment = Enrollment(
        device_id=device_id,
        invitation_id=invitation_id,
        fingerprint=certificate.fingerprint,
        key_digest=certificate.key_digest,
        certificate=certificate.chain,
        serial_number=certificate.serial_number,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        renew_after=certificate.not_before + lifetime * RENEW_AT,
        created_at=call.now,
    )
    call.session.add(enrollment)
    call.session.flush()
    return enrollment


def hand_over(call: Call, invitation: Invitation, device: Device) -> None:
    """The device is in the hands of the person who was invited, from now on."""
    holder = holder_of(call.session.get_one(Person, invitation.person_id))
    loan = invitation.ownership == Ownership.LOAN_POOL
    kept: dict[str, object] = {
        "person_id": holder.person_id,
        "persona": holder.persona,
        "holder_search": holder.searched,
        "unit_id": holder.unit_id if holder.unit_id is not None else device.owner_unit_id,
        "service_point_id": invitation.service_point_id,
        "ownership": invitation.ownership,
        "enrolled_at": call.now,
        "report_digest": "-",
        "renew_asked": False,
    }
    if device.state not in lifecycle.WITH_HOLDER:
        kept["state"] = (LifeCycle.ON_LOAN if loan else LifeCycle.HANDED_OUT).value
    inventory.apply_fields(call, device, kept, None)


def first_report(call: Call, device_id: int) -> None:
    """Notes on the device's invitation that its first report has come. Twice is like once."""
    invitation = call.session.scalar(
        select(Invitation)
        .where(Invitation.device_id == device_id, Invitation.certified_at.is_not(None))
        .order_by(Invitation.certified_at.desc())
        .limit(1)
    )
    if invitation is not None and invitation.reported_at is None:
        invitation.reported_at = call.now


def _failed(call: Call, invitation: Invitation, why: str) -> None:
    invitation.failed_at = call.now
    invitation.failure = why[:1000]


def _machinery(call: Call) -> Call:
    """The right to record a device comes from the invitation, whose maker was asked for it."""
    return call.by(system("enrollment", call.actor.request_id))
