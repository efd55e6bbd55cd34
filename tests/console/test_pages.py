"""Every page opens for those who may, and for nobody else."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from mdm.audit import service as audit
from mdm.core.actor import command_line
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.console.conftest import Visitor
from web.common import manifest

LINK = re.compile(r'href="(/[^"#]*)"')
SignedIn = Callable[[str], Visitor]


def crawl(visitor: Visitor, most: int = 120) -> dict[str, int]:
    """Every address that pages link to, within reason, with its status."""
    seen: dict[str, int] = {}
    shapes: dict[str, int] = {}
    waiting = ["/"]
    while waiting and len(seen) < most:
        address = waiting.pop(0)
        if address in seen or address.startswith("/static/"):
            continue
        shape = re.sub(r"[0-9a-f]{32}|\d+|=[^&]*", "*", address)
        # Sorting and sizes lead to the same pages again.
        shape = re.sub(r"[?&](sort|size)=\*", "", shape)
        shapes[shape] = shapes.get(shape, 0) + 1
        if shapes[shape] > 1:
            continue
        answer = visitor.get(address)
        seen[address] = answer.status_code
        if answer.mimetype == "text/html":
            waiting += [link.replace("&amp;", "&") for link in LINK.findall(answer.text)]
    return seen


@pytest.mark.parametrize("email", ["mo@stad.example", "marijke@stad.example", "sarah@stad.example"])
def test_every_link_that_a_page_shows_can_be_followed(signed_in: SignedIn, email: str) -> None:
    seen = crawl(signed_in(email))

    assert len(seen) > 40
    assert {address: status for address, status in seen.items() if status not in (200, 303)} == {}


def test_a_stranger_is_sent_to_the_sign_in_page_and_comes_back_to_where_they_wanted(visitor: Visitor) -> None:
    answer = visitor.get("/devices?state=lost")

    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/devices?state%3Dlost")


def test_a_form_without_its_token_changes_nothing(signed_in: SignedIn, settings: Settings) -> None:
    visitor = signed_in("mo@stad.example")
    visitor.token = "forged"

    answer = visitor.post("/people/new", name="Eve")

    assert answer.status_code == 400
    with create_engine(settings.database).connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM person WHERE name = 'Eve'")).scalar() == 0


def test_a_page_from_elsewhere_is_not_gone_back_to(signed_in: SignedIn) -> None:
    visitor = signed_in("mo@stad.example")

    for address in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        assert visitor.post("/preferences", theme="dark", next=address).location == "/"
    assert visitor.post("/preferences", theme="dark", next="/devices?state=lost").location == "/devices?state=lost"


def test_hostile_names_are_shown_as_text(signed_in: SignedIn, settings: Settings) -> None:
    with create_engine(settings.database).begin() as connection:
        connection.execute(text("UPDATE device SET name = '<script>alert(1)</script>' WHERE id = 1"))
    visitor = signed_in("mo@stad.example")

    page = visitor.get("/devices?sort=name").text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


@pytest.fixture
def not_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A console whose front end nobody has built."""
    monkeypatch.setattr(manifest, "DIST", tmp_path / "nothing")
    manifest._manifest.cache_clear()
    yield
    manifest._manifest.cache_clear()


def test_a_console_whose_front_end_is_not_built_is_bare_but_can_be_used(visitor: Visitor, not_built: None) -> None:
    page = visitor.get("/sign-in")
    assert page.status_code == 200
    assert 'name="password"' in page.text
    assert visitor.get("/nowhere").status_code == 404


def test_an_address_that_leads_nowhere_is_told_inside_the_frame_and_to_strangers_alone(
    signed_in: SignedIn, visitor: Visitor
) -> None:
    inside, outside = signed_in("mo@stad.example").get("/nowhere"), visitor.get("/nowhere")

    assert (inside.status_code, outside.status_code) == (404, 404)
    assert 'href="/devices"' in inside.text
    assert "Mo Haddad" in inside.text
    assert 'href="/devices"' not in outside.text


def test_the_diary_is_read_as_sentences_and_details_as_words(signed_in: SignedIn) -> None:
    sarah = signed_in("sarah@stad.example")

    page = sarah.get("/audit").text
    file = sarah.get("/audit/file?as=csv").text

    assert "signed in" in page
    assert "one-time link" in page
    assert "&#34;method&#34;" not in page
    assert "Sarah Willems signed in" in file


def test_the_compliance_chart_shows_also_who_meets_a_rule(signed_in: SignedIn, settings: Settings) -> None:
    rows = signed_in("mo@stad.example").get("/compliance/rules.csv").text.splitlines()

    heads = rows[0].lstrip("\ufeff").split(",")
    assert heads[1] == "Meets it"
    encrypted = next(row for row in rows if "ncrypt" in row).rsplit(",", 5)
    with create_engine(settings.database).connect() as connection:
        judged = connection.execute(text("SELECT count(*) FROM device WHERE enrolled_at IS NOT NULL")).scalar()
    assert int(encrypted[1]) > 0
    assert sum(int(number) for number in encrypted[1:]) <= judged


def test_who_gets_a_policy_is_ticked_in_a_list_that_can_be_searched(signed_in: SignedIn) -> None:
    mo = signed_in("mo@stad.example")
    address = re.search(r'href="(/policies/\d+)"', mo.get("/policies").text)[1]

    page = mo.get(f"{address}/who").text

    assert "multiple" not in page
    assert page.count('type="checkbox" name="include"') == page.count('type="checkbox" name="exclude"') > 10
    assert "data-sift-words" in page


def test_a_line_about_something_that_has_no_page_is_told_without_a_link(
    signed_in: SignedIn, settings: Settings
) -> None:
    engine = make_engine(settings.database)
    with transaction(engine) as session:
        call = Call(command_line("root"), session, datetime.now(UTC))
        audit.record(call, "act.performed_alone", ("policy", "Op zak"), details={"verb": "policy_hard", "why": "host"})
    engine.dispose()
    page = signed_in("mo@stad.example").get("/audit")
    assert page.status_code == 200
    assert "<b>Op zak</b>" in page.text
