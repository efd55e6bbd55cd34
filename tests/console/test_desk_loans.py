"""The desk's pages of loans and kiosks, by forms alone: reserve, wait, prepare, extend, decide, walk round."""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from mdm.access import service as access
from mdm.access.places import Place
from mdm.core.actor import command_line
from mdm.core.clock import utcnow
from mdm.core.permissions import Role
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.conftest import alone
from tests.console.test_desk_pages import rows
from tests.console.visiting import Visitor

SignedIn = Callable[[str], Visitor]
MO = "mo@stad.example"

OPEN_REPAIRS = "SELECT count(*) FROM desk_repair WHERE closed_at IS NULL"


@pytest.fixture
def mo(signed_in: SignedIn) -> Visitor:
    return signed_in(MO)


def flex(settings: Settings, number: int = 5) -> int:
    """A flexible work place of the pilot; at the last one nobody has reserved more than one laptop."""
    found = rows(settings, "SELECT service_point_id FROM loan_place ORDER BY service_point_id")
    return int(str(found[number][0]))


def monday() -> str:
    """A Monday three weeks ahead."""
    today = datetime.now(UTC).date()
    return (today + timedelta(days=21 - today.weekday())).isoformat()


def people(settings: Settings) -> list[str]:
    return [
        str(row[0]) for row in rows(settings, "SELECT number FROM person WHERE left_on IS NULL ORDER BY id LIMIT 9")
    ]


def reserve(visitor: Visitor, place: int, who: str, **more: str):
    """The form as the browser sends it."""
    page = visitor.get(f"/desk/loans/reserve?service_point_id={place}")
    key = re.search(r'name="key" value="([^"]+)"', page.text)
    assert key
    fields = {
        "person": who, "service_point_id": str(place), "kind": "laptop", "key": key[1],
        "begins_on": monday(), "begins_at": "09:00", "ends_on": monday(), "ends_at": "12:00",
    }  # fmt: skip
    return visitor.post("/desk/loans/reserve", **{**fields, **more})


def test_two_reserve_the_third_waits_and_moves_up_and_the_calendar_shows_it(mo: Visitor, settings: Settings) -> None:
    place, who = flex(settings), people(settings)
    first = reserve(mo, place, who[0])
    assert first.status_code == 303
    assert reserve(mo, place, who[1]).status_code == 303
    full = reserve(mo, place, who[2])
    assert full.status_code == 409
    assert "there is room from" in full.text
    assert 'name="wait" value="yes"' in full.text
    assert 'value="12:00"' in full.text
    waiting = reserve(mo, place, who[2], wait="yes")
    shown = mo.get(waiting.headers["Location"])
    assert "Number 1 on the wait list" in shown.text

    calendar = mo.get(f"/desk/loans/calendar?service_point={place}&from={monday()}").text
    assert calendar.count('class="hm-cal-bar') == 3
    assert 'class="hm-cal-bar is-waiting"' in calendar
    assert "at most 2 at a time" in calendar
    table = calendar[calendar.index("The same as a table") :]
    assert table.count("/desk/loans/") >= 3
    assert "style=" not in calendar

    uid = first.headers["Location"].rpartition("/")[2]
    mo.get(f"/desk/loans/{uid}")
    assert mo.post(f"/desk/loans/{uid}/change", step="cancel", reason="ill").status_code == 303
    assert "wait list" not in mo.get(waiting.headers["Location"]).text.replace("Onto the wait list", "")
    listed = mo.get(f"/desk/loans?service_point={place}&state=cancelled").text
    assert "1</b> reservations" in listed
    file = mo.get("/desk/loans/file?as=csv").text
    assert file.count("\n") > 10


def test_a_form_that_is_sent_twice_reserves_once_and_a_wrong_one_keeps_what_was_written(
    mo: Visitor, settings: Settings
) -> None:
    place, who = flex(settings), people(settings)
    page = mo.get("/desk/loans/reserve").text
    key = html.unescape(re.search(r'name="key" value="([^"]+)"', page)[1])  # type: ignore[index]
    one, two = (reserve(mo, place, who[0], key=key) for _ in range(2))
    assert one.headers["Location"] == two.headers["Location"]
    for fields, said in (
        ({"begins_at": "07:00"}, "The place is closed at this hour"),
        ({"ends_at": "08:30"}, "The loan ends before it begins"),
        ({"begins_on": "never"}, "Choose a day and an hour"),
        ({"person": "nobody at all"}, "Nobody here is known by that"),
    ):
        refused = reserve(mo, place, who[1], **{"note": "for the workshop", **fields})
        assert refused.status_code == 422
        assert said in refused.text
        assert "for the workshop" in refused.text
    several = reserve(mo, place, "a")
    assert several.status_code == 200
    assert several.text.count('type="radio" name="person_id"') > 1


