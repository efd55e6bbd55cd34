"""Exercises: marked everywhere, told in figures, and never taken for a true call nor a true call for them."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.permissions import Grant, PlaceKind, Role, Where
from mdm.outbox.model import OutboxMessage
from mdm.panic import drills, duty, queries, raising, service, starting, telling
from mdm.panic.duty import Line
from mdm.panic.raising import Press
from mdm.people.model import Person
from tests.conftest import NOW, Calling
from tests.panic.conftest import HOW, PRESS, ZONE, City, on_duty

VISITOR = Actor(ActorKind.VISITOR, None, "", (), "req-3", None)


def test_an_exercise_is_marked_and_told_in_figures(calling: Calling, city: City) -> None:
    with calling(city.actor("mo")) as call:
        on_duty(call, city, "ann", rank=1, phone="0470 11 22 33")
        on_duty(call, city, "bob", rank=2)
        drill = drills.begin(call, Where(city.here), 30, "Counters at noon")
    with calling(VISITOR) as call:
        practised = raising.by_key(call, city.secret, Press(PRESS, exercise=True))
    with calling(VISITOR) as call:
        true = raising.by_key(call, city.secret, Press("a-true-press"))
    assert (practised.exercise, true.exercise) == (True, False)
    for seconds in (0, 31):
        with calling(now=NOW + timedelta(seconds=seconds)) as call:
            telling.climb_due(call, HOW)
    with calling(city.actor("bob"), now=NOW + timedelta(seconds=44)) as call:
        shown = queries.ringing(call, ZONE)
        assert [one.alarm.exercise for one in shown] == [False, True]
        service.acknowledge(call, practised.uid)
    with calling() as call:
        mails = call.session.scalars(select(OutboxMessage.payload).where(OutboxMessage.topic == "mail")).all()
        marked = [one for one in mails if one["subject"].startswith("EXERCISE")]
        assert len(marked) == 2
        assert all(one["text"].startswith("EXERCISE") for one in marked)
        assert len(mails) == 4

    with calling(city.actor("mo"), now=NOW + timedelta(minutes=5)) as call:
        ended = drills.end(call, drill.uid, "Bob was faster.")
        figures = drills.figures(call, ended)
        assert (figures.calls, figures.answered, figures.told, figures.silent) == (1, 1, 2, 1)
        assert figures.seconds == (44,)
        assert figures.middle == 44
        assert queries.alarm(call, practised.uid).state == "closed"
        assert queries.alarm(call, true.uid).state == "ringing"


def test_without_an_exercise_there_is_nothing_to_practise_and_the_press_says_so(calling: Calling, city: City) -> None:
    with calling(city.actor("mo")) as call:
        drills.begin(call, Where(city.there), 30)
    with pytest.raises(ConflictError) as refused, calling(VISITOR) as call:
        raising.by_key(call, city.secret, Press(PRESS, exercise=True))
    assert refused.value.code == "no_drill"


def test_what_was_pressed_within_an_exercise_counts_though_it_arrives_after_its_end(
    calling: Calling, city: City
) -> None:
    with calling(city.actor("mo")) as call:
        drill = drills.begin(call, Where(), 5)
    later = NOW + timedelta(minutes=6)
    with calling(now=later) as call:
        assert drills.end_due(call) == 1
        assert drills.end_due(call) == 0
    with calling(VISITOR, now=later) as call:
        alarm = raising.by_key(call, city.secret, Press(PRESS, ago=120, exercise=True))
        assert alarm.drill_id == drill.id
    with pytest.raises(ConflictError), calling(VISITOR, now=later) as call:
        raising.by_key(call, city.secret, Press("pressed-after-it", ago=10, exercise=True))


def test_the_organiser_raises_one_call_and_twice_is_one(calling: Calling, city: City) -> None:
    with calling(city.actor("mo")) as call:
        drill = drills.begin(call, Where(city.here), 30, "Back office")
        first = raising.by_drill(call, drill.uid)
        assert raising.by_drill(call, drill.uid).uid == first.uid
        assert first.exercise
        assert first.spot == "Back office"
    with pytest.raises(NotFoundError), calling(city.actor("ann")) as call:
        raising.by_drill(call, drill.uid)


def test_only_who_answers_for_buttons_begins_exercises_and_writes_the_roster(calling: Calling, city: City) -> None:
    with pytest.raises(DeniedError), calling(city.actor("ann")) as call:
        drills.begin(call, Where(city.here), 30)
    with pytest.raises(DeniedError), calling(city.actor("ann")) as call:
        on_duty(call, city, "ann")
    with calling(city.actor("mo")) as call:
        drills.begin(call, Where(city.here), 30)
    for minutes in (0, 481):
        with pytest.raises(InvalidError), calling(city.actor("mo")) as call:
            drills.begin(call, Where(city.there), minutes)
    with pytest.raises(ConflictError), calling(city.actor("mo")) as call:
        drills.begin(call, Where(city.here), 30)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("who", "nobody@stad.example"),
        ("who", "no address"),
        ("days", ()),
        ("days", ("someday",)),
        ("begins", "25:00"),
        ("ends", "8:00"),
        ("until_day", date(2025, 1, 1)),
        ("rank", 0),
        ("phone", "call me"),
    ],
)
def test_a_wrong_line_of_the_roster_says_where_and_nothing_is_saved(
    calling: Calling, city: City, field: str, value: object
) -> None:
    line = {
        "who": "ann@stad.example",
        "where": Where(city.here),
        "begins": "08:00",
        "ends": "17:00",
        "from_day": date(2026, 1, 1),
    }
    with pytest.raises(InvalidError) as refused, calling() as call:
        duty.add(call, Line(**(line | {field: value})))  # type: ignore[arg-type]
    assert set(refused.value.fields) == {field}
    with calling() as call:
        assert duty.roster(call) == []


def test_a_manager_of_one_place_is_told_nothing_of_people_of_another(calling: Calling, city: City) -> None:
    manager = Actor(ActorKind.OPERATOR, 99, "m", (Grant(Role.FLEET_ADMIN, PlaceKind.SERVICE_POINT, city.here),))
    with calling() as call:
        for name, point in (("near", city.here), ("far", city.there)):
            person = Person(name=name, email=f"{name}@stad.example", phone="0470 99 99 99", created_at=NOW)
            person.service_point_id = point
            call.session.add(person)
    for who in ("far", "eve", "nobody"):
        with pytest.raises(InvalidError, match="Nobody has this e-mail address"), calling(manager) as call:
            on_duty(call, city, who)
    with calling(manager) as call:
        for who in ("near", "ann", "mo"):
            on_duty(call, city, who)
        assert {one.name for one in duty.roster(call)} == {"near", "ann", "mo"}


def test_a_line_is_taken_off_the_roster_only_at_ones_own_places(calling: Calling, city: City) -> None:
    with calling() as call:
        on_duty(call, city, "ann")
        number = duty.roster(call)[0].id
    with pytest.raises(NotFoundError), calling(city.actor("eve")) as call:
        duty.remove(call, number)
    with calling(city.actor("eve")) as call:
        assert duty.roster(call) == []
    with calling() as call:
        duty.remove(call, number)
        assert duty.roster(call) == []


def test_the_demonstration_shows_an_exercise_with_its_figures_and_rings_nowhere(calling: Calling, city: City) -> None:
    with calling() as call:
        assert starting.load(call) > 0
        (found,) = drills.all_of(call)
        figures = drills.figures(call, found)
        assert (figures.calls, figures.answered, figures.seconds, figures.middle) == (3, 2, (19, 47), 33)
        assert found.learned
        assert len(drills.lines_of(call, found)) == 8
        assert queries.pulse(call.session)[1] == 0
        assert call.session.scalars(select(OutboxMessage)).all() == []
    with calling() as call:
        assert starting.load(call) == 0
        assert len(drills.all_of(call)) == 1
