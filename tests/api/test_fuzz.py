"""Whatever is sent, within the document or beside it: no fault of ours, and every answer as the document says."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode

from mdm.access import service as access
from mdm.core.clock import utcnow
from mdm.core.permissions import Role
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from mdm.storage.once import made_once
from tests.api.city import LINKS, City, boss, build
from tests.api.conftest import close
from tests.api.phones import NOBODYS
from tests.conftest import alone
from web.api.app import make_api, mount
from web.api.links import LINKS_KEY
from web.api.openapi import document

CHECKS = [
    schemathesis.checks.not_a_server_error,
    schemathesis.checks.content_type_conformance,
    schemathesis.checks.status_code_conformance,
    schemathesis.checks.response_schema_conformance,
    schemathesis.checks.response_headers_conformance,
]


class Target:
    """The mounted API with a city behind it, and its document."""

    def __init__(self, url: str, home: Path) -> None:
        self.statuses: Counter[int] = Counter()
        engine = make_engine(url)
        with transaction(engine) as session:
            call = Call(boss(), session, utcnow(), alone())
            self.city: City = build(call)
            spare, _ = access.create_token(call, name="spare", role=Role.DESK_CLERK)
            self.city.ids["token_id"] = spare.id
            _, self.token = access.create_token(call, name="fuzz", role=Role.FLEET_ADMIN)
        engine.dispose()
        # Where there is none yet, the city's secrets were sealed with this one.
        made_once(home / "keys" / "seal.key", lambda: NOBODYS)
        self.app = make_api(Settings(home=home, database_url=url))
        self.app.extensions[LINKS_KEY] = LINKS
        found: dict[str, Any] = json.loads(document(self.app))
        self.schema = schemathesis.openapi.from_dict(found)
        self.wsgi = mount(_nothing, self.app)
        self.schema.app = self.wsgi
        self.operations = {
            found.ok().definition.raw["operationId"]: found.ok() for found in self.schema.get_all_operations()
        }


def _nothing(_environ: Any, start_response: Any) -> list[bytes]:
    start_response("404 Not Found", [])
    return []


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    home = tmp_path_factory.mktemp("fuzz")
    if request.param == "sqlite":
        copy = home / "city.db"
        copy.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        url = f"sqlite:///{copy}"
    else:
        url = request.getfixturevalue("postgres").fresh()
    target = Target(url, home)
    yield target
    close(target.app)


@pytest.mark.timeout(7200)
@pytest.mark.parametrize(
    "examples", [2, pytest.param(8, marks=pytest.mark.slow), pytest.param(25, marks=pytest.mark.long)]
)
def test_nothing_that_is_sent_makes_a_fault_of_ours(target: Target, examples: int) -> None:
    """``examples`` requests per operation, within the document and beside it."""
    for name, operation in sorted(target.operations.items()):
        if name == "get_openapi":
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _try(target, name, operation.as_strategy(generation_mode=mode), examples)

    assert target.statuses[401] == 0, "a test of nothing: the token was not taken"
    assert {200, 404, 422} <= set(target.statuses)


def _try(target: Target, name: str, cases: Any, examples: int) -> None:
    @seed(1)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, known=st.booleans())
    def attempt(case: Case, known: bool) -> None:
        if case.path_parameters and (known or name == "revoke_token"):
            # Every other request is about something that is there: else nothing but 404 would be seen.
            case.path_parameters = {key: target.city.ids.get(key, value) for key, value in case.path_parameters.items()}
        response = case.call(headers={"Authorization": f"Bearer {target.token}"})
        target.statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    try:
        attempt()
    except BaseException as error:
        error.add_note(f"operation {name}")
        raise
