"""Reminders at the employees' door: off by one click without any cookie, shown, and back again."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from mdm.adoption.model import Invitee, Letter
from mdm.core.ids import secret_digest
from mdm.people.model import Person
from mdm.settings import Settings
from mdm.storage.engine import make_engine, transaction
from tests.portal.conftest import HOST, Employee

SECRET = "the-secret-under-a-letter"


@pytest.fixture
def person(settings: Settings) -> int:
    """Somebody who got a letter."""
    engine = make_engine(settings.database)
    now = datetime.now(UTC)
    with transaction(engine) as session:
        found = session.scalars(select(Person.id).order_by(Person.id).limit(1)).one()
        session.add(Invitee(person_id=found, invited_at=now, channel="mail", reminder=""))
        session.add(
            Letter(
                person_id=found, kind="invitation", channel="mail", at=now, off_digest=secret_digest(SECRET), post_id=1
            )
        )
    engine.dispose()
    return found


def wants(settings: Settings, person: int) -> bool:
    engine = make_engine(settings.database)
    with transaction(engine, write=False) as session:
        row = session.get(Invitee, person)
        wanted = row is None or row.no_reminders_at is None
    engine.dispose()
    return wanted


def test_a_mail_program_ends_reminders_without_cookie_or_form_and_looking_alone_does_not(
    stranger: Employee, settings: Settings, person: int
) -> None:
    assert "No reminders any more" in stranger.get(f"/off/{SECRET}", headers={"Accept-Language": "en"}).text
    assert wants(settings, person)
    for _ in range(2):
        answer = stranger.client.post(f"/off/{SECRET}", data={"List-Unsubscribe": "One-Click"}, base_url=HOST)
        assert answer.status_code == 303
        assert not wants(settings, person)

    page = stranger.get(f"/off/{SECRET}", headers={"Accept-Language": "en"})
    assert "You get no reminders any more." in page.text
    assert stranger.client.post(f"/off/{SECRET}/back", base_url=HOST).status_code == 400
    assert not wants(settings, person), "the way back is a form of this page"
    assert stranger.post(f"/off/{SECRET}/back").status_code == 303
    assert wants(settings, person)


def test_a_wrong_link_says_so_and_changes_nothing(stranger: Employee, settings: Settings, person: int) -> None:
    answer = stranger.get(f"/off/{SECRET}x", headers={"Accept-Language": "en"})
    assert answer.status_code == 404
    assert "This link is not right" in answer.text
    assert stranger.client.post(f"/off/{SECRET}x", base_url=HOST).status_code == 404
    assert wants(settings, person)


def test_who_is_in_chooses_on_their_page_and_their_first_visit_is_noted(employee: Employee, settings: Settings) -> None:
    engine = make_engine(settings.database)
    with transaction(engine, write=False) as session:
        assert session.get_one(Invitee, employee.person).came_in_at is not None
    engine.dispose()
    assert "No reminders any more" in employee.get("/seen").text
    employee.post("/reminders", wanted="no")
    assert not wants(settings, employee.person)
    assert "Send me reminders again" in employee.get("/seen").text
    employee.post("/reminders", wanted="yes")
    assert wants(settings, employee.person)
