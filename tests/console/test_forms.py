"""What people do all day, through the true forms: inviting, locking, moving a unit, excusing, keeping a view, one's account."""

import html
import io
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import tablib
from flask import Flask
from sqlalchemy import Row, create_engine, text

from mdm.settings import Settings
from tests.console.conftest import Visitor
from tests.console.house import PASSWORD
from tests.signer.neighbour import RunningSigner

SignedIn = Callable[[str], Visitor]
MO, SARAH = "mo@stad.example", "sarah@stad.example"


def rows(settings: Settings, query: str, **values: object) -> list[Row]:
    """What the database holds."""
    with create_engine(settings.database).connect() as connection:
        return list(connection.execute(text(query), values))


def write(settings: Settings, statement: str, **values: object) -> None:
    """Changes the database behind the console's back."""
    with create_engine(settings.database).begin() as connection:
        connection.execute(text(statement), values)


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSigner]:
    """A real signer."""
    running = RunningSigner(tmp_path_factory.mktemp("signer"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def with_signer(signer: RunningSigner, settings: Settings) -> None:
    """The console reaches it where it looks for it."""
    (settings.home / "run").symlink_to(signer.home / "run")


@pytest.mark.usefixtures("with_signer")
@pytest.mark.parametrize(
    ("language", "browser", "lang"), [("nl", "fr", "nl"), ("tr", "tr,fr;q=0.5", "fr"), ("ar", "ar", "en")]
)
def test_an_invitation_is_made_in_a_form_and_read_in_the_invited_persons_language(
    signed_in: SignedIn, settings: Settings, console: Flask, language: str, browser: str, lang: str
) -> None:
    mo = signed_in(MO)
    point = rows(settings, "SELECT code FROM service_point ORDER BY id LIMIT 1")[0].code
    email = rows(settings, "SELECT email FROM person WHERE email IS NOT NULL ORDER BY id LIMIT 1")[0].email
    write(settings, "UPDATE person SET language = :language WHERE email = :email", language=language, email=email)
    mo.get("/enrollment/invite")
    wrong = mo.post("/enrollment/invite", email="nobody", platform="linux", service_point=point, kind="laptop")
    made = mo.post("/enrollment/invite", email=email, platform="linux", service_point=point, kind="laptop")
    link = html.unescape(re.search(r'id="link">([^<]+)<', made.text)[1])

    welcome = Visitor(console).get("/e/" + re.search(r"/e/([^#]+)", link)[1], headers={"Accept-Language": browser})

    assert wrong.status_code == 422
    assert 'id="email-wrong"' in wrong.text
    assert made.status_code == 200
    assert re.fullmatch(r"https?://localhost:\d+/e/[\w-]{20,}#ca=[0-9a-f]{64}\S*", link)
    assert f'<html lang="{lang}"' in welcome.text
    assert {"nl": "Welkom", "fr": "Bienvenue", "en": "Welcome"}[lang] in welcome.text
    assert "havenmeester-agent enroll" in welcome.text
    assert len(rows(settings, "SELECT 1 FROM invitation WHERE opened_at IS NOT NULL")) == 1


@pytest.mark.usefixtures("with_signer")
@pytest.mark.parametrize(("platform", "pasted"), [("linux", True), ("ios", False), ("android", False)])
def test_only_a_computer_is_told_of_a_terminal(
    signed_in: SignedIn, settings: Settings, platform: str, pasted: bool
) -> None:
    point = rows(settings, "SELECT code FROM service_point ORDER BY id LIMIT 1")[0].code
    made = signed_in(MO).post(
        "/enrollment/invite", email="new@stad.example", name="New", platform=platform, service_point=point
    )

    assert made.status_code == 200
    assert ("havenmeester-agent enroll" in made.text) == pasted


def test_lock_on_one_and_message_on_many_are_shown_first_and_then_sent(signed_in: SignedIn, settings: Settings) -> None:
    mo = signed_in(MO)
    chosen = rows(settings, "SELECT id, uid FROM device WHERE enrolled_at IS NOT NULL ORDER BY id LIMIT 3")
    stock = rows(settings, "SELECT id FROM device WHERE enrolled_at IS NULL ORDER BY id LIMIT 1")[0]
    count = "SELECT count(*) AS n FROM command WHERE verb = :verb AND args LIKE :like"

    first = mo.post("/devices/act", verb="lock", row=str(chosen[0].id))
    assert rows(settings, "SELECT count(*) AS n FROM command WHERE verb = 'lock'")[0].n == 0
    locked = mo.post("/devices/act", verb="lock", uid=chosen[0].uid, sure="yes", reason="lost on the tram")
    many = mo.post("/devices/act", verb="message", row=[str(one.id) for one in (*chosen, stock)])
    uids = re.findall(r'name="uid" value="([0-9a-f]+)"', many.text)
    empty = mo.post("/devices/act", verb="message", uid=uids, sure="yes", text="")
    sent = mo.post("/devices/act", verb="message", uid=uids, sure="yes", text="Bring it to the desk")

    assert first.status_code == many.status_code == 200
    assert "Not enrolled: left out" in many.text
    assert locked.location == f"/devices/{chosen[0].uid}?tab=commands"
    told = mo.get(sent.location).text
    assert "Not enrolled and left out: 1." in told
    assert "lost on the tram" in mo.get(locked.location).text
    assert empty.status_code == 422
    assert sent.location.startswith("/commands?batch=")
    assert rows(settings, count, verb="message", like="%Bring it to the desk%")[0].n == 3


def test_who_may_only_look_sends_nothing(signed_in: SignedIn, settings: Settings) -> None:
    sarah = signed_in(SARAH)
    before = rows(settings, "SELECT count(*) FROM command")
    uid = rows(settings, "SELECT uid FROM device WHERE enrolled_at IS NOT NULL LIMIT 1")[0].uid

    assert sarah.post("/devices/act", verb="lock", uid=uid, sure="yes").status_code == 403
    assert rows(settings, "SELECT count(*) FROM command") == before


def test_a_policy_goes_from_its_form_over_its_effect_into_force_and_back(
    signed_in: SignedIn, settings: Settings
) -> None:
    mo = signed_in(MO)
    mo.get("/policies/new")
    address = mo.post("/policies/new", name="Kiosk extra").location
    expected = re.compile(r'name="expected" value="(\d+)"')

    def publish(**values: str) -> None:
        standing = expected.search(mo.get(address).text)[1]
        told = mo.post(f"{address}/preview", expected=standing, **values)
        assert told.status_code == 200, told.text
        carried = html.unescape(re.search(r'name="settings" value="([^"]*)"', told.text)[1])
        published = mo.post(f"{address}/publish", expected=standing, settings=carried, note="as asked")
        assert published.location == address

    before = rows(settings, "SELECT count(*) FROM policy_version")
    wrong = mo.post(f"{address}/preview", expected="0", **{"s.passcode.min_length": "3"})
    assert wrong.status_code == 422
    assert re.search(r'class="hm-wrong"[^>]*>[^<]*4[^<]*64', wrong.text)
    assert rows(settings, "SELECT count(*) FROM policy_version") == before
    publish(**{"s.passcode.min_length": "8", "s.restrictions.camera": "false"})
    publish(**{"s.passcode.min_length": "10"})
    history = mo.get(f"{address}/history?before=2&after=3").text
    stale = mo.post(f"{address}/roll-back", version="2", expected="2")
    rolled = mo.post(f"{address}/roll-back", version="2", expected="3")

    assert "<b>v3</b>" in history
    assert re.search(r"8.{0,400}10", history, re.DOTALL)
    assert stale.status_code == 409
    assert rolled.location == f"{address}/history"
    editor = mo.get(address).text
    assert re.search(r'name="s\.passcode\.min_length"[^>]*value="8"', editor)


def test_a_policy_may_begin_as_a_kiosk_and_says_what_is_still_to_be_filled_in(
    signed_in: SignedIn, settings: Settings
) -> None:
    mo = signed_in(MO)
    assert 'name="template" value="kiosk"' in mo.get("/policies/new").text
    address = mo.post("/policies/new", name="Kiosks", template="kiosk").location
    assert address.endswith("#kiosk")
    editor = mo.get(address.partition("#")[0]).text
    assert "Now fill in the kiosk" in editor
    chosen = re.search(r'name="s\.kiosk\.idle_page".*?</select>', editor, re.DOTALL)[0]
    assert re.search(r'value="touch"[^>]* selected', chosen)
    other = mo.post("/policies/new", name="Plain", template="none of them").location
    assert "#" not in other
    made = rows(settings, "SELECT settings FROM policy_version ORDER BY id DESC LIMIT 1")
    assert json.loads(made[0].settings) == {}


def test_a_raw_payload_is_a_file_that_becomes_a_version(signed_in: SignedIn, settings: Settings) -> None:
    mo = signed_in(MO)
    mo.get("/policies/new")
    address = mo.post("/policies/new", name="Motd").location
    mo.post(f"{address}/publish", expected="0", settings='{"passcode.min_length": 8}', note="")
    content = b'{"kind": "chromium", "content": {"HomepageLocation": "https://stad.example"}}'

    def upload(body: bytes, expected: str) -> object:
        return mo.post(
            f"{address}/raw/change",
            expected=expected,
            platform="linux",
            name="home",
            file=(io.BytesIO(body), "home.json"),
        )

    refused = upload(b"\xff\xfe\x00not text", "1")
    taken = upload(content, "1")

    assert refused.status_code == 422
    assert "not text in UTF-8" in refused.text
    assert taken.status_code == 303, taken.text
    assert "HomepageLocation" in mo.get(f"{address}/raw").text


def test_a_unit_moves_after_the_page_told_who_comes_along(signed_in: SignedIn, settings: Settings) -> None:
    mo = signed_in(MO)
    units = {one.code: one.id for one in rows(settings, "SELECT code, id FROM unit")}
    address, form = f"/units/{units['SB']}", {"parent_id": str(units["OS-WERK"]), "from_date": "2030-01-01"}
    before = rows(settings, "SELECT count(*) FROM unit_parent")

    shown = mo.post(f"{address}/move", **form)
    assert "Units that come along: 2. People: 36. Devices: " in shown.text
    assert rows(settings, "SELECT count(*) FROM unit_parent") == before
    moved = mo.post(f"{address}/move", sure="yes", **form)
    taken_back = mo.post(f"{address}/move/cancel", from_date="2030-01-01")

    assert moved.status_code == taken_back.status_code == 303
    assert rows(settings, "SELECT count(*) FROM unit_parent") == before
    below_itself = mo.post(f"/units/{units['OS-WERK']}/move", parent_id=str(units["OS-WERK"]), sure="yes")
    assert below_itself.status_code in (409, 422)


def test_an_exemption_needs_owner_reason_and_a_day_to_come(signed_in: SignedIn, settings: Settings) -> None:
    mo = signed_in(MO)
    uid = rows(settings, "SELECT uid FROM device WHERE enrolled_at IS NOT NULL LIMIT 1")[0].uid
    rule = rows(settings, "SELECT id FROM compliance_rule ORDER BY id LIMIT 1")[0].id
    address = f"/compliance/exempt/{uid}/{rule}"
    soon = f"{datetime.now(UTC) + timedelta(days=20):%Y-%m-%d}"

    for field, form in (
        ("reason", {"owner": "mo", "reason": "", "until": soon}),
        ("until", {"owner": "mo", "reason": "old", "until": "2020-01-01"}),
        ("until", {"owner": "mo", "reason": "old", "until": "soon"}),
    ):
        refused = mo.post(address, **form)
        assert refused.status_code == 422
        assert f'id="{field}-wrong"' in refused.text
    assert rows(settings, "SELECT * FROM exemption") == []
    assert mo.post(address, owner="mo@stad.example", reason="old battery", until=soon).status_code == 303
    number = rows(settings, "SELECT id FROM exemption")[0].id
    assert "old battery" in mo.get("/compliance").text
    assert mo.post(f"/compliance/exemptions/{number}/end").status_code == 303
    assert rows(settings, "SELECT id FROM exemption WHERE ended_at IS NULL") == []


def test_a_view_is_kept_opened_and_deleted_only_by_its_owner(signed_in: SignedIn, settings: Settings) -> None:
    mo, sarah = signed_in(MO), signed_in(SARAH)
    query = "state=in_stock&sort=-tag"

    mo.post("/views", list="devices", name="My stock", query=query, shared="yes", next="/devices")
    number = rows(settings, "SELECT id FROM saved_view WHERE name = 'My stock'")[0].id
    page = sarah.get("/devices").text

    assert "My stock" in page
    assert 'href="/devices?state=in_stock&amp;sort=-tag"' in page
    assert mo.get(f"/devices?{query}").status_code == 200
    assert sarah.post(f"/views/{number}/delete").status_code == 404
    assert mo.post(f"/views/{number}/delete", next="/devices").status_code == 303
    assert "My stock" not in mo.get("/devices").text


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_holds_exactly_the_rows_and_columns_of_the_list_and_no_formula(
    signed_in: SignedIn, settings: Settings, kind: str
) -> None:
    mo = signed_in(MO)
    write(settings, "UPDATE device SET name = '=1+1', tag = '@SUM(A1)' WHERE id = 1")
    write(settings, "UPDATE device SET state = 'lost' WHERE id IN (1, 2)")
    query = "state=lost&columns=name&columns=tag&sort=name"
    page = mo.get(f"/devices?{query}").text

    answer = mo.get(f"/devices/file?{query}&as={kind}")
    table = tablib.Dataset().load(
        answer.data.decode("utf-8-sig") if kind == "csv" else answer.data, format=kind, headers=True
    )

    assert f".{kind}" in answer.headers["Content-Disposition"]
    shown = re.findall(r'<td data-label="([^"]+)"', page)
    assert table.headers == shown[: len(table.headers)]
    expected = rows(settings, "SELECT name, tag FROM device WHERE state = 'lost'")
    told = [dict(zip(table.headers, row, strict=True)) for row in table]
    assert len(told) == len(expected) == page.count("data-row ")
    assert "'=1+1" in {value for row in told for value in row.values()}
    assert not any(str(value).startswith(("=", "@", "+")) for row in told for value in row.values() if value)


def test_language_and_theme_are_kept_with_the_account(signed_in: SignedIn, settings: Settings) -> None:
    mo = signed_in(MO)
    mo.post("/preferences", language="nl", next="/")
    mo.post("/preferences", theme="dark", next="/")

    page = mo.get("/").text

    assert '<html lang="nl"' in page
    assert 'data-theme="dark"' in page
    assert tuple(rows(settings, "SELECT language, theme FROM operator WHERE email = :e", e=MO)[0]) == ("nl", "dark")
    mo.post("/preferences", language="tlh", theme="pink", next="/")
    assert tuple(rows(settings, "SELECT language, theme FROM operator WHERE email = :e", e=MO)[0]) == ("nl", "dark")


def test_an_account_gets_a_password_and_a_code_and_ends_its_other_sessions(
    signed_in: SignedIn, settings: Settings, console: Flask
) -> None:
    mo, elsewhere = signed_in(MO), signed_in(MO)
    number = rows(settings, "SELECT max(id) AS id FROM web_session")[0].id

    assert mo.post(f"/account/sessions/{number}/end").status_code == 303
    assert elsewhere.get("/account").status_code == 303
    weak = mo.post("/account/password", password="short")
    assert (weak.status_code, 'id="password-wrong"' in weak.text) == (422, True)
    assert mo.post("/account/password", password=PASSWORD).location == "/account"
    begun = mo.post("/account/second-factor", step="begin").text
    code = pyotp.TOTP(re.search(r"<span class=\"hm-code\">(\w+)<", begun)[1])
    assert mo.post("/account/second-factor", step="confirm", code="000000").status_code == 422
    earlier = datetime.now(UTC) - timedelta(seconds=30)
    assert mo.post("/account/second-factor", step="confirm", code=code.at(earlier)).status_code == 303

    fresh = Visitor(console)
    fresh.get("/sign-in")
    assert fresh.post("/sign-in", email=MO, password="wrong wrong wrong").status_code == 422
    asked = fresh.post("/sign-in", email=MO, password=PASSWORD, next="/devices")
    assert asked.location == "/sign-in/code?next=/devices"
    fresh.get(asked.location)
    assert fresh.get("/devices").status_code == 303
    assert fresh.post("/sign-in/code", code=code.at(time.time()), next="/devices").location == "/devices"
    assert fresh.get("/devices").status_code == 200
