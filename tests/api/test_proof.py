"""The proof of the diary over the API: chain and end, and what is said while the signer does not answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from mdm.audit import heads
from tests.api.city import City
from tests.api.conftest import Api
from tests.signer.neighbour import RunningSigner


@pytest.fixture
def signer(tmp_path: Path) -> Iterator[RunningSigner]:
    """The signer of the home that the API runs in."""
    running = RunningSigner(tmp_path)
    running.start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()


def test_a_diary_that_agrees_with_the_signer_is_whole_and_one_that_was_cut_is_not(
    api: Api, city: City, engine: Engine, signer: RunningSigner
) -> None:
    head = heads.seal(engine, signer.client)
    assert head is not None

    whole = api.get("/audit/proof").json
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM audit_head"))
        connection.execute(text("DELETE FROM audit_entry WHERE id = :last"), {"last": head.number})
    cut = api.get("/audit/proof").json

    assert (whole["whole"], whole["signer_asked"], whole["heads"], whole["lines"]) == (True, True, 1, head.number)
    assert (cut["whole"], cut["signer_asked"], cut["broken_at"]) == (False, True, head.number)


def test_a_signer_that_does_not_answer_is_told_and_the_chain_alone_is_no_proof(api: Api, city: City) -> None:
    told = api.get("/audit/proof").json

    assert (told["whole"], told["signer_asked"], told["heads"]) == (None, False, 0)
    assert "not compared" in told["why"]
