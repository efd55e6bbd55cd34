"""The pilot's duty roster, and an exercise that is over: whoever works at a desk is on duty there, administrators behind them."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from mdm.access.model import Operator, OperatorGrant
from mdm.core.ids import new_secret, new_uid, secret_digest
from mdm.core.permissions import Role, Where
from mdm.panic import duty
from mdm.panic.duty import Line
from mdm.panic.hours import DAYS
from mdm.panic.ladder import Rung
from mdm.panic.model import PanicAlarm, PanicCall, PanicDrill, PanicDuty, PanicLine, PanicReport
from mdm.panic.service import Outcome, Readers
from mdm.panic.states import State
from mdm.people.model import Person
from mdm.storage.call import Call

AGO: Final = timedelta(days=6, hours=2)
PRACTISED: Final = ((3, 19, "Loket 2"), (11, 47, "Loket 5"), (20, 0, "Onthaal"))
"""Minutes after the beginning, seconds to the first answer (0: nobody answered), the room."""


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
    practise(call)
    return lines


def practise(call: Call) -> bool:
    """An exercise of last week at the first desk that has somebody on duty, with what was learned; False without such a desk.

    As data: nobody was told of it, and the diary says nothing of it.
    """
    on = call.session.scalars(
        select(PanicDuty)
        .where(PanicDuty.service_point_id.is_not(None), PanicDuty.operator_id.is_not(None))
        .order_by(PanicDuty.id)
    ).first()
    if on is None:
        return False
    begun = call.now - AGO
    drill = PanicDrill(
        uid=new_uid(), service_point_id=on.service_point_id, note="Agressie aan het loket", begun_at=begun,
        begun_by=call.actor.name, until=begun + timedelta(minutes=45), over_at=begun + timedelta(minutes=31),
        learned="De bel aan het onthaal was niet te horen. De luidspreker staat nu aan; we oefenen opnieuw in januari.",
    )  # fmt: skip
    call.session.add(drill)
    call.session.flush()
    people = call.session.scalars(
        select(Person)
        .where(Person.service_point_id == on.service_point_id, Person.left_on.is_(None))
        .order_by(Person.id)
        .limit(len(PRACTISED))
    ).all()
    for number, (minutes, seconds, spot) in enumerate(PRACTISED):
        caller = people[number % len(people)] if people else None
        _practised(call, drill, on, caller, begun + timedelta(minutes=minutes), seconds, spot)
    call.session.flush()
    return True


def _practised(
    call: Call, drill: PanicDrill, on: PanicDuty, caller: Person | None, at: datetime, seconds: int, spot: str
) -> None:
    over = drill.over_at or drill.until
    answered = at + timedelta(seconds=seconds) if seconds else None
    closed = answered + timedelta(minutes=4) if answered else over
    name = caller.name if caller else ""
    alarm = PanicAlarm(
        uid=new_uid(), slot=f"drill:{drill.id}:{spot}", state=State.CLOSED.value, drill_id=drill.id,
        person_id=caller.id if caller else None, person_name=name, spot=spot,
        service_point_id=drill.service_point_id, pressed_at=at, raised_at=at, step=1 if answered else 3,
        acknowledged_at=answered, acknowledged_by=on.name if answered else "", closed_at=closed, closed_by=on.name,
    )  # fmt: skip
    call.session.add(alarm)
    call.session.flush()
    call.session.add(
        PanicCall(
            alarm_id=alarm.id, who=f"operator:{on.operator_id}", name=on.name, operator_id=on.operator_id,
            rung=Rung.DUTY.value, told_at=at, link_digest=secret_digest(new_secret()), answered_at=answered,
        )
    )  # fmt: skip
    happened = [(at, name, "raised")]
    if answered:
        happened += [(answered, on.name, "coming"), (closed, on.name, "closed")]
        call.session.add(
            PanicReport(
                alarm_id=alarm.id, outcome=Outcome.OTHER.value, readers=Readers.ANSWERERS.value, written_at=closed,
                written_by=on.name, operator_id=on.operator_id,
                happened="Oefening: een collega speelde een boze bezoeker. Binnen de minuut was er iemand bij.",
            )
        )  # fmt: skip
    else:
        happened.append((over, drill.begun_by, "drill_ended"))
    call.session.add_all(PanicLine(alarm_id=alarm.id, at=moment, by=who, kind=kind) for moment, who, kind in happened)
