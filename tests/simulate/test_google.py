"""A simulated Google and its phones against this installation, with its true signer: the whole way, on both databases."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from mdm.core.errors import ConflictError
from mdm.enrollment.links import Links
from mdm.enrollment.model import Enrollment
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.platforms.android.amapi import account
from mdm.platforms.android.amapi.model import AndroidGoogle, AndroidGooglePhone
from mdm.settings import Settings
from mdm.simulate.google_fleet import GoogleFleet
from mdm.storage.seal import create_key, load_seal
from mdm.worker.office import Office
from tests.conftest import FLEET_ADMIN, NOW
from tests.gateway.conftest import RunningSigner
from tests.sim.google import GoogleServer

LINKS = Links("https://city.example", "https://gw.city.example", "f" * 64, 48)


@pytest.fixture
def office(engine: Engine, shared_signer: RunningSigner, tmp_path: Path) -> Office:
    home = tmp_path / "home"
    create_key(home / "keys")
    (home / "run").mkdir()
    (home / "run" / "signer.sock").symlink_to(shared_signer.socket)
    made = Office(engine, Settings(home=home, organisation="Antwerpen"))
    with made.call("tests") as call:
        call.session.add(ServicePoint(code="WERKHAVEN", name="Werkhaven", created_at=NOW))
    return made


def test_a_simulated_fleet_enrols_by_google_and_leaves_no_tie_behind(office: Office) -> None:
    with GoogleServer() as server:
        fleet = GoogleFleet(office, LINKS, server)
        turns = 0

        def step() -> None:
            nonlocal turns
            turns += 1
            if len(fleet.phones) == 6 and turns > 4:
                fleet.enough = True

        found = fleet.run(6, 120, step)
    assert (found["phones"], found["managed"], found["refused"]) == (6, 6, 0)
    with office.call("tests", write=False) as call:
        devices = call.session.scalars(select(Device)).all()
        assert {one.ownership for one in devices} == {"city", "private"}
        assert all(len(one.key_digest) == 64 and one.os_name == "Android" for one in devices)
        assert call.session.scalar(select(func.count()).select_from(Enrollment)) == 6
        assert call.session.scalar(select(func.count()).select_from(AndroidGoogle)) == 0
        assert call.session.scalar(select(func.count()).select_from(AndroidGooglePhone)) == 0


def test_a_true_tie_is_not_simulated_over(office: Office) -> None:
    with GoogleServer() as server:
        with office.call("tests") as call:
            account.bring(call.by(FLEET_ADMIN), load_seal(office.settings.home / "keys"), server.key_file())
        with pytest.raises(ConflictError):
            GoogleFleet(office, LINKS, server).run(1, 1)
    with office.call("tests", write=False) as call:
        assert account.present(call) is not None
