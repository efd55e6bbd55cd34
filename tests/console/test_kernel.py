"""The safety kernel through a true browser: a wipe is asked, approved by keyboard and by file, cooled; everything is stopped
and goes on again; the roster is changed. With a true signer behind it, and an authenticator that verifies its owner."""

import io

import pytest
from sqlalchemy import create_engine, text

from mdm.settings import Settings
from tests.console.browser import add_passkey, browsing, come_by_link, with_authenticator
from tests.console.conftest import Visitor
from tests.console.council import Council, ask, laptop, laptops, statement_of, states, visitor
from tests.console.test_keyboard import tab_to

MO, MARIJKE = "mo@stad.example", "marijke@stad.example"


def hand_in(who: Visitor, address: str, content: bytes) -> int:
    """Uploads a signed file; the status of the answer."""
    data = {"csrf_token": who.token, "decision": "approve", "proof": (io.BytesIO(content), "signed.json")}
    return int(who.client.post(address, data=data).status_code)


def column(settings: Settings, query: str) -> list[str]:
    """The first column of what a query finds."""
    with create_engine(settings.database).connect() as connection:
        return list(connection.execute(text(query)).scalars())


@pytest.mark.browser
def test_an_order_is_approved_by_keyboard_only_and_by_file_and_cools_visibly(house: Settings, sealed: Council) -> None:
    with browsing(house) as context:
        page = with_authenticator(context.new_page())
        come_by_link(page, house, MARIJKE)
        add_passkey(page)
        sealed.found()
        order = ask(house)

        page.goto("/approvals")
        tab_to(page, f"a[href='{order}']")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{order}")
        short = page.inner_text(".hm-digest b").replace(" ", "")
        tab_to(page, "#sign")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Your signature was taken")
        assert states(house) == ["requested"]
        assert "You have signed this" in page.inner_text("main")

        ann = visitor(house, "ann@stad.example")
        shown = ann.get(order).text
        assert short[:4] in shown
        file = (__import__("io").BytesIO(sealed.written("ann", statement_of(house))), "order.json")
        taken = ann.client.post(f"{order}/decide", data={"csrf_token": ann.token, "decision": "approve", "proof": file})
        assert taken.status_code == 303
        assert states(house) == ["approved"]
        sealed.work()
        assert states(house) == ["cooling"]

        page.goto(order)
        page.wait_for_selector("[data-countdown]:text-matches('^1[0-4]:[0-5][0-9]$')")
        tab_to(page, "#cancel button")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=The order was taken back")
        assert states(house) == ["cancelled"]


@pytest.mark.browser
def test_one_click_and_a_finger_stop_everything_and_two_signatures_let_it_go_on(
    house: Settings, sealed: Council
) -> None:
    with browsing(house) as context:
        page = with_authenticator(context.new_page())
        come_by_link(page, house, MARIJKE)
        add_passkey(page)
        sealed.found()
        order = ask(house)

        page.goto("/devices")
        page.click("header button:has-text('Stop all orders')")
        page.wait_for_selector(".hm-banner")
        assert "All orders are stopped" in page.inner_text(".hm-banner")
        assert "Marijke Peeters" in page.inner_text(".hm-banner")
        assert "All orders are stopped" in visitor(house, MO).get("/devices").text

        sealed.work()
        assert sealed.signer.client.health().frozen
        page.goto("/stop")
        page.click("#sign")
        page.wait_for_selector("text=You have signed. It waits for somebody else.")
        assert sealed.signer.client.health().frozen, "one alone does not let it go on"

        bob = visitor(house, "bob@stad.example")
        statement = bob.get("/stop/thaw.json").json["statement"]
        wrong = hand_in(bob, "/stop/thaw", sealed.written("bob", statement.replace('"freeze":1', '"freeze":2')))
        assert wrong == 422
        assert hand_in(bob, "/stop/thaw", sealed.written("bob", statement)) == 303
        sealed.work()
        assert not sealed.signer.client.health().frozen
        page.goto(order)
        assert page.locator(".hm-banner").count() == 0


@pytest.mark.browser
def test_the_roster_is_changed_on_its_page_and_the_new_one_waits(house: Settings, sealed: Council) -> None:
    with browsing(house) as context:
        page = with_authenticator(context.new_page())
        come_by_link(page, house, MARIJKE)
        sealed.found()
        add_passkey(page)
        page.goto("/roster")
        assert "In force: version 1" in page.inner_text("main")

        page.goto("/roster/propose")
        card = page.locator(".hm-candidate", has_text="Marijke Peeters")
        card.locator(".card-header input").check()
        page.fill("#reason", "Marijke looks after the kiosks")
        page.click("main form button.btn-primary")
        page.wait_for_url("**/roster/proposals/*")
        proposal = page.url.removeprefix(house.console_base)
        page.click("#sign")
        page.wait_for_selector("text=You have signed. It waits for somebody else.")

        for name in ("ann", "bob"):
            who = visitor(house, f"{name}@stad.example")
            statement = who.get(f"{proposal}/statement.json").json["statement"]
            assert hand_in(who, f"{proposal}/sign", sealed.written(name, statement)) == 303
        sealed.work()

        page.goto("/roster")
        said = page.inner_text("main")
        assert "In force: version 2" in said
        row = page.locator("tr", has_text="Marijke Peeters").first
        assert "waits" in row.inner_text()
        assert column(house, "SELECT state FROM roster_proposal") == ["sealed"]


