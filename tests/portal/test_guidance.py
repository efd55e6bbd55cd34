"""Guidance on the pages: the quest of the first week, the colleagues who help, the guides."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from mdm.guidance import starting
from mdm.inventory.model import Device
from mdm.people.model import Person
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


@pytest.mark.usefixtures("started")
def test_a_guide_is_read_as_plain_text_and_rated_with_one_tap(employee: Employee, signed_in) -> None:
    mo = signed_in("mo@stad.example")
    told = {"language": "en", "title": "Bigger", "text": "One <script>\nTwo", "position": "5"}
    assert mo.get("/guidance/guides/new").status_code == 200
    wrong = mo.post("/guidance/guides/new", **told, film="https://evil.example/film")
    assert wrong.status_code == 422
    assert "film-wrong" in wrong.text
    place = mo.post("/guidance/guides/new", **told).headers["Location"].partition("?")[0]
    uid = place.rpartition("/")[2]
    assert f"/guides/{uid}" in employee.get("/help").text
    page = employee.get(f"/guides/{uid}").text
    assert "<p>One &lt;script&gt;</p>" in page
    assert employee.post(f"/guides/{uid}/helped", helped="yes").status_code == 303
    assert "You said: yes" in employee.get(f"/guides/{uid}").text
    assert 'data-label="Helped" class="hm-number">1<' in mo.get("/guidance/guides").text
    assert mo.get(f"{place}?language=en").status_code == 200
    mo.post(f"{place}/hide", step="hide")
    assert employee.get(f"/guides/{uid}").status_code == 404


@pytest.mark.usefixtures("started")
def test_a_colleague_is_asked_and_hands_the_question_to_the_desk(
    employee: Employee, settings: Settings, portal, paper, signed_in
) -> None:
    engine = make_engine(settings.database)
    with transaction(engine, write=False) as session:
        rows = session.execute(select(Person.id, Person.number).where(Person.id != employee.person).limit(1)).one()
        device = session.scalar(select(Device.uid).where(Device.person_id == employee.person))
    engine.dispose()
    mo = signed_in("mo@stad.example")
    assert mo.get("/guidance/ambassadors").status_code == 200
    assert mo.post("/guidance/ambassadors/new", who="nobody@stad.example", languages="nl").status_code == 404
    assert mo.post("/guidance/ambassadors/new", who=rows[1], languages="nl").status_code == 303
    other = Employee(portal, rows[0])
    other.get("/in")
    other.post("/language", language="en")
    other.post("/in/code", code=paper(rows[0]))
    assert "Without your yes nobody sees you" in other.get("/ambassador").text
    assert re.search(r'"/help/(\w+)"', employee.get("/help").text) is None
    assert other.post("/ambassador/agree", helps="yes").status_code == 303

    helper = re.search(r'"/help/(\w+)"', employee.get("/help").text)
    assert helper is not None
    assert employee.get(f"/help/{helper[1]}").status_code == 200
    assert employee.post(f"/help/{helper[1]}", text=" ").status_code == 422
    assert employee.post(f"/help/{helper[1]}", text="It is <i>dark</i>", device=device).status_code == 303
    page = other.get("/ambassador").text
    assert "It is &lt;i&gt;dark" in page
    question = re.search(r'"/ambassador/(\w{20,})"', page)
    assert question is not None
    assert other.post(f"/ambassador/{question[1]}", step="answer", answer="").status_code == 422
    assert employee.post(f"/ambassador/{question[1]}", step="take").status_code == 404
    assert employee.get("/ambassador").status_code == 404
    assert other.post(f"/ambassador/{question[1]}", step="desk").status_code == 303
    assert "The service point looks after it" in employee.get("/help").text
