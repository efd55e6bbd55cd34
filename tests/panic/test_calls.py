"""A call for help from the press to the report, against both databases where SQL differs."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from mdm.audit.model import AuditEntry
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import (
    ConflictError,
    DeniedError,
    GoneError,
    HavenmeesterError,
    InvalidError,
    NotFoundError,
    NotSignedInError,
)
from mdm.outbox.model import OutboxMessage
from mdm.panic import ending, keys, location, queries, raising, service, telling
from mdm.panic.keys import Codes
from mdm.panic.model import PanicAlarm, PanicCall, PanicKey, PanicPlace
from mdm.panic.raising import Press
from mdm.panic.service import Outcome, Readers, Report
from mdm.people.model import Person
from mdm.portal.sessions import actor_of
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from mdm.storage.seal import Seal
from tests.conftest import NOW, Calling
from tests.panic.conftest import HOW, PRESS, ZONE, City, on_duty, phone

VISITOR = Actor(ActorKind.VISITOR, None, "", (), "req-3", None)
BOTH = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
SEAL = Seal(b"k" * 32)
WRITTEN = Report(Outcome.AGGRESSION, "A visitor hit the counter.", police=True, police_report="AN.42.1/26")


def _press(calling: Calling, city: City, number: str = PRESS, **more: object) -> PanicAlarm:
    with calling(VISITOR) as call:
        return raising.by_key(call, city.secret, Press(number, **more))  # type: ignore[arg-type]


def _climb(calling: Calling, seconds: float) -> int:
    with calling(now=NOW + timedelta(seconds=seconds)) as call:
        return telling.climb_due(call, HOW)


def _told(calling: Calling) -> list[str]:
    with calling() as call:
        return list(call.session.scalars(select(PanicCall.name).order_by(PanicCall.id)))


def _post(calling: Calling, topic: str) -> list[dict[str, str]]:
    with calling() as call:
        return list(
            call.session.scalars(
                select(OutboxMessage.payload).where(OutboxMessage.topic == topic).order_by(OutboxMessage.id)
            )
        )


@BOTH
def test_the_same_press_sent_ten_times_is_one_call_for_help(calling: Calling, city: City) -> None:
    alarms = {_press(calling, city).uid for _ in range(10)}

    with calling() as call:
        found = call.session.scalars(select(PanicAlarm)).one()
        assert alarms == {found.uid}
        assert (found.person_name, found.spot, found.service_point_id) == ("Fatma Yılmaz", "Counter 3", city.here)
        assert found.presses == 1
        raised = call.session.scalar(select(func.count()).where(AuditEntry.action == "panic.raised"))
        assert raised == 1


@BOTH
def test_presses_that_arrive_at_the_same_moment_are_one_call_for_help(engine: Engine, city: City) -> None:
    together = threading.Barrier(4)

    def press(number: int) -> None:
        together.wait()
        try:
            with transaction(engine) as session:
                raising.by_key(Call(VISITOR, session, NOW), city.secret, Press(f"{PRESS}{number % 2}"))
        except HavenmeesterError:
            pass

    threads = [threading.Thread(target=press, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    with transaction(engine, write=False) as session:
        assert session.scalar(select(func.count()).select_from(PanicAlarm)) == 1


def test_a_double_press_is_one_call_also_when_the_second_arrives_after_its_end(calling: Calling, city: City) -> None:
    first, second = _press(calling, city), _press(calling, city, "another-press")
    assert (second.uid, second.presses) == (first.uid, 2)
    with calling(city.actor("ann")) as call:
        service.acknowledge(call, first.uid)
        service.close(call, first.uid, WRITTEN)

    late = _press(calling, city, "another-press")
    new = _press(calling, city, "a-third-press")

    assert late.uid == first.uid
    assert new.uid != first.uid


def test_on_a_lost_line_it_counts_when_the_button_was_pressed(calling: Calling, city: City) -> None:
    assert _press(calling, city, ago=600).pressed_at == NOW - timedelta(minutes=10)
    with calling(now=NOW) as call:
        call.session.delete(call.session.scalars(select(PanicAlarm)).one())
    assert _press(calling, city, "from-the-future", ago=-5).pressed_at == NOW
    assert _press(calling, city, "from-the-past", ago=1e12).raised_at == NOW


@pytest.mark.parametrize("number", ["", "x", "a" * 41, "with space and more", "%00%00%00%00"])
def test_a_press_without_a_proper_id_is_refused_and_nothing_rings(calling: Calling, city: City, number: str) -> None:
    with pytest.raises(InvalidError), calling(VISITOR) as call:
        raising.by_key(call, city.secret, Press(number))
    with calling() as call:
        assert call.session.scalars(select(PanicAlarm)).all() == []


def test_a_foreign_key_raises_nothing_nor_does_one_of_somebody_who_has_left(calling: Calling, city: City) -> None:
    with pytest.raises(NotSignedInError) as refused, calling(VISITOR) as call:
        raising.by_key(call, "guessed", Press(PRESS))
    assert refused.value.code == "panic_key"
    with calling() as call:
        call.session.get_one(Person, city.person).left_on = (NOW - timedelta(days=1)).date()
    with pytest.raises(NotSignedInError):
        _press(calling, city)
    with calling() as call:
        assert keys.forget_left(call) == 1
        assert call.session.scalars(select(PanicKey)).all() == []


def test_a_key_does_nothing_else_than_call_for_help(calling: Calling, city: City) -> None:
    from mdm.portal import sessions

    with calling() as call:
        assert sessions.find(call.session, city.secret, NOW) is None


@BOTH
def test_those_on_duty_are_told_one_after_the_other_then_the_place_then_the_city(calling: Calling, city: City) -> None:
    with calling() as call:
        on_duty(call, city, "bob", rank=2, phone="0470 22 33 44")
        on_duty(call, city, "mo", rank=1, phone="0470 11 22 33")
    _press(calling, city)

    assert _climb(calling, 0) == 1
    assert _told(calling) == ["mo"]
    assert _climb(calling, 29) == 0
    assert _climb(calling, 30) == 1
    assert _told(calling) == ["mo", "bob"]
    assert _climb(calling, 60) == 1
    assert _told(calling) == ["mo", "bob", "ann"]
    assert _climb(calling, 95) == 1
    assert _climb(calling, 96) == 0

    texts = _post(calling, "sms")
    assert [one["to"] for one in texts] == ["+32470112233", "+32470223344"]
    assert "Fatma Yılmaz, Loket A, Counter 3" in texts[0]["text"]
    assert "Tel 0470 12 34 56" in texts[0]["text"]
    assert "eve" not in _told(calling)


def test_it_goes_out_before_everything_else_that_waits(calling: Calling, city: City) -> None:
    with calling() as call:
        on_duty(call, city, "bob", phone="0470 22 33 44")
        call.session.add(OutboxMessage(topic="mail", payload={"to": "x"}, created_at=NOW, due_at=NOW))
    _press(calling, city)
    _climb(calling, 0)

    from mdm.outbox import service as outbox

    with calling() as call:
        first = outbox.claim(call.session, NOW, limit=2)
        assert {one.topic for one in first} == {"sms", "mail"}
        assert all("HELP" in str(one.payload) for one in first)


def test_where_nobody_is_on_duty_the_place_is_told_at_once_and_then_the_city(calling: Calling, city: City) -> None:
    _press(calling, city)
    _climb(calling, 0)
    assert _told(calling) == ["ann", "bob"]
    _climb(calling, 30)
    assert _told(calling) == ["ann", "bob", "mo"]


def test_who_has_no_service_point_is_heard_by_the_city(calling: Calling, city: City) -> None:
    with calling() as call:
        call.session.get_one(Person, city.person).service_point_id = None
    alarm = _press(calling, city)
    _climb(calling, 0)

    assert _told(calling) == ["mo"]
    with calling(city.actor("mo")) as call:
        assert [one.alarm.uid for one in queries.ringing(call, ZONE)] == [alarm.uid]
    with calling(city.actor("ann")) as call:
        assert queries.ringing(call, ZONE) == []


@BOTH
def test_an_answer_ends_the_ladder_and_is_told_with_the_seconds(calling: Calling, city: City) -> None:
    with calling() as call:
        on_duty(call, city, "ann")
    alarm = _press(calling, city)
    _climb(calling, 0)
    with calling(city.actor("ann"), now=NOW + timedelta(seconds=12)) as call:
        service.acknowledge(call, alarm.uid)
    with calling(city.actor("ann"), now=NOW + timedelta(seconds=20)) as call:
        service.acknowledge(call, alarm.uid)

    assert _climb(calling, 300) == 0
    with calling() as call:
        found = queries.alarm(call, alarm.uid)
        assert (found.state, found.acknowledged_by) == ("acknowledged", "ann")
        assert found.acknowledged_at == NOW + timedelta(seconds=12)
        assert [one.kind for one in queries.lines(call, found)].count("coming") == 1


def test_the_link_of_the_message_answers_and_only_the_newest_does(calling: Calling, city: City) -> None:
    with calling() as call:
        on_duty(call, city, "bob", phone="0470 22 33 44")
    _press(calling, city)
    _climb(calling, 0)
    link = _post(calling, "sms")[0]["text"].split("/panic/come/")[1]

    with pytest.raises(NotFoundError), calling(VISITOR) as call:
        service.acknowledge_by_link(call, "guessed")
    with calling(VISITOR) as call:
        alarm = service.acknowledge_by_link(call, link)
        assert (alarm.state, alarm.acknowledged_by) == ("acknowledged", "bob")
    with calling(city.actor("bob")) as call:
        service.close(call, alarm.uid, WRITTEN)
    with pytest.raises(GoneError), calling(VISITOR) as call:
        service.by_link(call, link)


def test_what_happened_elsewhere_is_not_there(calling: Calling, city: City) -> None:
    alarm = _press(calling, city)
    for act in (
        lambda call: queries.alarm(call, alarm.uid),
        lambda call: service.acknowledge(call, alarm.uid),
        lambda call: service.close(call, alarm.uid, WRITTEN),
        lambda call: service.read_report(call, alarm.uid),
        lambda call: location.show(call, SEAL, alarm.uid),
    ):
        with pytest.raises(NotFoundError), calling(city.actor("eve")) as call:
            act(call)
    with calling(city.actor("eve")) as call:
        assert (queries.ringing(call, ZONE), queries.alarms(call)) == ([], [])
    with pytest.raises(DeniedError), calling(city.actor("rita")) as call:
        service.acknowledge(call, alarm.uid)
    with calling() as call:
        assert queries.alarm(call, alarm.uid).state == "ringing"


def test_it_is_played_to_those_on_duty_and_those_told_and_not_to_others(calling: Calling, city: City) -> None:
    with calling() as call:
        on_duty(call, city, "ann", rank=1)
        on_duty(call, city, "bob", rank=2)
    alarm = _press(calling, city)

    def loud(name: str) -> list[bool]:
        with calling(city.actor(name)) as call:
            return [one.loud for one in queries.ringing(call, ZONE)]

    assert (loud("ann"), loud("bob"), loud("mo"), loud("rita")) == ([True], [True], [False], [False])
    _climb(calling, 0)
    _climb(calling, 30)
    _climb(calling, 60)
    assert (loud("mo"), loud("rita")) == ([True], [False])
    with calling(city.actor("ann")) as call:
        service.acknowledge(call, alarm.uid)
    assert (loud("ann"), loud("mo")) == ([False], [False])


def test_a_false_alarm_is_ended_with_one_tap_where_no_code_was_chosen(calling: Calling, city: City) -> None:
    alarm = _press(calling, city)
    with calling(VISITOR) as call:
        assert ending.call_off(call, city.secret)
    with calling(VISITOR) as call:
        assert ending.call_off(call, city.secret)

    assert _climb(calling, 60) == 0
    with calling(city.actor("ann")) as call:
        assert queries.alarm(call, alarm.uid).state == "called_off"
        service.close(call, alarm.uid, Report(Outcome.FALSE_ALARM))
    with pytest.raises(ConflictError), calling(city.actor("ann")) as call:
        service.close(call, alarm.uid, WRITTEN)


def test_the_second_code_says_safe_and_means_not(calling: Calling, city: City) -> None:
    with calling() as call:
        city.secret = phone(call, city, Codes("1234", "1235"))
        on_duty(call, city, "ann")
    alarm = _press(calling, city)
    _climb(calling, 0)
    with calling(city.actor("ann")) as call:
        service.acknowledge(call, alarm.uid)
    with calling(VISITOR) as call:
        assert not ending.call_off(call, city.secret, "9999")
        assert ending.call_off(call, city.secret, "1235")
    with calling() as call:
        assert service.duress_due(call)
        assert service.tell_duress(call, HOW) == 1
        assert service.tell_duress(call, HOW) == 0

    with calling() as call:
        found = queries.alarm(call, alarm.uid)
        assert (found.state, found.duress_at, found.called_off_at) == ("acknowledged", NOW, NOW)
        last = call.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert last is not None
        assert last.action == "panic.called_off"
        assert "duress" not in str(last.details)
    assert sorted(_told(calling)) == ["ann", "bob", "mo"]
    assert sum("SILENT" in one["text"] for one in _post(calling, "mail")) == 3
    again = _press(calling, city, "pressed-once-more")
    assert (again.uid, again.called_off_at) == (alarm.uid, None)


def test_after_five_wrong_codes_only_who_comes_can_end_it(calling: Calling, city: City) -> None:
    with calling() as call:
        city.secret = phone(call, city, Codes("1234", "1235"))
    alarm = _press(calling, city)
    for _ in range(ending.TRIES):
        with calling(VISITOR) as call:
            assert not ending.call_off(call, city.secret, "0000")
    with pytest.raises(ConflictError) as refused, calling(VISITOR) as call:
        ending.call_off(call, city.secret, "1234")
    assert refused.value.code == "codes_spent"
    with calling() as call:
        assert queries.alarm(call, alarm.uid).state == "ringing"


@pytest.mark.parametrize(
    "codes", [Codes("12", "1235"), Codes("1234", ""), Codes("1234", "1234"), Codes("abcd", "1234")]
)
def test_codes_that_are_none_are_refused(calling: Calling, city: City, codes: Codes) -> None:
    with pytest.raises(InvalidError), calling() as call:
        phone(call, city, codes)


def test_a_report_is_read_by_whom_it_is_for_and_each_reading_is_written_down(calling: Calling, city: City) -> None:
    alarm = _press(calling, city)
    with pytest.raises(ConflictError), calling(city.actor("ann")) as call:
        service.close(call, alarm.uid, WRITTEN)
    with calling(city.actor("ann")) as call:
        service.acknowledge(call, alarm.uid)
        with pytest.raises(InvalidError):
            service.close(call, alarm.uid, Report(Outcome.THREAT))
        service.close(call, alarm.uid, WRITTEN)

    for name in ("ann", "mo"):
        with calling(city.actor(name)) as call:
            assert service.read_report(call, alarm.uid).happened == WRITTEN.happened
    for name in ("bob", "rita"):
        with pytest.raises(DeniedError), calling(city.actor(name)) as call:
            service.read_report(call, alarm.uid)
    with calling() as call:
        assert call.session.scalar(select(func.count()).where(AuditEntry.action == "panic.report_read")) == 2
        assert "hit the counter" not in str(call.session.scalars(select(AuditEntry.details)).all())
        report = queries.report_of(call, queries.alarm(call, alarm.uid))
        assert report is not None
        report.readers = Readers.ANSWERERS.value
    with calling(city.actor("bob")) as call:
        assert service.read_report(call, alarm.uid).police


def test_a_place_is_kept_sealed_for_this_call_alone_and_forgotten(calling: Calling, city: City) -> None:
    where = {"latitude": 51.2194, "longitude": 4.4025, "accuracy": 12.0}
    with calling(VISITOR) as call:
        assert not location.take(call, SEAL, city.secret, PRESS, where)
    alarm = _press(calling, city)
    with calling(VISITOR) as call:
        assert location.take(call, SEAL, city.secret, PRESS, where)
        for wrong in (
            {"latitude": 91, "longitude": 0},
            {"latitude": "51", "longitude": 4},
            {"latitude": float("nan"), "longitude": 0},
        ):
            assert not location.take(call, SEAL, city.secret, PRESS, wrong)
        kept = call.session.scalars(select(PanicPlace)).one()
        assert b"51.2194" not in kept.sealed
    with calling(city.actor("ann")) as call:
        assert location.show(call, SEAL, alarm.uid).latitude == 51.2194
        assert call.session.scalar(select(func.count()).where(AuditEntry.action == "panic.place_looked")) == 1
        service.acknowledge(call, alarm.uid)
        service.close(call, alarm.uid, WRITTEN)
    with pytest.raises(DeniedError), calling(city.actor("ann")) as call:
        location.show(call, SEAL, alarm.uid)
    with calling(VISITOR) as call:
        assert not location.take(call, SEAL, city.secret, PRESS, where)
    with calling() as call:
        assert location.forget_due(call, NOW) == 0
        assert location.forget_due(call, NOW + timedelta(seconds=1)) == 1
        assert call.session.scalars(select(PanicPlace)).all() == []


def test_a_phone_that_shall_not_tell_its_place_does_not(calling: Calling, city: City) -> None:
    with calling() as call:
        me = actor_of(call.session.get_one(Person, city.person), "req-2")
        city.secret = keys.make(call.by(me), locates=False, brought=city.secret)
    _press(calling, city)
    with calling(VISITOR) as call:
        assert not location.take(call, SEAL, city.secret, PRESS, {"latitude": 51.2, "longitude": 4.4})


def test_a_computer_calls_for_help_where_it_stands_and_its_holder_calls_it_off(calling: Calling, city: City) -> None:
    device = Actor(ActorKind.DEVICE, city.device, "kiosk-7", (), "req-4")
    with calling(device) as call:
        first = raising.by_device(call, city.device, Press(PRESS))
    with calling(device) as call:
        again = raising.by_device(call, city.device, Press(PRESS))
        assert again.uid == first.uid
        assert (first.device_label, first.person_id, first.service_point_id) == ("kiosk-7", None, city.here)
        again.person_id = city.person
    with calling() as call:
        me = actor_of(call.session.get_one(Person, city.person), "req-2")
        with pytest.raises(NotFoundError):
            ending.call_off_own(call.by(me), "0" * 32)
        assert ending.call_off_own(call.by(me), first.uid)


@BOTH
def test_after_five_years_it_is_forgotten_with_all_that_hangs_on_it(calling: Calling, city: City) -> None:
    alarm = _press(calling, city)
    _climb(calling, 0)
    later = NOW + timedelta(days=1)
    with calling() as call:
        assert queries.forget(call.session, later) == 0
    with calling(city.actor("ann")) as call:
        service.acknowledge(call, alarm.uid)
        service.close(call, alarm.uid, WRITTEN)
    with calling() as call:
        assert queries.forget(call.session, later) == 1
        assert call.session.scalars(select(PanicCall)).all() == []
