"""An employee with a keyboard and nothing else: comes in, loses a phone, sets up a computer, calls for help and calls it off."""

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from mdm.desk.cases.model import Case
from mdm.inventory.model import Device
from mdm.outbox.model import OutboxMessage
from mdm.panic.model import PanicAlarm
from mdm.people.model import Person
from mdm.settings import Settings
from tests.console.browser import browsing
from tests.console.conftest import filled as filled
from tests.console.conftest import settings as settings
from tests.keyboard.hands import Hands
from tests.portal.conftest import Employee
from tests.portal.conftest import employee as employee
from tests.portal.conftest import paper as paper
from tests.portal.conftest import portal as portal
from tests.portal.test_enrolling import Home, _enrol, _first_report, home, shared_signer, waiting
from tests.portal.test_readers import _listening

__all__ = ["home", "shared_signer", "waiting"]
PHONE = {"width": 360, "height": 640}
SAYS = "#panic > [role=status]"
HELD_MS = 3_200
"""As long as three calls would need, if a key that stays down were more than one."""


@pytest.fixture
def hands(portal: Flask, settings: Settings) -> Iterator[tuple[Hands, str]]:
    """A small window at the employees' page, and its address."""
    with _listening(portal) as base, browsing(settings, viewport=PHONE, reduced_motion="reduce") as context:
        made = Hands(context)
        yield made, base


def come_in(hands: Hands, base: str, code: str) -> None:
    """By the code on a paper."""
    hands.open(f"{base}/in")
    hands.to("#code")
    hands.type(code)
    hands.enter(f"{base}/")


@pytest.mark.browser
@pytest.mark.usefixtures("employee")
def test_by_the_link_of_a_letter(hands: tuple[Hands, str], home: Home) -> None:
    there, base = hands
    home.do(Person.__table__.update().values(language="en"))
    email = home.read(select(Person.email).where(Person.email != "").order_by(Person.id))[0][0]
    there.open(f"{base}/in")
    there.to(".skip")
    there.press("Enter")
    assert there.is_at("#main")
    assert there.to("#email") == ["Your e-mail address at work"]
    there.type(email)
    assert there.to("#code") == ["Send me a link", "The code that you got at the desk"]
    there.to("form[action='/in/mail'] button", key="Shift+Tab")
    there.enter(f"{base}/in")
    there.page.wait_for_selector("[role=status].is-sent")

    letters = home.read(select(OutboxMessage.payload).where(OutboxMessage.topic == "mail").order_by(OutboxMessage.id))
    (secret,) = re.findall(r"/in/link/([\w-]+)", letters[-1][0]["text"])
    there.open(f"{base}/in/link/{secret}")
    assert there.at() == "Come in", "the only button has the focus already"
    there.enter(f"{base}/")
    assert there.page.locator("h1").count() == 1


@pytest.mark.browser
def test_a_lost_phone_is_locked_with_one_key_and_the_choices_are_made_by_arrows(
    hands: tuple[Hands, str], employee: Employee, home: Home, paper: Callable[[int], str]
) -> None:
    there, base = hands
    come_in(there, base, paper(employee.person))
    there.to("a[href^='/d/'][href$='/lost']")
    there.enter("**/lost")
    order = there.to("main button.is-red")
    assert order[-5:-1] != []
    places = [order.index(one) for one in order if one in ("I cannot find it", "Lock it now")]
    assert places == sorted(places)
    assert "It was stolen" not in order, "one stop for a choice; the arrows choose"
    there.to("input[name=stolen]:checked", key="Shift+Tab")
    there.press("ArrowDown")
    assert there.is_at("input[value=yes]:checked")
    there.to("#where")
    there.type("In the tram")
    there.to("main button.is-red")
    there.press("Enter")
    there.page.wait_for_selector("h1:not(:has-text('?'))")

    assert home.read(select(Case.kind).where(Case.person_id == employee.person)) == [("stolen",)]
    assert home.read(select(Device.state).where(Device.person_id == employee.person))[0] == ("lost",)


@pytest.mark.browser
def test_a_computer_is_set_up_to_green(
    hands: tuple[Hands, str], employee: Employee, home: Home, waiting: str, paper: Callable[[int], str]
) -> None:
    there, base = hands
    come_in(there, base, paper(employee.person))
    there.to(f"a[href='/enrol/begin?device={waiting}']")
    there.enter("**/enrol/begin?*")
    there.to("main button.main")
    there.enter(re.compile(r".*/enrol/\w+$"))  # type: ignore[arg-type]
    for step in (2, 3):
        there.to(f"a[href$='step={step}']")
        there.enter(f"**step={step}")
    there.to("form[action$='/line'] button.main")
    there.press("Enter")
    there.page.wait_for_selector("code.command")
    there.to("code.command")
    token = re.search(r"/e/([\w-]+)#", there.at())
    assert token is not None
    there.to("a[href$='step=4']")
    there.enter("**step=4")
    there.page.wait_for_selector("#progress:not(:has(.is-done))")

    there.to("a[href$='/stuck?step=4']")
    assert _enrol(home, token[1]) == waiting
    there.page.wait_for_selector("#progress .is-done + .is-done")
    assert there.is_at("a[href$='/stuck?step=4']"), "news does not take the focus away"
    _first_report(home, waiting)
    there.page.wait_for_selector("h1:has-text('Your device is ready')")


@pytest.mark.browser
def test_a_key_held_on_the_button_is_one_call_and_it_is_called_off(
    hands: tuple[Hands, str], employee: Employee, home: Home, paper: Callable[[int], str]
) -> None:
    there, base = hands
    come_in(there, base, paper(employee.person))
    there.open(f"{base}/panic/")
    there.to("form[action$='/panic/on'] button")
    there.enter("**/panic/")
    there.to(".panic-button")
    there.press("Space")
    assert home.read(select(PanicAlarm.id)) == [], "a key that is only touched calls nobody"

    there.page.keyboard.down("Space")
    there.page.wait_for_selector(".panic-button.is-held")
    for _ in range(HELD_MS // 100):
        there.page.wait_for_timeout(100)
        there.page.keyboard.down("Space")
    there.page.keyboard.up("Space")
    there.page.wait_for_selector(f"{SAYS} [data-shows=rung]:visible")
    assert home.read(select(PanicAlarm.presses)) == [(1,)]
    assert there.is_at(".panic-button")

    there.to("form[data-safe] button")
    there.press("Enter")
    there.page.wait_for_selector(f"{SAYS} [data-shows=ended]:visible")
    assert there.is_at(SAYS), "who called it off is where it says so, not nowhere"
    assert home.read(select(PanicAlarm.state)) == [("called_off",)]
    there.press("Tab")
    assert there.is_at("main *")
