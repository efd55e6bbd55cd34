"""Calls for help on the console: on every page, through its own addresses, for whom they are for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from mdm.access.model import Operator, OperatorGrant, WebSession
from mdm.core.actor import Actor, ActorKind, command_line
from mdm.core.permissions import Where
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.outbox.model import OutboxMessage
from mdm.panic import drills, duty, keys, location, raising, telling
from mdm.panic.model import PanicAlarm
from mdm.panic.raising import Press
from mdm.people.model import Person
from mdm.portal.sessions import actor_of
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from mdm.storage.seal import load_seal
from tests.conftest import alone
from tests.console.conftest import console as console
from tests.console.conftest import filled as filled
from tests.console.conftest import settings as settings
from tests.console.conftest import signed_in as signed_in
from tests.console.conftest import visitor as visitor
from tests.console.visiting import Visitor
from tests.panic.conftest import HOW, PRESS
from web.console.panic.cache import EXTENSION, Pulse

SignedIn = Callable[[str], Visitor]
SCRIPT = {"Accept": "application/json"}
BOSS = "mo@stad.example"
CLERK = "balie.werkhaven@stad.example"


class House:
    """What happens behind the console's back: a phone, the clock."""

    def __init__(self, settings: Settings, console: Flask) -> None:
        self.settings, self.console = settings, console
        self.engine = make_engine(settings.database)
        self.secret = ""
        self.person = ""
        with self.call() as call:
            # The pilot's people read Dutch; what is asserted here are the sentences as they are written.
            call.session.execute(update(Operator).values(language="en"))
            self.clerk = call.session.scalars(select(Operator).where(Operator.email == CLERK)).one().id
            grant = call.session.scalars(select(OperatorGrant).where(OperatorGrant.operator_id == self.clerk)).first()
            assert grant is not None
            self.point = grant.service_point_id or call.session.scalars(select(ServicePoint.id)).first()
            person = call.session.scalars(
                select(Person).where(Person.service_point_id == self.point, Person.left_on.is_(None))
            ).first()
            assert person is not None
            self.person = person.name
            me = actor_of(person, "-")
            self.secret = keys.make(call.by(me), spot="Counter <3>", locates=True)

    @contextmanager
    def call(self) -> Iterator[Call]:
        with transaction(self.engine) as session:
            yield Call(command_line("tests"), session, datetime.now(UTC), alone())
        self.forget()

    def forget(self) -> None:
        """The console looks anew at once, as it does after a second."""
        pulse: Pulse | None = self.console.extensions.get(EXTENSION)
        if pulse is not None:
            pulse.forget()

    def press(self, number: str = PRESS, **more: object) -> PanicAlarm:
        with self.call() as call:
            visitor = Actor(ActorKind.VISITOR, None, "", (), "-", None)
            return raising.by_key(call.by(visitor), self.secret, Press(number, **more))  # type: ignore[arg-type]

    def climb(self) -> None:
        with self.call() as call:
            telling.climb_due(call, HOW)


@pytest.fixture
def house(settings: Settings, console: Flask) -> Iterator[House]:
    """The pilot's city with a phone that can call for help."""
    one = House(settings, console)
    yield one
    one.engine.dispose()


def test_a_call_for_help_stands_on_every_page_and_is_answered_where_one_is(house: House, signed_in: SignedIn) -> None:
    clerk = signed_in(CLERK)
    before = clerk.get("/panic/pulse").text
    assert "data-panic-call=" not in clerk.get("/").text
    alarm = house.press()
    house.climb()

    home = clerk.get("/devices").text
    assert f'data-panic-call="{alarm.uid}"' in home
    assert "Counter &lt;3&gt;" in home
    assert "data-panic-loud" in home
    assert clerk.get("/panic/pulse").text != before
    answered = clerk.post(f"/panic/calls/{alarm.uid}/coming", next="/devices")
    assert answered.location == "/devices"
    after = clerk.get("/panic/bar").text
    assert "is coming" in after
    assert "data-panic-loud" not in after


