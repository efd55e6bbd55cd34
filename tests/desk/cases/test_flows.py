"""Lost, stolen, broken, leaver: each flow does what its button says, once, by whoever may, and leaves its traces."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from mdm.audit.model import AuditEntry
from mdm.commands.model import Command
from mdm.core.errors import ConflictError, HavenmeesterError, InvalidError, NotFoundError
from mdm.desk.cases import queries, service, steps
from mdm.desk.cases.model import Case, CaseKind, CaseLine, CaseState, Outcome, StepState
from mdm.desk.cases.steps import Facts
from mdm.enrollment.holders import holder_of
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, LifeCycle
from mdm.org.model import ServicePoint
from mdm.outbox.model import OutboxMessage
from mdm.people import service as people
from mdm.people.model import Person
from mdm.storage.call import Call
from tests.conftest import NOW, Calling
from tests.desk.cases.town import Town, build, device

BOTH = ("sqlite", "postgresql")


@pytest.fixture
def town(calling: Calling) -> Town:
    with calling() as call:
        return build(call)


@contextmanager
def nothing_changes(calling: Calling) -> Iterator[None]:
    def count() -> list[int]:
        with calling(write=False) as call:
            tables = (AuditEntry, Case, CaseLine, Command, OutboxMessage)
            return [call.session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]

    before = count()
    yield
    assert count() == before


def verbs(call: Call, uid: str) -> list[str]:
    rows = select(Command.verb).join(Device).where(Device.uid == uid).order_by(Command.created_at, Command.verb)
    return list(call.session.scalars(rows))


def letters(call: Call) -> list[str]:
    rows = call.session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "mail").order_by(OutboxMessage.id))
    return [row.payload["subject"] for row in rows]


def state(call: Call, uid: str) -> str:
    return call.session.scalars(select(Device.state).where(Device.uid == uid)).one()


@pytest.mark.parametrize("database_url", BOTH, indirect=True)
def test_one_person_reports_a_phone_lost_and_it_is_locked_and_in_lost_mode_at_once(
    calling: Calling, town: Town
) -> None:
    with calling(town.clerk(), asked=True) as call:
        case = service.open_lost(call, town.phone)
        assert (case.kind, case.state, case.before) == (CaseKind.LOST, CaseState.OPEN, "handed_out")
        assert case.number.startswith("L-")

    with calling(write=False) as call:
        assert verbs(call, town.phone) == ["lock", "lost"]
        assert state(call, town.phone) == "lost"
        assert letters(call) == ["Veeg 12 is als verloren gemeld"]
        shown = {one.rule.key: one.state for one in queries.file(call, case.uid).steps}
        assert shown["lock"] is StepState.DONE
        assert shown["sim"] is StepState.OPEN
        sent = call.session.scalars(select(Command).where(Command.verb == "lost")).one()
        assert sent.args["message"] == "Dit toestel is verloren. Breng het a.u.b. naar Werkhaven (03 338 00 00)."


def test_a_second_click_gives_the_same_case_and_changes_nothing(calling: Calling, town: Town) -> None:
    with calling(town.clerk(), asked=True) as call:
        first = service.open_lost(call, town.phone).uid
    with nothing_changes(calling), calling(town.clerk(), asked=True) as call:
        assert service.open_lost(call, town.phone).uid == first


def test_a_clerk_of_another_place_finds_neither_device_nor_case(calling: Calling, town: Town) -> None:
    with calling(town.clerk(), asked=True) as call:
        uid = service.open_lost(call, town.phone).uid
    stranger = town.clerk(town.there, 8)
    with nothing_changes(calling):
        for verb in (
            lambda call: service.open_lost(call, town.phone),
            lambda call: service.open_broken(call, town.phone),
            lambda call: service.open_leaver(call, town.person),
            lambda call: service.note(call, uid, "x"),
            lambda call: service.lock(call, uid),
            lambda call: service.look(call, uid, "x"),
            lambda call: service.close(call, uid, Outcome.FOUND),
            lambda call: service.reopen(call, uid, "x"),
            lambda call: queries.file(call, uid),
            lambda call: queries.paper(call, uid),
        ):
            with pytest.raises(NotFoundError), calling(stranger, asked=True) as call:
                verb(call)
    with calling(stranger, write=False) as call:
        assert queries.open_count(call) == 0
    with calling(town.clerk(), write=False) as call:
        assert queries.open_count(call) == 1


def test_what_is_found_goes_back_to_its_holder_and_is_unlocked(calling: Calling, town: Town) -> None:
    with calling(town.clerk(), asked=True) as call:
        lost, laptop = service.open_lost(call, town.phone).uid, service.open_lost(call, town.laptop).uid
    with calling(town.clerk(), NOW + timedelta(hours=1), asked=True) as call:
        service.close(call, lost, Outcome.FOUND)
        service.close(call, laptop, Outcome.FOUND)

    with calling(write=False) as call:
        assert [state(call, uid) for uid in (town.phone, town.laptop)] == ["handed_out", "handed_out"]
        assert verbs(call, town.phone) == ["lock", "lost", "found"]
        assert verbs(call, town.laptop) == ["lock", "unlock"]
        waiting = call.session.scalars(select(Command.verb).where(Command.state == "queued")).all()
        assert sorted(waiting) == ["found", "unlock"]
    with nothing_changes(calling), calling(town.clerk(), asked=True) as call:
        service.close(call, lost, Outcome.FOUND)


def test_a_device_that_was_written_off_is_found_after_all(calling: Calling, town: Town) -> None:
    with calling(town.clerk(), asked=True) as call:
        uid = service.open_lost(call, town.phone).uid
        service.close(call, uid, Outcome.NOT_FOUND, "nothing seen for a month")
    with calling(write=False) as call:
        assert state(call, town.phone) == "lost"
    with calling(town.clerk(), asked=True) as call:
        case = service.close(call, uid, Outcome.FOUND)
        assert (case.outcome, case.reopened) == ("found", 1)
        assert state(call, town.phone) == "handed_out"


def test_taking_a_lost_device_in_ends_its_case(calling: Calling, town: Town) -> None:
    with calling(town.clerk(), asked=True) as call:
        uid = service.open_lost(call, town.laptop).uid
    with calling() as call:
        inventory.take_back(call, town.laptop, town.here)
        device = call.session.scalars(select(Device).where(Device.uid == town.laptop)).one()
        service.follow_devices(call, [device.id])
    with calling() as call:
        case = queries.case(call, uid)
        assert (case.state, case.outcome) == ("closed", "found")
        assert state(call, town.laptop) == "returned"
        assert "unlock" in verbs(call, town.laptop)


def test_a_wipe_is_not_claimed_before_the_device_has_said_so(calling: Calling, town: Town) -> None:
    with calling(town.clerk(), asked=True) as call:
        uid = service.open_stolen(call, town.phone).uid
    with nothing_changes(calling), pytest.raises(ConflictError) as refused, calling(town.clerk()) as call:
        service.close(call, uid, Outcome.WIPED)
    assert refused.value.code == "not_wiped"
    with calling() as call:
        inventory.move(call, town.phone, LifeCycle.WIPED)
        service.follow_devices(call, [queries.case(call, uid).device_id or 0])
        assert queries.case(call, uid).state == "open"
        assert service.close(call, uid, Outcome.WIPED).outcome == "wiped"


def test_a_lost_phone_turns_out_to_be_stolen(calling: Calling, town: Town) -> None:
    with calling(town.clerk(), asked=True) as call:
        uid = service.open_lost(call, town.phone).uid
        service.stolen(call, uid, "AN.12.34/2026")
        assert service.open_stolen(call, town.phone).uid == uid
        file = queries.file(call, uid)
    keys = {one.rule.key: one.state for one in file.steps}
    assert file.case.kind == CaseKind.STOLEN
    assert keys["police"] is StepState.DONE
    assert keys["wipe"] is StepState.OPEN


def test_a_broken_device_is_not_locked_and_its_steps_follow_the_facts(calling: Calling, town: Town) -> None:
    with calling(town.clerk(), asked=True) as call:
        uid = service.open_broken(call, town.phone, service.Told(account="screen is dead")).uid
    with calling() as call:
        assert verbs(call, town.phone) == []
        assert {one.rule.key for one in queries.file(call, uid).steps if one.state is StepState.DONE} == {
            "details",
            "loaner",
        }
        inventory.move(call, town.phone, LifeCycle.IN_REPAIR)
        service.follow_devices(call, [queries.case(call, uid).device_id or 0])
        inventory.move(call, town.phone, LifeCycle.HANDED_OUT)
        service.follow_devices(call, [queries.case(call, uid).device_id or 0])
    with calling(town.clerk(), asked=True) as call:
        done = {one.rule.key for one in queries.file(call, uid).steps if one.state is StepState.DONE}
        assert done == {"details", "loaner", "repair", "repaired"}
        assert service.close(call, uid, Outcome.REPAIRED).state == "closed"


def test_a_broken_device_can_be_lost_as_well(calling: Calling, town: Town) -> None:
    with calling(town.clerk(), asked=True) as call:
        broken, lost = service.open_broken(call, town.phone), service.open_lost(call, town.phone)
        assert broken.uid != lost.uid
        assert len(queries.open_for(call, call.session.get_one(Device, lost.device_id))) == 2


@pytest.mark.parametrize("kind", list(CaseKind))
def test_every_flow_has_steps_outcomes_and_says_what_it_will_do(kind: CaseKind) -> None:
    flow = steps.FLOWS[kind]
    keys = [step.key for step in flow.steps]
    assert len(set(keys)) == len(keys)
    assert flow.does
    assert flow.outcomes
    everything = Facts(True, True, True, True, True, True, True, True, 0)
    assert steps.settled(kind, everything) == {step.key for step in flow.steps if step.by_fact}
    assert steps.settled(kind, Facts()) == frozenset()


@pytest.mark.parametrize("database_url", BOTH, indirect=True)
def test_somebody_who_leaves_gets_a_list_and_is_chased_until_all_is_back(calling: Calling, town: Town) -> None:
    with calling() as call:
        call.session.get_one(ServicePoint, town.here).email = "werkhaven@stad.example"
        people.leave(call, town.person, date(2026, 11, 30))
        service.follow_person(call, town.person)
        service.follow_person(call, town.person)
        uid = call.session.scalars(select(Case.uid)).one()
        assert letters(call) == ["Wat u terugbrengt voor u vertrekt"]
        assert len(queries.file(call, uid).items) == 2
    for days, wanted in ((1, 1), (9, 2), (15, 4), (15, 4), (40, 6)):
        with calling(now=NOW + timedelta(days=days)) as call:
            service.sweep(call)
            assert len(letters(call)) == wanted, days
    with calling(town.clerk(), NOW + timedelta(days=41)) as call:
        inventory.take_back(call, town.phone, town.here)
        with pytest.raises(ConflictError):
            service.close(call, uid, Outcome.ALL_RETURNED)
    with calling(town.clerk(), NOW + timedelta(days=42)) as call:
        inventory.take_back(call, town.laptop, town.here)
        assert service.close(call, uid, Outcome.ALL_RETURNED).outcome == "all_returned"
        assert all(one.returned_at for one in queries.file(call, uid).items)
    with calling(now=NOW + timedelta(days=50)) as call:
        before = len(letters(call))
        service.sweep(call)
        assert len(letters(call)) == before
        assert call.session.scalar(select(func.count()).select_from(Case)) == 1


def test_nothing_of_a_leaver_is_locked_until_a_person_presses_the_button(calling: Calling, town: Town) -> None:
    with calling(town.clerk(), asked=True) as call:
        uid = service.open_leaver(call, town.person, date(2026, 11, 1)).uid
    with calling(now=NOW + timedelta(days=60)) as call:
        service.sweep(call)
        assert verbs(call, town.laptop) == []
    with calling(town.clerk(), NOW + timedelta(days=60), asked=True) as call:
        service.lock(call, uid)
        assert (verbs(call, town.laptop), verbs(call, town.phone)) == (["lock"], ["lock"])


def test_somebody_who_stays_after_all_has_no_case_any_more(calling: Calling, town: Town) -> None:
    with calling() as call:
        people.leave(call, town.person, date(2026, 11, 30))
        service.follow_person(call, town.person)
        people.come_back(call, town.person)
        service.follow_person(call, town.person)
        case = call.session.scalars(select(Case)).one()
        assert (case.state, case.outcome) == ("closed", "mistake")


def test_somebody_who_leaves_with_nothing_gets_no_case(calling: Calling, town: Town) -> None:
    with calling() as call:
        other = people.create(call, name="Els", service_point_id=town.here)
        people.leave(call, other.id, date(2026, 11, 30))
        service.follow_person(call, other.id)
        service.sweep(call)
        assert call.session.scalar(select(func.count()).select_from(Case)) == 0


def test_a_closed_case_takes_notes_and_nothing_else_until_it_is_opened_again(calling: Calling, town: Town) -> None:
    with calling(town.clerk(), asked=True) as call:
        uid = service.open_lost(call, town.phone).uid
        service.close(call, uid, Outcome.NOT_FOUND)
        service.note(call, uid, "the insurer paid")
    for verb in (
        lambda call: service.step(call, uid, "sim", StepState.DONE),
        lambda call: service.tell(call, uid, service.Told(account="x")),
        lambda call: service.lock(call, uid),
        lambda call: service.look(call, uid, "x"),
        lambda call: service.close(call, uid, Outcome.MISTAKE),
    ):
        with nothing_changes(calling), pytest.raises(ConflictError) as refused, calling(town.clerk()) as call:
            verb(call)
        assert refused.value.code == "case_closed"
    with pytest.raises(InvalidError), calling(town.clerk()) as call:
        service.reopen(call, uid, "  ")
    with calling(town.clerk(), asked=True) as call:
        assert service.reopen(call, uid, "seen on a market").state == "open"
        assert service.step(call, uid, "sim", StepState.DONE).state == "open"


def test_an_older_case_is_not_opened_again_beside_a_newer_one(calling: Calling, town: Town) -> None:
    with calling(town.clerk(), asked=True) as call:
        old = service.open_lost(call, town.phone).uid
        service.close(call, old, Outcome.FOUND)
        service.open_lost(call, town.phone)
    with nothing_changes(calling), pytest.raises(ConflictError) as refused, calling(town.clerk()) as call:
        service.reopen(call, old, "again")
    assert refused.value.code == "case_open"


def test_more_locks_than_one_person_may_do_alone_open_the_case_all_the_same(calling: Calling, town: Town) -> None:
    with calling() as call:
        uids = [device(call, f"N{number}", town.here, "linux", "laptop").uid for number in range(22)]
    with calling(town.clerk(), asked=True) as call:
        for uid in uids:
            service.open_lost(call, uid)
    with calling(write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(Case)) == 22
        assert call.session.scalar(select(func.count()).select_from(Command)) == 20
        late = [line.kind for line in call.session.scalars(select(CaseLine).order_by(CaseLine.id))]
        assert late.count("lock_waits") == 2


def test_a_case_survives_the_holder_and_names_them(calling: Calling, town: Town) -> None:
    with calling(town.clerk(), asked=True) as call:
        uid = service.open_lost(call, town.laptop).uid
    with calling() as call:
        person = call.session.get_one(Person, town.person)
        inventory.take_back(call, town.laptop, town.here)
        assert holder_of(person).name == queries.case(call, uid).person_name


def test_what_was_told_is_cleaned_and_a_day_to_come_is_no_day(calling: Calling, town: Town) -> None:
    with calling(town.clerk(), asked=True) as call:
        told = service.Told("bus\u202e 9\x00", NOW.date() + timedelta(days=30), "Groenplaats", "PV 1", None)
        case = service.open_lost(call, town.phone, told)
        assert (case.account, case.seen_on, case.police_report) == ("bus 9", None, "PV 1")


def test_every_refusal_is_one_sentence_that_says_nothing_was_done(calling: Calling, town: Town) -> None:
    with calling(town.clerk(), asked=True) as call:
        lost, leaver = service.open_lost(call, town.phone).uid, service.open_leaver(call, town.person).uid
    said = []
    for verb in (
        lambda call: service.step(call, lost, "party", StepState.DONE),
        lambda call: service.note(call, lost, " "),
        lambda call: service.close(call, lost, Outcome.REPAIRED),
        lambda call: service.stolen(call, leaver, "PV"),
        lambda call: service.missing(call, leaver, 99_999),
        lambda call: service.days(call, leaver, date(2026, 12, 1), date(2026, 11, 1)),
        lambda call: service.days(call, lost, date(2026, 12, 1), None),
        lambda call: service.open_broken(call, town.phone),
    ):
        with nothing_changes(calling), pytest.raises(HavenmeesterError) as refused, calling(town.clerk()) as call:
            verb(call)
        said.append(str(refused.value))
    assert all(sentence.endswith(".") for sentence in said)
    assert all("Nothing was" in sentence for sentence in said), said
