"""Wrong links, wrong phones, a page that another person had open: one sentence in one's own language, and a next step."""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import select, update

from mdm.core.actor import command_line
from mdm.core.errors import N_
from mdm.inventory.model import Device
from mdm.panic.model import PanicKey
from mdm.people.model import Person
from mdm.portal import keys
from mdm.portal.model import PortalKey
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.conftest import alone
from tests.console.browser import browsing
from tests.portal.conftest import HOST, Employee
from tests.portal.test_readers import _listening
from web.portal import places
from web.portal.app import NO_COOKIES, NOT_IN
from web.portal.language import TRANSLATIONS

NOWHERE = "0" * 32
LINK = N_("This link was used already, or it is too old. Ask for a new one here.")
CODE = N_("This code is not right, or it was used already. Look at it again, or ask the desk for a new one.")
EXPIRED = N_("This page was open for too long, so its form could not be trusted. Nothing was changed. Try again.")
ABSENT = N_("There is nothing at this address, or it is not yours to see. Nothing was changed.")
FORGOTTEN = N_("This link is not right. Nothing was changed. Open the link in the letter once more.")


def _catalogue(language: str) -> dict[str, str]:
    with Path(TRANSLATIONS, language, "LC_MESSAGES", "messages.po").open("rb") as file:
        return {str(one.id): str(one.string) for one in read_po(file, locale=language)}


def _told(page: str, sentence: str, language: str) -> bool:
    """Whether the page says it in the reader's language, and shows a way on."""
    main = page.split("<main", 1)[1].split("</main>", 1)[0]
    way = re.search(r'<a class="button|<button type="submit"', main)
    return f'lang="{language}"' in page and sentence in main and way is not None


@pytest.mark.parametrize("language", ["ar", "tr"])
def test_a_used_expired_foreign_or_guessed_way_in_is_told_in_ones_own_language(
    stranger: Employee, settings: Settings, paper: Callable[[int], str], language: str
) -> None:
    words = _catalogue(language)
    engine = make_engine(settings.database)
    with transaction(engine, write=False) as session:
        person = session.scalars(select(Person.id).where(Person.left_on.is_(None))).first()
    assert person is not None
    used, old = paper(person), ""
    stranger.get("/in")
    stranger.post("/language", language=language)
    assert stranger.post("/in/code", code=used).status_code == 303
    stranger.get("/")
    stranger.post("/out")
    old = paper(person)
    with transaction(engine, write=True) as session:
        session.execute(
            update(PortalKey)
            .where(PortalKey.used_at.is_(None))
            .values(expires_at=datetime.now(UTC) - timedelta(seconds=1))
        )
    engine.dispose()
    stranger.get("/in")
    for wrong in (used, old, "AAAA-BBBB-CCCC", used.lower()):
        answer = stranger.post("/in/code", code=wrong)
        assert answer.status_code == 422
        assert _told(answer.text, words[CODE], language)
    # The link of an enrolment, of another door, or a guess.
    for wrong in ("guessed", "A" * 43, keys.as_written(used)):
        assert stranger.post(f"/in/link/{wrong}").headers["Location"].endswith("/in")
        assert _told(stranger.get("/in").text, words[LINK], language)
    assert _told(stranger.get("/off/guessed").text, words[FORGOTTEN], language)
    assert _told(stranger.get("/nowhere").text, words[ABSENT], language)
    expired = stranger.client.post("/in/code", data={"code": used}, base_url=HOST)
    assert _told(expired.text, words[EXPIRED], language)


