"""Putting applications that were granted where the policy engine takes them: groups of devices.

A device stands in the group of an offer for as long as its holder has been granted the application. Who holds what is
asked anew each time, so an application follows its person to another device and does not stay on the old one.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import select

from mdm.inventory import groups
from mdm.inventory.model import Device, DeviceGroupMember, LifeCycle
from mdm.portal.model import AppOffer, AppRequest, AppState
from mdm.storage.call import Call

IN_HAND = (LifeCycle.HANDED_OUT.value, LifeCycle.ON_LOAN.value)


def follow_devices(call: Call, device_ids: Collection[int]) -> int:
    """Has these devices join and leave the groups of what their holders were granted; how many memberships changed."""
    offers = call.session.scalars(select(AppOffer).where(AppOffer.group_id.is_not(None))).all()
    if not offers:
        return 0
    changed = 0
    for device in call.session.scalars(select(Device).where(Device.id.in_(device_ids)).order_by(Device.id)):
        changed += _follow(call, device, offers)
    return changed


def follow_person(call: Call, person_id: int) -> int:
    """As ``follow_devices`` for every device in somebody's name."""
    mine = call.session.scalars(select(Device.id).where(Device.person_id == person_id)).all()
    return follow_devices(call, mine)


def _follow(call: Call, device: Device, offers: Iterable[AppOffer]) -> int:
    ours = {offer.group_id: offer for offer in offers if offer.group_id is not None}
    wanted: set[int] = set()
    if device.person_id is not None and device.state in IN_HAND:
        granted = call.session.scalars(
            select(AppOffer.group_id)
            .join(AppRequest, AppRequest.offer_id == AppOffer.id)
            .where(
                AppRequest.person_id == device.person_id,
                AppRequest.state == AppState.GRANTED.value,
                AppOffer.platform == device.platform,
                AppOffer.group_id.is_not(None),
            )
        )
        wanted = {number for number in granted if number is not None}
    present = set(
        call.session.scalars(
            select(DeviceGroupMember.group_id).where(
                DeviceGroupMember.device_id == device.id, DeviceGroupMember.group_id.in_(list(ours))
            )
        )
    )
    groups.join_groups(call, device, wanted - present)
    groups.leave_groups(call, device, present - wanted)
    return len(wanted ^ present)