def test_what_lies_ready_is_handed_out_by_the_counter_s_page(mo: Visitor, settings: Settings) -> None:
    place, who = flex(settings), people(settings)
    here = reserve(mo, place, who[0]).headers["Location"]
    page = mo.get(here).text
    device = re.search(r'<option value="([0-9a-f]{32})"', page)
    assert device
    mo.post(f"{here}/change", step="prepare", device=device[1])
    ready = html.unescape(mo.get(here).text)
    assert "Lies ready" in ready
    link = re.search(r'href="(/desk/hand-out\?[^"]+)"', ready)
    assert link
    assert device[1] in link[1]
    assert "loan=yes" in link[1]
    assert mo.get(link[1]).status_code == 200
    later = mo.post(f"{here}/change", step="extend", ends_on=monday(), ends_at="17:00")
    assert later.status_code == 303
    refused = mo.post(f"{here}/change", step="extend", ends_on=monday(), ends_at="23:00")
    assert refused.status_code == 422
    assert "The place is closed at this hour" in refused.text


def test_a_clerk_of_another_place_finds_no_loan_and_no_kiosk_of_ours(
    signed_in: SignedIn, mo: Visitor, settings: Settings
) -> None:
    place = flex(settings)
    here = reserve(mo, place, people(settings)[0]).headers["Location"]
    engine = make_engine(settings.database)
    with transaction(engine) as session:
        call = Call(command_line("tests"), session, utcnow(), alone())
        made = access.ensure_operator(call, email="clerk@stad.example", name="Clerk", language="en")
        access.add_grant(call, made.id, Role.DESK_CLERK, Place(service_point_id=1))
    engine.dispose()
    clerk = signed_in("clerk@stad.example")
    for address in (here, f"/desk/loans/pools/{place}", f"/desk/loans/calendar?service_point={place}"):
        assert clerk.get(address).status_code == 404, address
    assert "Nothing matches these filters" in clerk.get("/desk/loans?when=all").text
    clerk.get("/account")
    assert clerk.post(f"{here}/change", step="cancel").status_code == 404
    assert "Zuil" not in clerk.get("/desk/kiosks").text.replace("Zelfbedieningszuil", "")


def test_the_rules_of_a_pool_are_kept_and_a_wrong_one_is_told_at_its_field(mo: Visitor, settings: Settings) -> None:
    place = flex(settings)
    page = mo.get(f"/desk/loans/pools/{place}").text
    values = dict(re.findall(r'name="(\w+)" type="text" value="([^"]*)"', page))
    assert values["at_most"] == "2"
    mo.post(f"/desk/loans/pools/{place}/change", **{**values, "at_most": "", "flex": "yes"})
    assert rows(settings, "SELECT at_most FROM loan_place WHERE service_point_id = :p", p=place) == [(None,)]
    refused = mo.post(f"/desk/loans/pools/{place}/change", **{**values, "lock_days": "x"})
    assert refused.status_code == 422
    assert 'id="lock_days-wrong"' in refused.text
    opened = mo.post("/desk/loans/pools/open", service_point_id="1")
    assert opened.headers["Location"] == "/desk/loans/pools/1"


def test_a_round_along_the_kiosks_with_forms_alone(mo: Visitor, settings: Settings) -> None:
    before = rows(settings, OPEN_REPAIRS)[0][0]
    listed = mo.get("/desk/kiosks").text
    assert "nobody looked" in listed
    assert "not reported" in listed
    assert "chromium 142.0" in mo.get("/desk/kiosks?columns=device&columns=browser").text
    page = mo.get("/desk/kiosks/rounds").text
    place = re.search(r'name="place" value="(\d+)"', page)
    assert place
    walk = mo.post("/desk/kiosks/rounds/start", place=place[1]).headers["Location"]
    shown = mo.get(walk).text
    device = re.search(r'name="device" value="([0-9a-f]{32})"', shown)
    assert device
    change = f"{walk.partition('#')[0]}/change"
    nothing = mo.post(change, device=device[1], seen="wrong", note="the screen is dark")
    assert nothing.status_code == 422
    assert "the screen is dark" in nothing.text
    assert mo.post(change, device=device[1], seen="wrong", fault="screen", paper="low").status_code == 303
    again = mo.get(walk).text
    assert "Something is wrong" in again
    assert "/desk/repairs/" in again
    assert mo.post(change, step="finish").status_code == 303
    assert rows(settings, OPEN_REPAIRS)[0][0] == before + 1
    assert mo.post("/desk/kiosks/rounds/start").status_code == 409
