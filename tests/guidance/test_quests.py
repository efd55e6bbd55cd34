"""The quest: five assignments, checked by facts; the list of those who finished; a draw that anybody can do again."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from mdm.audit.model import AuditEntry
from mdm.compliance import management
from mdm.compliance.service import judge_many
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.permissions import Grant, Role
from mdm.guidance import lots, playing, progress, quests, starting
from mdm.guidance.audience import Audience, Standing, fits
from mdm.guidance.model import Check, HelpCode, Quest, QuestDone, QuestPlayer
from mdm.guidance.quests import Draft, TaskDraft
from mdm.guidance.texts import said, written
from mdm.inventory.model import Device, FactSection
from mdm.inventory.reports import take_report
from mdm.people import service as people
from mdm.people.model import LANGUAGES, Person
from mdm.portal.sessions import actor_of
from mdm.simulate.machine import Machine
from mdm.storage.call import Call
from tests.conftest import NOW, Calling
from tests.desk.cases.town import Town, build

TODAY = NOW.date()
CHECKS = (
    ("green", ""),
    ("application", "linux:chromium"),
    ("visit", "https://intranet.example/"),
    ("helped", ""),
    ("word", ""),
)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tested here is the same on both databases."""
    return sqlite_url


@pytest.fixture
def town(calling: Calling) -> Town:
    with calling() as call:
        return build(call)


def draft(**changes: Any) -> Draft:
    """A quest as an organiser writes it."""
    tasks = [TaskDraft(f"Assignment {check}", "Do it", check, target) for check, target in CHECKS]
    told: dict[str, Any] = {
        "language": "en",
        "title": "Discover",
        "intro": "Five",
        "first_day": TODAY,
        "last_day": TODAY + timedelta(days=6),
        "tasks": tasks,
    }
    return Draft(**{**told, **changes})


def by(call: Call, person: int) -> Call:
    """The same call by an employee at their own door."""
    return call.by(actor_of(call.session.get_one(Person, person), "req"))


def laptop(call: Call, town: Town) -> Device:
    return call.session.scalars(select(Device).where(Device.uid == town.laptop)).one()


def reports(call: Call, device: Device, machine: Machine, **sections: dict[str, Any]) -> None:
    """What a simulated machine says is taken as the gateway takes it, and judged."""
    machine._put(sections)
    told = machine.to_say()
    assert told is not None
    take_report(call.by(Actor(ActorKind.DEVICE, device.id, device.label)), device, told["report"])
    machine.acknowledged()
    device.last_seen_at = call.now
    judge_many(call, [device.id])


def done(call: Call, player: QuestPlayer) -> set[str]:
    """Which checks of a player are done."""
    tasks = {task.id: task.check for task in progress.tasks_of(call, player.quest_id)}
    return {tasks[one] for one in progress.done_by(call, player.id)}


def test_the_walk_of_a_quest_on_what_a_machine_says_until_the_draw(calling: Calling, town: Town) -> None:
    machine = Machine(7)
    with calling() as call:
        management.add_rule(call, "firewall")
        other = people.create(call, name="Fatma", email="f@stad.example", language="tr")
        quest = quests.create(call, draft())
        mine = by(call, town.person)
        player = playing.join(mine, quest.uid)
        assert done(call, player) == set()

        reports(call, laptop(call, town), machine)
        assert progress.sweep(call, 0) is None
        assert done(call, player) == {"green", "application"}

        assert playing.visit(mine, quest.uid, 3) == "https://intranet.example/"
        assert playing.give_word(mine, quest.uid, 5)
        assert not playing.give_word(mine, quest.uid, 5)
        assert player.finished_at is None
        code = playing.show_code(by(call, other.id)).code
        assert playing.helped(mine, quest.uid, 4, code[:3].lower() + " " + code[3:])
        assert player.finished_at == NOW
        assert quests.finishers(call, quest) == []
        playing.consent(mine, quest.uid, given=True)
        assert [person.name for _player, person in quests.finishers(call, quest)] == ["Jan Peeters"]
        assert quests.finishers(call.by(town.clerk()), quest) == []
        with pytest.raises(ConflictError):
            quests.fix_list(call, quest.uid)
        uid = quest.uid

    with calling(now=NOW + timedelta(days=7)) as call:
        quests.fix_list(call, uid)
        drawn = quests.draw(call, uid, 1, "4 8 15 16 23 42")
        assert quests.draw(call, uid, 5).winners == drawn.winners
        assert lots.draw("4 8 15 16 23 42", drawn.tickets, 1)[0] == drawn.winners
        diary = call.session.scalars(select(AuditEntry).where(AuditEntry.action.startswith("quest."))).all()
        told = {one.action: one.details for one in diary}
        assert told["quest.list_fixed"]["digest"] == told["quest.drawn"]["digest"] == lots.list_digest(drawn.tickets)
        assert [person.name for _lot, person in quests.winners(call, drawn) if person] == ["Jan Peeters"]
        playing.consent(by(call, town.person), uid, given=False)
        assert quests.winners(call, drawn) == [(drawn.winners[0], None)]


