"""Pages that were seen already, gone through by keyboard one after the other."""

from collections.abc import Sequence

from flask import Flask

from mdm.settings import Settings
from tests.a11y.gallery import hung
from tests.a11y.wander import Seen
from tests.console.browser import browsing
from tests.keyboard.swift import looked
from tests.keyboard.walker import menus, walked

WIDE, NARROW = {"width": 1280, "height": 720}, {"width": 360, "height": 640}


def gone_through(
    app: Flask, settings: Settings, pages: Sequence[Seen], size: dict[str, int], **more: object
) -> list[str]:
    """What is wrong with the pages in a window of that size: with each stop, there and back, and with each kind of menu."""
    found: list[str] = []
    tried: set[str] = set()
    with hung(app, pages) as base:
        looks = looked(base, len(pages), size, **more)
        with browsing(settings, viewport=size, reduced_motion="reduce", **more) as context:
            page = context.new_page()
            for number, (one, look) in enumerate(zip(pages, looks, strict=True)):
                wrong = [f"asks {address}" for address in look.asked]
                if not look.sound or set(look.menus) - tried:
                    page.goto(f"{base}/-/{number}")
                    wrong += () if look.sound else walked(page)
                    wrong += menus(page, tried)
                found += [f"{one.rule} {one.address} ({one.template}): {each}" for each in wrong]
    return found
