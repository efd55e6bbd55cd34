"""Who hears what: alarms of the diary and of the clock, by place."""

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import delete, select

import mdm
from mdm.access.model import Operator, OperatorGrant
from mdm.alarms import looking, queries, service
from mdm.alarms.grouping import grouped
from mdm.alarms.kinds import ALARMING, Kind, Line, alarm_of
from mdm.alarms.model import Alarm
from mdm.alarms.spike import AT_ONE_PLACE, IN_THE_CITY, WINDOW, spikes
from mdm.audit import service as audit
from mdm.audit.model import AuditEntry, DiaryClosure
from mdm.core.actor import Actor, ActorKind, command_line
from mdm.core.errors import InvalidError
from mdm.core.permissions import Grant, PlaceKind, Role, Where
from mdm.orders.model import ActState, OrderState
from mdm.orders.roster.model import ProposalState
from mdm.org.model import ServicePoint
from mdm.outbox.model import OutboxMessage
from mdm.storage.call import Call
from tests.conftest import FLEET_ADMIN, NOW, Calling

STATES: Final[Mapping[str, type[StrEnum]]] = {"act": ActState, "order": OrderState, "roster": ProposalState}
"""Things whose lines in the diary are named after the state they come to."""


def _people(call: Call) -> tuple[int, int]:
    """Two service points; an approver at each, an auditor of the city, a clerk at the first, a disabled admin."""
    points = [ServicePoint(code=code, name=code, created_at=NOW) for code in ("A", "B")]
    call.session.add_all(points)
    call.session.flush()
    rows = [
        ("a@stad.example", Role.APPROVER, points[0].id, None),
        ("b@stad.example", Role.APPROVER, points[1].id, None),
        ("auditor@stad.example", Role.AUDITOR, None, None),
        ("clerk@stad.example", Role.DESK_CLERK, points[0].id, None),
        ("gone@stad.example", Role.FLEET_ADMIN, None, NOW),
    ]
    for email, role, point, gone in rows:
        person = Operator(email=email, name=email, language="nl", created_at=NOW, disabled_at=gone)
        call.session.add(person)
        call.session.flush()
        call.session.add(
            OperatorGrant(
                operator_id=person.id, role=role.value, service_point_id=point, granted_at=NOW, granted_by="tests"
            )
        )
    call.session.flush()
    return points[0].id, points[1].id


def _letters(call: Call) -> list[str]:
    rows = call.session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "mail").order_by(OutboxMessage.id))
    return [row.payload["to"] for row in rows]


def test_an_alarm_is_told_to_those_who_answer_for_its_place_and_to_nobody_else(calling: Calling) -> None:
    with calling() as call:
        here, _ = _people(call)
        alarm = service.raise_alarm(
            call, Kind.ORDER_HELD, "%(who)s asked.", {"who": "Mo\u202e\n"}, where=Where(here), subject=("order", 7)
        )
        assert _letters(call) == ["a@stad.example", "auditor@stad.example"]
        assert (alarm.told, service.sentence(alarm)) == (2, "Mo asked.")
        service.raise_alarm(call, Kind.ORDER_SPIKE, "Many.")
        assert _letters(call)[2:] == ["auditor@stad.example"]
        service.raise_alarm(call, Kind.RESTORED, "Back.")
        assert _letters(call)[3:] == ["a@stad.example", "b@stad.example", "auditor@stad.example"]


def test_alarms_are_read_by_place(calling: Calling) -> None:
    with calling() as call:
        here, there = _people(call)
        for place in (Where(here), Where(there), Where()):
            service.raise_alarm(call, Kind.ORDER_HELD, "Held.", where=place)
        local = Actor(ActorKind.OPERATOR, 1, "A", (Grant(Role.APPROVER, PlaceKind.SERVICE_POINT, here),))
        clerk = Actor(ActorKind.OPERATOR, 1, "C", (Grant(Role.DESK_CLERK),))
        assert [one.service_point_id for one in queries.alarms(call.by(local))] == [here]
        assert queries.alarms(call.by(clerk)) == []
        assert len(queries.alarms(call)) == len(queries.recent(call)) == 3


