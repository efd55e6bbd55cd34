"""A device that tells its serial number only after it was certified, and then turns out to be recorded already."""

from sqlalchemy import select

from mdm.audit import service as audit
from mdm.enrollment import redeem
from mdm.enrollment.model import Enrollment, Invitation
from mdm.inventory import service as inventory
from mdm.inventory.model import Device
from mdm.outbox import service as outbox
from mdm.storage.call import Call


def adopt(call: Call, invitation: Invitation, stranger: Device, known: Device) -> None:
    """Gives the enrollment of ``stranger``, which the invitation brought, to ``known``; ``stranger`` is recorded no longer.

    Raises ConflictError (``device_taken``) where the invitation could not have enrolled ``known``; nothing is changed then.
    """
    refused = redeem.device_refusal(call, invitation, known)
    if refused is not None:
        raise refused
    for enrollment in call.session.scalars(select(Enrollment).where(Enrollment.device_id == stranger.id)):
        enrollment.device_id = known.id
    invitation.device_id = known.id
    call.session.flush()
    redeem.hand_over(call, invitation, known)
    inventory.note(call, known, "enrolled", {"invitation": invitation.uid})
    audit.record(
        call,
        "device.adopted",
        ("device", known.uid),
        name=known.label,
        where=known.where,
        details={"invitation": invitation.uid, "recorded_as": stranger.uid},
    )
    call.session.delete(stranger)
    call.session.flush()
    for topic in ("device.place", "device.judge"):
        outbox.post(call, topic, {"device": known.id})
