"""The check-in: who a phone is, how it is reached, and that it goes."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Final

import structlog
from sqlalchemy import select

from mdm.audit import service as audit
from mdm.core.errors import N_, ConflictError, HavenmeesterError, InvalidError
from mdm.core.text import clean
from mdm.enrollment import redeem
from mdm.enrollment import service as enrollments
from mdm.enrollment.adopt import adopt
from mdm.enrollment.model import Enrollment, Invitation
from mdm.inventory import fields
from mdm.inventory import service as inventory
from mdm.inventory.model import Device
from mdm.outbox import service as outbox
from mdm.platforms.apple import asking, facts, pushing, secrets
from mdm.platforms.apple.house import EMPTY, House, Reply
from mdm.platforms.apple.knock import Knock
from mdm.platforms.apple.message import Kind, Message
from mdm.platforms.apple.model import AppleDevice, AppleSession, DeviceState, ScopedSecret, SessionKind, SessionState
from mdm.storage.call import Call

log = structlog.get_logger(__name__)
MAX_TOKEN: Final = 256
MAX_MAGIC: Final = 256
MAX_UNLOCK_TOKEN: Final = 64 * 1024


def check_in(call: Call, house: House, knock: Knock, message: Message, signed_at: datetime | None) -> Reply:
    """The answer to one message of the check-in; everything it says is stored in the call's transaction.

    Raises InvalidError for a message that this certificate may not send, or that makes no sense now: nothing changes.
    """
    if message.kind is Kind.AUTHENTICATE:
        return _authenticate(call, knock, message)
    if message.kind is Kind.USER_AUTHENTICATE:
        return Reply(HTTPStatus.GONE)
    apple = speaker(call, knock, message)
    if message.kind is Kind.TOKEN_UPDATE:
        return _token_update(call, house, knock, apple, message, signed_at)
    return _OTHERS[message.kind or Kind.RETURN_TO_SERVICE](call, apple, message)


def speaker(call: Call, knock: Knock, message: Message, *, enrolled: bool = False) -> AppleDevice:
    """The phone that the certificate and the message both name. Raises InvalidError (``not_bound``) otherwise."""
    apple = call.session.scalar(
        select(AppleDevice)
        .where(AppleDevice.device_id == knock.device_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if apple is None or apple.state == DeviceState.GONE or (enrolled and apple.state != DeviceState.ENROLLED):
        raise _refused(knock, message, "not_enrolled")
    if apple.udid != message.identifier or apple.user_enrollment != message.user_enrollment:
        raise _refused(knock, message, "not_bound")
    if not knock.bound and not _renewed_by_scep(call, knock):
        raise _refused(knock, message, "not_authenticated")
    return apple


def _renewed_by_scep(call: Call, knock: Knock) -> bool:
    """A certificate that follows another one under SCEP needs no Authenticate: its first request is its first use."""
    session = call.session.scalar(select(AppleSession.id).where(AppleSession.fingerprint == knock.fingerprint))
    if session is not None:
        return False
    call.session.get_one(Enrollment, knock.enrollment_id).first_used_at = call.now
    _supersede(call, knock, "renewed")
    return True


def _refused(knock: Knock, message: Message, why: str) -> InvalidError:
    log.warning("apple message refused", why=why, device=knock.device_uid, kind=message.kind or message.status)
    return InvalidError(
        N_("The message does not fit the certificate it came with. Nothing was changed."),
        code="not_bound",
        why=why,
    )


def _authenticate(call: Call, knock: Knock, message: Message) -> Reply:
    session = call.session.scalar(
        select(AppleSession)
        .where(AppleSession.fingerprint == knock.fingerprint)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if session is None or session.udid not in (None, message.identifier):
        raise _refused(knock, message, "session")
    if session.user_enrollment != message.user_enrollment:
        raise _refused(knock, message, "enrollment_kind")
    if not pushing.is_topic(call.session, message.text("Topic")):
        raise _refused(knock, message, "topic")
    serial = fields.serial(message.text("SerialNumber"))
    if session.serial and serial is not None and serial != session.serial:
        raise _refused(knock, message, "serial")
    apple = call.session.scalar(
        select(AppleDevice)
        .where(AppleDevice.udid == message.identifier)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    device = _device(call, knock, session, message, apple)
    if session.state in (SessionState.AUTHENTICATED, SessionState.COMPLETED):
        return EMPTY
    renewal = session.kind == SessionKind.RENEWAL
    if renewal and (apple is None or apple.device_id != device.id or apple.state == DeviceState.GONE):
        raise _refused(knock, message, "renewal")
    apple = _bound(call, device, apple, session, message)
    if not renewal:
        start_anew(call, apple)
        _supersede(call, knock, "enrolled again")
    session.udid = message.identifier
    session.state = SessionState.AUTHENTICATED.value
    session.authenticated_at = call.now
    session.device_id = device.id
    call.session.get_one(Enrollment, knock.enrollment_id).first_used_at = call.now
    facts.from_authenticate(call, device, message)
    return EMPTY


def _device(call: Call, knock: Knock, session: AppleSession, message: Message, apple: AppleDevice | None) -> Device:
    """The device that authenticates: the one that the certificate was made for, or the one that it turns out to be."""
    device = call.session.get_one(Device, knock.device_id)
    serial = None if message.user_enrollment else fields.serial(message.text("SerialNumber"))
    known = call.session.get(Device, apple.device_id) if apple is not None else None
    if known is None and serial is not None:
        known = call.session.scalar(select(Device).where(Device.serial == serial))
    if known is None or known.id == device.id:
        if device.serial is not None and serial is not None and device.serial != serial:
            raise _refused(knock, message, "serial")
        return device
    if device.serial is not None or session.invitation_id is None or session.kind != SessionKind.INVITATION:
        raise _refused(knock, message, "device_taken")
    invitation = call.session.get_one(Invitation, session.invitation_id)
    session.device_id = known.id
    try:
        adopt(call, invitation, device, known)
    except ConflictError as error:
        raise _taken(session, error) from error
    return known


def _taken(session: AppleSession, error: HavenmeesterError) -> InvalidError:
    log.warning("apple enrollment refused", session=session.uid, why=error.code)
    return InvalidError(N_("This phone is recorded as somebody else's. Nothing was changed."), code="device_taken")


def _bound(
    call: Call, device: Device, apple: AppleDevice | None, session: AppleSession, message: Message
) -> AppleDevice:
    """The Apple side of the device, made where there is none. A device that has become another phone keeps its row."""
    apple = apple or call.session.get(AppleDevice, device.id)
    if apple is None:
        apple = AppleDevice(
            device_id=device.id,
            udid=message.identifier,
            created_at=call.now,
            generation=0,
            user_enrollment=message.user_enrollment,
        )
        call.session.add(apple)
    apple.udid = message.identifier
    apple.user_enrollment = message.user_enrollment
    apple.session_id = session.id
    apple.topic = message.text("Topic")
    call.session.flush()
    return apple


def start_anew(call: Call, apple: AppleDevice) -> None:
    """A new enrollment begins: what was asked, told and kept in the one before counts no longer."""
    asking.cancel_all(call, apple, "enrolled again")
    apple.generation += 1
    apple.state = DeviceState.AUTHENTICATED.value
    apple.push = apple.push_at = apple.push_signed_at = apple.unlock_token = apple.bypass_code = apple.location = None
    apple.push_bad = ""
    apple.supervised = None
    apple.awaiting = apple.lost_mode = apple.declarative = apple.turn_away = False
    apple.reconciled = "-"
    apple.set_token = apple.advertised_token = apple.inventory_at = None
    apple.declared, apple.status, apple.listed = {}, {}, {}
    asking.forget_profiles(call, apple.device_id)


def _supersede(call: Call, knock: Knock, why: str) -> None:
    device_id = call.session.get_one(Enrollment, knock.enrollment_id).device_id
    enrollments.end(call, call.session.get_one(Device, device_id), why, but=knock.enrollment_id)


def _token_update(
    call: Call, house: House, knock: Knock, apple: AppleDevice, message: Message, signed_at: datetime | None
) -> Reply:
    token, magic = message.data("Token"), message.text("PushMagic")
    if token is None and message.text("Token"):
        token = message.text("Token").encode()
    if not token or not magic or len(token) > MAX_TOKEN or len(magic) > MAX_MAGIC:
        raise _refused(knock, message, "token")
    if not pushing.is_topic(call.session, message.text("Topic")):
        raise _refused(knock, message, "topic")
    if signed_at is not None and apple.push_signed_at is not None and signed_at < apple.push_signed_at:
        log.warning("apple push token is an older one that came again", device=knock.device_uid)
        return EMPTY
    secrets.keep_push(house.seal, apple, token, magic)
    apple.topic = message.text("Topic")
    apple.push_at, apple.push_signed_at, apple.push_bad, apple.push_again_at = call.now, signed_at, "", None
    unlock = message.data("UnlockToken")
    if unlock and len(unlock) <= MAX_UNLOCK_TOKEN and not apple.user_enrollment:
        secrets.keep(house.seal, apple, ScopedSecret.UNLOCK_TOKEN, unlock)
    if isinstance(message.content.get("AwaitingConfiguration"), bool):
        apple.awaiting = message.content["AwaitingConfiguration"] is True
    _completed(call, knock)
    if apple.state == DeviceState.AUTHENTICATED:
        _enrolled(call, apple)
    return EMPTY


def _completed(call: Call, knock: Knock) -> None:
    """The enrollment or renewal is through: from now on only its certificate counts."""
    session = call.session.scalar(select(AppleSession).where(AppleSession.fingerprint == knock.fingerprint))
    if session is None or session.state == SessionState.COMPLETED:
        return
    session.state = SessionState.COMPLETED.value
    session.completed_at = call.now
    if session.kind == SessionKind.RENEWAL:
        _supersede(call, knock, "renewed")
        device = call.session.get_one(Device, knock.device_id)
        inventory.apply_fields(call, device, {"renew_asked": False}, None)
        inventory.note(call, device, "certificate_renewed", {})


def _enrolled(call: Call, apple: AppleDevice) -> None:
    apple.state = DeviceState.ENROLLED.value
    device = call.session.get_one(Device, apple.device_id)
    if device.enrolled_at is None:
        inventory.apply_fields(call, device, {"enrolled_at": call.now}, None)
    redeem.first_report(call, device.id)
    inventory.note(call, device, "apple_enrolled", {"generation": apple.generation})
    asking.first_questions(call, apple)
    for topic in ("device.place", "device.judge", "apple.push"):
        outbox.post(call, topic, {"device": device.id})


def depart(call: Call, apple: AppleDevice, why: str) -> None:
    """A phone is no longer managed: nothing waits for it, and nothing wakes it. Its certificates are the caller's to end."""
    asking.cancel_all(call, apple, why)
    apple.state = DeviceState.GONE.value
    apple.push = apple.push_at = None
    apple.declarative = False
    apple.set_token = apple.advertised_token = None


