"""A POST that is sent twice has one effect and one answer."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine, func, select, text

from mdm.access.model import IdempotencyKey
from mdm.audit.model import AuditEntry
from mdm.org.model import Unit
from mdm.storage.engine import transaction
from tests.api.conftest import Api

UNIT = {"code": "NEW", "name": "New unit"}


def count(engine: Engine, model: type) -> int:
    with transaction(engine, write=False) as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_the_same_request_with_the_same_key_has_one_effect_and_the_same_answer(api: Api, engine: Engine) -> None:
    first = api.post("/units", UNIT, Idempotency_Key="k-1")
    again = api.post("/units", UNIT, Idempotency_Key="k-1")

    assert first.status_code == again.status_code == 201
    assert (again.data, again.headers["ETag"]) == (first.data, first.headers["ETag"])
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert count(engine, Unit) == 1
    assert count(engine, AuditEntry) == 2, "the token that the test made, and the unit"


def test_without_a_key_the_second_request_is_a_second_request(api: Api) -> None:
    assert [api.post("/units", UNIT).status_code for _ in range(2)] == [201, 409]


def test_the_same_key_for_another_request_is_a_conflict(api: Api, engine: Engine) -> None:
    api.post("/units", UNIT, Idempotency_Key="k-1")
    other = api.post("/units", {**UNIT, "code": "OTHER"}, Idempotency_Key="k-1")

    assert (other.status_code, other.json["code"]) == (409, "idempotency_key_reused")
    assert count(engine, Unit) == 1


def test_a_refusal_is_not_kept(api: Api, engine: Engine) -> None:
    refused = api.post("/units", {"code": "NEW"}, Idempotency_Key="k-1")
    mended = api.post("/units", UNIT, Idempotency_Key="k-1")

    assert (refused.status_code, mended.status_code) == (422, 201)
    assert count(engine, IdempotencyKey) == 1


def test_a_key_that_is_none_is_refused(api: Api, engine: Engine) -> None:
    for key in ("", "a b", "x" * 129):
        assert api.post("/units", UNIT, Idempotency_Key=key).json["code"] == "idempotency_key"
    assert count(engine, Unit) == 0


def test_twins_at_the_same_moment_have_one_effect(api: Api, engine: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.by(api.token).post("/units", UNIT, Idempotency_Key="race"), range(16)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert count(engine, Unit) == 1


def test_a_kept_answer_cannot_be_read_in_the_database(api: Api, engine: Engine) -> None:
    api.post("/units", UNIT, Idempotency_Key="k-1")

    with engine.connect() as connection:
        kept = connection.execute(text("SELECT body FROM idempotency_key")).scalar_one()

    assert "New unit" not in kept
