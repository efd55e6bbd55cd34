"""Calls for help for programs: heard of, answered, closed; the roster; an exercise from its beginning to its figures."""

from datetime import timedelta

import pytest

from mdm.core.actor import Actor, ActorKind
from mdm.core.clock import utcnow
from mdm.panic import raising
from mdm.panic.raising import Press
from tests.api.city import City
from tests.api.conftest import Api
from tests.conftest import Calling


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database: the rules themselves are tested on both."""
    return sqlite_url


def _press(calling: Calling, city: City, number: str) -> str:
    with calling(Actor(ActorKind.DEVICE, 1, "Laptop own", (), "-"), now=utcnow()) as call:
        return raising.by_device(call, 1, Press(number * 32)).uid


def test_a_program_hears_of_a_call_answers_and_closes_it_with_a_report(api: Api, city: City, calling: Calling) -> None:
    first, second = _press(calling, city, "a"), None
    early = api.post(f"/panic/calls/{first}/close", {"outcome": "false_alarm"})
    assert (early.status_code, early.json["code"]) == (409, "panic_state")
    assert api.get("/panic/calls?open=true").json["items"][0]["state"] == "ringing"

    for _ in range(2):
        told = api.post(f"/panic/calls/{first}/acknowledge")
        assert (told.status_code, told.json["state"]) == (200, "acknowledged")
    wordless = api.post(f"/panic/calls/{first}/close", {"outcome": "threat"})
    assert (wordless.status_code, list(wordless.json["fields"])) == (422, ["happened"])
    closed = api.post(f"/panic/calls/{first}/close", {"outcome": "threat", "happened": "Somebody shouted."})
    assert (closed.json["state"], closed.json["outcome"]) == ("closed", "threat")
    assert [one["kind"] for one in closed.json["events"]][-1] == "closed"
    assert api.post(f"/panic/calls/{first}/report").json["happened"] == "Somebody shouted."

    second = _press(calling, city, "b")
    pages = [api.get(f"/panic/calls?limit=1{more}").json for more in ("", "&open=true", "&open=false")]
    assert [[one["uid"] for one in page["items"]] for page in pages] == [[second], [second], [first]]
    assert [page["total"] for page in pages] == [2, 1, 1]
    following = api.get(f"/panic/calls?limit=1&cursor={pages[0]['next']}").json
    assert [one["uid"] for one in following["items"]] == [first]


def test_the_roster_is_written_and_read_and_a_line_goes(api: Api, city: City) -> None:
    line = {
        "who": "own@example.org", "service_point_id": city.service_point["own"], "days": ["sun", "mon"],
        "begins": "00:00", "ends": "00:00", "rank": 2,
    }  # fmt: skip
    made = api.post("/panic/duty", line)
    assert (made.status_code, made.json["days"], made.json["name"]) == (201, ["mon", "sun"], "Person own")
    assert [one["id"] for one in api.get("/panic/duty").json["items"]] == [made.json["id"]]
    for wrong in ({"begins": "8 am"}, {"days": []}, {"who": "nobody@example.org"}, {"unit_id": city.unit["own"]}):
        assert api.post("/panic/duty", line | wrong).status_code == 422
    assert api.send("DELETE", f"/panic/duty/{made.json['id']}").status_code == 204
    assert api.get("/panic/duty").json["items"] == []


def test_an_exercise_is_led_by_a_program_and_gives_its_figures(api: Api, city: City, calling: Calling) -> None:
    begun = api.post("/panic/exercises", {"service_point_id": city.service_point["own"], "note": "Counter"}).json
    again = api.post("/panic/exercises", {"service_point_id": city.service_point["own"]})
    assert (again.status_code, again.json["code"]) == (409, "drill_twice")
    raised = [api.post(f"/panic/exercises/{begun['uid']}/call").json for _ in range(2)]
    assert raised[0]["uid"] == raised[1]["uid"]
    assert raised[0]["exercise"]
    api.post(f"/panic/calls/{raised[0]['uid']}/acknowledge")
    ended = api.post(f"/panic/exercises/{begun['uid']}/end", {"learned": "The door was locked."}).json
    assert (ended["calls"], ended["answered"], ended["learned"]) == (1, 1, "The door was locked.")
    assert ended["middle"] == ended["seconds"][0] < timedelta(minutes=5).total_seconds()
    assert api.post(f"/panic/exercises/{begun['uid']}/call").status_code == 409
    assert [one["uid"] for one in api.get("/panic/exercises").json["items"]] == [begun["uid"]]
    assert api.get(f"/panic/exercises/{begun['uid']}").json == ended
