"""Pages that were seen already, gone through by keyboard one after the other."""

from collections.abc import Sequence

from flask import Flask

from mdm.settings import Settings
from tests.a11y.gallery import hung
from tests.a11y.wander import Seen
from tests.console.browser import browsing
from tests.keyboard.walker import menus, walked

WIDE, NARROW = {"width": 1280, "height": 720}, {"width": 360, "height": 640}


def gone_through(
    app: Flask, settings: Settings, pages: Sequence[Seen], size: dict[str, int], **more: object
) -> list[str]:
    """What is wrong with the pages in a window of that size."""
    found = []
    with (
        hung(app, pages) as base,
        browsing(settings, viewport=size, reduced_motion="reduce", **more) as context,
    ):
        page = context.new_page()
        page.on(
            "request", lambda one: found.append(f"asks {one.url}") if not one.url.startswith((base, "data:")) else None
        )
        for number, one in enumerate(pages):
            page.goto(f"{base}/-/{number}")
            found += [f"{one.rule} {one.address} ({one.template}): {wrong}" for wrong in (*walked(page), *menus(page))]
    return found
