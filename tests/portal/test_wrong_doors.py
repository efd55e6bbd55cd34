"""Wrong links, wrong phones, a page that another person had open: one sentence in one's own language, and a next step."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import select, update

from mdm.core.errors import N_
from mdm.inventory.model import Device
from mdm.panic.model import PanicKey
from mdm.people.model import Person
from mdm.portal import keys
from mdm.portal.model import PortalKey
from mdm.settings import Settings
from mdm.storage.engine import make_engine, transaction
from tests.console.browser import browsing
from tests.portal.conftest import HOST, Employee
from tests.portal.test_readers import _listening
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
