"""Adoption for programs and from the command line: the same figures, and one round however often it is asked for."""

import json
from pathlib import Path

import pytest

from mdm.adoption.model import Invitee
from mdm.cli.main import run
from mdm.core.clock import utcnow
from mdm.people.model import Person
from tests.api.conftest import Api
from tests.conftest import Calling


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database: the figures themselves are tested on both."""
    return sqlite_url


@pytest.fixture
def people(calling: Calling) -> list[int]:
    """Two who are known, one of them active."""
    now = utcnow()
    with calling(now=now) as call:
        found = [
            Person(name=name, number=f"P{name}", email=f"{name}@example.org".lower(), created_at=now)
            for name in ("An", "Bo")
        ]
        call.session.add_all(found)
        call.session.flush()
        call.session.add(Invitee(person_id=found[0].id, activated_at=now, channel="", reminder=""))
        return [one.id for one in found]


def test_a_program_reads_the_figures_and_who_is_missing(api: Api, people: list[int]) -> None:
    told = api.get("/adoption?by=persona").json
    assert (told["goal"], told["overall"]) == (84, {"people": 2, "invited": 1, "active": 1, "percent": 100.0})
    assert [row["key"] for row in told["rows"]] == ["city"]
    assert len(told["weeks"]) == 12
    missing = api.get("/adoption/missing?standing=uninvited").json
    assert [(one["person_id"], one["standing"]) for one in missing["items"]] == [(people[1], "uninvited")]
    assert api.get("/adoption?by=colour").status_code == 422


def test_a_round_is_begun_once_for_one_key_and_says_what_becomes_of_each(api: Api, people: list[int]) -> None:
    body = {"numbers": ["PAn", "PBo", "P404"]}
    answers = [api.post("/adoption/rounds", body, Idempotency_Key="round-1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json["uid"] == answers[1].json["uid"]
    told = api.get(f"/adoption/rounds/{answers[0].json['uid']}").json
    assert (told["total"], told["states"]) == (3, {"waiting": 2, "unknown": 1})
    for wrong in ({}, {"numbers": ["PAn"], "person_ids": people}, {"person_ids": [4711]}):
        assert api.post("/adoption/rounds", wrong).status_code == 422
    assert api.get("/adoption/rounds/" + "0" * 32).status_code == 404


def test_the_command_line_says_the_same(
    people: list[int],
    tmp_path: Path,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path))
    monkeypatch.setenv("HAVENMEESTER_DATABASE_URL", database_url)

    def ask(*words: str) -> object:
        assert run(["adoption", *words, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    rates = ask("rates", "--by", "persona")
    assert isinstance(rates, list)
    assert (rates[0]["percent"], rates[0]["active"], rates[0]["people"]) == (100.0, 1, 2)
    missing = ask("missing")
    assert isinstance(missing, list)
    assert [one["number"] for one in missing] == ["PBo"]
    file = tmp_path / "numbers.csv"
    file.write_text("number\nPBo\nP9\n", encoding="utf-8")
    begun = ask("invite", str(file))
    assert isinstance(begun, dict)
    assert (begun["total"], begun["waiting"], begun["unknown"]) == (2, 1, 1)
    assert ask("round", begun["uid"]) == begun | {"finished_at": None}