def _check_out(call: Call, apple: AppleDevice, _message: Message) -> Reply:
    device = call.session.get_one(Device, apple.device_id)
    depart(call, apple, "checked out")
    inventory.note(call, device, "apple_checked_out", {})
    audit.record(call, "device.left", ("device", device.uid), name=device.label, where=device.where)
    enrollments.leave(call, device.id)
    return EMPTY


def _bootstrap_token(_call: Call, _apple: AppleDevice, message: Message) -> Reply:
    """Phones have none: none is given, and one that is deleted was not there. One to keep is refused."""
    if message.kind is Kind.SET_BOOTSTRAP_TOKEN and message.content.get("BootstrapToken"):
        raise _unsupported(message)
    return EMPTY


def _unsupported(message: Message) -> InvalidError:
    return InvalidError(
        N_("%(kind)s is not offered here. Nothing was changed."),
        code="not_offered",
        kind=clean(message.kind, 40),
    )


def _no(_call: Call, _apple: AppleDevice, message: Message) -> Reply:
    raise _unsupported(message)


_OTHERS: Final[dict[Kind, Callable[[Call, AppleDevice, Message], Reply]]] = {
    Kind.CHECK_OUT: _check_out,
    Kind.GET_BOOTSTRAP_TOKEN: _bootstrap_token,
    Kind.GET_TOKEN: _no,
    Kind.RETURN_TO_SERVICE: _no,
    Kind.SET_BOOTSTRAP_TOKEN: _bootstrap_token,
}