@pytest.mark.parametrize("language", ["ar", "tr"])
def test_a_wrong_phone_or_somebody_elses_is_told_in_ones_own_language_and_nothing_is_changed(
    employee: Employee, settings: Settings, language: str
) -> None:
    words = _catalogue(language)
    employee.post("/language", language=language)
    engine = make_engine(settings.database)
    with transaction(engine, write=False) as session:
        others = session.scalars(select(Device).where(Device.person_id != employee.person).limit(1)).one()
        uid, state = others.uid, others.state
    wrong = [word for word in words.values() if word]
    for address in (f"/d/{uid}", f"/d/{uid}/lost", f"/enrol/begin?device={uid}", f"/enrol/{NOWHERE}"):
        answer = employee.get(address)
        assert answer.status_code == 404
        (sentence,) = re.findall(r'role="alert"[^>]*>.*?<span>(.*?)</span>', answer.text, re.S)
        assert sentence in wrong
        assert _told(answer.text, sentence, language)
    assert employee.post(f"/d/{uid}/lost", stolen="yes").status_code == 404
    keyless = employee.post("/panic/press", sure="yes", id="1" * 32)
    assert keyless.status_code == 401
    assert 'href="tel:112"' in keyless.text
    assert _told(keyless.text, words["Call 112"], language)
    with transaction(engine, write=False) as session:
        assert session.scalars(select(Device.state).where(Device.uid == uid)).one() == state
    engine.dispose()


def test_the_button_of_somebody_else_is_no_button_for_who_is_in_now(
    portal: Flask, settings: Settings, employee: Employee, paper: Callable[[int], str]
) -> None:
    employee.get("/panic/")
    assert employee.post("/panic/on", spot="Counter 3").status_code == 303
    employee.get("/")
    employee.post("/out")
    engine = make_engine(settings.database)
    with transaction(engine, write=False) as session:
        first = session.get_one(Person, employee.person).name
        second = session.scalars(
            select(Person.id).where(Person.id != employee.person, Person.left_on.is_(None)).limit(1)
        ).one()
    employee.get("/in")
    employee.post("/in/code", code=paper(second))
    employee.post("/language", language="en")
    page = employee.get("/panic/")
    assert "somebody else's name" in page.text
    assert first not in page.text
    assert "data-hold" not in page.text
    employee.post("/panic/on")
    assert "data-hold" in employee.get("/panic/").text
    with transaction(engine, write=False) as session:
        assert list(session.scalars(select(PanicKey.person_id))) == [second]
    engine.dispose()


@pytest.mark.browser
def test_after_signing_out_the_way_back_shows_the_next_one_nothing_of_the_first(
    portal: Flask, settings: Settings, employee: Employee, paper: Callable[[int], str]
) -> None:
    engine = make_engine(settings.database)
    with transaction(engine, write=False) as session:
        first = session.get_one(Person, employee.person).name
        second = session.scalars(
            select(Person.id).where(Person.id != employee.person, Person.left_on.is_(None)).limit(1)
        ).one()
    engine.dispose()
    with _listening(portal) as base, browsing(settings, viewport={"width": 360, "height": 760}) as context:
        page = context.new_page()

        def come_in(person: int) -> None:
            page.goto(f"{base}/in")
            page.fill("#code", paper(person))
            page.locator('form[action="/in/code"] button').click()
            page.wait_for_url(f"{base}/")

        come_in(employee.person)
        page.goto(f"{base}/seen")
        expect(page.locator("footer")).to_contain_text(first)
        page.locator("footer form button").first.click()
        page.wait_for_url(f"{base}/in")
        for _ in range(2):
            page.go_back(wait_until="load")
            assert first not in page.content()
        come_in(second)
        for _ in range(3):
            page.go_back(wait_until="load")
            assert first not in page.content()


def test_a_link_that_was_used_says_so_at_once(stranger: Employee, settings: Settings) -> None:
    engine = make_engine(settings.database)
    with transaction(engine, write=True) as session:
        person = session.scalars(select(Person).where(Person.left_on.is_(None))).first()
        assert person is not None
        call = Call(command_line("worker"), session, datetime.now(UTC), alone())
        secret = keys.invitation_link(call, person, timedelta(hours=1))
    engine.dispose()
    stranger.get("/in")
    stranger.post("/language", language="en")
    assert "Your link works" in stranger.get(f"/in/link/{secret}").text
    assert stranger.get(f"/in/link/{secret}").status_code == 200  # looking at it uses nothing up
    assert stranger.post(f"/in/link/{secret}").status_code == 303
    other = Employee(stranger.client.application)
    for wrong in (secret, "A" * 27):
        answer = other.get(f"/in/link/{wrong}")
        assert (answer.status_code, answer.location) == (303, "/in")
        assert LINK in other.get("/in").text


