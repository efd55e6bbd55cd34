"""A console that listens, and Chromium in front of it, with an authenticator that verifies whoever sits there."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, Page
from werkzeug.serving import make_server

from mdm.settings import Settings
from tests.chromium import chromium
from tests.conftest import free_port
from tests.console.house import sign_in_link
from web.console.app import make_console


@contextmanager
def listening(settings: Settings) -> Iterator[Settings]:
    """The console at a free port of localhost: a name, because no browser makes passkeys for a bare number."""
    configured = settings.model_copy(update={"console_port": free_port(), "console_host": "localhost"})
    server = make_server("localhost", configured.console_port, make_console(configured), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield configured
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def browsing(settings: Settings, **options: object) -> Iterator[BrowserContext]:
    """A window of Chromium at that console."""
    with chromium() as browser:
        context = browser.new_context(base_url=settings.console_base, **options)  # type: ignore[arg-type]
        context.set_default_timeout(60_000)
        yield context


def with_authenticator(page: Page, *, verifies: bool = True) -> Page:
    """The page with an authenticator in the device that knows its owner, and is touched whenever it asks."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    tools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": verifies,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return page


def come_by_link(page: Page, settings: Settings, email: str) -> None:
    """Signs in by a one-time link."""
    page.goto(f"/sign-in/link/{sign_in_link(settings.database, email)}")
    page.click("main button.btn-primary")
    page.wait_for_url("**/")


def add_passkey(page: Page, name: str = "Laptop") -> None:
    """Adds a passkey under My account."""
    page.goto("/account")
    page.fill("#passkey_name", name)
    page.click("#passkeys form[data-passkey] button[data-passkey-button]")
    page.wait_for_selector(f"#passkeys b:has-text('{name}')")
