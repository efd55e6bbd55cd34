"""Coming in with the city account: through the page's own addresses and a provider on a real socket."""

from datetime import UTC, date, datetime

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from sqlalchemy import func, select, update
from werkzeug.test import Client

from mdm.access.model import WebSession
from mdm.people.model import Person
from mdm.portal.model import PortalSession
from mdm.settings import Settings
from mdm.storage.engine import make_engine, transaction
from tests.portal.conftest import HOST, Employee
from tests.sim.oidc import CLIENT, SECRET, IdentityProvider
from web.console.app import make_console
from web.portal.app import beside, make_portal


@pytest.fixture
def city(httpserver: HTTPServer) -> IdentityProvider:
    """A provider that knows Mo, who is an operator too."""
    provider = IdentityProvider(httpserver, datetime.now(UTC))
    provider.redirect = f"{HOST}/in/city/back"
    return provider


@pytest.fixture
def settings(settings: Settings, city: IdentityProvider) -> Settings:
    """An installation that is known there, and that knows personnel numbers."""
    return settings.model_copy(
        update={
            "oidc_issuer": city.issuer,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": SECRET,
            "oidc_number_claim": "employee",
        }
    )


def _person(settings: Settings, **values: object) -> Person:
    engine = make_engine(settings.database)
    with transaction(engine, write=True) as session:
        person = session.scalars(
            select(Person).where(Person.email.is_not(None), Person.number.is_not(None), Person.left_on.is_(None))
        ).first()
        assert person is not None
        session.execute(update(Person).where(Person.id == person.id).values(**(values or {"language": "en"})))
        session.refresh(person)
        session.expunge(person)
    engine.dispose()
    return person


def _sessions(settings: Settings, table: type) -> int:
    engine = make_engine(settings.database)
    with transaction(engine, write=False) as session:
        count = session.scalar(select(func.count()).select_from(table)) or 0
    engine.dispose()
    return count


def _back(one: Employee, city: IdentityProvider):
    begun = one.get("/in/city")
    assert begun.status_code == 303
    return one.get("/in/city/back", query_string=city.authorize(begun.location))


def test_the_verified_e_mail_address_lets_an_employee_in(
    stranger: Employee, city: IdentityProvider, settings: Settings
) -> None:
    person = _person(settings)
    city.user |= {"email": person.email.upper(), "email_verified": True}
    assert 'href="/in/city"' in stranger.get("/in").text

    assert _back(stranger, city).location == "/"

    assert person.name in stranger.get("/").text
    assert _sessions(settings, PortalSession) == 1


def test_the_personnel_number_does_too_where_the_city_says_it(
    stranger: Employee, city: IdentityProvider, settings: Settings
) -> None:
    person = _person(settings)
    city.user = {"sub": "u-2", "employee": person.number}

    assert _back(stranger, city).location == "/"

    assert person.name in stranger.get("/").text


@pytest.mark.parametrize(
    "user",
    [
        {"sub": "u-3", "email": "nobody@stad.example", "email_verified": True},
        {"sub": "u-3", "email": "OWN", "email_verified": False},
        {"sub": "u-3", "email": "OWN", "email_verified": True, "employee": "OTHER"},
        {"sub": "OWN"},
    ],
)
def test_who_is_not_proved_to_be_one_employee_is_told_what_to_do_and_is_not_in(
    stranger: Employee, city: IdentityProvider, settings: Settings, user: dict[str, object]
) -> None:
    person = _person(settings)
    engine = make_engine(settings.database)
    with transaction(engine, write=False) as session:
        other = session.scalars(select(Person.number).where(Person.id != person.id, Person.number.is_not(None))).first()
    engine.dispose()
    known = {"OWN": person.email, "OTHER": other}
    city.user = {name: known.get(value, value) if isinstance(value, str) else value for name, value in user.items()}

    answer = _back(stranger, city)

    assert answer.status_code == 403
    assert "Ask your service point" in answer.text
    assert _sessions(settings, PortalSession) == 0


def test_who_has_left_is_not_let_in(stranger: Employee, city: IdentityProvider, settings: Settings) -> None:
    person = _person(settings, left_on=date(2020, 1, 1))
    city.user |= {"email": person.email}

    assert _back(stranger, city).status_code == 403
    assert _sessions(settings, PortalSession) == 0


def test_an_operator_gets_no_right_of_the_console_by_coming_in_here(
    portal: Flask, city: IdentityProvider, settings: Settings
) -> None:
    engine = make_engine(settings.database)
    with transaction(engine, write=True) as session:
        session.execute(update(Person).where(Person.email == "mo@stad.example").values(email=None))
        person = session.scalars(select(Person).where(Person.left_on.is_(None))).first()
        assert person is not None
        person.email = "mo@stad.example"
    engine.dispose()
    one = Employee(portal)
    assert _back(one, city).location == "/"
    cookie = one.client.get_cookie("hm_mine", domain="mijn.localhost")
    assert cookie is not None

    asked = Client(beside(portal, make_console(settings), settings.portal_base))
    asked.set_cookie("hm_session", cookie.value, domain="localhost")

    assert asked.get("/devices", base_url="http://localhost:8080").status_code == 303
    assert _sessions(settings, WebSession) == 0


def test_an_answer_that_was_not_asked_for_or_comes_twice_lets_nobody_in(
    stranger: Employee, city: IdentityProvider, settings: Settings
) -> None:
    assert stranger.get("/in/city/back?code=x&state=y").status_code == 401
    answer = city.authorize(stranger.get("/in/city").location)

    forged = stranger.get("/in/city/back", query_string={**answer, "state": "another"})
    again = stranger.get("/in/city/back", query_string=answer)

    assert (forged.status_code, again.status_code) == (401, 401)
    assert "You are not in" in forged.text
    assert _sessions(settings, PortalSession) == 0


def test_without_a_provider_the_page_offers_no_city_account(settings: Settings) -> None:
    plain = Employee(make_portal(settings.model_copy(update={"oidc_issuer": ""})))

    assert "/in/city" not in plain.get("/in").text
    assert plain.get("/in/city").status_code == 404
