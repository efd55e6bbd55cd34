"""Nothing of the table of risk happens outside the kernel: every way in is walked, and what is risky is tried.

``table.csv`` says of every route, command, job and topic what it is:

reads     changes nothing but traces of looking
harmless  changes what one person may change alone, or makes something safer
host      is done by whoever runs the server, to the installation as a whole
order     belongs to wipes, rosters and the red button: the signer and the devices ask for themselves
act       decides about a request, or performs one that was approved
risky     comes under the rows of ``mdm/core/risk.py`` that stand behind it
"""

import csv
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from flask import Flask

from mdm.core.clock import utcnow
from mdm.core.errors import UnavailableError
from mdm.core.risk import RISKS, Risk, Way
from mdm.orders import kernel
from mdm.orders.model import ActState
from mdm.outbox import service as outbox
from mdm.storage.engine import make_engine
from mdm.worker.office import Office
from mdm.worker.table import jobs
from tests.api.conftest import close
from tests.walk import doors
from tests.walk.requests import REQUESTS
from tests.walk.scene import Scene, make
from web.gateway.views import add_views
from web.portal.app import make_portal

TABLE = Path(__file__).with_name("table.csv")
CLASSES = {"reads", "harmless", "host", "order", "act", "risky"}
ASKED = {"console": 202, "api": 202, "command": 5}


def table() -> dict[tuple[str, str], tuple[str, tuple[Risk, ...]]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = {
        (row["door"], row["name"]): (row["class"], tuple(Risk(one) for one in row["verbs"].split())) for row in rows
    }
    assert len(found) == len(rows)
    return found


@pytest.fixture(scope="module")
def scene(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    scene = make(sqlite_template, tmp_path_factory.mktemp("walk"))
    yield scene
    for app in scene.apps:
        close(app)


@pytest.fixture
def fresh(scene: Scene) -> Scene:
    scene.reset()
    return scene


def ways(scene: Scene) -> set[doors.Way]:
    console, api = scene.apps
    portal = make_portal(scene.settings)
    close(portal)
    gateway = Flask("gateway")
    add_views(gateway)
    found = {
        *doors.routes("console", console),
        *doors.routes("api", api),
        *doors.routes("gateway", gateway),
        *doors.routes("portal", portal),
    }
    return found | set(doors.commands()) | set(doors.clockwork())


def test_every_way_in_is_classified_and_no_line_is_about_nothing(scene: Scene) -> None:
    assert sorted(ways(scene) - set(table())) == []
    assert sorted(set(table()) - ways(scene)) == []


def test_every_line_has_a_class_and_only_risky_ones_name_a_verb() -> None:
    for way, (kind, risks) in table().items():
        assert kind in CLASSES, way
        assert bool(risks) == (kind == "risky"), way


def test_what_only_reads_is_asked_with_get_and_what_is_asked_with_get_does_no_harm() -> None:
    for (door, name), (kind, _risks) in table().items():
        if door in ("console", "api", "portal") and name.startswith("GET "):
            assert kind in ("reads", "harmless"), name


def test_the_document_of_the_api_names_the_same_risks(scene: Scene) -> None:
    said = {}
    rules = {rule.endpoint.rpartition(".")[2]: rule for rule in scene.apps[1].url_map.iter_rules()}
    for operation, (method, _path, item) in doors.operations(scene.apps[1]).items():
        said["api", f"{method} {rules[operation].rule}"] = tuple(Risk(one) for one in item.get("x-risks", ()))
    assert {way: risks for way, risks in said.items() if risks} == {
        way: risks for way, (_kind, risks) in table().items() if risks and way[0] == "api"
    }


def test_every_verb_that_is_done_as_an_act_has_a_way_in() -> None:
    behind = {risk for _kind, risks in table().values() for risk in risks}
    waiting = {risk for risk, row in RISKS.items() if row.way is Way.ACT} - behind

    assert waiting <= {Risk.WEBHOOK}


def test_every_risky_way_in_is_tried_for_each_of_its_verbs() -> None:
    risky = {way: risks for way, (_kind, risks) in table().items() if risks}
    tried = {(door, name) for door, name, _title in REQUESTS}

    assert tried == set(risky)


@pytest.mark.parametrize("request_", sorted(REQUESTS), ids=" ".join)
def test_without_an_approval_nothing_changes_and_with_one_it_happens_once(
    fresh: Scene, request_: tuple[str, str, str]
) -> None:
    door, name, _title = request_
    send = REQUESTS[request_]
    before = fresh.dump()

    assert send(fresh) == ASKED[door]
    assert fresh.dump() == before
    (act,) = fresh.requests()
    assert Risk(act.verb) in table()[door, name][1]
    assert fresh.perform(act.id) is ActState.REQUESTED
    assert fresh.dump() == before

    fresh.agree(act.id)
    assert fresh.dump() == before
    assert fresh.perform(act.id) is ActState.DONE, fresh.requests()[0].why
    after = fresh.dump()
    assert after != before
    assert fresh.perform(act.id) is ActState.DONE
    assert fresh.dump() == after


def test_the_same_request_is_done_at_once_where_there_is_no_roster(fresh: Scene) -> None:
    with fresh.calling() as call:
        kernel.locked(call).roster_version = 0
    before = fresh.dump()

    assert REQUESTS["api", "POST /devices/<uid:device_uid>/state", "retire"](fresh) == 200
    assert fresh.requests() == []
    assert fresh.dump() != before


def test_no_job_does_what_nobody_has_approved(fresh: Scene) -> None:
    for title in (
        ("api", "POST /devices/<uid:device_uid>/state", "retire"),
        ("api", "POST /tokens", "powerful"),
        ("api", "POST /policies/<key:policy_id>/archive", "network"),
    ):
        REQUESTS[title](fresh)
    waiting = [act.id for act in fresh.requests()]
    assert len(waiting) == 3
    with fresh.calling() as call:
        for act_id in waiting:
            outbox.post(call, "act.perform", {"act": act_id})
    before = fresh.guarded()
    engine = make_engine(fresh.settings.database)
    office = Office(engine, fresh.settings, utcnow)
    for job in jobs(lambda: False):
        with suppress(UnavailableError):
            job.run(office)
    engine.dispose()

    assert fresh.guarded() == before
    assert {act.state for act in fresh.requests()} == {"requested"}