def test_from_the_press_to_the_report_through_the_pages(house: House, signed_in: SignedIn) -> None:
    clerk = signed_in(CLERK)
    alarm = house.press()
    house.climb()
    with house.call() as call:
        create = load_seal(house.settings.home / "keys")
        assert location.take(call, create, house.secret, PRESS, {"latitude": 51.2194, "longitude": 4.4025})
    assert house.person in clerk.get("/panic").text
    page = clerk.get(f"/panic/calls/{alarm.uid}")
    assert "51.2194" not in page.text
    assert "51.21940" in clerk.post(f"/panic/calls/{alarm.uid}/place").text
    early = clerk.post(f"/panic/calls/{alarm.uid}/close", outcome="aggression", happened="x")
    assert early.status_code == 409
    clerk.post(f"/panic/calls/{alarm.uid}/coming")
    empty = clerk.post(f"/panic/calls/{alarm.uid}/close", outcome="threat", follow_up="A talk")
    assert empty.status_code == 422
    assert "A talk" in empty.text
    done = clerk.post(f"/panic/calls/{alarm.uid}/close", outcome="threat", happened="He shouted.", police="yes")
    assert done.status_code == 303

    assert "He shouted." not in clerk.get(f"/panic/calls/{alarm.uid}").text
    assert "He shouted." in clerk.post(f"/panic/calls/{alarm.uid}/report").text
    assert "Threat" in clerk.get("/panic/earlier").text
    assert "Nobody calls for help" in clerk.get("/panic").text


def test_a_call_from_a_computer_names_it_beside_who_holds_it_and_asks_for_no_phone(
    house: House, signed_in: SignedIn
) -> None:
    clerk = signed_in(CLERK)
    with house.call() as call:
        held = call.session.scalars(
            select(Device).where(Device.person_id.is_not(None), Device.service_point_id == house.point).limit(1)
        ).one()
        speaker = Actor(ActorKind.DEVICE, held.id, held.label, (), "-")
        alarm = raising.by_device(call.by(speaker), held.id, Press(PRESS))
        who, label, uid = alarm.person_name, alarm.device_label, alarm.uid
    bar = clerk.get("/panic/bar").text
    assert who in bar
    assert label in bar
    assert "Where the phone was" not in clerk.get(f"/panic/calls/{uid}").text


def test_elsewhere_it_is_neither_seen_nor_answered(house: House, signed_in: SignedIn) -> None:
    with house.call() as call:
        other = call.session.scalars(select(ServicePoint.id).where(ServicePoint.id != house.point)).first()
        moved = {"service_point_id": other, "unit_id": None}
        call.session.execute(update(Person).where(Person.name == house.person).values(**moved))
    alarm = house.press()
    clerk = signed_in(CLERK)

    assert "data-panic-call=" not in clerk.get("/").text
    assert clerk.get(f"/panic/calls/{alarm.uid}").status_code == 404
    assert clerk.post(f"/panic/calls/{alarm.uid}/coming").status_code == 404
    assert "data-panic-call=" in signed_in(BOSS).get("/").text


def test_the_pulse_is_for_sessions_that_live_and_keeps_none_alive(
    house: House, signed_in: SignedIn, visitor: Visitor
) -> None:
    assert visitor.get("/panic/pulse", headers=SCRIPT).status_code == 401
    clerk = signed_in(CLERK)
    with house.call() as call:
        old = datetime.now(UTC) - timedelta(minutes=30)
        call.session.execute(update(WebSession).values(last_used_at=old))
    assert clerk.get("/panic/pulse").status_code == 200
    with house.call() as call:
        assert set(call.session.scalars(select(WebSession.last_used_at))) == {old}
        call.session.execute(update(WebSession).values(expires_at=old))
    house.console.extensions["havenmeester_pulse_known"]._until.clear()
    assert clerk.get("/panic/pulse", headers=SCRIPT).status_code == 401


