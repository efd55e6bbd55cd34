"""Raising an alarm: it is kept, and everybody whom it concerns is told by mail and by webhook."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from mdm.access.model import Operator
from mdm.access.places import actor_for
from mdm.alarms import targets
from mdm.alarms.kinds import WORDS, Kind
from mdm.alarms.model import Alarm
from mdm.core.clock import iso
from mdm.core.errors import N_, InvalidError
from mdm.core.permissions import EVERYWHERE, Permission, Where
from mdm.core.text import clean
from mdm.org.queries import units_below
from mdm.outbox import service as outbox
from mdm.storage.call import Call

MAX_TEXT = 1000
EVERYBODY = frozenset({Kind.DIARY_BACK, Kind.FREEZE, Kind.RESTORED, Kind.ROSTER_CHANGED, Kind.THAW})
"""What everybody hears who answers for any place at all: it concerns every device."""
PERMISSION = Permission.ALARM_VIEW
"""Whoever holds it at the place of an alarm is told of it: approvers, auditors and fleet admins."""


def raise_alarm(
    call: Call,
    kind: Kind,
    text: str,
    params: Mapping[str, Any] | None = None,
    *,
    subject: tuple[str, object] = ("", ""),
    where: Where = EVERYWHERE,
    at: datetime | None = None,
) -> Alarm:
    """Keeps the alarm and puts a letter to each person and a webhook to each program into the post.

    ``text`` is an English sentence marked for the catalogues, filled with ``params``. Nothing is left out for having been
    raised before: whoever calls decides what is news.
    """
    said = {name: clean(str(value), MAX_TEXT) for name, value in (params or {}).items()}
    alarm = Alarm(
        at=at or call.now,
        kind=kind.value,
        text=text,
        params=said,
        subject_kind=clean(subject[0], 32),
        subject_id=clean(str(subject[1]), 64),
        service_point_id=where.service_point_id,
        unit_id=where.unit_id,
        told=0,
    )
    call.session.add(alarm)
    call.session.flush()
    people = concerned(call, where, everybody=kind in EVERYBODY)
    for person in people:
        outbox.post(call, "mail", letter(alarm, person))
    programs = targets.tell(call, kind, notice(alarm), f"alarm-{alarm.id}")
    alarm.told = len(people) + programs
    return alarm


def concerned(call: Call, where: Where, *, everybody: bool = False) -> list[Operator]:
    """The operators who hold the right to see alarms at that place and are not disabled, by id; ``everybody``: anywhere."""
    found = call.session.scalars(select(Operator).where(Operator.disabled_at.is_(None)).order_by(Operator.id)).all()
    actors = {one.id: actor_for(call.session, one, "-", None, call.now, units_below) for one in found}
    return [
        one
        for one in found
        if (actors[one.id].may_somewhere(PERMISSION) if everybody else actors[one.id].may(PERMISSION, where))
    ]


def sentence(alarm: Alarm) -> str:
    """The filled English sentence of an alarm."""
    return alarm.text % alarm.params if alarm.params else alarm.text


def letter(alarm: Alarm, person: Operator) -> dict[str, Any]:
    """The letter to one person."""
    return {
        "to": person.email,
        "subject": f"Alarm: {WORDS[Kind(alarm.kind)]}",
        "text": (
            f"{sentence(alarm)}\n\n"
            f"{alarm.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC. You get this letter because you answer for that place.\n"
            "If this should not have happened, press the red button on the approvals page, then ask.\n"
        ),
    }


def notice(alarm: Alarm) -> dict[str, Any]:
    """What a program is told: numbers and kinds, no name and no sentence, so that nothing personal leaves the house."""
    return {
        "alarm": alarm.id,
        "at": iso(alarm.at),
        "kind": alarm.kind,
        "subject": {"id": alarm.subject_id, "kind": alarm.subject_kind},
        "where": {"service_point": alarm.service_point_id, "unit": alarm.unit_id},
    }


def take(call: Call, payload: Mapping[str, Any]) -> None:
    """The outbox topic ``alarm``: ``{kind, text, params?, subject?: [kind, id], where?: [service point, unit]}``.

    Raises InvalidError for a kind that does not exist: the message is put back and shown as given up in the end.
    """
    try:
        kind = Kind(str(payload["kind"]))
        subject, where = payload.get("subject") or ("", ""), payload.get("where") or (None, None)
        raise_alarm(
            call,
            kind,
            str(payload.get("text") or WORDS[kind]),
            payload.get("params") or {},
            subject=(str(subject[0]), str(subject[1])),
            where=Where(where[0], where[1]),
        )
    except (ValueError, KeyError, IndexError) as error:
        raise InvalidError(N_("This is no alarm: %(why)s."), why=str(error)[:200]) from error
