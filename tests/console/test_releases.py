"""The page of releases: what is published and who gets it; nothing is signed there."""

from collections.abc import Callable

import pytest

from mdm.releases import service
from mdm.releases.repository import Published
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.conftest import FLEET_ADMIN, NOW, alone
from tests.console.test_desk_pages import rows
from tests.console.visiting import Visitor


@pytest.fixture
def mo(signed_in: Callable[[str], Visitor]) -> Visitor:
    return signed_in("mo@stad.example")


def test_a_release_is_rolled_out_and_withdrawn_on_its_page(mo: Visitor, settings: Settings) -> None:
    empty = mo.get("/settings/releases").text
    assert "havenmeester release found" in empty
    engine = make_engine(settings.database)
    with transaction(engine) as session:
        service.published(Call(FLEET_ADMIN, session, NOW, alone()), Published("a.tar.gz", "9.1.0", "0" * 64, 10))
    engine.dispose()
    assert "9.1.0" in mo.get("/settings/releases").text
    assert mo.post("/settings/releases/9.1.0", step="roll_out", ring="no such ring").status_code == 422
    assert mo.post("/settings/releases/9.1.0", step="roll_out", ring="*").status_code == 303
    assert rows(settings, "SELECT ring FROM agent_release_ring") == [("*",)]
    assert mo.post("/settings/releases/9.1.0", step="withdraw").status_code == 303
    assert rows(settings, "SELECT ring FROM agent_release_ring") == []
    assert mo.post("/settings/releases/9.1.0", step="roll_out", ring="*").status_code == 409
    assert mo.post("/settings/releases/7.7.7", step="withdraw").status_code == 404
