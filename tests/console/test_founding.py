"""The first roster on its page: who still lacks a passkey is seen, each signs in a session of their own, the server seals."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import create_engine, text

from mdm.cli.main import run
from mdm.settings import Settings
from tests.console.browser import add_passkey, browsing, come_by_link, with_authenticator
from tests.console.conftest import Visitor
from tests.console.council import Council, visitor
from tests.console.test_kernel_readers import looked_at

MO, MARIJKE = "mo@stad.example", "marijke@stad.example"
NAMES = ("ann", "bob", "marijke")


@contextmanager
def installation(settings: Settings) -> Iterator[None]:
    """The command line at home in this installation."""
    given = {"HAVENMEESTER_HOME": str(settings.home), "HAVENMEESTER_DATABASE_URL": settings.database}
    before = {name: os.environ.get(name) for name in given}
    os.environ |= given
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


def seal(settings: Settings) -> int:
    """``havenmeester roster seal`` on the server: its exit code."""
    with installation(settings):
        return run(["roster", "seal", "--yes"])


def people(browser: Browser, house: Settings) -> dict[str, Page]:
    """Everybody with a browser and an authenticator of their own, signed in."""
    pages = {}
    for name in ("mo", *NAMES):
        context = browser.new_context(base_url=house.console_base, bypass_csp=True)
        context.set_default_timeout(60_000)
        pages[name] = with_authenticator(context.new_page())
        come_by_link(pages[name], house, f"{name}@stad.example")
    return pages


@pytest.mark.browser
def test_three_people_found_the_roster_with_passkeys_each_in_their_own_session(
    house: Settings, sealed: Council
) -> None:
    with browsing(house) as context:
        assert context.browser is not None
        pages = people(context.browser, house)
        mo = pages["mo"]
        for number, name in enumerate(NAMES):
            mo.goto("/roster")
            said = mo.inner_text("#founding")
            assert f"{3 - number} p" in said
            assert said.count("no passkey yet") == 6 - number, "the pilot has three approvers more"
            assert mo.locator("text=Write the first roster").count() == 0
            pages[name].goto("/")
            assert "Your part: add a passkey" in pages[name].inner_text("#founding")
            add_passkey(pages[name])
        wrong = looked_at(mo, "/roster") + looked_at(mo, "/")
        mo.set_viewport_size({"width": 1280, "height": 900})
        mo.goto("/roster")
        mo.click("text=Write the first roster")
        mo.wait_for_url("**/roster/proposals/*")
        assert "Only people of the old or of the new roster can sign this" in mo.inner_text("main")
        proposal = mo.url.removeprefix(house.console_base)
        for name in NAMES[:2]:
            assert seal(house) != 0, "nothing is sealed before enough people have signed"
            pages[name].goto("/")
            pages[name].click("text=Look at it and sign")
            pages[name].click("#sign")
            pages[name].wait_for_selector("text=You have signed. It waits for somebody else.")
        mo.goto("/roster")
        said = mo.inner_text("#founding")
        assert said.count("has signed") == 2
        assert said.count("has not signed") == 1
        assert "Enough people have signed" in said
        wrong += looked_at(mo, proposal)
        assert sealed.signer.client.health().roster == 0, "no page seals it"

        assert seal(house) == 0

        mo.goto("/roster")
        assert "In force: version 1" in mo.inner_text("main")
        assert mo.locator("#founding").count() == 0
    assert sealed.signer.client.health().roster == 1
    assert seal(house) != 0, "it is founded once"
    assert wrong == []


def write(who: Visitor, *numbers: int) -> int:
    who.get("/roster")
    return who.post("/roster/found", person=[str(one) for one in numbers], threshold="2", ceremony="3").status_code


def test_too_few_people_without_passkeys_and_those_who_may_not_found_nothing(house: Settings, sealed: Council) -> None:
    ids = [int(one.person.partition(":")[2]) for one in sealed.people.values()]

    assert write(visitor(house, MO)) == 422
    assert write(visitor(house, MO), *ids) == 404, "they have no passkey"
    assert write(visitor(house, MARIJKE), *ids) == 403
    assert write(visitor(house, "sarah@stad.example"), *ids) == 403

    with create_engine(house.database).connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM roster_proposal")).scalar() == 0
    assert seal(house) != 0


def test_where_a_roster_is_in_force_no_page_founds_another(house: Settings, sealed: Council) -> None:
    sealed.found()

    assert write(visitor(house, MO), 1, 2, 3) == 409
    assert "Found the roster" not in visitor(house, MO).get("/").text