def test_a_passcode_is_known_from_the_device_and_not_from_an_old_holder(calling: Calling, town: Town) -> None:
    tasks = [TaskDraft(f"T{n}", "", "passcode" if n == 1 else "word") for n in range(1, 6)]
    machine = Machine(9)
    with calling() as call:
        quest = quests.create(call, draft(tasks=tasks))
        player = playing.join(by(call, town.person), quest.uid)
        device = laptop(call, town)
        reports(call, device, machine, screenlock={"enabled": False, "timeout_seconds": None, "method": "none"})
        progress.sweep(call, 0)
        assert done(call, player) == set()
        holder, device.person_id = device.person_id, None
        reports(call, device, machine, screenlock={"enabled": True, "timeout_seconds": 60, "method": "gnome"})
        progress.sweep(call, 0)
        assert done(call, player) == set()
        device.person_id = holder
        call.session.flush()
        playing.look(by(call, town.person))
        assert done(call, player) == {"passcode"}


def test_where_no_device_can_ever_tell_the_persons_own_word_counts(calling: Calling, town: Town) -> None:
    checks = ("passcode", "application", "application", "green", "word")
    targets = ("", "linux:chromium", "android:be.stad.plan", "", "")
    tasks = [
        TaskDraft(f"T{n}", "", check, target) for n, (check, target) in enumerate(zip(checks, targets, strict=True))
    ]
    with calling() as call:
        quest = quests.create(call, draft(tasks=tasks))
        mine = by(call, town.person)
        laptop(call, town).person_id = None
        phone = call.session.scalars(select(Device).where(Device.uid == town.phone)).one()
        phone.platform, phone.enrolled_at, phone.key_digest = "android", call.now, "c" * 64
        player = playing.join(mine, quest.uid)
        for number in (1, 2, 3, 4):
            with pytest.raises(NotFoundError):
                playing.give_word(mine, quest.uid, number)

        phone.last_report_at = call.now
        call.session.flush()
        for number in (3, 4):
            with pytest.raises(NotFoundError):
                playing.give_word(mine, quest.uid, number)
        for number in (1, 2):
            assert playing.give_word(mine, quest.uid, number)
        assert done(call, player) == {"passcode", "application"}
        call.session.add(
            FactSection(
                device_id=phone.id, section="screenlock", content={"enabled": False}, digest="0" * 16, changed_at=NOW
            )
        )
        call.session.flush()
        assert tasks_of_word(mine, quest.uid) == {2}


def tasks_of_word(call: Call, uid: str) -> set[int]:
    """The numbers of the assignments that the person's own word ticks instead of a fact."""
    played = playing.one(call, uid)
    return {task.number for task in played.tasks if task.id in played.by_word}


def test_a_device_that_is_not_well_is_not_green(calling: Calling, town: Town) -> None:
    with calling() as call:
        management.install_defaults(call)
        quest = quests.create(call, draft())
        player = playing.join(by(call, town.person), quest.uid)
        reports(
            call, laptop(call, town), Machine(8), encryption={"root_encrypted": False, "method": "none", "volumes": []}
        )
        progress.sweep(call, 0)
        assert "green" not in done(call, player)


