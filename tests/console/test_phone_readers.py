"""The pages of phones for people who cannot see well: axe finds nothing, in light and in dark; none scrolls sideways."""

import base64
import threading
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page
from werkzeug.serving import make_server

from mdm.platforms.apple.automated.model import AppleAssigned, AppleTie
from mdm.settings import Settings
from mdm.storage.call import Call
from tests.chromium import chromium
from tests.console.house import sign_in_link
from tests.console.test_phone_profiles import CAMERA, CLIP, PASSCODE, profile
from tests.console.test_phones import inside, phone, push
from tests.console.test_readers import AXE, RULES

__all__ = ["inside", "phone"]
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def tied(call: Call) -> str:
    """A tie with a long list and a problem."""
    push(call, 20)
    tie = AppleTie(uid="cd" * 16, certificate="x", key=b"x", problem="Apple has new terms.", created_at=call.now)
    call.session.add(tie)
    call.session.flush()
    for number in range(3):
        call.session.add(
            AppleAssigned(
                serial=f"F2LX{number}" * 4, tie_id=tie.id, model="iPhone 15 Pro Max", problem="NOT_ACCESSIBLE"
            )
        )
    return tie.uid


def looked(page: Page, address: str) -> list[str]:
    """What axe finds on the page as it is now."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = [f"{address}: {one['id']} ({one['nodes'][0]['html'][:120]})" for one in page.evaluate(RULES)["violations"]]
    page.set_viewport_size({"width": 360, "height": 780})
    found += [f"{address}: scrolls sideways"] if page.evaluate(SIDEWAYS) else []
    page.set_viewport_size({"width": 1280, "height": 900})
    return found


@pytest.mark.slow
@pytest.mark.browser
def test_axe_finds_nothing_on_the_pages_of_phones(
    console: Flask, settings: Settings, phone: str, inside: Callable[..., object]
) -> None:
    tie = inside(tied)
    pages = (
        "/settings/phones", f"/settings/phones/ties/{tie}", "/enrollment/certificates", f"/devices/{phone}?tab=phone",
        f"/devices/{phone}/phone/ask/lost_mode", f"/devices/{phone}/phone/ask/sound",
        f"/devices/{phone}/phone/secrets/bypass_code",
    )  # fmt: skip
    server = make_server("127.0.0.1", 0, console, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    found: list[str] = []
    try:
        with chromium() as browser:
            context = browser.new_context(base_url=f"http://127.0.0.1:{server.port}", bypass_csp=True)
            page = context.new_page()
            page.goto(f"/sign-in/link/{sign_in_link(settings.database, 'mo@stad.example')}")
            page.click("main button.btn-primary")
            for number, address in enumerate(pages):
                # Each page in one of the two: what they are made of stands on several of them.
                page.emulate_media(color_scheme="dark" if number % 2 else "light")
                page.goto(address)
                found += looked(page, address)
            page.goto("/policies/1/profile")
            file = {
                "name": "balie.mobileconfig",
                "mimeType": "application/x-apple-aspen-config",
                "buffer": profile(CLIP, PASSCODE, CAMERA),
            }
            page.set_input_files("#file", file)  # type: ignore[arg-type]
            page.click("form[enctype] button.btn-primary")
            assert base64.b64encode(profile(CLIP, PASSCODE, CAMERA)).decode()[:40] in page.content()
            found += looked(page, "profile")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert found == []
