"""The ways that an order can go, as one table: who approves, how long it cools, which right asks for it. Pure."""

from dataclasses import dataclass
from typing import Final

from mdm.core.permissions import Permission
from mdm.orders.model import Lane

MASS_ABOVE: Final = 5
"""So many devices at once are still an ordinary request; one more, and it is a mass order."""
MAX_DEVICES: Final = 1000
APPROVERS: Final = 2
"""People beside the requester who approve an ordinary or a stolen order."""
MASS_APPROVERS: Final = 3
"""The least that a roster's ceremony asks for."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one lane asks for. The cooling time is held by the signer; here it is what people are told beforehand."""

    permission: Permission
    approvers: int
    cooling_minutes: int


RULES: Final[dict[Lane, Rule]] = {
    Lane.ORDINARY: Rule(Permission.ORDER_REQUEST, APPROVERS, 15),
    Lane.STOLEN: Rule(Permission.ORDER_REQUEST, APPROVERS, 0),
    Lane.HAND_IN: Rule(Permission.ORDER_HAND_IN, 0, 0),
    Lane.MASS: Rule(Permission.ORDER_REQUEST, MASS_APPROVERS, 24 * 60),
}


def lane_for(devices: int) -> Lane:
    """The lane of a request for so many devices that nobody reported stolen."""
    return Lane.MASS if devices > MASS_ABOVE else Lane.ORDINARY


def approvers(lane: Lane, ceremony: int) -> int:
    """How many people beside the requester approve in this lane, under a roster with this ``ceremony``."""
    return max(ceremony, MASS_APPROVERS) if lane is Lane.MASS else RULES[lane].approvers
