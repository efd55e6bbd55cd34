"""Every page for whoever has a keyboard and nothing else: each stop of Tab is seen and beneath nothing, in the order of the
page, there and back; nothing holds the focus fast; menus and dialogs close with Escape and give it back."""

import pytest
from flask import Flask

from mdm.settings import Settings
from tests.a11y.gallery import hung
from tests.a11y.wander import Seen
from tests.console.browser import browsing, come_by_link
from tests.console.conftest import console as console
from tests.console.conftest import filled as filled
from tests.console.conftest import house as house
from tests.console.conftest import settings as settings
from tests.console.conftest import signed_in as signed_in
from tests.keyboard.hands import Hands
from tests.keyboard.swift import looked
from tests.keyboard.through import NARROW, WIDE, gone_through
from tests.keyboard.walker import menus, walked
from tests.portal.conftest import HOST, Employee
from tests.portal.conftest import employee as employee
from tests.portal.conftest import paper as paper
from tests.portal.conftest import portal as portal
from tests.portal.test_guidance import started as started

SAMPLE = ("/accessibility", "/units", "/compliance", "/desk")
"""A text, a long list, charts with a menu, the counter."""


@pytest.mark.browser
def test_the_console_can_be_gone_through_by_keyboard(house: Settings) -> None:
    found = []
    with browsing(house, viewport=WIDE, reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto("/sign-in")
        found += walked(page)
        come_by_link(page, house, "mo@stad.example")
        for address in SAMPLE:
            page.goto(address)
            found += [f"{address}: {wrong}" for wrong in walked(page)]
        page.goto("/devices")
        found += menus(page)
        page.set_viewport_size(NARROW)  # type: ignore[arg-type]
        found += menus(page)
        found += [f"narrow: {wrong}" for wrong in walked(page, back=False)]

    assert found == []


@pytest.mark.browser
@pytest.mark.parametrize("language", ["nl", "ar"])
def test_the_employees_page_can_be_gone_through_by_keyboard(
    portal: Flask, settings: Settings, employee: Employee, language: str
) -> None:
    employee.client.set_cookie("hm_mine_language", language, domain=HOST.split("//")[1].split(":")[0])
    addresses = ("/", "/seen", "/apps", "/leaving", "/panic/", "/help")
    pages = [Seen(one, one, "", employee.get(one).text) for one in addresses]
    assert all(f'lang="{language}"' in one.html[:200] for one in pages)

    assert gone_through(portal, settings, pages, NARROW) == []


COVER = "<div style='position:fixed;inset:0 0 auto;height:90px;background:#ccc'></div>"
TRAP = "onkeydown='if(event.key==\"Tab\")event.preventDefault()'"
REVERSED = "style='display:flex;flex-direction:row-reverse'"
WRONG = (
    ("<a href=#>One</a><a href=# style='outline:none'>Two</a>", "a ring that nobody sees"),
    ("<a href=#>One</a><a href=# style='outline:2px solid #eee'>Two</a>", "a ring that nobody sees"),
    (f"{COVER}<p><a href=#>Beneath</a></p>", "hidden while it has the focus"),
    ("<a href=# tabindex=2>One</a><a href=#>Two</a>", "a tab order of its own"),
    (f"<input {TRAP}><a href=#>Two</a>", "a trap"),
    (f"<main {REVERSED}><button>One</button><button>Two</button></main>", "goes back"),
    (f"<a href=#>One</a><div style='overflow:auto;height:2em'>{'<p>Text</p>' * 9}</div>", "an unexpected stop"),
)
MENU = (
    "<div><button data-bs-toggle=dropdown aria-expanded=false onclick='this.ariaExpanded=true'>Menu</button></div>"
    "<a href=#>Elsewhere</a>"
)


@pytest.mark.browser
def test_the_walk_tells_what_is_wrong(settings: Settings) -> None:
    with browsing(settings) as context:
        page = context.new_page()
        for body, told in WRONG:
            page.set_content(f"<!doctype html><style>:focus-visible{{outline:2px solid #00f}}</style>{body}")
            assert [wrong for wrong in walked(page) if wrong.startswith(told)], body
        page.set_content(MENU)
        told_of = " ".join(menus(page))

    assert "does not close by Escape" in told_of
    assert "the next stop lies elsewhere" in told_of


@pytest.mark.browser
def test_the_first_look_lets_none_of_that_pass(portal: Flask) -> None:
    good = "<a href=#>One</a><input type=date><button>Two</button>"
    style = "<style>:focus-visible, input:focus-within{outline:2px solid #00f}</style>"
    bodies = [good, *(body for body, _told in WRONG), good]
    pages = [Seen(body, "/", "", f"<!doctype html>{style}{body}") for body in bodies]
    with hung(portal, pages) as base:
        looks = looked(base, len(pages), NARROW)

    assert [one.sound for one in looks] == [True, *(False for _ in WRONG), True]


@pytest.mark.browser
def test_who_skips_to_the_content_goes_on_there(house: Settings) -> None:
    with browsing(house) as context:
        page = context.new_page()
        come_by_link(page, house, "mo@stad.example")
        hands = Hands(context, page)
        hands.open("/units")
        assert hands.to(".hm-skip") == ["Skip to the content"]
        hands.press("Enter")
        assert hands.is_at("#main")
        hands.press("Tab")
        assert page.evaluate("document.querySelector('#main').contains(document.activeElement)")
