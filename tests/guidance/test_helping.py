"""Ambassadors and guides: seen with consent only, questions that move as the table says, guides for the very device."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from mdm.core.errors import ConflictError, DeniedError, InvalidError, LimitedError, NotFoundError
from mdm.desk.cases import opening as cases
from mdm.desk.cases.model import Case
from mdm.guidance import ambassadors, asking, guides, questions, reading, starting
from mdm.guidance.fitting import film_allowed, fit, has_words
from mdm.guidance.guides import Draft
from mdm.guidance.model import Ambassador, Guide, GuideVote, Question, QuestionState
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.outbox.model import OutboxMessage
from mdm.people import service as people
from mdm.people.model import LANGUAGES, Person
from mdm.storage.call import Call
from tests.conftest import NOW, Calling
from tests.desk.cases.town import Town, build
from tests.guidance.test_quests import by

HERE = "https://mijn.example/ambassador"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tested here is the same on both databases."""
    return sqlite_url


@pytest.fixture
def town(calling: Calling) -> Town:
    with calling() as call:
        return build(call)


def helper(call: Call, town: Town, name: str = "Fatma", *, agrees: bool = True, **where: int) -> Ambassador:
    """An ambassador, who has agreed to be seen with the e-mail address."""
    person = people.create(
        call,
        name=name,
        email=f"{name.lower()}@stad.example",
        phone="03 1",
        language="tr",
        service_point_id=where.get("service_point_id"),
    )
    made = ambassadors.name(call, f"{name}@stad.example", languages=["tr", "nl"], about="Apps", **where)
    if agrees:
        asking.agree(by(call, person.id), helps=True, phone=False, email=True)
    return made


def letters(call: Call) -> list[tuple[str, str]]:
    """Every letter that is on its way: to whom, and its text."""
    query = select(OutboxMessage).where(OutboxMessage.topic == "mail").order_by(OutboxMessage.id)
    return [(one.payload["to"], one.payload["text"]) for one in call.session.scalars(query)]


@pytest.mark.parametrize("state", QuestionState)
@pytest.mark.parametrize("to", QuestionState)
def test_a_question_moves_as_the_table_says_and_no_other_way(
    calling: Calling, state: QuestionState, to: QuestionState
) -> None:
    question = Question(state=state.value)
    with calling(write=False) as call:
        if to is state:
            assert not questions.move(call, question, to)
        elif to in questions.MOVES[state]:
            assert questions.move(call, question, to)
            assert (question.state, question.changed_at) == (to, NOW)
        else:
            with pytest.raises(ConflictError):
                questions.move(call, question, to)
            assert question.state == state


def test_nobody_sees_an_ambassador_who_has_not_agreed_and_only_what_they_agreed_to(
    calling: Calling, town: Town
) -> None:
    with calling() as call:
        mine = by(call, town.person)
        one = helper(call, town, agrees=False)
        assert asking.helpers(mine) == []
        with pytest.raises(NotFoundError):
            asking.ask(mine, one.uid, "How?", address=HERE)
        fatma = by(call, one.person_id)
        asking.agree(fatma, helps=True, phone=False, email=True)
        seen = asking.helpers(mine)
        assert [(found.name, found.phone, found.email) for found in seen] == [("Fatma", "", "fatma@stad.example")]
        assert asking.helpers(fatma) == []
        asking.agree(fatma, helps=False, phone=True, email=True)
        assert asking.helpers(mine) == []
        assert not one.show_phone
        call.session.get_one(Person, one.person_id).left_on = NOW.date()
        asking.agree(fatma, helps=True, phone=True, email=True)
        assert asking.helpers(mine) == []


def test_near_ones_come_first_then_those_who_speak_the_language(calling: Calling, town: Town) -> None:
    with calling() as call:
        helper(call, town, "Zoe", service_point_id=town.here)
        helper(call, town, "Ann", service_point_id=town.there)
        helper(call, town, "Bob")
        found = asking.helpers(by(call, town.person))
        assert [(one.name, one.near) for one in found] == [("Zoe", True), ("Bob", False), ("Ann", False)]


