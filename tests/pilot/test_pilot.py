"""The pilot: what the mission says, entered once, by the rules that hold for everybody."""

from collections import Counter
from datetime import date

from sqlalchemy import func, select

from mdm.access.model import Operator, OperatorGrant
from mdm.audit import service as audit
from mdm.compliance.model import RuleInForce
from mdm.compliance.rules import RULES
from mdm.core.actor import command_line
from mdm.core.permissions import Role
from mdm.desk.loans.model import LoanPlace, Reservation
from mdm.enrollment.links import Links
from mdm.enrollment.model import Invitation
from mdm.inventory.model import Device, LifeCycle
from mdm.org import queries as org
from mdm.org.model import ServicePoint
from mdm.people.model import LANGUAGES, Person
from mdm.pilot import service as pilot
from mdm.pilot.data import table
from mdm.pilot.devices import devices
from mdm.pilot.names import colleagues
from mdm.pilot.places import places
from mdm.policies.model import Assignment, Policy
from tests.conftest import Calling

ROOT = command_line("root")
LINKS = Links("http://localhost:8080", "https://localhost:8444", "0" * 64, 168)
GROUPS = {"SB-VEEG": 36, "PM-RENO": 23, "SW-ERF": 20, "CS-MMB": 9, "CS-NOVA": 8, "CS-ARENA": 21, "OCMW-DIV": 5}


def test_the_122_people_are_the_same_every_time_and_no_two_alike() -> None:
    people = colleagues(table("people"))

    assert people == colleagues(table("people"))
    assert Counter(one.unit for one in people) == GROUPS
    for field in ("name", "email", "number"):
        assert len({getattr(one, field) for one in people}) == 122
    assert {one.language for one in people} == set(LANGUAGES)
    assert all(one.email.isascii() and one.email.endswith("@stad.example") for one in people)


def test_there_are_81_service_points_and_devices_in_every_state_of_a_life() -> None:
    points = places(table("service_points"))
    made = devices(table("devices"), colleagues(table("people")), points)

    assert len({point.code for point in points}) == 81
    assert {device.place for device in made} <= {point.code for point in points}
    assert {device.state for device in made} == {state.value for state in LifeCycle} - {"on_loan"}
    for key in ("tag", "serial"):
        assert len({device.asset[key] for device in made}) == len(made)
    for imei in (device.asset["imei"] for device in made if "imei" in device.asset):
        digits = [int(d) * (2 if place % 2 else 1) for place, d in enumerate(imei)]
        assert sum(d // 10 + d % 10 for d in digits) % 10 == 0


def test_the_pilot_is_entered_once(calling: Calling) -> None:
    told: list[tuple[str, int, int]] = []
    with calling(ROOT) as call:
        assert pilot.load(call, lambda *step: told.append(step), LINKS)
    with calling(ROOT) as call:
        assert not pilot.load(call, None, LINKS)

    assert told[-1] == ("Invitations", 10, 10)
    with calling(write=False) as call:
        session = call.session
        units = {line.unit.code: line for line in org.units(call)}
        then = {line.unit.code: line for line in org.units(call, on=date(2020, 6, 30))}
        assert units["SD-ACT"].path[1] == units["OS-WERK"].unit.id
        assert then["SD-ACT"].path[1] == units["SD"].unit.id
        assert session.scalar(select(func.count()).select_from(ServicePoint)) == 81
        assert session.scalar(select(func.count()).select_from(Person)) == 122
        assert session.scalar(select(func.count()).select_from(Invitation)) == 6
        lending = session.scalars(select(LoanPlace)).all()
        assert [(place.flex, place.at_most) for place in lending] == [(True, 2)] * 6
        states = list(session.scalars(select(Reservation.state)))
        assert (states.count("reserved"), states.count("waiting")) == (8, 1)
        held = session.scalars(select(Device).where(Device.state == LifeCycle.HANDED_OUT.value)).all()
        assert all(device.person_id and device.persona and device.unit_id for device in held)
        assert set(session.scalars(select(OperatorGrant.role))) == {role.value for role in Role}
        assert session.scalars(select(Operator.password_hash).where(Operator.password_hash.is_not(None))).all() == []
        assert session.scalar(select(func.count()).select_from(Policy)) == len(table("policies")["policy"])
        assert session.scalar(select(func.count()).select_from(Assignment)) == len(table("policies")["policy"])
        assert session.scalar(select(func.count()).select_from(RuleInForce)) == len(RULES)
        assert audit.verify(session).sound


def test_what_people_entered_before_is_left_as_it_is(calling: Calling) -> None:
    with calling(ROOT) as call:
        call.session.add(ServicePoint(code="WERKHAVEN", name="Onze Werkhaven", created_at=call.now))
        call.session.flush()
        pilot.load(call)

    with calling(write=False) as call:
        assert org.service_point_by_code(call, "WERKHAVEN").name == "Onze Werkhaven"
        assert call.session.scalar(select(func.count()).select_from(ServicePoint)) == 81
        assert call.session.scalar(select(func.count()).select_from(Invitation)) == 0
