"""Photographs of every page: ``python -m tests.console.look FOLDER`` fills a house, signs in, and takes them all.

Wide (1440) and narrow (360), light and dark. Not a test: for people to look at.
"""

import sys
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page
from werkzeug.serving import make_server

from mdm.settings import Settings
from mdm.storage.engine import make_engine
from mdm.storage.metadata import all_tables
from tests.chromium import chromium
from tests.console.house import fill, sign_in_link
from web.build import build
from web.console.app import make_console

PAGES = (
    "/", "/devices", "/devices?state=lost&state=in_stock&seen=never", "/commands", "/enrollment", "/enrollment/invite",
    "/applications", "/policies", "/policies/new", "/compliance", "/approvals", "/people", "/units", "/service-points",
    "/audit", "/settings", "/settings/operators", "/settings/tokens", "/account", "/devices/none",
)  # fmt: skip
FOLLOW = {"device": "/devices?enrolled=yes", "person": "/people", "policy": "/policies", "unit": "/units"}
TABS = ("settings", "apps", "commands", "compliance", "history", "activity")
SIZES = {"wide": (1440, 900), "narrow": (360, 780)}


def main(folder: Path) -> None:
    """Takes all pictures into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    build()
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), database_url=f"sqlite:///{home}/havenmeester.db", language="en")
        engine = make_engine(settings.database)
        all_tables().create_all(engine)
        engine.dispose()
        fill(settings, datetime.now(UTC).replace(microsecond=0))
        server = make_server("127.0.0.1", 0, make_console(settings), threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with chromium() as browser:
            for scheme in ("light", "dark"):
                for size, (width, height) in SIZES.items():
                    context = browser.new_context(
                        viewport={"width": width, "height": height},
                        color_scheme=scheme,
                        base_url=f"http://127.0.0.1:{server.port}",
                    )
                    page = context.new_page()
                    page.on("console", lambda message: print(message.type, message.text))
                    page.goto(f"/sign-in/link/{sign_in_link(settings.database, 'mo@stad.example')}")
                    page.click("main button.btn-primary")
                    shoot_all(page, folder, f"{size}-{scheme}")
                    context.close()
        server.shutdown()


def shoot_all(page: Page, folder: Path, suffix: str) -> None:
    """Every page once."""
    for address in (*PAGES, *followed(page)):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        name = address.strip("/").replace("/", "_").replace("?", "_").replace("&", "_")[:60] or "home"
        page.screenshot(path=folder / f"{name}-{suffix}.png", full_page=True)


def followed(page: Page) -> list[str]:
    """The first device, person, policy and unit, with their tabs."""
    found = []
    for kind, listing in FOLLOW.items():
        page.goto(listing)
        link = page.locator("main tbody td a").first
        if link.count():
            found.append(str(link.get_attribute("href")))
            if kind == "device":
                found += [f"{found[-1]}?tab={tab}" for tab in TABS]
            if kind == "policy":
                found += [f"{found[-1]}/who", f"{found[-1]}/history", f"{found[-1]}/raw"]
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
