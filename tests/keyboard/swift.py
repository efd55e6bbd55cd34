"""The first look of a walk over many pages: Tab is pressed as fast as the browser takes it, and the page itself notes each stop.
What looks wrong here is walked once more, a key at a time, by ``walker``; what looks right is right."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.async_api import CDPSession, Page, async_playwright

from tests.chromium import PROGRAM
from tests.keyboard.walker import DRAWN, LOOKS, MENUS, OUTSIDE, STOPS, UNKNOWN, turned

TAB = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
SHIFT = 8
"""How the protocol of the browser names the key that turns Tab round."""
SPARE = 12
"""Presses beyond the stops of the page: the way out of it and in again, and the parts of a date."""


@dataclass(frozen=True)
class Look:
    """What was seen of a page."""

    sound: bool
    """Whether it can be gone through by Tab, there and back; else somebody has to look closer."""
    menus: tuple[str, ...]
    """The buttons of its menus and dialogs, as they are written."""
    asked: tuple[str, ...]
    """Addresses elsewhere that it loaded something from."""


def looked(base: str, count: int, size: Mapping[str, int], **more: object) -> list[Look]:
    """A first look at the pages 0 to ``count`` of the gallery at ``base``."""
    if PROGRAM is None:
        pytest.skip("Chromium: not installed; no page was walked")
    return asyncio.run(_looked(base, count, size, more))


async def _looked(base: str, count: int, size: Mapping[str, int], more: Mapping[str, object]) -> list[Look]:
    found = []
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        context = await browser.new_context(viewport=size, reduced_motion="reduce", **more)  # type: ignore[arg-type]
        context.set_default_timeout(120_000)
        await context.add_init_script(STOPS.read_text(encoding="utf-8"))
        page = await context.new_page()
        keys = await context.new_cdp_session(page)
        asked: list[str] = []
        page.on("request", lambda one: None if one.url.startswith((base, "data:")) else asked.append(one.url))
        for number in range(count):
            await page.goto(f"{base}/-/{number}")
            await page.evaluate(DRAWN)
            buttons = await page.locator(MENUS).evaluate_all(LOOKS, MENUS)
            sound = await _sound(page, keys)
            found.append(Look(sound, tuple(html for _place, html in buttons), tuple(asked)))
            asked.clear()
        await browser.close()
    return found


async def _sound(page: Page, keys: CDPSession) -> bool:
    stops, inner, wrong = await page.evaluate("hmWalk.note()")
    there = await _pressed(page, keys, stops + inner + SPARE, 0)
    back = await _pressed(page, keys, stops + inner + SPARE, SHIFT)
    round_trip = [_round(notes) for notes in (there, back)]
    if wrong or any(note["wrong"] for notes in (there, back) for note in notes):
        return False
    ways = [sorted(each) for each in round_trip]
    return ways == [list(range(stops))] * 2 and turned(round_trip[0]) == ways[0]


async def _pressed(page: Page, keys: CDPSession, times: int, modifiers: int) -> list[dict[str, Any]]:
    events = [{**TAB, "type": kind, "modifiers": modifiers} for _ in range(times) for kind in ("rawKeyDown", "keyUp")]
    await asyncio.gather(*(keys.send("Input.dispatchKeyEvent", event) for event in events))
    notes: list[dict[str, Any]] = await page.evaluate("hmWalk.noted()")
    return notes


def _round(notes: Sequence[Mapping[str, Any]]) -> list[int]:
    """The stops until one comes again; none where that is a trap or something that was not there before."""
    stops: list[int] = []
    for note in notes:
        number = note["number"]
        if number == OUTSIDE or (stops and number == stops[-1] and note["inner"]):
            continue
        if number == UNKNOWN:
            return []
        if number in stops:
            break
        stops.append(number)
    return stops
