"""The pages on which kiosks are set up: asking, a file with a result per row, following, taking back. By forms alone."""

import html
import re
from collections.abc import Callable

import pytest
from sqlalchemy import update

from mdm.kiosks.model import KioskSetup, State
from mdm.settings import Settings
from mdm.storage.engine import make_engine, transaction
from tests.console.test_desk_pages import rows
from tests.console.visiting import Visitor

KEY = "SHA256:" + "a" * 42 + "A"
HOSTILE = "<script>alert(1)</script>\x1b[31m"


@pytest.fixture
def mo(signed_in: Callable[[str], Visitor]) -> Visitor:
    return signed_in("mo@stad.example")


def codes(settings: Settings) -> str:
    return str(rows(settings, "SELECT code FROM service_point ORDER BY id LIMIT 1")[0][0])


def test_a_kiosk_is_asked_for_followed_and_taken_back(mo: Visitor, settings: Settings) -> None:
    fields = {"host_key": KEY, "host": "10.0.0.7", "service_point": codes(settings), "email": "k@stad.example"}
    refused = mo.post("/desk/kiosks/setups/new", **{**fields, "host_key": "MD5:aa"})
    assert refused.status_code == 422
    assert rows(settings, "SELECT count(*) FROM kiosk_setup")[0][0] == 0
    begun = mo.post("/desk/kiosks/setups/new", **fields, name="Zuil <b>")
    assert begun.status_code == 303, html.unescape(begun.text)
    address = begun.location
    page = mo.get(address)
    assert "Zuil &lt;b&gt;" in page.text
    assert f'data-poll="{address}/state"' in page.text
    # What a kiosk said is text and nothing else.
    engine = make_engine(settings.database)
    with transaction(engine) as session:
        session.execute(
            update(KioskSetup).values(log=[{"at": "2026-11-22T08:00:00Z", "step": "reach", "text": HOSTILE}])
        )
    engine.dispose()
    assert "<script>alert" not in mo.get(f"{address}/state").text
    # Twice at one address is refused.
    assert mo.post("/desk/kiosks/setups/new", **fields).status_code == 409
    assert mo.post(f"{address}/change", step="withdraw").status_code == 303
    assert rows(settings, "SELECT state FROM kiosk_setup")[0][0] == State.WITHDRAWN
    assert "data-poll" not in mo.get(address).text
    assert mo.post("/desk/kiosks/setups/new", **fields).status_code == 303
    assert mo.get("/desk/kiosks/setups").text.count('class="hm-first"') == 2


def test_a_file_is_looked_at_row_by_row_and_begins_only_when_all_are_right(mo: Visitor, settings: Settings) -> None:
    point = codes(settings)
    good = f"10.0.0.8;{KEY};{point};k@stad.example"
    text = f"host;host_key;service_point;email\n{good}\n10.0.0.8;{KEY};{point};k@stad.example\n;nothing;NOWHERE;x\n"
    looked = mo.post("/desk/kiosks/setups/file", rows=text, step="look")
    assert looked.status_code == 200
    told = html.unescape(looked.text)
    assert "already" in told
    assert told.count("hm-badge hm-bad") == 2
    assert 'value="begin"' not in looked.text
    assert mo.post("/desk/kiosks/setups/file", rows=text, step="begin").status_code == 422
    assert rows(settings, "SELECT count(*) FROM kiosk_setup")[0][0] == 0
    text = f"host;host_key;service_point;email\n{good}\n10.0.0.9;{KEY};{point};k@stad.example\n"
    assert 'value="begin"' in mo.post("/desk/kiosks/setups/file", rows=text, step="look").text
    begun = mo.post("/desk/kiosks/setups/file", rows=text, step="begin")
    assert begun.status_code == 303, html.unescape(begun.text)
    page = mo.get(begun.location)
    assert re.findall(r'class="hm-first">(\d+)', page.text) == ["2", "3"]
    assert mo.get("/desk/kiosks/setups/batch/nothing").status_code == 404


def test_a_clerk_sets_no_kiosk_up(signed_in: Callable[[str], Visitor], settings: Settings) -> None:
    clerk = signed_in(str(rows(settings, CLERK)[0][0]))
    assert clerk.get("/desk/kiosks").status_code == 200
    assert "/desk/kiosks/setups" not in clerk.get("/desk/kiosks").text
    for address in ("/desk/kiosks/setups", "/desk/kiosks/setups/new", "/desk/kiosks/setups/file"):
        assert clerk.get(address).status_code == 403
    assert clerk.post("/desk/kiosks/setups/new", host_key=KEY, host="10.0.0.7").status_code == 403


CLERK = (
    "SELECT o.email FROM operator o JOIN operator_grant g ON g.operator_id = o.id WHERE g.role = 'desk_clerk' "
    "AND o.id NOT IN (SELECT operator_id FROM operator_grant WHERE role <> 'desk_clerk') ORDER BY o.id LIMIT 1"
)
