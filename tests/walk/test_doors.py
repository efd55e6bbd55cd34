"""What each door says when somebody else must agree, and how a request is looked at, agreed to and taken back there."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mdm.core.permissions import Role
from mdm.inventory.model import Device
from mdm.orders.model import ActState
from tests.api.conftest import close
from tests.walk.requests import REQUESTS, run_command
from tests.walk.scene import Browser, Scene, make

RETIRE = REQUESTS["console", "POST /devices/<uid>/move", "retire"]


@pytest.fixture(scope="module")
def scene(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    scene = make(sqlite_template, tmp_path_factory.mktemp("doors"))
    yield scene
    for app in scene.apps:
        close(app)


@pytest.fixture
def fresh(scene: Scene) -> Scene:
    scene.reset()
    return scene


def state(scene: Scene) -> ActState:
    (act,) = scene.requests()
    return ActState(act.state)


def test_the_page_of_a_request_says_what_would_be_done_and_who_decides(fresh: Scene) -> None:
    RETIRE(fresh)
    (act,) = fresh.requests()
    asker = Browser(fresh.apps[0], fresh.cookie())
    approver = Browser(fresh.apps[0], fresh.city.cookies[Role.APPROVER, "city"])
    stranger = Browser(fresh.apps[0], fresh.city.cookies[Role.APPROVER, "other"])

    mine = asker.client.get(f"/acts/{act.id}")
    theirs = approver.client.get(f"/acts/{act.id}")

    assert mine.status_code == theirs.status_code == 200
    assert "broken" in mine.text
    assert f"/acts/{act.id}/decide" not in mine.text
    assert f"/acts/{act.id}/decide" in theirs.text
    assert stranger.client.get(f"/acts/{act.id}").status_code == 404
    assert asker.client.get("/acts").status_code == 200


def test_a_request_is_taken_back_on_its_page(fresh: Scene) -> None:
    RETIRE(fresh)
    (act,) = fresh.requests()

    assert Browser(fresh.apps[0], fresh.cookie()).post(f"/acts/{act.id}/cancel", {}) == 303

    assert state(fresh) is ActState.CANCELLED


def test_the_same_key_of_idempotency_gets_the_same_request(fresh: Scene) -> None:
    client = fresh.apps[1].test_client(use_cookies=False)
    headers = {
        "Cookie": f"hm_session={fresh.cookie()}",
        "X-Havenmeester-Client": "console",
        "Idempotency-Key": "once",
    }
    body = {"name": "robot", "role": "fleet_admin"}

    first = client.post("/tokens", json=body, headers=headers)
    again = client.post("/tokens", json=body, headers=headers)

    assert first.status_code == again.status_code == 202
    assert first.json == again.json
    assert first.json["once"]["secret"].startswith("hvm_")
    assert len(fresh.requests()) == 1


def test_the_command_line_shows_agrees_and_takes_back(
    fresh: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    RETIRE(fresh)
    (act,) = fresh.requests()
    capsys.readouterr()
    assert run_command(fresh, ["act", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["id"] == act.id
    assert run_command(fresh, ["act", "show", act.id, "--statement"]) == 0
    text = capsys.readouterr().out.removesuffix("\n")
    assert text == act.canonical
    wrong, right = tmp_path / "wrong.json", tmp_path / "right.json"
    wrong.write_text(json.dumps(fresh.council.people[0].proof(text + " ")))
    right.write_text(json.dumps({"statement": text, "proofs": [fresh.council.people[0].proof(text)]}))

    assert run_command(fresh, ["act", "approve", act.id, str(wrong)]) == 1
    assert state(fresh) is ActState.REQUESTED
    assert run_command(fresh, ["act", "approve", act.id, str(right)]) == 0
    assert state(fresh) is ActState.APPROVED
    assert run_command(fresh, ["act", "cancel", act.id]) == 0
    assert state(fresh) is ActState.CANCELLED
    with fresh.calling(write=False) as call:
        assert call.session.query(Device).filter_by(uid=fresh.city.device["own"]).one().state != "retired"
