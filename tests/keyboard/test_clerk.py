"""A clerk with a keyboard and nothing else: a device goes out, and who cannot draw types the name."""

import pytest

from tests.console.conftest import filled as filled
from tests.console.test_desk_counter import IN_FIELD, Counter
from tests.console.test_desk_counter import counter as counter
from tests.keyboard.hands import Hands

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("desk")]
WIDE = {"width": 1280, "height": 720}


def test_a_device_goes_out_and_the_name_is_typed_instead_of_drawn(counter: Counter) -> None:
    (number, name), tag = counter.somebody(), counter.free()
    context = counter.window(viewport=WIDE, reduced_motion="reduce")
    hands = Hands(context)
    hands.open("/desk")
    for code, until in (
        (tag, f"#card-title:has-text('{tag}')"),
        (number, f".hm-thing:has-text('{name}')"),
        ("1", ".hm-thing:has-text('Charger')"),
        ("", "#signing"),
    ):
        hands.page.wait_for_function(IN_FIELD)
        hands.type(code)
        hands.press("Enter")
        hands.page.wait_for_selector(until)

    hands.page.wait_for_function(IN_FIELD)
    assert hands.is_at("#typed"), "who signs without a pen is at the right field at once"
    hands.type(name)
    assert hands.to(".hm-finish")[0].startswith("Note on the receipt")
    hands.press("Enter")
    hands.page.wait_for_selector("#receipt")

    assert f"Handed out to {name}" in hands.page.inner_text("h1")
    assert counter.rows("SELECT typed FROM desk_signature ORDER BY id DESC LIMIT 1") == [(name,)]
    context.close()