def test_lines_of_the_diary_become_alarms_once_and_old_ones_never(calling: Calling) -> None:
    with calling(now=NOW - timedelta(days=3)) as call:
        audit.record(call, "order.held", ("order", "old"), details={"why": "long ago"})
    with calling() as call:
        audit.record(call, "device.moved", ("device", 1))
        audit.record(call, "operator.role_given", ("operator", 2), name="Zoë", details={"role": "desk_clerk"})
        audit.record(call, "operator.role_given", ("operator", 2), name="Zoë", details={"role": "approver"})
        audit.record(call, "order.held", ("order", "o1"), details={"why": "the budget is used up", "code": "budget"})
        audit.record(call, "order.held", ("order", "o2"), details={"why": "it cools", "code": "cooling"})
    with calling() as call:
        seen = looking.look_at_diary(call, 0)
        assert looking.look_at_diary(call, seen) == seen
        # Another worker takes over and knows nothing of what this one saw.
        assert looking.look_at_diary(call, 0) == seen
        alarms = call.session.scalars(select(Alarm).order_by(Alarm.id)).all()
        assert [(one.kind, one.subject_id) for one in alarms] == [("approver_new", "2"), ("order_held", "o1")]
        assert "the budget is used up" in service.sentence(alarms[1])
        assert "Zoë" in service.sentence(alarms[0])


def test_the_command_that_lets_the_first_operator_in_tells_nobody_and_the_next_one_does(calling: Calling) -> None:
    first, second = command_line("root", "cli-1"), command_line("root", "cli-2")
    alone = {"verb": "role_give", "why": "no_roster"}
    with calling(first) as call:
        audit.record(call, "operator.created", ("operator", 1), name="Ada")
        audit.record(call, "operator.role_given", ("operator", 1), name="Ada", details={"role": "fleet_admin"})
        audit.record(call, "act.performed_alone", ("operator", 1), details=alone)
    with calling(second) as call:
        audit.record(call, "act.performed_alone", ("policy", "Op zak"), details=alone)
        looking.look_at_diary(call, 0)
        told = [service.sentence(one) for one in queries.alarms(call.by(FLEET_ADMIN))]
    assert told == [
        "root did this alone, because nobody has founded the roster of approvers yet: Give an operator a role (Op zak)."
    ]


def test_alarms_of_one_kind_within_the_hour_are_one_entry_of_the_list() -> None:
    rows = [
        Alarm(kind=kind, at=NOW - timedelta(minutes=minutes))
        for kind, minutes in (
            ("freeze", 0),
            ("order_held", 1),
            ("order_held", 50),
            ("order_held", 111),
            ("freeze", 112),
        )
    ]
    found = [(group.newest, group.others) for group in grouped(rows)]
    assert found == [(rows[0], ()), (rows[1], (rows[2],)), (rows[3], ()), (rows[4], ())]
    assert grouped([]) == []


def test_in_a_diary_that_was_cut_new_lines_with_old_numbers_are_alarms_too(calling: Calling) -> None:
    with calling() as call:
        for number in range(4):
            audit.record(call, "order.held", ("order", f"o{number}"), details={"why": "full", "code": "budget"})
        seen = looking.look_at_diary(call, 0)
    with calling() as call:
        call.session.execute(delete(AuditEntry).where(AuditEntry.id > 2))
    with calling() as call:
        audit.record(call, "order.held", ("order", "new"), details={"why": "full", "code": "budget"})
        assert looking.look_at_diary(call, seen) == 3
        assert looking.look_at_diary(call, 0) == 3
        told = call.session.execute(select(Alarm.subject_id, Alarm.line).order_by(Alarm.id)).all()
    assert told == [("o0", 1), ("o1", 2), ("o2", None), ("o3", 4), ("new", 3)]


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("passkey.stopped", Kind.PASSKEY_STOPPED),
        ("roster.sealed", Kind.ROSTER_CHANGED),
        ("roster.approval_failed", Kind.APPROVAL_FAILED),
        ("roster.signed", None),
        ("orders.frozen", Kind.FREEZE),
        ("orders.thawed", Kind.THAW),
        ("act.performed_alone", Kind.ACT_PERFORMED),
        ("installation.restored", Kind.RESTORED),
        ("order.approval_failed", Kind.APPROVAL_FAILED),
        ("webhook.set", Kind.WEBHOOK_CHANGED),
        ("order.approved", None),
        ("rosters", None),
        ("operator.signed_in", None),
    ],
)
def test_every_kind_has_its_lines(action: str, kind: Kind | None) -> None:
    found = alarm_of(Line(action, "Mo", "thing", {}))
    assert (found.kind if found else None) == kind
    assert found is None or found.text % found.params
    assert found is None or action not in found.text % found.params, "people read it"


