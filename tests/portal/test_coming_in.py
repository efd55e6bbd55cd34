"""Coming in: a link by e-mail, the code of a paper; who may not, and what a stranger learns."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import Client

from mdm.outbox.model import OutboxMessage
from mdm.people.model import Person
from mdm.portal.model import PortalKey, PortalSession
from mdm.settings import Settings
from mdm.storage.engine import make_engine, transaction
from tests.portal.conftest import HOST, Employee
from web.console.app import make_console
from web.portal.app import beside

LINK = re.compile(re.escape(HOST) + r"(/in/link/\S+)")


@pytest.fixture
def session(settings: Settings):
    """The database beside the page."""
    engine = make_engine(settings.database)
    with transaction(engine, write=True) as found:
        yield found
    engine.dispose()


def _letters(settings: Settings) -> list[str]:
    engine = make_engine(settings.database)
    with transaction(engine, write=False) as found:
        texts = [
            message.payload["text"]
            for message in found.scalars(select(OutboxMessage).where(OutboxMessage.topic == "mail"))
            if "/in/link/" in message.payload["text"]
        ]
    engine.dispose()
    return texts


def _somebody(settings: Settings, **values: object) -> Person:
    engine = make_engine(settings.database)
    with transaction(engine, write=True) as found:
        person = found.scalars(select(Person).where(Person.email.is_not(None), Person.left_on.is_(None))).first()
        assert person is not None
        for name, value in values.items():
            setattr(person, name, value)
        found.flush()
        found.expunge(person)
    engine.dispose()
    return person


def test_a_link_by_e_mail_lets_its_reader_in_once(stranger: Employee, settings: Settings) -> None:
    person = _somebody(settings)
    stranger.get("/in")

    assert stranger.post("/in/mail", email=f" {person.email.upper()} ").status_code == 303
    link = LINK.search(_letters(settings)[0])
    assert link is not None
    assert "<form" in stranger.get(link[1]).text
    assert stranger.get(link[1]).status_code == 200  # whoever only looks, such as a scanner of mail, uses nothing up
    assert stranger.post(link[1]).status_code == 303
    assert person.name in stranger.get("/").text

    other = Employee(stranger.client.application)
    assert other.get(link[1]).headers["Location"].endswith("/in")
    assert "was used already" in other.get("/in").text
    refused = other.post(link[1])
    assert refused.headers["Location"].endswith("/in")
    assert "was used already" in other.get("/in").text


def test_who_asks_for_a_link_learns_not_who_is_known(stranger: Employee, settings: Settings) -> None:
    stranger.get("/in")

    assert stranger.post("/in/mail", email="nobody@stad.example").status_code == 303
    unknown = stranger.get("/in").text
    stranger.post("/in/mail", email=_somebody(settings).email)
    known = stranger.get("/in").text

    plain = re.compile(r'name="csrf_token" value="[^"]+"')
    assert plain.sub("", unknown) == plain.sub("", known)
    assert len(_letters(settings)) == 1


def test_five_letters_an_hour_are_enough(stranger: Employee, settings: Settings) -> None:
    person = _somebody(settings)
    stranger.get("/in")

    for _ in range(7):
        stranger.post("/in/mail", email=person.email)

    assert len(_letters(settings)) == 5


def test_the_code_of_a_paper_is_read_as_people_write_it_and_works_once(
    stranger: Employee, settings: Settings, paper: Callable[[int], str]
) -> None:
    person = _somebody(settings)
    code = paper(person.id)
    stranger.get("/in")

    assert stranger.post("/in/code", code=code.lower().replace("-", " ").replace("0", "o")).status_code == 303
    assert person.name in stranger.get("/").text
    other = Employee(stranger.client.application)
    other.get("/in")
    assert other.post("/in/code", code=code).status_code == 422
    assert other.get("/").headers["Location"].endswith("/in")


def test_a_new_paper_makes_the_old_one_worthless(
    stranger: Employee, settings: Settings, paper: Callable[[int], str]
) -> None:
    person = _somebody(settings)
    old, new = paper(person.id), paper(person.id)
    stranger.get("/in")

    assert stranger.post("/in/code", code=old).status_code == 422
    assert stranger.post("/in/code", code=new).status_code == 303


def test_guessing_codes_is_braked(stranger: Employee) -> None:
    stranger.get("/in")

    answers = [stranger.post("/in/code", code=f"AAAA-BBBB-{number:04}").status_code for number in range(40)]

    assert answers[:30] == [422] * 30
    assert answers[-1] == 429


def test_who_has_left_is_not_let_in_and_is_not_in_any_more(
    stranger: Employee, settings: Settings, paper: Callable[[int], str]
) -> None:
    person = _somebody(settings)
    stranger.get("/in")
    stranger.post("/in/code", code=paper(person.id))
    assert stranger.get("/").status_code == 200

    _somebody(settings, left_on=date(2020, 1, 1))

    assert stranger.get("/").headers["Location"].endswith("/in")
    stranger.get("/in")
    stranger.post("/in/mail", email=person.email)
    assert _letters(settings) == []


def test_signing_out_everywhere_ends_the_other_phone_too(
    portal: Flask, settings: Settings, paper: Callable[[int], str]
) -> None:
    person = _somebody(settings)
    phone, tablet = Employee(portal), Employee(portal)
    for one in (phone, tablet):
        one.get("/in")
        one.post("/in/code", code=paper(person.id))
        one.get("/")

    phone.post("/out", everywhere="yes")

    assert tablet.get("/").headers["Location"].endswith("/in")


def test_the_secrets_of_a_key_and_of_a_session_are_not_in_the_database(employee: Employee, session) -> None:
    cookie = employee.client.get_cookie("hm_mine", domain="mijn.localhost")
    assert cookie is not None

    rows = [*session.scalars(select(PortalSession)), *session.scalars(select(PortalKey))]

    assert rows
    assert all(cookie.value not in (row.secret_digest, str(row.person_id)) for row in rows)
    assert all(len(row.secret_digest) == 64 for row in rows)


def test_each_host_name_has_its_own_pages_and_its_own_cookie(portal: Flask, settings: Settings) -> None:
    client = Client(beside(portal, make_console(settings), settings.portal_base))

    assert client.get("/devices", base_url=HOST).status_code == 404
    assert client.get("/seen", base_url="http://localhost:8080").status_code == 404
    assert "hm_forms" not in str(client.get("/in", base_url=HOST).headers.getlist("Set-Cookie"))
    assert client.get("/devices", base_url="http://localhost:8080").status_code in (302, 303)
