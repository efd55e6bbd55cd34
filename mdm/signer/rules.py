"""May this order be signed? Pure: the order, the evidence, what the ledger knows, and now.

The web server and the database are not believed: the same rules are asked again here, on the other side of a socket.
"""

from collections.abc import Iterable
from datetime import datetime

from mdm.core.errors import N_, DeniedError
from mdm.signer.ledger import Certified
from mdm.signing.shapes import SignOrderV1
from mdm.signing.v1 import OrderText

SKEW = 300
"""Seconds by which the evidence may be dated ahead of this clock."""


def check(order: OrderText, evidence: SignOrderV1, certificates: Iterable[Certified], now: datetime) -> None:
    """Nothing when the order may be signed. Raises DeniedError whose code names the rule that refuses."""
    _two_people(order, evidence)
    _window(order, evidence, int(now.timestamp()))
    known = list(certificates)
    if evidence.ownership == "private" or any(one.ownership == "private" for one in known):
        raise DeniedError(
            N_("This device is, or came as, somebody's private device: it is never wiped in full. Nothing was signed."),
            code="device_private",
        )
    valid = [one for one in known if one.revoked_at is None and one.not_after > now.timestamp()]
    if order.enrollment not in {one.key_digest for one in valid}:
        raise DeniedError(
            N_("The device of this order holds no valid certificate for this key. Nothing was signed."),
            code="device_unknown",
        )


def _two_people(order: OrderText, evidence: SignOrderV1) -> None:
    approvers = [one.approver_id for one in evidence.approvals]
    if not approvers:
        raise DeniedError(N_("Nobody has approved this order. Nothing was signed."), code="two_people")
    if evidence.requester_id in approvers:
        raise DeniedError(N_("Nobody approves their own order. Nothing was signed."), code="two_people")
    if len(set(approvers)) != len(approvers):
        raise DeniedError(N_("One person cannot approve twice. Nothing was signed."), code="two_people")
    if tuple(one.name for one in evidence.approvals) != order.approved_by:
        raise DeniedError(N_("The order names other approvers than the evidence. Nothing was signed."), code="evidence")


def _window(order: OrderText, evidence: SignOrderV1, now: int) -> None:
    if order.not_after <= now:
        raise DeniedError(N_("The time of this order has passed. Nothing was signed."), code="order_expired")
    if order.not_before > now + SKEW or any(one.at > now + SKEW for one in evidence.approvals):
        raise DeniedError(N_("This order is dated in the future. Nothing was signed."), code="order_early")
