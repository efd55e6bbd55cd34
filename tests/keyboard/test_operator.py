"""Operators with a keyboard and nothing else: they come in with a passkey, edit a policy and publish it. (A wipe is approved in
``tests/console/test_kernel.py``; a link, an invitation and a lock are in ``tests/console/test_keyboard.py``.)"""

import pytest
from sqlalchemy import create_engine, text

from mdm.settings import Settings
from tests.console.browser import add_passkey, browsing, come_by_link, with_authenticator
from tests.console.conftest import console as console
from tests.console.conftest import filled as filled
from tests.console.conftest import house as house
from tests.console.conftest import settings as settings
from tests.keyboard.hands import Hands

pytestmark = pytest.mark.browser
WIDE = {"width": 1280, "height": 720}


def test_a_policy_is_found_edited_looked_at_and_published(house: Settings) -> None:
    with browsing(house, viewport=WIDE, reduced_motion="reduce") as context:
        page = context.new_page()
        come_by_link(page, house, "mo@stad.example")
        hands = Hands(context, page)
        hands.open("/policies/1")
        hands.to("[data-sift-words]")
        hands.type("timeout")
        passed = hands.to("[data-setting] :is(input, select)")
        assert len(passed) < 40, "the search spares the way through a hundred settings"
        before = rows(house, "SELECT current FROM policy WHERE id = 1")
        hands.press("ArrowUp" if hands.is_at("input[type=number]") else "ArrowDown")
        hands.to("#note")
        hands.type("by keyboard")
        assert hands.to("main form button.btn-primary") == ["Show the effect"]
        hands.enter("**/preview")
        hands.to("#note")
        assert hands.to("main form button.btn-primary") == ["Publish"]
        hands.enter("**/policies/1")

    ((was,),), ((now,),) = before, rows(house, "SELECT current FROM policy WHERE id = 1")
    assert now == was + 1


def test_one_comes_in_with_a_passkey(house: Settings) -> None:
    with browsing(house, viewport=WIDE, reduced_motion="reduce") as context:
        page = with_authenticator(context.new_page())
        come_by_link(page, house, "mo@stad.example")
        add_passkey(page)
        context.clear_cookies()
        hands = Hands(context, page)
        hands.open("/sign-in")
        passed = hands.to("button[data-passkey-button]")
        assert len(passed) < 8
        hands.enter("**/")

        assert page.locator("nav.hm-side").count() == 1


def rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    """What stands in the database."""
    engine = create_engine(settings.database)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return found
