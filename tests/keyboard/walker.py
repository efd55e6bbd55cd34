"""Somebody who presses nothing but Tab: every stop is seen, none is a trap, and the way back is as good as the way there."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

STOPS = Path(__file__).with_name("stops.js")
DRAWN = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
  Promise.allSettled(document.getAnimations().map((one) => one.finished)).then(done))))"""
OUTSIDE, UNKNOWN = -1, -2
"""Where the focus is when it is on nothing of the page, or on something that was not there when the walk began."""
IS_OPEN = """e => e.dataset.dialog ? document.getElementById(e.dataset.dialog).open
  : e.tagName === 'SUMMARY' ? e.parentElement.open : e.getAttribute('aria-expanded') === 'true'"""
IS_INSIDE = """e => (e.dataset.dialog ? document.getElementById(e.dataset.dialog)
  : e.dataset.sideToggle !== undefined ? document.getElementById(e.getAttribute('aria-controls'))
  : e.parentElement).contains(document.activeElement)"""
INNER_STOPS = 8
"""Presses of Tab that a field of a date, or a player, may take for its own parts."""


@dataclass
class Walk:
    """What somebody came by, and what was wrong."""

    stops: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def install(page: Page) -> None:
    """Gives the page ``hmWalk``."""
    page.evaluate(STOPS.read_text(encoding="utf-8"))


def walked(page: Page, *, back: bool = True) -> list[str]:
    """What is wrong with a page for whoever goes through it with Tab (and, with ``back``, with Shift and Tab); sentences."""
    install(page)
    page.evaluate(DRAWN)
    count, wrong = page.evaluate("hmWalk.begin()")
    wrong += page.evaluate("hmWalk.order()")
    there = through(page, "Tab", count)
    wrong += there.wrong
    wrong += [f"never reached: {one}" for one in page.evaluate("numbers => hmWalk.missed(numbers)", there.stops)]
    if turned(there.stops) != sorted(there.stops):
        wrong.append(f"not in the order of the page: {there.stops}")
    if back:
        again = through(page, "Shift+Tab", count)
        wrong += again.wrong
        if sorted(set(again.stops)) != sorted(set(there.stops)):
            missing = sorted(set(there.stops) ^ set(again.stops))
            wrong.append(f"the way back is another: {page.evaluate('n => hmWalk.names(n)', missing)}")
    return list(dict.fromkeys(wrong))


def turned(stops: list[int]) -> list[int]:
    """The stops from the first of the page on: a page may begin in a field in its middle."""
    begin = stops.index(min(stops)) if stops else 0
    return stops[begin:] + stops[:begin]


def where(page: Page) -> dict[str, Any]:
    """Where the focus is, and what is wrong with that: looked at once more where the page was still being moved or drawn."""
    here: dict[str, Any] = page.evaluate("hmWalk.here()")
    if here["wrong"]:
        page.evaluate(DRAWN)
        here = page.evaluate("hmWalk.here()")
    return here


def through(page: Page, key: str, count: int) -> Walk:
    """Presses ``key`` until a stop comes again; tells of a trap where that is the same one, or never."""
    walk = Walk()
    inner = 0
    for _ in range(2 * count + 60):
        page.keyboard.press(key)
        here = where(page)
        number = here["number"]
        if number == OUTSIDE:
            continue
        if walk.stops and number == walk.stops[-1]:
            inner += 1
            if here["inner"] and inner < INNER_STOPS:
                walk.wrong += here["wrong"]
                continue
            if count > 1:
                walk.wrong.append(f"a trap: {here['what']}")
            return walk
        if number in walk.stops:
            return walk
        inner = 0
        walk.wrong += here["wrong"]
        if number == UNKNOWN:
            walk.wrong.append(f"an unexpected stop: {here['what']}")
            continue
        walk.stops.append(number)
    walk.wrong.append("a trap: the way through the page does not end")
    return walk


MENUS = "[data-bs-toggle=dropdown], [data-dialog], [data-side-toggle], details[data-over] > summary"
LOOKS = """(all, menus) => all.filter(e => e.checkVisibility())
  .map(e => [[...document.querySelectorAll(menus)].indexOf(e), e.outerHTML])"""


def menus(page: Page, tried: set[str] | None = None) -> list[str]:
    """What is wrong with the menus and dialogs of a page: each opens by a key, keeps the focus, closes with Escape and gives it
    back. What is in ``tried`` (buttons as they are written) is passed over; what was looked at is put in there."""
    done = set[str]() if tried is None else tried
    buttons = page.locator(MENUS)
    new = [(place, html) for place, html in buttons.evaluate_all(LOOKS, MENUS) if html not in done]
    if new:
        install(page)
    wrong = []
    for place, html in new:
        done.add(html)
        wrong += [f"{said}: {html[:140]}" for said in _opened(page, buttons.nth(place))]
    return wrong


def _opened(page: Page, button: Locator) -> list[str]:
    button.evaluate("e => e.focus({ focusVisible: true })")
    page.keyboard.press("Enter")
    if not button.evaluate(IS_OPEN):
        return ["does not open by Enter"]
    page.keyboard.press("Tab")
    here = where(page)
    wrong = list(here["wrong"])
    if not button.evaluate(IS_INSIDE):
        wrong.append(f"the next stop lies elsewhere, at {here.get('what')}")
    page.keyboard.press("Escape")
    if button.evaluate(IS_OPEN):
        wrong.append("does not close by Escape")
    if not button.evaluate("e => document.activeElement === e"):
        wrong.append("does not give the focus back")
    return wrong
