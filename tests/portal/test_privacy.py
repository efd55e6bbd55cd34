"""What the city keeps of an employee, on their page and to take with them: theirs, whole, and once a day."""

import io
import json
import zipfile

from sqlalchemy import select

from mdm.people.model import Person
from mdm.settings import Settings
from mdm.storage.engine import make_engine, transaction
from tests.portal.conftest import Employee


def _people(settings: Settings) -> list[tuple[int, str, str | None]]:
    engine = make_engine(settings.database)
    with transaction(engine, write=False) as session:
        found = [tuple(row) for row in session.execute(select(Person.id, Person.name, Person.email))]
    engine.dispose()
    return found


def test_the_page_says_why_until_when_and_who_can_see_it(employee: Employee) -> None:
    page = employee.get("/seen").text

    assert "Who you are" in page
    assert "so that your device is set up for you" in page
    assert "as long as you work here, and until your record is erased after that" in page
    assert "90 days" in page
    assert "administrators of devices" in page
    assert "Lost, stolen and broken devices" not in page


def test_what_is_kept_can_be_taken_once_a_day_and_names_nobody_else(employee: Employee, settings: Settings) -> None:
    employee.get("/seen")
    answer = employee.post("/seen/take")
    again = employee.post("/seen/take")

    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        data, page = json.loads(archive.read("data.json")), archive.read("data.html").decode()
    mine = next(one for one in _people(settings) if one[0] == employee.person)
    assert data["schema"] == "havenmeester.person-export/1"
    assert data["data"]["people"]["person"][0]["name"] == mine[1]
    assert data["data"]["devices"]["device"]
    assert any(
        line["action"] == "person.signed_in" and line["who"] == "you" for line in data["data"]["diary"]["audit_entry"]
    )
    text = json.dumps(data, ensure_ascii=False) + page
    others = [name for number, name, _email in _people(settings) if number != employee.person and name != mine[1]]
    assert [name for name in others if name in text] == []
    assert "digest" not in json.dumps(data["data"])
    assert mine[1] in page
    assert "<script" not in page
    assert again.status_code == 303
    assert "today already" in employee.get("/seen").text


def test_a_stranger_takes_nothing(stranger: Employee) -> None:
    stranger.get("/in")

    assert stranger.post("/seen/take").status_code in (303, 401)