def test_the_wipe_page_says_how_much_it_is_and_offers_the_lanes_in_plain_words(
    house: Settings, sealed: Council
) -> None:
    sealed.found()
    mo = visitor(house, MO)
    uid, serial = laptop(house)

    page = mo.get(f"/devices/{uid}/wipe").text
    unreported = mo.post(f"/devices/{uid}/wipe", reason="gone", typed=serial, lane="stolen")
    without_code = mo.post(f"/devices/{uid}/wipe", reason="back", typed=serial, lane="hand_in", presence="12")
    wrong_serial = mo.post(f"/devices/{uid}/wipe", reason="gone", typed="SN", lane="ordinary")
    asked = mo.post(f"/devices/{uid}/wipe", reason="gone", typed=serial, lane="stolen", report="PV 2026/117")

    assert "With this one it would be" in page
    assert "It was stolen" in page
    assert "The whole fleet" in page
    assert "Which report says that it was stolen?" in unreported.text
    assert "Eight digits" in without_code.text
    assert (unreported.status_code, without_code.status_code, wrong_serial.status_code) == (422, 422, 422)
    assert asked.status_code == 303
    assert column(house, "SELECT lane FROM wipe_order") == ["stolen"]


def test_many_devices_are_asked_for_at_once_with_private_ones_apart_and_signed_once(
    house: Settings, sealed: Council
) -> None:
    sealed.found()
    mo, ann = visitor(house, MO), visitor(house, "ann@stad.example")
    uids = laptops(house, 3)
    private = column(house, "SELECT uid FROM device WHERE key_digest = '' ORDER BY id LIMIT 1")
    with create_engine(house.database).begin() as connection:
        connection.execute(text("UPDATE device SET ownership = 'private' WHERE uid = :uid"), {"uid": private[0]})

    shown = mo.client.post("/devices/act", data={"csrf_token": mo.token, "verb": "wipe", "uid": [*uids, *private]})
    asked = mo.client.post(
        "/devices/wipe",
        data={"csrf_token": mo.token, "uid": [*uids, *private], "sure": "yes", "typed": "4", "reason": "End of lease"},
    )
    batch = asked.location
    page = ann.get(batch).text
    statement = ann.get(f"{batch}/statement.json").json

    assert "Private devices: 1." in shown.text
    assert asked.status_code == 303
    assert "Private devices: 1." in page
    assert len(statement["orders"]) == 3
    assert hand_in(ann, f"{batch}/decide", sealed.written("ann", statement["statement"])) == 303
    bob = visitor(house, "bob@stad.example")
    bob.get(batch)
    assert hand_in(bob, f"{batch}/decide", sealed.written("bob", statement["statement"])) == 303
    assert states(house) == ["approved"] * 3


def test_a_forged_signature_is_refused_with_its_rule_and_stands_in_the_diary(house: Settings, sealed: Council) -> None:
    sealed.found()
    order = ask(house)
    ann = visitor(house, "ann@stad.example")
    ann.get(order)
    forged = sealed.written("ann", statement_of(house)).replace(b'"signature": "', b'"signature": "AAAA')

    assert hand_in(ann, f"{order}/decide", forged) in (403, 422)
    assert hand_in(ann, f"{order}/decide", b"{}") in (403, 422)
    assert hand_in(ann, f"{order}/decide", b"not json") == 422
    assert hand_in(ann, f"{order}/decide", sealed.written("ann", statement_of(house))) == 303
    assert hand_in(ann, f"{order}/decide", sealed.written("ann", statement_of(house))) == 409
    assert states(house) == ["requested"]
    assert "order.approval_failed" in column(house, "SELECT action FROM audit_entry")


def test_the_receipt_is_a_page_a_file_and_a_pdf(house: Settings, sealed: Council) -> None:
    order = ask(house)
    mo = visitor(house, MO)

    page, file, pdf = (mo.get(f"{order}/receipt{query}") for query in ("", "?as=json", "?as=pdf"))

    assert "Mo Haddad" in page.text
    assert file.json["reason"] == "stolen at the station"
    assert pdf.data.startswith(b"%PDF")
    assert pdf.mimetype == "application/pdf"


def test_without_a_roster_home_and_roster_say_how_it_is_founded(house: Settings, sealed: Council) -> None:
    mo = visitor(house, MO)

    assert "havenmeester roster found" in mo.get("/").text
    assert "havenmeester roster found" in mo.get("/roster").text
    assert "Nobody has founded a roster" in mo.get("/approvals").text
    sealed.found()
    assert "havenmeester roster found" not in mo.get("/").text


def test_a_signer_that_is_silent_and_a_short_rest_are_told_on_approvals(house: Settings, sealed: Council) -> None:
    sealed.found()
    mo = visitor(house, MO)
    assert "The signer does not answer" not in mo.get("/approvals").text
    with create_engine(house.database).begin() as connection:
        connection.execute(text("UPDATE kernel_state SET mirrored_at = '2026-01-01 00:00:00', cooling_minutes = 1"))

    page = mo.get("/approvals").text

    assert "The signer does not answer" in page
    assert "(minutes: 1, meant: 15)" in page
