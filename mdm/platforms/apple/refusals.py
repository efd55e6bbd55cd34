"""What a phone is told that is not let in, and what is remembered of it. Never by accident what makes it leave."""

from http import HTTPStatus

from sqlalchemy import select

from mdm.audit import service as audit
from mdm.core.errors import N_, HavenmeesterError, InvalidError
from mdm.core.text import clean
from mdm.enrollment import service as enrollments
from mdm.enrollment.model import Enrollment, Invitation
from mdm.inventory.model import Device
from mdm.platforms.apple.checkin import depart
from mdm.platforms.apple.house import Reply
from mdm.platforms.apple.knock import Knock
from mdm.platforms.apple.loop import strange
from mdm.platforms.apple.model import AppleDevice, AppleSession, DeviceState
from mdm.storage.call import Call

LEAVE = Reply(HTTPStatus.UNAUTHORIZED)
"""A phone that gets this removes the management and everything that came with it."""


def unknown(call: Call, fingerprint: str) -> Reply:
    """The answer to a certificate that is not let in: 400, unless an operator has said that this phone shall leave."""
    row = call.session.execute(
        select(AppleDevice, Device)
        .join(Device, Device.id == AppleDevice.device_id)
        .join(Enrollment, Enrollment.device_id == AppleDevice.device_id)
        .where(Enrollment.fingerprint == fingerprint, AppleDevice.turn_away)
    ).first()
    if row is None:
        raise InvalidError(N_("This certificate is not let in. Nothing was changed."), code="certificate_refused")
    return _leave(call, row[0], row[1])


def turned_away(call: Call, knock: Knock) -> Reply:
    """The answer to a phone of which an operator has said that it shall leave."""
    apple = call.session.get_one(AppleDevice, knock.device_id, with_for_update=True, populate_existing=True)
    return _leave(call, apple, call.session.get_one(Device, knock.device_id))


def _leave(call: Call, apple: AppleDevice, device: Device) -> Reply:
    """Told once, it counts as gone. It may have missed the answer: it gets the same as often as it comes."""
    if apple.state != DeviceState.GONE:
        depart(call, apple, "told to leave")
        audit.record(call, "device.turned_away", ("device", device.uid), name=device.label, where=device.where)
        enrollments.end(call, device, "told to leave")
    return LEAVE


def remember(call: Call, knock: Knock, error: HavenmeesterError) -> None:
    """Writes a refusal on the time line of the device whose certificate was used, and on the invitation that stopped by it."""
    if error.code == "device_taken":
        session = call.session.scalar(select(AppleSession).where(AppleSession.fingerprint == knock.fingerprint))
        invitation = call.session.get(Invitation, session.invitation_id) if session and session.invitation_id else None
        if invitation is not None:
            invitation.failed_at = call.now
            invitation.failure = clean(str(error), 1000)
    if error.code in ("not_bound", "device_taken"):
        strange(call, knock.device_id, "apple_message_refused", {"why": str(error.params.get("why", error.code))})
