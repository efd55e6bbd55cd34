"""Guidance on the pages: the quest of the first week, the colleagues who help, the guides."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from mdm.guidance import starting
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.conftest import FLEET_ADMIN, alone
from tests.console.conftest import console as console
from tests.console.conftest import signed_in as signed_in
from tests.portal.conftest import Employee


@pytest.fixture
def started(settings: Settings) -> None:
    """The content that an installation begins with."""
    engine = make_engine(settings.database)
    with transaction(engine, write=True) as session:
        starting.load(Call(FLEET_ADMIN, session, datetime.now(UTC), alone()))
    engine.dispose()


@pytest.mark.usefixtures("started")
def test_somebody_takes_part_in_the_quest_and_ticks_what_is_theirs_to_tick(employee: Employee) -> None:
    assert "Discover your phone" in employee.get("/").text
    page = employee.get("/quest").text
    uid = re.search(r"/quest/(\w+)/join", page)
    assert uid is not None
    place = f"/quest/{uid[1]}"
    assert employee.post(f"{place}/5/word").status_code == 409
    assert employee.post(f"{place}/join").status_code == 303
    assert employee.post(f"{place}/1/word").status_code == 404
    assert employee.post(f"{place}/5/word").status_code == 303
    gone = employee.get(f"{place}/3/open")
    assert (gone.status_code, gone.headers["Location"]) == (303, "https://intranet.stad.example/")
    assert employee.get(f"{place}/5/open").status_code == 404
    employee.post(f"{place}/4/helped", code="AAAAAA")
    page = employee.get("/quest").text
    assert "This code does not fit" in page
    assert re.search(r"[2-4] of 5 done", page)
    assert employee.post(f"{place}/consent", given="yes").status_code == 409
    assert re.search(r'is-big" dir="ltr">[A-Z2-9]{6}<', employee.post("/thanks").text)
    assert employee.post(f"{place}/join", step="leave").status_code == 303
    assert "Take part" in employee.get("/quest").text


def test_an_organiser_writes_a_quest_language_by_language(signed_in) -> None:
    mo = signed_in("mo@stad.example")
    today = datetime.now(UTC).date()
    told = {
        "title": "Erste <b>",
        "intro": "",
        "language": "nl",
        "first_day": today,
        "last_day": today + timedelta(days=3),
    }
    for n in range(1, 6):
        told |= {f"title_{n}": f"Task {n}", f"text_{n}": "Do", f"check_{n}": "word", f"target_{n}": ""}
    assert mo.get("/guidance/quests/new").status_code == 200
    wrong = mo.post("/guidance/quests/new", **{**told, "check_2": "visit", "target_2": "javascript:x"})
    assert wrong.status_code == 422
    assert "target_2-wrong" in wrong.text
    made = mo.post("/guidance/quests/new", **told)
    assert made.status_code == 303
    place = made.headers["Location"]
    assert "Erste &lt;b&gt;" in mo.get(place).text
    assert mo.post(f"{place}/edit", **{**told, "language": "tr", "title": "Ilk"}).status_code == 303
    assert 'value="Ilk"' in mo.get(f"{place}/edit?language=tr").text
    assert mo.post(f"{place}/draw", step="fix").status_code == 409
    sarah = signed_in("sarah@stad.example")
    assert sarah.get(place).status_code == 200
    assert sarah.post(f"{place}/draw", step="fix").status_code == 403
