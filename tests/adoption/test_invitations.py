"""Invitations and reminders: each reaches who it is for, in their language, once, by day, and never whom it need not."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from mdm.adoption import queries, reminders, sending, service
from mdm.adoption.letters import HELP as HELPED
from mdm.adoption.letters import INVITATION, LEAD, OFF, REMINDER, SMS
from mdm.adoption.model import InvitationRun, Invitee, Letter, RunLine
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import DeniedError, InvalidError, NotFoundError
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.inventory.model import Device
from mdm.outbox.model import OutboxMessage
from mdm.people.model import LANGUAGES
from mdm.portal import keys
from mdm.portal.model import Way
from mdm.worker import inviting, mail
from mdm.worker.office import Office
from mdm.worker.post import deliver
from mdm.worker.topics import TOPICS
from tests.adoption.conftest import MailServer, Worker, person, point, unit
from tests.conftest import NOW
from tests.sim.sms import SmsGateway
from tests.worker.conftest import HandClock


def invite(office: Office, *people: int, key: str = "") -> str:
    with office.call("test") as call:
        return service.invite_people(call, people, key=key).uid


def states(office: Office, uid: str) -> dict[str, int]:
    with office.call("test", write=False) as call:
        return queries.run(call, uid).states


def activate(office: Office, person_id: int) -> None:
    with office.call("test") as call:
        call.session.add(
            Device(
                uid=f"d{person_id}", platform="ios", kind="phone", state="handed_out", person_id=person_id,
                created_at=call.now, enrolled_at=call.now,
            )
        )  # fmt: skip


def two(office: Office) -> tuple[int, int]:
    with office.call("test") as call:
        desk = point(call, "WH")
        mail_person = person(call, "An", service_point_id=desk.id)
        return mail_person.id, person(call, "Mo", email=None, phone="0470 12 34 56", language="ar").id


def test_each_is_written_to_in_their_language_by_the_way_that_reaches_them(
    office: Office, worker: Worker, mailbox: MailServer, gateway: SmsGateway
) -> None:
    an, mo = two(office)
    with office.call("test") as call:
        paper = person(call, "Bo", email=None).id
        landline = person(call, "Cy", email=None, phone="03 221 13 33").id

    uid = invite(office, an, mo, paper, landline)
    worker.round()

    (letter,) = mailbox.to("an@example.org")
    text = letter.get_content()
    assert letter["Subject"] == INVITATION["nl"][0]
    assert "Desk WH, 03 000 00 00" in text
    assert "30 november 2026" in text
    (sms,) = gateway.to("+32470123456")
    assert sms.startswith("Antwerpen: جهّز جهازك")
    assert states(office, uid) == {"mail": 1, "sms": 1, "paper": 2}
    with office.call("test", write=False) as call:
        assert queries.run(call, uid).run.finished_at is not None
        assert [one.name for _, one in queries.papers(call)] == ["Bo", "Cy"]


def test_the_link_in_the_letter_lets_its_reader_in_once(office: Office, worker: Worker, mailbox: MailServer) -> None:
    an, _ = two(office)
    invite(office, an)
    worker.round()
    text = mailbox.to("an@example.org")[0].get_content()
    (secret,) = re.findall(r"https://mijn\.example\.org/in/link/(\S+)", text)
    with office.call("test") as call:
        found = keys.redeem(call, secret, Way.MAIL)
        assert found is not None
        assert found.id == an
        assert keys.redeem(call, secret, Way.MAIL) is None


def test_twice_is_like_once_pressed_again_or_in_another_run(
    office: Office, worker: Worker, mailbox: MailServer
) -> None:
    an, _ = two(office)
    first = invite(office, an, key="press-1")
    assert invite(office, an, key="press-1") == first
    second = invite(office, an, an)
    worker.round(5)
    assert len(mailbox.to("an@example.org")) == 1
    assert states(office, first) == {"mail": 1}
    assert states(office, second) == {"earlier": 1}


def test_killed_before_the_commit_nothing_was_written_and_afterwards_it_is_written_once(
    office: Office, worker: Worker, mailbox: MailServer
) -> None:
    an, _ = two(office)
    uid = invite(office, an)
    with pytest.raises(RuntimeError, match="killed"), office.call("test") as call:
        assert sending.write_waiting(call, inviting.writer(office)) == 1
        raise RuntimeError("killed")
    assert states(office, uid) == {"waiting": 1}
    with office.call("test", write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(OutboxMessage)) == 0
    worker.round()
    assert len(mailbox.letters) == 1


def test_killed_after_handing_over_the_letter_keeps_its_message_id(
    office: Office, worker: Worker, mailbox: MailServer
) -> None:
    an, _ = two(office)
    invite(office, an)
    inviting.write_letters(office)
    with office.call("test", write=False) as call:
        payload = call.session.scalars(select(OutboxMessage.payload).where(OutboxMessage.topic == "mail")).one()
    mail.send(office, payload)
    worker.round()
    assert len(mailbox.letters) == 2
    assert len({one["Message-ID"] for one in mailbox.letters}) == 1


def test_who_is_active_or_gone_is_not_written_to(office: Office, worker: Worker, mailbox: MailServer) -> None:
    an, _ = two(office)
    with office.call("test") as call:
        gone = person(call, "Eve", left_on=NOW.date()).id
    activate(office, an)
    uid = invite(office, an, gone)
    worker.round()
    assert mailbox.letters == []
    assert states(office, uid) == {"active": 1, "left": 1}


def test_after_seven_days_who_is_not_active_is_reminded_once(
    office: Office, worker: Worker, mailbox: MailServer, gateway: SmsGateway
) -> None:
    an, mo = two(office)
    with office.call("test") as call:
        quick = person(call, "Bo").id
    invite(office, an, mo, quick)
    worker.round()
    worker.until(NOW + timedelta(days=6, hours=5))
    assert len(mailbox.to("an@example.org")) == 1
    activate(office, quick)

    worker.until(NOW + timedelta(days=7, hours=-1))
    worker.until(NOW + timedelta(days=8))

    subjects = [one["Subject"] for one in mailbox.to("an@example.org")]
    assert subjects == [INVITATION["nl"][0], REMINDER["nl"][0]]
    assert len(gateway.to("+32470123456")) == 2
    assert len(mailbox.to("bo@example.org")) == 1


def test_an_invitation_in_the_evening_waits_for_the_morning_and_one_on_friday_for_monday(
    office: Office, worker: Worker, clock: HandClock, mailbox: MailServer
) -> None:
    an, _ = two(office)
    # 18:30 UTC is half past seven in the evening in Brussels.
    clock.now = NOW.replace(hour=18, minute=30)
    invite(office, an)
    worker.round()
    assert mailbox.letters == []
    worker.until(NOW.replace(hour=6, minute=59) + timedelta(days=1))
    assert mailbox.letters == []
    worker.until(NOW.replace(hour=7) + timedelta(days=1))
    assert len(mailbox.letters) == 1

    clock.now = NOW.replace(hour=18, minute=30) + timedelta(days=4)
    with office.call("test") as call:
        late = person(call, "Bo").id
    invite(office, late)
    worker.until(NOW + timedelta(days=5))
    worker.until(NOW + timedelta(days=6))
    assert mailbox.to("bo@example.org") == []
    worker.until(NOW + timedelta(days=7))
    assert len(mailbox.to("bo@example.org")) == 1


def test_what_was_written_by_day_and_not_delivered_waits_in_the_post_at_night(
    office: Office, clock: HandClock, mailbox: MailServer
) -> None:
    an, _ = two(office)
    invite(office, an)
    inviting.write_letters(office)
    clock.forward(hours=12)
    deliver(office, TOPICS)
    assert mailbox.letters == []
    with office.call("test", write=False) as call:
        assert call.session.scalars(select(OutboxMessage.attempts).where(OutboxMessage.topic == "mail")).one() == 0
    clock.forward(hours=12)
    deliver(office, TOPICS)
    assert len(mailbox.letters) == 1


def test_one_click_ends_reminders_and_another_brings_them_back(
    office: Office, worker: Worker, mailbox: MailServer
) -> None:
    an, _ = two(office)
    invite(office, an)
    worker.round()
    letter = mailbox.to("an@example.org")[0]
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = str(letter["List-Unsubscribe"]).strip("<>")
    assert address in letter.get_content()
    secret = address.removeprefix("https://mijn.example.org/off/")
    with office.call("test") as call:
        reminders.want_reminders(call, secret, wanted=False)
        reminders.want_reminders(call, secret, wanted=False)
    worker.until(NOW + timedelta(days=8))
    assert len(mailbox.to("an@example.org")) == 1

    with office.call("test") as call:
        reminders.want_reminders(call, secret, wanted=True)
    worker.until(NOW + timedelta(days=9))
    assert len(mailbox.to("an@example.org")) == 2

    with office.call("test") as call, pytest.raises(NotFoundError):
        reminders.want_reminders(call, secret + "x", wanted=False)


def test_who_wants_no_reminders_is_still_invited_when_the_city_begins_anew(
    office: Office, worker: Worker, mailbox: MailServer, clock: HandClock
) -> None:
    an, _ = two(office)
    invite(office, an)
    worker.round()
    with office.call("test") as call:
        call.session.execute(update(Invitee).values(no_reminders_at=NOW))
    clock.forward(days=28)
    invite(office, an)
    worker.round()
    assert [one["Subject"] for one in mailbox.to("an@example.org")] == [INVITATION["nl"][0]] * 2


def test_a_lead_gets_one_letter_with_all_their_people_after_fourteen_days_and_none_within_a_week(
    office: Office, worker: Worker, mailbox: MailServer, clock: HandClock
) -> None:
    with office.call("test") as call:
        top = unit(call, "TOP", lead="chief@example.org")
        team = unit(call, "TEAM", top, lead="lead@example.org")
        below = unit(call, "BELOW", team)
        person(call, "Lead", email="lead@example.org", language="fr", unit_id=team.id)
        people = [person(call, name, unit_id=below.id).id for name in ("An", "Bo")]
        no_mail = person(call, "Cy", unit_id=team.id, email=None, phone="").id
        lead = call.session.scalars(select(Invitee)).all()
        assert lead == []
        leader = person(call, "Top", email="chief@example.org", unit_id=top.id).id
        later = person(call, "Dee", unit_id=team.id).id
    invite(office, *people, no_mail, leader)
    worker.round()
    with office.call("test") as call:
        service.printed(call, [line.id for line, _ in queries.papers(call)])
    clock.forward(days=2)
    invite(office, later)
    worker.round()
    activate(office, people[1])
    worker.until(NOW + timedelta(days=13, hours=8))
    assert mailbox.to("lead@example.org") == []

    worker.until(NOW + timedelta(days=14))
    worker.until(NOW + timedelta(days=17))

    (letter,) = mailbox.to("lead@example.org")
    assert letter["Subject"] == LEAD["fr"][0].format(count=2)
    text = letter.get_content()
    assert "- An (Unit BELOW)" in text
    assert "- Cy (Unit TEAM)" in text
    assert "- Bo" not in text
    assert "- Dee" not in text
    # The chief has nobody above who could be told about the chief.
    assert [one for one in mailbox.to("chief@example.org") if "Unit" in one.get_content()] == []

    worker.until(NOW + timedelta(days=21, hours=1))
    second = mailbox.to("lead@example.org")
    assert len(second) == 2
    assert "Dee" in second[1].get_content()
    assert "- An" in second[1].get_content()
    worker.until(NOW + timedelta(days=30))
    assert len(mailbox.to("lead@example.org")) == 2


def test_after_a_move_on_a_date_the_lead_above_is_another(office: Office, worker: Worker, mailbox: MailServer) -> None:
    from mdm.org.model import UnitParent

    with office.call("test") as call:
        old, new = unit(call, "OLD", lead="old@example.org"), unit(call, "NEW", lead="new@example.org")
        team = unit(call, "TEAM", old)
        call.session.add(UnitParent(unit_id=team.id, parent_id=new.id, from_date=NOW.date() + timedelta(days=14)))
        an = person(call, "An", unit_id=team.id).id
    invite(office, an)
    worker.round()
    worker.until(NOW + timedelta(days=14))
    assert mailbox.to("old@example.org") == []
    assert len(mailbox.to("new@example.org")) == 1


def test_who_is_not_reached_by_letter_gets_a_paper(
    office: Office, worker: Worker, gateway: SmsGateway, clock: HandClock
) -> None:
    _, mo = two(office)
    gateway.answers = [422]
    uid = invite(office, mo)
    worker.round()
    assert states(office, uid) == {"failed": 1}
    with office.call("test") as call:
        ((line, _),) = queries.papers(call)
        assert [one.name for one in service.printed(call, [line.id])] == ["Mo"]
    with office.call("test") as call, pytest.raises(NotFoundError):
        service.printed(call, [line.id])
    assert states(office, uid) == {"printed": 1}
    with office.call("test", write=False) as call:
        assert queries.papers_count(call) == 0


def test_without_an_sms_gateway_the_paper_list_has_who_has_only_a_telephone(office: Office, worker: Worker) -> None:
    _, mo = two(office)
    nobody = Office(office.engine, office.settings.model_copy(update={"sms_url": ""}), office.clock)
    uid = invite(nobody, mo)
    inviting.write_letters(nobody)
    assert states(nobody, uid) == {"paper": 1}


def test_numbers_from_a_file_that_are_nobodys_are_told_one_by_one(office: Office, worker: Worker) -> None:
    with office.call("test") as call:
        person(call, "An", number="P1")
        run = service.invite_numbers(call, ["P1", " P1 ", "P9", "", "P8\x00"])
        assert run.total == 3
    worker.round()
    assert states(office, run.uid) == {"mail": 1, "unknown": 2}
    with office.call("test", write=False) as call:
        assert sorted(call.session.scalars(select(RunLine.given).where(RunLine.given != ""))) == ["P8", "P9"]


def test_a_clerk_invites_only_at_their_place_and_others_not_at_all(office: Office) -> None:
    with office.call("test") as call:
        here, there = point(call, "HERE"), point(call, "THERE")
        mine = person(call, "An", service_point_id=here.id)
        other = person(call, "Bo", service_point_id=there.id, number="P2")
        place = Grant(Role.DESK_CLERK, PlaceKind.SERVICE_POINT, here.id)
        clerk = call.by(Actor(ActorKind.OPERATOR, 7, "Clerk", (place,)))
        run = service.invite_people(clerk, [mine.id, other.id])
        assert run.total == 1
        assert queries.run(clerk, run.uid).total == 1
        with pytest.raises(InvalidError):
            service.invite_people(clerk, [other.id])
        unknown = service.invite_numbers(clerk, ["P2"])
        assert [line.state for line in call.session.scalars(select(RunLine).where(RunLine.run_id == unknown.id))] == [
            "unknown"
        ]
        assert queries.run(clerk, unknown.uid).states == {"unknown": 1}
        elsewhere = call.by(
            Actor(ActorKind.OPERATOR, 8, "C", (Grant(Role.DESK_CLERK, PlaceKind.SERVICE_POINT, there.id),))
        )
        assert queries.runs(elsewhere) == []
        with pytest.raises(NotFoundError):
            queries.run(elsewhere, run.uid)
        auditor = call.by(Actor(ActorKind.OPERATOR, 9, "Auditor", (Grant(Role.AUDITOR),)))
        with pytest.raises(DeniedError):
            service.invite_people(auditor, [mine.id])
        assert call.session.scalar(select(func.count()).select_from(InvitationRun)) == 2


def test_letters_never_fill_the_post_so_that_an_alarm_waits(
    office: Office, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "AHEAD", 20)
    monkeypatch.setattr(sending, "BATCH", 10)
    with office.call("test") as call:
        people = [person(call, f"P{number}").id for number in range(35)]
    invite(office, *people)
    for _ in range(6):
        inviting.write_letters(office)
    with office.call("test", write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(Letter)) == sending.AHEAD
    worker.round(6)
    with office.call("test", write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(Letter)) == len(people)
        assert call.session.scalar(select(func.count(func.distinct(Letter.person_id)))) == len(people)


def _without(office: Office, *names: str) -> Office:
    """The same office in a city where these ways are not set up."""
    return Office(office.engine, office.settings.model_copy(update=dict.fromkeys(names, "")), office.clock)


def test_letters_that_wait_for_a_mail_server_hold_back_no_sms_nor_its_reminder(
    office: Office, monkeypatch: pytest.MonkeyPatch, clock: HandClock, gateway: SmsGateway
) -> None:
    monkeypatch.setattr(sending, "AHEAD", 4)
    monkeypatch.setattr(sending, "BATCH", 3)
    mute = _without(office, "smtp_url")
    with office.call("test") as call:
        by_mail = [person(call, f"M{number}").id for number in range(8)]
        texted = [person(call, f"S{number}", email=None, phone=f"0470 00 00 0{number}").id for number in range(2)]
        both = person(call, "B", phone="0470 00 00 09").id
        neither = person(call, "N", email=None).id
    uid = invite(office, *by_mail, *texted, both, neither)
    for _ in range(8):
        inviting.write_letters(mute)
    assert states(office, uid) == {"mail": 6, "waiting": 2, "sms": 3, "paper": 1}
    deliver(mute, TOPICS)
    assert len(gateway.asked) == 3

    clock.forward(days=9)
    for _ in range(8):
        inviting.write_letters(mute)
    with office.call("test", write=False) as call:
        reminded = set(call.session.scalars(select(Invitee.person_id).where(Invitee.reminder == "sms")))
    assert reminded == {*texted, both}


def test_an_sms_gateway_that_is_silent_holds_back_no_letter(
    office: Office, monkeypatch: pytest.MonkeyPatch, gateway: SmsGateway
) -> None:
    monkeypatch.setattr(sending, "AHEAD", 2)
    monkeypatch.setattr(sending, "BATCH", 2)
    with office.call("test") as call:
        texted = [person(call, f"S{number}", email=None, phone=f"0470 00 00 0{number}").id for number in range(5)]
        by_mail = [person(call, f"M{number}").id for number in range(2)]
    uid = invite(office, *texted, *by_mail)
    for _ in range(8):
        inviting.write_letters(office)
    assert states(office, uid) == {"sms": 2, "waiting": 3, "mail": 2}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_letter_is_there_in_every_language_with_every_field(language: str) -> None:
    for texts in (INVITATION, REMINDER):
        assert all("{" + name + "}" in texts[language][1] for name in ("name", "address", "until", "page", "help"))
    assert all("{address}" in text and "{until}" in text for text in SMS[language])
    assert "{people}" in LEAD[language][1]
    assert "{off}" in OFF[language]
    assert "{point}" in HELPED[language]