def test_whoever_has_to_come_in_first_goes_on_where_they_were(
    stranger: Employee, employee: Employee, paper: Callable[[int], str]
) -> None:
    assert stranger.get("/apps?x=1").location == "/in"
    assert stranger.get("/in").status_code == 200
    assert stranger.post("/in/code", code=paper(employee.person)).location == "/apps?x=1"
    assert stranger.get("/apps").status_code == 200
    # Once: and whoever takes the phone after somebody signed out begins at the beginning.
    stranger.get("/")
    assert stranger.post("/out").location == "/in"
    assert stranger.get("/seen").location == "/in"
    stranger.get("/in")
    assert stranger.post("/in/code", code=paper(employee.person)).location == "/"


@pytest.mark.parametrize(
    "wrong",
    [
        "//evil.example/x",
        "https://evil.example/",
        "/\\evil.example",
        "/nothing",
        "/in",
        "/seen\r\nX: y",
        "/static/x.js",
        "",
        "/out",
    ],
)
def test_nobody_is_led_elsewhere_after_coming_in(portal: Flask, wrong: str) -> None:
    with portal.test_request_context("/", base_url=HOST):
        assert places.checked(wrong) == "/"


def test_choosing_a_language_stays_on_the_page(employee: Employee) -> None:
    chosen = employee.client.post(
        "/language",
        data={"csrf_token": employee.token, "language": "tr"},
        base_url=HOST,
        headers={"Referer": f"{HOST}/seen"},
    )
    assert chosen.location == "/seen"


def test_what_was_typed_into_a_page_that_was_open_too_long_is_sent_by_one_press(employee: Employee) -> None:
    words = 'the screen <b> & "is" black 🚲'
    where = re.search(r"/d/[0-9a-f]{32}/broken", employee.get("/").text)
    assert where is not None
    typed = {"csrf_token": "old", "account": words}

    elsewhere = employee.client.post(where[0], data=typed, base_url=HOST, headers={"Origin": "https://evil.example"})
    assert elsewhere.status_code == 400
    assert "Send it once more" not in elsewhere.text
    answer = employee.client.post(where[0], data=typed, base_url=HOST, headers={"Origin": HOST})
    assert answer.status_code == 400
    assert EXPIRED in answer.text
    form = re.search(r'<form method="post" action="([^"]*broken)">(.*?)</form>', answer.text, re.DOTALL)
    assert form is not None
    fields = {name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form[2])}
    assert fields["account"] == words
    assert employee.client.post(form[1], data=fields, base_url=HOST).status_code == 200


def test_a_code_is_never_written_into_a_page_again(stranger: Employee) -> None:
    answer = stranger.client.post(
        "/in/code", data={"csrf_token": "old", "code": "SECRET-CODE"}, base_url=HOST, headers={"Origin": HOST}
    )
    assert answer.status_code == 400
    assert "SECRET-CODE" not in answer.text


def test_a_browser_without_cookies_is_told_so(portal: Flask) -> None:
    answer = portal.test_client(use_cookies=False).post("/in/code", data={"code": "x"}, base_url=HOST)
    assert answer.status_code == 400
    assert NO_COOKIES in answer.text


def test_whoever_sends_a_form_after_the_session_ended_is_told_that_it_was_not_sent(stranger: Employee) -> None:
    stranger.get("/in")
    stranger.post("/language", language="en")
    assert stranger.post("/leaving", last_day="2026-12-01").location == "/in"
    assert NOT_IN in stranger.get("/in").text
