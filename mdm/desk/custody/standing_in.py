"""A loaner that stands in for a broken device gets what was chosen for that one by hand, and loses it when it comes back.

What assignments choose by the holder (unit, persona) or the place follows by itself. Groups and the ring are of the device.
"""

from mdm.desk.custody.model import Custody
from mdm.inventory import groups
from mdm.inventory import service as inventory
from mdm.inventory.model import Device
from mdm.storage.call import Call


def stand_in(call: Call, custody: Custody, broken: Device, loaner: Device) -> None:
    """Has the loaner join the groups of the broken one, and take its ring; notes both on the loaner's custody."""
    joined = groups.copy_memberships(call, broken, loaner)
    custody.stood_in = {"groups": joined, "ring": loaner.ring}
    inventory.apply_fields(call, loaner, {"ring": broken.ring}, None)


def stand_down(call: Call, custody: Custody, device: Device) -> None:
    """Takes back what ``stand_in`` gave. A custody that stands in for nothing changes nothing."""
    if not custody.stood_in:
        return
    groups.leave_groups(call, device, [int(number) for number in custody.stood_in.get("groups", [])])
    inventory.apply_fields(call, device, {"ring": str(custody.stood_in.get("ring", ""))}, None)
    custody.stood_in = {}


def stand_in_again(call: Call, custody: Custody, device: Device, stood_in: dict[str, object], ring: str) -> None:
    """Undoes ``stand_down``: what the device had until then, and the ring that it had while it stood in."""
    if not stood_in:
        return
    numbers = stood_in.get("groups", [])
    groups.join_groups(call, device, [int(number) for number in numbers] if isinstance(numbers, list) else [])
    inventory.apply_fields(call, device, {"ring": ring}, None)
    custody.stood_in = dict(stood_in)
