"""Applications on offer for programs and from the command line: the same offers, wishes and answers."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from mdm.cli.main import run
from mdm.core.clock import utcnow
from mdm.core.ids import new_uid
from mdm.outbox.model import OutboxMessage
from mdm.people.model import Person
from mdm.portal.model import AppOffer, AppRequest
from tests.api.conftest import Api
from tests.conftest import Calling

MAP = {"name": "Stadsplan", "platform": "ios", "identifier": "be.stad.plan", "about": {"nl": "Straten", "tr": "Sokak"}}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database: the rules themselves are tested on both."""
    return sqlite_url


@pytest.fixture
def wish(calling: Calling) -> Callable[[str], str]:
    """``wish(offer)``: Elif, who reads Turkish, asks for it."""

    def one(offer: str) -> str:
        with calling(now=utcnow()) as call:
            elif_ = Person(name="Elif", email="elif@example.org", language="tr", created_at=call.now)
            call.session.add(elif_)
            call.session.flush()
            found = call.session.scalars(select(AppOffer).where(AppOffer.uid == offer)).one()
            made = AppRequest(
                uid=new_uid(), offer_id=found.id, person_id=elif_.id, slot=f"{found.id}:{elif_.id}", state="asked",
                why="Yolumu bulmak için", asked_at=call.now,
            )  # fmt: skip
            call.session.add(made)
            return made.uid

    return one


def test_an_offer_is_made_said_anew_and_closed(api: Api) -> None:
    made = api.post("/application-offers", MAP)
    assert (made.status_code, made.json["about"]) == (201, MAP["about"])
    assert api.post("/application-offers", MAP).json["code"] == "app_offered"
    one = f"/application-offers/{made.json['uid']}"
    said = api.patch(one, {"about": {"nl": "Straten vinden", "tr": ""}, "personas": ["city"]}).json
    assert (said["about"], said["personas"]) == ({"nl": "Straten vinden"}, ["city"])
    closed = api.patch(one, {"closed": True}).json
    assert closed["closed_at"]
    assert closed["about"] == {"nl": "Straten vinden"}
    assert api.patch(one, {"closed": False}).json["closed_at"] is None
    assert api.patch(one, {"about": {"de": "Strassen"}}).status_code == 422
    assert [row["uid"] for row in api.get("/application-offers").json["items"]] == [made.json["uid"]]


def test_a_wish_is_answered_and_the_letter_says_in_their_language_what_was_asked(
    api: Api, wish: Callable[[str], str], calling: Calling
) -> None:
    uid = wish(api.post("/application-offers", MAP).json["uid"])
    assert [row["why"] for row in api.get("/application-requests").json["items"]] == ["Yolumu bulmak için"]
    wordless = api.post(f"/application-requests/{uid}/answer", {"state": "refused"})
    assert (wordless.status_code, list(wordless.json["fields"])) == (422, ["answer"])
    for _ in range(2):
        said = api.post(f"/application-requests/{uid}/answer", {"state": "granted", "answer": "Olur"})
        assert said.json["state"] == "granted"
    other = api.post(f"/application-requests/{uid}/answer", {"state": "refused", "answer": "Olmaz"})
    assert other.status_code == 409
    assert api.get("/application-requests").json["items"] == []
    assert len(api.get("/application-requests?state=granted&state=refused").json["items"]) == 1
    with calling() as call:
        letters = [one.payload for one in call.session.scalars(select(OutboxMessage)) if one.topic == "mail"]
    (letter,) = letters
    assert letter["subject"] == "Stadsplan: evet"
    assert "Olur" in letter["text"]
    assert "Yolumu bulmak için" in letter["text"]


def test_the_command_line_does_the_same(
    wish: Callable[[str], str],
    tmp_path: Path,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path))
    monkeypatch.setenv("HAVENMEESTER_DATABASE_URL", database_url)

    def ask(*words: str, code: int = 0) -> object:
        assert run(["applications", *words, *(["--json"] if code == 0 else [])]) == code
        told = capsys.readouterr()
        return json.loads(told.out) if code == 0 else told.err

    made = ask("offer", "Planner", "planner", "--platform", "linux", "--about", "nl=Wegen", "--about", "fr=Routes")
    assert isinstance(made, dict)
    (line,) = ask("offers")  # type: ignore[misc]
    assert (line["name"], line["languages"], line["granted"]) == ("Planner", "nl fr", 0)
    assert "LANGUAGE=SENTENCE" in str(ask("offer", "X", "x", "--platform", "linux", "--about", "Wegen", code=2))
    uid = wish(made["uid"])
    assert [one["person"] for one in ask("requests")] == ["Elif"]  # type: ignore[attr-defined]
    answered = ask("answer", uid, "refuse", "--why", "Hayır")
    assert isinstance(answered, dict)
    assert answered["state"] == "refused"
    assert ask("requests") == []
    assert [one["answer"] for one in ask("requests", "--answered")] == ["Hayır"]  # type: ignore[attr-defined]
    closed = ask("close", made["uid"])
    assert isinstance(closed, dict)
    assert closed["closed_at"]