def test_nothing_is_noted_of_somebody_who_does_not_take_part(calling: Calling, town: Town) -> None:
    with calling() as call:
        uid = quests.create(call, draft()).uid
        reports(call, laptop(call, town), Machine(7))
        progress.sweep(call, 0)
        mine = by(call, town.person)
        playing.look(mine)
        playing.visit(mine, uid, 3)
        with pytest.raises(ConflictError):
            playing.give_word(mine, uid, 5)
        assert call.session.scalar(select(func.count()).select_from(QuestDone)) == 0
        playing.join(mine, uid)
        playing.join(mine, uid)
        playing.leave(mine, uid)
        for table in (QuestPlayer, QuestDone):
            assert call.session.scalar(select(func.count()).select_from(table)) == 0


def test_nobody_confirms_themselves_and_codes_work_once_for_a_day_and_are_not_guessed(
    calling: Calling, town: Town
) -> None:
    with calling() as call:
        other = people.create(call, name="Fatma", email="f@stad.example")
        uid = quests.create(call, draft()).uid
        mine = by(call, town.person)
        player = playing.join(mine, uid)
        assert not playing.helped(mine, uid, 4, playing.show_code(mine).code)
        good = playing.show_code(by(call, other.id))
        assert playing.show_code(by(call, other.id)).code == good.code
        for _try in range(playing.MOST_WRONG - 1):
            assert not playing.helped(mine, uid, 4, "AAAAAA")
        assert not playing.helped(mine, uid, 4, good.code)
        assert call.session.scalar(select(func.count()).where(HelpCode.person_id == other.id)) == 1
    with calling(now=NOW + timedelta(days=1, seconds=1)) as call:
        mine = by(call, town.person)
        player = call.session.get_one(QuestPlayer, player.id)
        assert not playing.helped(mine, uid, 4, good.code)
        assert playing.helped(mine, uid, 4, playing.show_code(by(call, other.id)).code)
        assert not playing.helped(mine, uid, 4, good.code)
        assert done(call, player) == {"helped"}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"title": " "}, "title"),
        ({"first_day": None}, "first_day"),
        ({"last_day": TODAY - timedelta(days=1)}, "last_day"),
        ({"personas": ["king"]}, "personas"),
        ({"units": [999]}, "units"),
        ({"service_points": [999]}, "service_points"),
        ({"language": "xx"}, "language"),
        ({"tasks": [TaskDraft("T", "", "word")]}, "tasks"),
        ({"tasks": [TaskDraft("T", "", "wish")] * 5}, "check_5"),
        ({"tasks": [TaskDraft("", "", "word")] * 5}, "title_1"),
        ({"tasks": [TaskDraft("T", "", "application")] * 5}, "target_2"),
        ({"tasks": [TaskDraft("T", "", "visit", "javascript:alert(1)")] * 5}, "target_1"),
        ({"tasks": [TaskDraft("T", "", "visit", "http://intranet.example/")] * 5}, "target_1"),
        ({"tasks": [TaskDraft("T", "", "visit", "https://[::1")] * 5}, "target_1"),
    ],
)
def test_a_quest_that_is_not_right_says_where_and_is_not_kept(
    calling: Calling, change: dict[str, Any], place: str
) -> None:
    with calling() as call:
        with pytest.raises(InvalidError) as refused:
            quests.create(call, draft(**change))
        assert place in refused.value.fields
        assert call.session.scalar(select(func.count()).select_from(Quest)) == 0


def test_a_quest_is_for_whom_it_says_and_only_on_its_days(calling: Calling, town: Town) -> None:
    with calling() as call:
        mine = by(call, town.person)
        here = quests.create(call, draft(service_points=[town.here]))
        for changes in (
            {"service_points": [town.there]},
            {"personas": ["unit"]},
            {"first_day": TODAY + timedelta(days=1)},
        ):
            uid = quests.create(call, draft(**changes)).uid
            with pytest.raises(NotFoundError):
                playing.join(mine, uid)
        assert [played.quest.uid for played in playing.mine(mine)] == [here.uid]
        playing.join(mine, here.uid)
        uid = here.uid
    with calling(now=NOW + timedelta(days=7)) as call:
        mine = by(call, town.person)
        with pytest.raises(ConflictError):
            playing.give_word(mine, uid, 5)
        assert playing.one(mine, uid).count == 0
        assert not playing.one(mine, uid).running


