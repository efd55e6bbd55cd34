"""Nothing of another place is shown, counted, found, exported or told apart by an error: on every route there is.

The table is generated: every route of console and API, every role at our place, ids of our place, of the other and of
nothing. Then each rule of the code is broken in turn, and the same walk must notice.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import true

import mdm
from mdm.adoption import service as adoption
from mdm.core.actor import Actor, ActorKind
from mdm.core.clock import utcnow
from mdm.core.errors import InvalidError, NotFoundError
from mdm.core.permissions import ROLE_PERMISSIONS, Grant, Permission, PlaceKind, Role
from mdm.desk.custody import kit, scan
from mdm.desk.custody import queries as custody
from mdm.desk.custody.scan import CardKind
from mdm.discovery.flex import flex
from mdm.guidance import quests
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.console.canaries import (
    CANARY,
    CSRF,
    ROLES,
    Stage,
    addresses,
    api_address,
    api_operations,
    console_rules,
    on_stage,
    shows_canary,
)

WORDS = (CANARY, "qqxqzzy")
"""The canary, and a word of the same length that stands nowhere: a search may not tell them apart."""
SEARCHES = ("/search?q=", "/devices?q=", "/people?q=", "/units?q=", "/service-points?q=", "/applications?q=", "/enrollment?q=",
            "/commands?q=", "/approvals?q=", "/audit?q=", "/devices/file?q=", "/people/file?q=", "/audit/file?q=",
            "/desk?code=", "/desk/cases?q=", "/desk/cases/file?q=", "/desk/cases/new/lost?code=", "/desk/cases/new/leaver?code=",
            "/desk/hand-out?code=", "/desk/stock?q=", "/desk/repairs?q=", "/desk/repairs/file?q=", "/desk/scan/")  # fmt: skip


@pytest.fixture(scope="module")
def stage(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with on_stage(sqlite_template, tmp_path_factory.mktemp("canaries")) as made:
        yield made


MORE = ("/adoption?by=service_point", "/adoption/rows.csv?by=service_point", "/applications/requests?show=answered",
        "/discovery?service_point={code}", "/discovery?service_point={code}&list=elsewhere",
        "/discovery/file?service_point={code}")  # fmt: skip
"""Pages that show more by a word in their address."""


def _reads(stage: Stage, cookie: str | None) -> Iterator[tuple[str, str, Any]]:
    """(address of our place, place, answer) of every safe route of console and API."""
    console, api = stage.client(stage.console, cookie), stage.client(stage.api, cookie)
    for rule in console_rules(stage, "GET"):
        places = ("own", "other", "absent") if rule.arguments else ("own",)
        for place in places:
            address = addresses(stage, rule, place)
            yield rule.rule, place, console.get(address)
    for address in MORE:
        for place in ("own", "other", "absent") if "{code}" in address else ("own",):
            yield address, place, console.get(address.format(code=stage.ids.get(place, {}).get("code", "SP-NOWHERE")))
    for path, arguments in api_operations(stage, "GET"):
        places = ("own", "other", "absent") if arguments else ("own",)
        for place in places:
            yield f"api {path}", place, api.get(api_address(stage, path, place))


def _sings(stage: Stage, route: str, answer: Any) -> bool:
    return shows_canary(answer, stage.ids["other"]["code"] if "{code}" in route else "")


CITY_WIDE = frozenset({"policy_id", "rule_number", "group_id"})


def leaks(stage: Stage, cookie: str | None) -> list[str]:
    """What somebody of our place is shown of the other one, or can tell from an answer: one line each, empty when nothing."""
    found: list[str] = []
    statuses: dict[str, dict[str, int]] = {}
    for route, place, answer in _reads(stage, cookie):
        if answer.status_code >= 500 and answer.status_code != 503:
            found.append(f"{route} ({place}) fails: {answer.status_code}")
        if _sings(stage, route, answer):
            found.append(f"{route} ({place}) shows a canary")
        statuses.setdefault(route, {})[place] = answer.status_code
    for route, by_place in statuses.items():
        if "other" in by_place and by_place["other"] != by_place["absent"] and by_place["other"] != by_place["own"]:
            found.append(f"{route} tells what is there from what is not: {by_place}")
    return found


@pytest.mark.parametrize("role", ROLES)
def test_nothing_of_another_place_is_shown_on_any_route(stage: Stage, role: Role) -> None:
    assert leaks(stage, stage.city.cookies[role, "own"]) == []


def test_a_stranger_and_an_employee_without_a_role_are_shown_nothing(stage: Stage) -> None:
    for cookie in (None, "nonsense", stage.city.cookies[Role.EMPLOYEE, "own"]):
        assert leaks(stage, cookie) == []


def test_the_canaries_sing_for_whoever_answers_for_the_city(stage: Stage) -> None:
    cookie = stage.city.cookies[Role.FLEET_ADMIN, "city"]
    singing = {route for route, _place, answer in _reads(stage, cookie) if _sings(stage, route, answer)}
    for route in ("/devices", "/devices/<uid>", "/people", "/units", "/service-points", "/enrollment", "/commands",
                  "/approvals", "/approvals/<number>", "/audit/file", "/devices/file", "api /devices",
                  "api /devices/{device_uid}", "api /people", "api /orders/{order_id}", "api /audit",
                  "/settings/alarms", "/settings/tokens", "api /alarms", "api /tokens",
                  "/desk/cases", "/desk/cases/<uid>", "/desk/cases/file", "/desk/papers/<uid>",
                  "/adoption", "/adoption/missing", "/adoption/missing/file", "/adoption/papers", "/adoption/rounds/<uid>",
                  "/adoption/rounds/<uid>/file", "/adoption/rows.csv?by=service_point", "/applications/requests",
                  "/desk/kiosks/setups", "/desk/kiosks/setups/<uid>", "/desk/kiosks/setups/batch/<batch>",
                  "/discovery", "/discovery?service_point={code}", "/discovery/file?service_point={code}",
                  "/guidance/ambassadors", "/guidance/quests/<uid>", "/panic", "/panic/bar", "/panic/calls/<uid>",
                  "/panic/drills", "/panic/drills/<uid>", "/panic/duty", "/panic/earlier", "/panic/rooms",
                  "/kiosk-pictures/<uid>.png", "/people/<int:number>/privacy", "/privacy"):  # fmt: skip
        assert route in singing, route


@pytest.mark.parametrize("role", ROLES)
def test_a_search_does_not_tell_what_is_elsewhere_from_what_is_nowhere(stage: Stage, role: Role) -> None:
    client = stage.client(stage.console, stage.city.cookies[role, "own"])
    for address in SEARCHES:
        answers = [client.get(address + word) for word in WORDS]
        bodies = [CSRF.sub("", one.text).lower().replace(word, "") for one, word in zip(answers, WORDS, strict=True)]
        assert answers[0].status_code == answers[1].status_code, address
        if answers[0].mimetype == "text/html":
            assert _plain(bodies[0]) == _plain(bodies[1]), address


def _plain(body: str) -> list[str]:
    """The lines of a page without what differs from one answer to the next: nonces, references, moments."""
    import re

    return [
        re.sub(
            r'(nonce|content|value|data-[a-z-]+|id|for)="[^"]*"|[0-9a-f-]{16,}|\d\d:\d\d(:\d\d)?|(?<=>)[^<>]*(?=</time>)',
            "",
            line,
        ).strip()
        for line in body.splitlines()
    ]


@pytest.mark.parametrize("role", ROLES)
def test_no_form_changes_anything_of_another_place_or_tells_that_it_is_there(stage: Stage, role: Role) -> None:
    client = stage.client(stage.console, stage.city.cookies[role, "own"])
    found = CSRF.search(client.get("/account").text)
    token = found[1] if found else ""
    before = _state(stage)
    for rule in console_rules(stage, "POST"):
        if not rule.arguments or rule.rule.startswith(
            ("/account", "/views", "/policies", "/compliance/rules", "/guidance/quests")
        ):
            continue
        form = {
            "csrf_token": token,
            "confirmed": "yes",
            "reason": "x",
            "state": "lost",
            "decision": "approve",
            "verb": "lock",
        }
        statuses = [client.post(addresses(stage, rule, place), data=form).status_code for place in ("other", "absent")]
        assert statuses[0] == statuses[1], rule.rule
    assert _state(stage) == before


def _state(stage: Stage) -> list[tuple[Any, ...]]:
    """Every row of the other place, as it stands."""
    import sqlite3
    from contextlib import closing

    other = stage.ids["other"]
    wanted = {
        "device": ("uid", other["device_uid"]),
        "person": ("id", other["person_id"]),
        "unit": ("id", other["unit_id"]),
        "service_point": ("id", other["service_point_id"]),
        "invitation": ("uid", other["invitation_uid"]),
        "command": ("id", other["command_id"]),
        "exemption": ("id", other["exemption_id"]),
        "wipe_order": ("id", other["order_id"]),
        "desk_case": ("uid", other["case_uid"]),
        "desk_paper": ("uid", other["paper_uid"]),
        "desk_signature": ("uid", other["signature_uid"]),
        "desk_repair": ("uid", other["repair_uid"]),
        "desk_shelf": ("id", other["shelf_id"]),
        "loan_reservation": ("uid", other["reservation_uid"]),
    }
    with closing(sqlite3.connect(stage.file)) as database:
        return [
            row
            for table, (column, value) in wanted.items()
            for row in database.execute(f"SELECT * FROM {table} WHERE {column} = ?", (value,))
        ]


def _modules() -> list[ModuleType]:
    """Every module of the server that has a scope of its own."""
    names = [info.name for info in pkgutil.walk_packages(mdm.__path__, "mdm.")]
    wanted = [name for name in names if not name.startswith(("mdm.cli", "mdm.signer", "mdm.platforms"))]
    return [module for module in map(importlib.import_module, wanted) if "within" in vars(module)]


WRITES = frozenset({"mdm.storage.scoping", "mdm.desk.cases.keeping", "mdm.desk.loans.pools"})
"""Where a scope shows in no read: ``tests/desk/cases`` tries every verb of cases from another place; the devices of a pool stand
behind the pool's place, and every role that sees the one sees the other."""
Read = Callable[[Call, dict[str, str]], object]
DEPTH: dict[str, Read] = {
    "mdm.adoption.service": lambda call, ids: _invited(call, int(ids["person_id"])),
    "mdm.desk.custody.kit": lambda call, ids: kit.piece(call, ids["kit_code"]),
    "mdm.desk.custody.queries": lambda call, ids: custody.custody(call, ids["custody_uid"]),
    "mdm.desk.custody.scan": lambda call, ids: scan.look_up(call, ids["kit_code"], None).kind != CardKind.UNKNOWN,
    "mdm.discovery.flex": lambda call, ids: flex(call, int(ids["service_point_id"])),
    "mdm.guidance.quests": lambda call, ids: [
        person.id
        for _, person in quests.finishers(call, quests.quest(call, ids["quest_uid"]))
        if str(person.id) == ids["person_id"]
    ],
}
"""Modules whose every read lies behind a thing that has a scope of its own, so that no route shows their own scope missing:
each is asked by itself."""
SCOPED = [module.__name__ for module in _modules() if module.__name__ not in WRITES | set(DEPTH)]


