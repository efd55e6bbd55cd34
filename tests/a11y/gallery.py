"""Pages that were seen, served again as they were, so that a browser can look at each of them in many ways."""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Page
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tests.a11y.wander import Seen

TOOLS = {
    "/-/axe.js": Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js",
    "/-/looking.js": Path(__file__).with_name("looking.js"),
}
SCRIPTS = "".join(f'<script src="{name}" defer></script>' for name in TOOLS)
EMPTY = f"<!doctype html><html lang=en><head><title>-</title>{SCRIPTS}</head><body></body></html>"
PULSE, CALLS = "/panic/pulse", re.compile(r'data-panic-number="([^"]*)"')
KEPT = {"Cache-Control": "public, max-age=3600"}
NARROW, WIDE = {"width": 320, "height": 640}, {"width": 1280, "height": 900}
LOW = {"width": 320, "height": 256}
"""What is left of 1280 × 1024 pixels where all is four times as large."""


@contextmanager
def hung(app: Flask, pages: Sequence[Seen]) -> Iterator[str]:
    """Serves page ``n`` at ``/-/n`` with what looks at it, and the files of the door where they are: the base address."""
    calls = ""

    @Request.application
    def gallery(request: Request) -> Response | Callable[..., object]:
        nonlocal calls
        if request.path in TOOLS:
            return Response(TOOLS[request.path].read_bytes(), mimetype="text/javascript", headers=KEPT)
        if request.path.startswith("/-/"):
            name = request.path[3:]
            html = pages[int(name)].html.replace("</head>", SCRIPTS + "</head>", 1) if name else EMPTY
            calls = (CALLS.search(html) or ["", ""])[1]
            return Response(html, mimetype="text/html")
        if request.path == PULSE:
            # No call for help has come or gone since the page was drawn.
            return Response(calls, mimetype="text/plain")
        return app.wsgi_app if request.path.startswith("/static/") else Response(status=204)

    server = make_server("127.0.0.1", 0, gallery, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Eyes:
    """One window of a browser, and what was found wrong so far."""

    page: Page
    base: str
    found: list[str] = field(default_factory=list)

    def look(self, one: Seen, way: str, *calls: str) -> None:
        """Notes what these functions of ``looking.js`` say about the page as it is now."""
        for call in calls:
            said: list[str] = self.page.evaluate(f"hm.{call}")
            self.found += [f"{one.rule} {one.address} ({one.template}, {way}): {wrong}" for wrong in said]

    def as_it_came(self, pages: Sequence[Seen], *, rings: bool = False) -> list[str]:
        """Looks at each page on a narrow screen before its scripts run, in one document: cheap."""
        self.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
        self.page.goto(f"{self.base}/-/")
        for number, one in enumerate(pages):
            self.page.evaluate("number => hm.swap(number)", number)
            self.look(one, "as it came", "axeFinds()", "structure()", "spread()", *(("rings()",) if rings else ()))
        return self.found

    def in_every_way(self, pages: Sequence[Seen]) -> list[str]:
        """Opens each page once, and looks at it narrow, low and wide, light, dark and in forced colours, large, and apart."""
        for number, one in enumerate(pages):
            self.page.emulate_media(color_scheme="light", forced_colors="none", reduced_motion="reduce")
            self.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
            self.page.goto(f"{self.base}/-/{number}")
            if one.rule.startswith("POST"):
                self.look(one, "narrow", "led()")
            self.look(one, "narrow", "axeFinds()", "structure()", "spread()", "rings()", "still()")
            self.page.evaluate("hm.apart(true)")
            self.look(one, "narrow and apart", "spread()")
            self.page.evaluate("hm.apart(false)")
            self.page.set_viewport_size(LOW)  # type: ignore[arg-type]
            self.look(one, "four times as large", "room()")
            self.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
            self.page.emulate_media(color_scheme="dark")
            self.look(one, "narrow and dark", "dark()", "axeFinds(['color-contrast'])")
            self.page.set_viewport_size(WIDE)  # type: ignore[arg-type]
            self.look(one, "wide and dark", "axeFinds(['color-contrast', 'link-in-text-block'])")
            self.page.emulate_media(color_scheme="light")
            self.look(one, "wide", "axeFinds(['color-contrast', 'target-size', 'link-in-text-block'])", "spread()")
            self.page.emulate_media(forced_colors="active")
            self.look(one, "wide in forced colours", "rings()")
            self.page.emulate_media(forced_colors="none")
            self._large()
            self.look(one, "large text", "axeFinds(['target-size'])", "spread()")
        return self.found

    def stretched(self, pages: Sequence[Seen]) -> list[str]:
        """Whether words of another language, and large ones, have room."""
        for number, one in enumerate(pages):
            self.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
            self.page.goto(f"{self.base}/-/{number}")
            self.look(one, "narrow", "structure()", "spread()")
            self.page.set_viewport_size(WIDE)  # type: ignore[arg-type]
            self._large()
            self.look(one, "large text", "spread()")
        return self.found

    def _large(self) -> None:
        self.page.evaluate("hm.large()")


def window(context: Any, base: str) -> Eyes:
    """A new window at the gallery."""
    return Eyes(context.new_page(), base)