def test_a_question_is_taken_answered_and_read(calling: Calling, town: Town) -> None:
    with calling() as call:
        one = helper(call, town)
        mine, fatma = by(call, town.person), by(call, one.person_id)
        with pytest.raises(InvalidError):
            asking.ask(mine, one.uid, " \n ", address=HERE)
        question = asking.ask(mine, one.uid, "How do I make letters bigger?", address=HERE)
        assert asking.ask(mine, one.uid, "How do I make letters bigger?", address=HERE).uid == question.uid
        assert letters(call) == [("fatma@stad.example", letters(call)[0][1])]
        assert HERE in letters(call)[0][1]
        assert "bigger" not in letters(call)[0][1]
        asking.take(fatma, question.uid)
        asking.take(fatma, question.uid)
        assert [(line.question.uid, line.name) for line in asking.asked_me(fatma)] == [(question.uid, "Jan Peeters")]
        with pytest.raises(InvalidError):
            asking.answer(fatma, question.uid, "")
        asking.answer(fatma, question.uid, "Settings, then Display")
        assert "Settings, then Display" in letters(call)[-1][1]
        assert asking.mine(mine)[0].question.answer == "Settings, then Display"
        with pytest.raises(ConflictError):
            asking.pass_on(fatma, question.uid)


def test_a_question_about_a_device_becomes_a_case_at_the_desk_once_or_a_note_in_the_open_one(
    calling: Calling, town: Town
) -> None:
    with calling() as call:
        one = helper(call, town)
        mine, fatma = by(call, town.person), by(call, one.person_id)
        first = asking.ask(mine, one.uid, "The screen flickers", address=HERE, device_uid=town.phone)
        asking.pass_on(fatma, first.uid)
        asking.pass_on(fatma, first.uid)
        case = call.session.scalars(select(Case)).one()
        assert (case.kind, case.account, first.case_number) == ("broken", "The screen flickers", case.number)
        second = asking.ask(mine, one.uid, "Now it is black", address=HERE, device_uid=town.phone)
        asking.pass_on(fatma, second.uid)
        assert second.case_number == case.number
        assert call.session.scalar(select(func.count()).select_from(Case)) == 1
        with pytest.raises(NotFoundError):
            asking.ask(mine, one.uid, "Not mine", address=HERE, device_uid=town.far)
        assert cases.open_in(call, f"broken:{case.device_id}") is not None


def test_a_question_without_a_device_goes_to_the_service_point_by_letter_or_stays(calling: Calling, town: Town) -> None:
    with calling() as call:
        one = helper(call, town)
        mine, fatma = by(call, town.person), by(call, one.person_id)
        question = asking.ask(mine, one.uid, "Where is my payslip?", address=HERE)
        with pytest.raises(ConflictError):
            asking.pass_on(fatma, question.uid)
        assert question.state == QuestionState.ASKED
        point = call.session.get_one(ServicePoint, town.here)
        point.email = "werkhaven@stad.example"
        asking.pass_on(fatma, question.uid)
        to, text = letters(call)[-1]
        assert to == "werkhaven@stad.example"
        assert "Where is my payslip?" in text
        assert asking.mine(mine)[0].question.state == QuestionState.HANDED


def test_who_stops_leaves_nothing_unanswered_and_nobody_answers_for_another(calling: Calling, town: Town) -> None:
    with calling() as call:
        one, other = helper(call, town), helper(call, town, "Ann")
        mine = by(call, town.person)
        question = asking.ask(mine, one.uid, "The screen flickers", address=HERE, device_uid=town.phone)
        for act in (asking.take, asking.pass_on):
            with pytest.raises(NotFoundError):
                act(by(call, other.person_id), question.uid)
            with pytest.raises(NotFoundError):
                act(mine, question.uid)
        with pytest.raises(DeniedError):
            ambassadors.end(call.by(town.clerk()), one.uid)
        ambassadors.end(call, one.uid)
        ambassadors.end(call, one.uid)
        assert question.state == QuestionState.HANDED
        assert asking.me_as_ambassador(by(call, one.person_id)) is None
        assert [line.handed for line in ambassadors.ambassadors(call)] == [0, 1]
        with pytest.raises(InvalidError):
            ambassadors.name(call, "fatma@stad.example", languages=["fr"], unit_id=999)
        again = ambassadors.name(call, "fatma@stad.example", languages=["fr"])
        assert (again.uid, again.consent_at) == (one.uid, None)
        with pytest.raises(ConflictError):
            ambassadors.name(call, "fatma@stad.example", languages=["fr"])


