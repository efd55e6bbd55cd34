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
    """Gives the enrollment of ``stranger``, which the invitation brought, to ``known``.

    The worker then tells the signer, and forgets ``stranger``: whoever takes this turn may not delete devices.

    Raises ConflictError (``device_taken``) where the invitation could not have enrolled ``known``; nothing is changed then.
    """
    refused = redeem.device_refusal(call, invitation, known)
    if refused is not None:
        raise refused
    for enrollment in call.session.scalars(select(Enrollment).where(Enrollment.device_id == stranger.id)).all():
        enrollment.device_id = known.id
        told = {"fingerprint": enrollment.fingerprint, "device": known.uid, "stranger": stranger.id}
        outbox.post(call, "device.adopted", told)
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
    for topic in ("device.place", "device.judge"):
        outbox.post(call, topic, {"device": known.id})


def forget(call: Call, stranger_id: int) -> None:
    """Forgets the record of a device that turned out to be another one. Twice is like once; one that is in use stays."""
    stranger = call.session.get(Device, stranger_id)
    used = select(Enrollment.id).where(Enrollment.device_id == stranger_id).limit(1)
    if stranger is not None and stranger.serial is None and call.session.scalar(used) is None:
        call.session.delete(stranger)
        call.session.flush()
