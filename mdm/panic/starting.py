"""The pilot's duty roster: whoever works at a desk is on duty there, the fleet's administrators stand behind them."""

from sqlalchemy import select

from mdm.access.model import Operator, OperatorGrant
from mdm.core.permissions import Role, Where
from mdm.panic import duty
from mdm.panic.duty import Line
from mdm.panic.hours import DAYS
from mdm.storage.call import Call


def load(call: Call) -> int:
    """Puts the pilot's people on duty: how many lines. Nothing where there is a roster already."""
    if duty.roster(call):
        return 0
    rows = call.session.execute(
        select(Operator, OperatorGrant)
        .join(OperatorGrant, OperatorGrant.operator_id == Operator.id)
        .where(Operator.disabled_at.is_(None), OperatorGrant.role.in_([Role.DESK_CLERK.value, Role.FLEET_ADMIN.value]))
        .order_by(Operator.id)
    )
    lines = 0
    for operator, grant in rows.all():
        clerk = grant.role == Role.DESK_CLERK.value
        duty.add(
            call,
            Line(
                who=operator.email,
                where=Where(grant.service_point_id, grant.unit_id),
                begins="07:00" if clerk else "00:00",
                ends="20:00" if clerk else "00:00",
                from_day=call.now.date(),
                days=DAYS[:6] if clerk else DAYS,
                rank=1 if clerk else 9,
            ),
        )
        lines += 1
    return lines
