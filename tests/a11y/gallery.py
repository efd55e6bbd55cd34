"""Pages that were seen, served again as they were, so that a browser can look at each of them in many ways."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from playwright.sync_api import Page
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tests.a11y.wander import Seen

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
LOOKING = Path(__file__).with_name("looking.js")


@contextmanager
def hung(app: Flask, pages: Sequence[Seen]) -> Iterator[str]:
    """Serves page ``n`` at ``/-/n``, and the files of the door where they are: the base address."""

    @Request.application
    def gallery(request: Request) -> Response | Callable[..., object]:
        if request.path.startswith("/-/"):
            return Response(pages[int(request.path[3:])].html, mimetype="text/html")
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


def looked_at(page: Page, base: str, pages: Sequence[Seen], *, zoom: int = 100, focus: bool = True) -> list[str]:
    """What is wrong with the pages; empty when nothing is."""
    axe, looking = AXE.read_text(encoding="utf-8"), LOOKING.read_text(encoding="utf-8")
    found = []
    for number, one in enumerate(pages):
        page.goto(f"{base}/-/{number}")
        if zoom != 100:
            page.evaluate("zoom => { document.documentElement.style.fontSize = `${zoom}%`; }", zoom)
        page.evaluate(axe)
        found += [f"{one.rule} {one.address} ({one.template}): {wrong}" for wrong in page.evaluate(looking, focus)]
    return found