def test_five_questions_a_day_are_the_most(calling: Calling, town: Town) -> None:
    with calling() as call:
        one = helper(call, town)
        uid = one.uid
        for number in range(asking.MOST_A_DAY):
            asking.ask(by(call, town.person), uid, f"Question {number}", address=HERE)
        with pytest.raises(LimitedError):
            asking.ask(by(call, town.person), uid, "One more", address=HERE)
    with calling(now=NOW + timedelta(days=1, seconds=1)) as call:
        asking.ask(by(call, town.person), uid, "One more", address=HERE)


@pytest.mark.parametrize(
    ("film", "allowed"),
    [
        ("https://film.stad.example/a?b=1", True),
        ("https://FILM.stad.example/a", True),
        ("http://film.stad.example/a", False),
        ("https://film.stad.example.evil.example/a", False),
        ("https://film.stad.example@evil.example/", False),
        ("https://evil.example\\@film.stad.example/", False),
        ("https://film.stad.example:8443/", False),
        ("https://film.stad.example:x/", False),
        ("https://film.stad.example/a b", False),
        ("javascript:alert(1)", False),
        ("", False),
    ],
)
def test_a_film_is_a_link_to_an_allowed_host_and_nothing_else(film: str, allowed: bool) -> None:
    assert film_allowed(film, {"film.stad.example"}) is allowed


def test_a_guide_for_the_very_model_comes_before_one_for_every_device() -> None:
    phone = Device(platform="ios", kind="phone", manufacturer="Apple", model="iPhone SE (2022)")

    assert fit(Guide(platform="", kind="", model=""), phone) == 0
    assert fit(Guide(platform="ios", kind="phone", model="iphone se"), phone) == 7
    assert fit(Guide(platform="ios", kind="", model=""), phone) == 1
    assert fit(Guide(platform="android", kind="", model=""), phone) is None
    assert fit(Guide(platform="", kind="tablet", model=""), phone) is None
    assert not has_words("Apple iPhone SE (2022)", "Phone SE")
    assert not has_words("Apple iPhone SE (2022)", "iPhone S")


def test_guides_are_for_my_devices_and_each_has_one_vote_of_mine(calling: Calling, town: Town) -> None:
    with calling() as call:
        assert starting.load_guides(call)
        assert not starting.load_guides(call)
        mine = by(call, town.person)
        found = reading.guides(mine)
        assert {one.platform for one in found} == {"", "ios", "linux"}
        for one in call.session.scalars(select(Guide)):
            assert set(one.title) == set(one.text) == set(LANGUAGES)
            assert not re.search("[<>]", str(one.text))
        first = found[0]
        reading.vote(mine, first.uid, helped=True, language="nl")
        reading.vote(mine, first.uid, helped=False, language="tr")
        assert call.session.scalar(select(func.count()).select_from(GuideVote)) == 1
        assert guides.votes(call, first) == [("tr", 0, 1)]
        assert [(line.helped, line.not_helped) for line in guides.guides(call) if line.guide is first] == [(0, 1)]
        guides.hide(call, first.uid)
        assert first not in reading.guides(mine)
        with pytest.raises(NotFoundError):
            reading.vote(mine, first.uid, helped=True, language="nl")
        phone = call.session.scalars(select(Device).where(Device.uid == town.phone)).one()
        assert reading.for_device(mine, phone)[0].platform == "ios"
        assert {one.platform for one in reading.guides(by(call, people.create(call, name="New").id))} == {""}


def test_a_guide_that_is_not_right_is_not_kept_and_only_organisers_write(calling: Calling, town: Town) -> None:
    with calling() as call:
        for draft, place in (
            (Draft("nl", "", "x"), "title"),
            (Draft("nl", "T", ""), "text"),
            (Draft("nl", "T", "", film="https://evil.example/"), "film"),
            (Draft("xx", "T", "x"), "language"),
            (Draft("nl", "T", "x", platform="palm"), "platform"),
            (Draft("nl", "T", "x", position=-1), "position"),
        ):
            with pytest.raises(InvalidError) as refused:
                guides.create(call, draft, {"film.stad.example"})
            assert place in refused.value.fields
        with pytest.raises(DeniedError):
            guides.create(call.by(town.clerk()), Draft("nl", "T", "x"))
        made = guides.create(call, Draft("nl", "T", "", film="https://film.stad.example/1"), {"film.stad.example"})
        assert guides.edit(call, made.uid, Draft("fr", "Titre", "", film=made.film)).title == {"nl": "T", "fr": "Titre"}