def _invited(call: Call, person: int) -> int:
    """How many are in a round of invitations for this person; nothing is left of it."""
    with call.session.begin_nested() as inner:
        try:
            return adoption.invite_people(call, [person]).total
        except InvalidError:
            return 0
        finally:
            inner.rollback()


def _asked(stage: Stage, read: Read) -> object:
    """What a clerk of our place is given of the other one, by a read that nothing else stands before."""
    clerk = Grant(Role.DESK_CLERK, PlaceKind.SERVICE_POINT, stage.city.service_point["own"])
    engine = make_engine(f"sqlite:///{stage.file}")
    try:
        with transaction(engine) as session:
            call = Call(Actor(ActorKind.OPERATOR, 99, "Clerk", (clerk,), "req", "127.0.0.1"), session, utcnow())
            return read(call, stage.ids["other"])
    except NotFoundError:
        return None
    finally:
        engine.dispose()


@pytest.mark.parametrize("name", DEPTH)
def test_what_lies_behind_another_thing_has_a_scope_of_its_own(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert not _asked(stage, DEPTH[name])
    monkeypatch.setattr(importlib.import_module(name), "within", lambda *_: true())
    assert _asked(stage, DEPTH[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", SCOPED)
def test_a_scope_that_is_taken_away_is_noticed(stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(importlib.import_module(name), "within", lambda *_: true())
    noticed: list[str] = []
    for role in (Role.FLEET_ADMIN, Role.AUDITOR, Role.APPROVER, Role.DESK_CLERK):
        noticed += leaks(stage, stage.city.cookies[role, "own"])
        if noticed:
            break
    assert noticed


def _declared(stage: Stage) -> dict[str, list[tuple[str, str]]]:
    """For each permission the console's routes that declare it: method and address of our place."""
    found: dict[str, list[tuple[str, str]]] = {}
    for method in ("GET", "POST"):
        for rule in console_rules(stage, method):
            declared = getattr(stage.console.view_functions[rule.endpoint], "declaration", "")
            address = addresses(stage, rule, "own")
            if address:
                found.setdefault(declared, []).append((method, address))
    return found


def _doors(stage: Stage, permission: Permission, cookie: str) -> Iterator[tuple[str, str]]:
    """The doors of ``permission`` that are open to this session; each is tried when it is asked for."""
    client = stage.client(stage.console, cookie)
    found = CSRF.search(client.get("/account").text)
    token = found[1] if found else ""
    for method, address in _declared(stage).get(permission.value, []):
        answer = client.get(address) if method == "GET" else client.post(address, data={"csrf_token": token})
        if answer.status_code != 403:
            yield method, address


@pytest.mark.parametrize("permission", Permission)
def test_a_permission_given_or_taken_by_mistake_is_noticed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, permission: Permission
) -> None:
    if permission.value not in _declared(stage):
        pytest.skip("no door of the console declares it; tests/api/roles.csv has the API's")
    employee = stage.city.cookies[Role.EMPLOYEE, "city"]
    holder = next(role for role in Role if permission in ROLE_PERMISSIONS[role])
    cookie = stage.city.cookies[holder, "city"]
    assert list(_doors(stage, permission, employee)) == []
    assert any(_doors(stage, permission, cookie))

    given: dict[Role, frozenset[Permission]] = {**ROLE_PERMISSIONS, Role.EMPLOYEE: frozenset({permission})}
    with monkeypatch.context() as patched:
        patched.setattr("mdm.core.permissions.ROLE_PERMISSIONS", given)
        assert any(_doors(stage, permission, employee))
    taken = {**ROLE_PERMISSIONS, holder: ROLE_PERMISSIONS[holder] - {permission}}
    with monkeypatch.context() as patched:
        patched.setattr("mdm.core.permissions.ROLE_PERMISSIONS", taken)
        assert list(_doors(stage, permission, cookie)) == []


def test_every_route_says_who_may_use_it(stage: Stage) -> None:
    values = {permission.value for permission in Permission}
    for app in (stage.console, stage.api):
        for rule in app.url_map.iter_rules():
            view: Callable[..., Any] = app.view_functions[rule.endpoint]
            declared = getattr(view, "declaration", None)
            assert (
                rule.endpoint.endswith("static")
                or declared in values
                or str(declared).startswith(("signed in", "public"))
            )