def test_the_link_of_an_sms_answers_without_an_account_and_opening_it_does_not(house: House, visitor: Visitor) -> None:
    with house.call() as call:
        line = duty.Line(CLERK, Where(house.point), "00:00", "23:59", date(2020, 1, 1), phone="0470 12 34 56")
        duty.add(call, line)
    house.press()
    house.climb()
    with house.call() as call:
        sent = call.session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "sms")).one()
    link = sent.payload["text"].split("https://console.stad.example")[1]

    assert house.person.split()[0] in visitor.get(link).text
    with house.call() as call:
        assert call.session.scalars(select(PanicAlarm.state)).one() == "ringing"
    assert "Thank you" in visitor.post(link).text
    assert visitor.get("/panic/come/guessed").status_code == 404
    with house.call() as call:
        assert call.session.scalars(select(PanicAlarm.state)).one() == "acknowledged"


def test_the_roster_is_written_by_a_form_that_keeps_what_was_wrong(house: House, signed_in: SignedIn) -> None:
    boss = signed_in(BOSS)
    boss.get("/panic/duty")
    line = {
        "who": CLERK,
        "place": f"point:{house.point}",
        "begins": "08:00",
        "ends": "18:00",
        "rank": "1",
        "days": "mon",
    }
    wrong = boss.post("/panic/duty", **(line | {"who": "nobody@stad.example"}))
    assert wrong.status_code == 422
    assert 'value="nobody@stad.example"' in wrong.text
    assert boss.post("/panic/duty", **(line | {"place": "point:x"})).status_code == 422
    assert boss.post("/panic/duty", **(line | {"from_day": "tomorrow"})).status_code == 422
    assert boss.post("/panic/duty", **line).status_code == 303
    shown = boss.get("/panic/duty").text
    assert "Monday" in shown
    with house.call() as call:
        number = duty.roster(call)[0].id
    clerk = signed_in(CLERK)
    assert clerk.get("/panic/duty").status_code == 200
    assert clerk.post("/panic/duty", **line).status_code == 403
    assert clerk.post(f"/panic/duty/{number}/remove").status_code == 403
    assert boss.post(f"/panic/duty/{number}/remove").status_code == 303
    assert "Nobody is on the roster" in boss.get("/panic/duty").text


def test_an_exercise_is_led_through_the_pages_and_says_so_everywhere(house: House, signed_in: SignedIn) -> None:
    boss = signed_in(BOSS)
    boss.get("/panic/drills")
    begun = boss.post("/panic/drills", place=f"point:{house.point}", minutes="30", note="At noon")
    assert begun.status_code == 303
    assert boss.post("/panic/drills", place=f"point:{house.point}", minutes="30").status_code == 409
    boss.post(f"{begun.location}/raise")
    house.press("practised-press", exercise=True)
    house.climb()
    home = boss.get("/").text
    assert home.count("Exercise, not real") >= 2
    assert home.count("is-exercise") == home.count("data-panic-call=") == 2
    with house.call() as call:
        uid = drills.all_of(call)[0].uid
    assert boss.get(begun.location).status_code == 200
    assert boss.post(f"/panic/drills/{uid}/end", learned="Louder.").status_code == 303
    assert "data-panic-call=" not in boss.get("/").text
    assert "Louder." in boss.get(begun.location).text


def test_a_room_is_written_down_for_a_device_of_ones_own_places(house: House, signed_in: SignedIn) -> None:
    boss = signed_in(BOSS)
    boss.get("/panic/rooms")
    with house.call() as call:
        device = call.session.scalars(select(Device).where(Device.tag.is_not(None))).first()
        assert device is not None
    assert boss.post("/panic/rooms", device="unknown", spot="1.07").status_code == 422
    assert boss.post("/panic/rooms", device=device.tag, spot="Room 1.07").status_code == 303
    assert "Room 1.07" in boss.get("/panic/rooms").text
    assert boss.post("/panic/rooms", device=device.tag, spot="").status_code == 303
    assert "No room is written down" in boss.get("/panic/rooms").text


def test_whoever_may_not_see_them_hears_nothing(house: House, signed_in: SignedIn) -> None:
    house.press()
    editor = signed_in("beleid@stad.example")
    assert "data-panic-pulse" not in editor.get("/").text
    assert editor.get("/panic/pulse").status_code == 403
    assert editor.get("/panic").status_code == 403