def test_how_something_is_checked_stays_once_somebody_has_done_it(calling: Calling, town: Town) -> None:
    with calling() as call:
        uid = quests.create(call, draft()).uid
        mine = by(call, town.person)
        playing.join(mine, uid)
        playing.give_word(mine, uid, 5)
        changed = [*draft().tasks[:4], TaskDraft("Other", "", "green")]
        with pytest.raises(ConflictError):
            quests.edit(call, uid, draft(tasks=changed))
    with calling() as call:
        quests.edit(call, uid, draft(language="nl", title="Ontdek"))
        assert quests.quest(call, uid).title == {"en": "Discover", "nl": "Ontdek"}


def test_only_who_organises_writes_and_draws(calling: Calling, town: Town) -> None:
    auditor = Actor(ActorKind.OPERATOR, 4, "Auditor", (Grant(Role.AUDITOR),), "req")
    tries: list[Callable[[Call, str], object]] = [
        lambda call, _uid: quests.create(call, draft()),
        lambda call, uid: quests.edit(call, uid, draft()),
        lambda call, uid: quests.fix_list(call, uid),
        lambda call, uid: quests.draw(call, uid, 1),
        lambda call, uid: quests.winners(call, quests.quest(call, uid)),
    ]
    with calling() as call:
        uid = quests.create(call, draft()).uid
        for who in (auditor, town.clerk()):
            assert [one.uid for one in quests.quests(call.by(who))] == [uid]
            for act in tries:
                with pytest.raises(DeniedError):
                    act(call.by(who), uid)
        with pytest.raises(DeniedError):
            quests.quests(by(call, town.person))


def test_a_draw_is_a_matter_of_list_and_seed_and_passes_over_who_is_gone() -> None:
    tickets = [f"{n:032x}" for n in range(50)]
    winners, skipped = lots.draw("seed", tickets, 3)
    assert (winners, skipped) == lots.draw("seed", list(reversed(tickets)), 3)
    assert winners != lots.draw("seeds", tickets, 3)[0]
    again, passed = lots.draw("seed", tickets, 3, {winners[0]})
    assert again[:2] == winners[1:]
    assert passed == [winners[0]]
    assert lots.list_digest(tickets) == lots.list_digest(sorted(tickets, reverse=True))
    assert lots.list_digest(tickets) != lots.list_digest(tickets[:-1])
    assert len(lots.draw("seed", tickets, 99)[0]) == 50


def test_an_audience_narrows_by_each_thing_that_it_names() -> None:
    who = Standing("city", 3, frozenset({1, 2}))
    assert fits(Audience(), who)
    assert fits(Audience(["city"], [2], [3]), who)
    assert not fits(Audience(["city"], [9], [3]), who)
    assert not fits(Audience(["city"], [2], [4]), who)
    assert not fits(Audience(units=[2]), Standing("city", None))


def test_a_text_falls_back_to_a_language_that_there_is() -> None:
    texts = written({"nl": "Dag"}, "ro", "Bună\u202e <b>", 40)
    assert texts == {"nl": "Dag", "ro": "Bună <b>"}
    assert said(texts, "ro") == "Bună <b>"
    assert said(texts, "tr") == "Dag"
    assert said({}, "tr") == ""
    assert written(texts, "ro", "", 40) == {"nl": "Dag"}


def test_the_starting_quest_speaks_every_language_and_comes_once(calling: Calling) -> None:
    with calling() as call:
        assert starting.load_quest(call)
        assert not starting.load_quest(call)
        quest = call.session.scalars(select(Quest)).one()
        tasks = progress.tasks_of(call, quest.id)
        assert {task.check for task in tasks} == {"green", "passcode", "visit", "helped", "word"}
        for texts in (quest.title, quest.intro, *(one.title for one in tasks), *(one.text for one in tasks)):
            assert set(texts) == set(LANGUAGES)
        assert quest.last_day - quest.first_day == timedelta(days=27)
        assert quest.first_day == date(2026, 11, 23)
    assert set(Check) >= {"green"}