def _written(source: str) -> set[str]:
    """The actions of the diary that a source names, and the beginnings that it completes with a state."""
    return set(re.findall(r'"([a-z_]+\.(?:[a-z_]+(?=")|(?=\{(?:to|state)\.value\}")))', source))


def test_every_alarm_is_of_a_line_that_some_source_writes() -> None:
    root = Path(mdm.__file__).parent
    rooms = [
        path for path in root.rglob("*.py") if path.parts[-2:] != ("alarms", "kinds.py") and path.parent.name != "audit"
    ]
    written: set[str] = set().union(*(_written(path.read_text(encoding="utf-8")) for path in rooms))
    by_state = {f"{noun}.{state}" for noun, kind in STATES.items() if f"{noun}." in written for state in kind}
    assert [action for action in ALARMING if action not in written | by_state] == []
    assert not {"freeze.pressed", "roster.founded"} & (written | by_state)


@pytest.mark.parametrize(
    ("role", "kind"), [("approver", "approver_new"), ("fleet_admin", "admin_new"), ("auditor", None), ("", None)]
)
def test_a_raised_role_is_an_alarm_and_another_is_not(role: str, kind: str | None) -> None:
    found = alarm_of(Line("operator.role_given", "Mo", "Eve", {"role": role}))
    assert (found.kind.value if found else None) == kind
    assert found is None or found.text % found.params


def test_a_diary_that_is_not_the_witnessed_one_is_an_alarm_once_each_time_it_is_found(calling: Calling) -> None:
    with calling() as call:
        assert not looking.look_at_closure(call)
        closure = DiaryClosure(id=1, at=NOW, witnessed=9, witnessed_at=NOW, lines=4)
        call.session.add(closure)
        call.session.flush()
        assert looking.look_at_closure(call)
        assert not looking.look_at_closure(call)
        closure.at = NOW + timedelta(hours=1)
        call.session.flush()
        assert looking.look_at_closure(call)
        assert [one.kind for one in queries.alarms(call)] == ["diary_back", "diary_back"]
        assert "line 9" in service.sentence(queries.alarms(call)[0])


def test_a_spike_is_many_at_one_place_or_in_the_city_and_told_once_an_hour() -> None:
    asked = [(NOW - timedelta(minutes=n), 1) for n in range(AT_ONE_PLACE)]
    assert spikes(asked, {}, NOW) == {1: AT_ONE_PLACE}
    assert spikes(asked[1:], {}, NOW) == {}
    assert spikes(asked, {1: NOW - timedelta(minutes=59)}, NOW) == {}
    assert spikes(asked, {1: NOW - WINDOW}, NOW) == {1: AT_ONE_PLACE}
    assert spikes([(NOW - WINDOW, 1)] * 50, {}, NOW) == {}
    assert spikes([(NOW + timedelta(hours=2), 1)] * AT_ONE_PLACE, {}, NOW) == {1: AT_ONE_PLACE}
    spread = [(NOW, n) for n in range(IN_THE_CITY)]
    assert spikes(spread, {}, NOW) == {None: IN_THE_CITY}
    assert spikes([(NOW, None)] * IN_THE_CITY, {}, NOW) == {None: IN_THE_CITY}
    assert spikes(spread[1:], {}, NOW) == {}


def test_a_short_cooling_time_is_an_alarm_once_a_day(calling: Calling) -> None:
    with calling() as call:
        assert not looking.look_at_cooling(call, 15)
        assert looking.look_at_cooling(call, 0)
        assert not looking.look_at_cooling(call, 0)
        assert looking.look_at_cooling(call, 5)
    with calling(now=NOW + timedelta(days=2)) as call:
        assert looking.look_at_cooling(call, 5)


def test_what_is_posted_as_no_alarm_is_refused(calling: Calling) -> None:
    with calling() as call:
        service.take(call, {"kind": "freeze", "text": "Stop.", "subject": ["order", "1"], "where": [None, None]})
        assert len(queries.alarms(call)) == 1
        for wrong in ({}, {"kind": "nothing"}, {"kind": "freeze", "where": [1]}, {"kind": "freeze", "subject": ["x"]}):
            with pytest.raises(InvalidError):
                service.take(call, wrong)
