"""The pages of the safety kernel for people who cannot see well: axe-core finds nothing, in light and in dark, and no page
scrolls sideways on a narrow screen."""

import pytest
from playwright.sync_api import Page

from mdm.settings import Settings
from tests.console.browser import add_passkey, browsing, come_by_link, with_authenticator
from tests.console.council import Council, ask, laptops, visitor
from tests.console.test_readers import AXE, RULES

WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def looked_at(page: Page, address: str) -> list[str]:
    """What axe finds on a page, and whether it scrolls sideways where it is narrow."""
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(address)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = [f"{address}: {one['id']} ({one['nodes'][0]['html'][:160]})" for one in page.evaluate(RULES)["violations"]]
    page.set_viewport_size({"width": 360, "height": 800})
    wider = page.evaluate(WIDER)
    return [*found, *([f"{address}: {wider} pixels too wide"] if wider > 0 else [])]


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_axe_finds_nothing_on_the_pages_of_the_kernel(house: Settings, sealed: Council, scheme: str) -> None:
    with browsing(house, color_scheme=scheme, bypass_csp=True) as context:
        page = with_authenticator(context.new_page())
        found = looked_at(page, "/sign-in")
        come_by_link(page, house, "marijke@stad.example")
        found += looked_at(page, "/roster")
        add_passkey(page)
        sealed.found()
        order = ask(house)
        mo = visitor(house, "mo@stad.example")
        asked = {"sure": "yes", "typed": "6", "reason": "End of lease"}
        batch = mo.client.post(
            "/devices/wipe", data={"csrf_token": mo.token, "uid": laptops(house, 7)[1:], **asked}
        ).location
        pages = ("/approvals", order, batch, f"{order}/receipt", "/acts", "/roster", "/roster/propose", "/stop")
        for address in (*pages, "/account", "/prove?next=/"):
            found += looked_at(page, address)
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto("/roster/propose")
        page.fill("#ceremony", "4")
        page.fill("#reason", "Four for many devices")
        page.click("main form button.btn-primary")
        page.wait_for_url("**/roster/proposals/*")
        found += looked_at(page, page.url.removeprefix(house.console_base))
        page.set_viewport_size({"width": 1280, "height": 900})
        page.click("header button:has-text('Stop all orders')")
        page.wait_for_selector(".hm-banner")
        sealed.work()
        for address in ("/stop", order):
            found += looked_at(page, address)

    assert found == []


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_axe_finds_nothing_where_a_wipe_is_asked_for(house: Settings, sealed: Council, scheme: str) -> None:
    sealed.found()
    with browsing(house, color_scheme=scheme, bypass_csp=True) as context:
        page = context.new_page()
        come_by_link(page, house, "mo@stad.example")
        assert [*looked_at(page, f"/devices/{laptops(house, 1)[0]}/wipe"), *looked_at(page, "/policies/1/who")] == []
