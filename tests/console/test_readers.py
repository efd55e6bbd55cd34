"""People who cannot see well, or use no mouse, can use the console: axe-core finds nothing, in light and in dark."""

import threading
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import make_server

from mdm.settings import Settings
from tests.chromium import chromium
from tests.console.house import sign_in_link

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PAGES = ("/", "/devices", "/enrollment/invite", "/policies/1", "/compliance", "/people", "/audit", "/account")
RULES = "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})"


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_main_pages(console: Flask, settings: Settings, scheme: str) -> None:
    server = make_server("127.0.0.1", 0, console, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    found: list[str] = []
    try:
        with chromium() as browser:
            context = browser.new_context(
                color_scheme=scheme, base_url=f"http://127.0.0.1:{server.port}", bypass_csp=True
            )
            page = context.new_page()
            page.goto(f"/sign-in/link/{sign_in_link(settings.database, 'mo@stad.example')}")
            page.click("main button.btn-primary")
            for address in PAGES:
                page.goto(address)
                page.evaluate(AXE.read_text(encoding="utf-8"))
                for one in page.evaluate(RULES)["violations"]:
                    found.append(f"{address}: {one['id']} ({one['nodes'][0]['html'][:120]})")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert found == []
