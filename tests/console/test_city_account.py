"""Signing in with the city's identity provider, through the console's own pages and a provider on a real socket."""

from datetime import UTC, datetime

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import create_engine, text
from werkzeug.test import TestResponse

from mdm.settings import Settings
from tests.conftest import free_port
from tests.console.conftest import Visitor
from tests.sim.oidc import CLIENT, SECRET, IdentityProvider
from web.console.app import make_console

BACK = "/sign-in/oidc/back"


@pytest.fixture
def city(httpserver: HTTPServer) -> IdentityProvider:
    """A provider that knows Mo."""
    return IdentityProvider(httpserver, datetime.now(UTC))


@pytest.fixture
def settings(settings: Settings, city: IdentityProvider) -> Settings:
    """A console that is known there."""
    return settings.model_copy(
        update={"oidc_issuer": city.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    )


def _there(visitor: Visitor, city: IdentityProvider, goal: str = "/devices") -> dict[str, str]:
    begun = visitor.get(f"/sign-in/oidc?next={goal}")
    assert begun.status_code == 303
    return city.authorize(begun.location)


def _back(visitor: Visitor, answer: dict[str, str]) -> TestResponse:
    return visitor.get(BACK, query_string=answer)


def _nobody(visitor: Visitor) -> bool:
    return visitor.get("/account").status_code == 303


def test_the_page_offers_the_city_account_and_the_way_back_ends_where_one_wanted_to_go(
    visitor: Visitor, city: IdentityProvider
) -> None:
    assert 'href="/sign-in/oidc?next=/devices"' in visitor.get("/sign-in?next=/devices").text

    came = _back(visitor, _there(visitor, city))

    assert (came.status_code, came.location) == (303, "/devices")
    assert "Mo Haddad" in visitor.get("/account").text


def test_a_code_comes_in_once(visitor: Visitor, city: IdentityProvider) -> None:
    answer = _there(visitor, city)
    kept = visitor.client.get_cookie("hm_city", path="/sign-in/oidc")
    assert kept is not None
    assert kept.max_age == 600
    assert (kept.http_only, kept.same_site) == (True, "Lax")
    assert _back(visitor, answer).status_code == 303
    assert visitor.client.get_cookie("hm_city", path="/sign-in/oidc") is None
    visitor.get("/account")
    assert visitor.post("/sign-out").status_code == 303
    visitor.client.set_cookie("hm_city", kept.value, path="/sign-in/oidc")

    again = _back(visitor, answer)

    assert again.status_code == 401
    assert _nobody(visitor)


def test_somebody_whom_nobody_made_an_operator_is_told_so_and_is_not_made_one(
    visitor: Visitor, city: IdentityProvider, settings: Settings
) -> None:
    city.user |= {"sub": "u-9", "email": "eve@stad.example"}

    came = _back(visitor, _there(visitor, city))

    assert came.status_code == 403
    assert "The city knows you as eve@stad.example" in came.text
    assert 'name="password"' in came.text
    assert _nobody(visitor)
    with create_engine(settings.database).connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM operator WHERE email LIKE 'eve@%'")).scalar() == 0


@pytest.mark.parametrize("how", ["another state", "no state", "another browser", "forged cookie", "denied there"])
def test_an_answer_that_is_not_for_this_sign_in_signs_nobody_in(
    visitor: Visitor, city: IdentityProvider, how: str
) -> None:
    answer = _there(visitor, city)
    changed = {
        "another state": lambda: answer | {"state": "x" * 32},
        "no state": lambda: {"code": answer["code"]},
        "denied there": lambda: {"state": answer["state"], "error": "access_denied"},
    }.get(how, lambda: answer)()
    if how == "another browser":
        visitor.client.delete_cookie("hm_city", path="/sign-in/oidc")
    if how == "forged cookie":
        visitor.client.set_cookie("hm_city", "e30.aaaaaa.bbbbbb", path="/sign-in/oidc")

    came = _back(visitor, changed)

    assert came.status_code == 401
    assert "Nobody was signed in" in came.text
    assert _nobody(visitor)


def test_a_provider_that_is_away_is_told_and_the_password_still_works(settings: Settings) -> None:
    away = settings.model_copy(update={"oidc_issuer": f"http://127.0.0.1:{free_port()}"})
    visitor = Visitor(make_console(away))

    answer = visitor.get("/sign-in/oidc")

    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert 'name="password"' in answer.text


def test_a_wrong_issuer_is_told_without_details(settings: Settings, city: IdentityProvider) -> None:
    visitor = Visitor(make_console(settings.model_copy(update={"oidc_issuer": city.issuer + "/"})))

    answer = visitor.get("/sign-in/oidc")

    assert answer.status_code == 500
    assert "not set up rightly" in answer.text
    assert city.issuer not in answer.text


def test_without_a_provider_there_is_no_button_and_no_way(settings: Settings) -> None:
    visitor = Visitor(make_console(settings.model_copy(update={"oidc_issuer": ""})))

    assert "/sign-in/oidc" not in visitor.get("/sign-in").text
    assert visitor.get("/sign-in/oidc").status_code == 404


def test_the_way_back_leads_to_no_other_host(visitor: Visitor, city: IdentityProvider) -> None:
    came = _back(visitor, _there(visitor, city, "//evil.example"))

    assert came.location == "/"


PHONE = "/sign-in/oidc/phone?user-identifier=mo@stad.example"


def _phone_came_back(visitor: Visitor, city: IdentityProvider, address: str = PHONE) -> TestResponse:
    begun = visitor.get(address)
    assert begun.status_code == 303
    return _back(visitor, city.authorize(begun.location))


def test_a_private_phone_is_given_what_shows_that_its_owner_has_signed_in_and_nobody_is_signed_in_here(
    visitor: Visitor, city: IdentityProvider, settings: Settings
) -> None:
    with create_engine(settings.database).begin() as connection:
        connection.execute(text("UPDATE person SET email = NULL WHERE email = 'mo@stad.example'"))
        connection.execute(text("UPDATE person SET email = 'mo@stad.example', left_on = NULL WHERE id = 1"))
    came = _phone_came_back(visitor, city)
    assert came.status_code == 308
    assert came.location.startswith("apple-remotemanagement-user-login://authentication-results?access-token=")
    assert _nobody(visitor)


def test_a_private_phone_is_given_nothing_for_somebody_elses_account(
    visitor: Visitor, city: IdentityProvider, settings: Settings
) -> None:
    came = _phone_came_back(visitor, city, "/sign-in/oidc/phone?user-identifier=ada@stad.example")
    assert came.status_code == 401
    assert "apple-remotemanagement" not in str(came.headers)
