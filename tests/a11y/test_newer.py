"""The looks at what WCAG 2.2 asks anew tell what is wrong, and nothing in the scripts needs a hand that drags."""

import re
from pathlib import Path

import pytest

from tests.a11y.newer import Read, wrong_as_written
from tests.a11y.wander import Seen

ASSETS = Path(__file__).resolve().parents[2] / "web" / "assets"
END = "<footer><a href='/accessibility'>Accessibility</a></footer>"
MOVES = re.compile(r"""["'](?:pointermove|mousemove|touchmove|drag\w*)["']|\bdraggable\b""")
HOLDS = re.compile(r"""["'](?:paste|copy|cut)["']""")


def said(rule: str, body: str, end: str = END) -> list[str]:
    """What is told of a page, without its name."""
    page = Seen(rule, rule, "-", f"<!doctype html><main>{body}</main>{end}")
    return [one.rpartition("): ")[2] for one in wrong_as_written([page], ["/accessibility"])]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("<input type=password name=password autocomplete=off>", "a password that no manager fills in: password"),
        ("<input name=code>", "a code that no program fills in"),
        ("<input name=code autocomplete=one-time-code onpaste='return false'>", "input refuses by onpaste"),
        ("<li draggable=true>", "a li that is dragged"),
        ("<canvas></canvas>", "a drawing that nobody can type instead"),
    ],
)
def test_what_keeps_somebody_out_is_told(body: str, told: str) -> None:
    assert said("/sign-in", body) == [told]


def test_what_everybody_can_use_is_passed_over() -> None:
    code = "<input name=code autocomplete=one-time-code>"
    assert (
        said("/sign-in", f"{code}<input type=password autocomplete=current-password><canvas></canvas><input id=typed>")
        == []
    )
    assert said("/units/new", "<input name=code>") == [], "the code of a unit is no secret"


def test_help_in_another_place_is_told() -> None:
    assert said("/", "", "") == ["help is elsewhere: []"]
    assert said("/", "", "<footer><a href='/help'></a><a href='/accessibility'></a></footer>")


def test_a_form_is_read_as_it_is_sent() -> None:
    (form,) = Read(
        "<form method=post action=/x><input type=hidden name=key value=7><input name=a required><textarea name=b></textarea>"
        "<input type=radio name=c value=1><input type=radio name=c value=2 checked><input name=off disabled>"
        "<button type=button name=no>-</button><button name=step value=save>+</button><button name=step value=close>x</button>"
        "</form>"
    ).forms

    assert form.hidden == {"key": "7", "c": "2"}
    assert form.fields == [("a", "text", True), ("b", "textarea", False), ("c", "radio", False)]
    assert form.pressed == {"step": "save"}


def test_no_script_listens_for_a_hand_that_drags_but_that_of_the_signature() -> None:
    drags = {path.name for path in ASSETS.glob("*.js") if MOVES.search(path.read_text("utf-8"))}

    assert drags == {"desk-sign.js"}


def test_no_script_minds_what_is_pasted_or_copied() -> None:
    assert [path.name for path in ASSETS.glob("*.js") if HOLDS.search(path.read_text("utf-8"))] == []
