"""The holder's page: whoever has the letter stops the wipe of their device, once, and by a button only."""

from sqlalchemy import create_engine, text

from mdm.core.ids import secret_digest
from mdm.settings import Settings
from tests.console.conftest import Visitor
from tests.console.council import Council, ask, states


def test_the_link_shows_the_button_stops_and_it_works_once(house: Settings, sealed: Council, visitor: Visitor) -> None:
    sealed.found()
    ask(house)
    with create_engine(house.database).begin() as connection:
        connection.execute(text("UPDATE wipe_order SET pause_digest = :digest"), {"digest": secret_digest("s3cret")})

    for _ in range(2):
        shown = visitor.get("/pause/s3cret")
        assert shown.status_code == 200
        assert "stolen at the station" not in shown.text
    assert states(house) == ["requested"]

    stopped = visitor.post("/pause/s3cret")
    assert stopped.status_code == 200
    assert states(house) == ["paused"]
    assert visitor.get("/pause/s3cret").status_code == 404
    assert visitor.get("/pause/other").status_code == 404
    assert visitor.post("/pause/s3cret").status_code == 404
    assert states(house) == ["paused"]
