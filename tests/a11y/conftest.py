"""Both doors of the furnished city, and who goes through them."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from mdm.access.model import Operator
from mdm.core.actor import Actor, ActorKind
from mdm.core.permissions import Grant, Role
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from mdm.storage.seal import create_key
from tests.a11y.world import World, furnish
from tests.conftest import alone
from tests.console.conftest import console as console
from tests.console.conftest import filled as filled
from tests.console.conftest import signed_in as signed_in
from tests.portal.conftest import employee as employee
from tests.portal.conftest import paper as paper
from tests.portal.conftest import portal as portal
from tests.signer.conftest import shared_signer as shared_signer
from tests.signer.neighbour import RunningSigner


def _settings(home: Path) -> Settings:
    return Settings(
        home=home,
        database_url=f"sqlite:///{home / 'havenmeester.db'}",
        language="en",
        console_port=8080,
        portal_private=True,
    )


@pytest.fixture(scope="session")
def furnished(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The city, to copy from."""
    home = tmp_path_factory.mktemp("furnished")
    for file in filled.parent.glob("havenmeester.db*"):
        shutil.copy(file, home / file.name)
    settings, world = _settings(home), World(home)
    create_key(home / "keys")
    engine = make_engine(settings.database)
    with transaction(engine, write=True) as session:
        boss = session.scalars(select(Operator).where(Operator.email == "mo@stad.example")).one()
        mo = Actor(ActorKind.OPERATOR, boss.id, boss.name, (Grant(Role.FLEET_ADMIN),), "req", "127.0.0.1")
        furnish(Call(mo, session, datetime.now(UTC).replace(microsecond=0), alone()), settings, world)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return world


@pytest.fixture
def world(furnished: World) -> World:
    """What no link leads to, as one test may change it."""
    return replace(furnished, console=[*furnished.console], portal=[*furnished.portal])


@pytest.fixture
def settings(furnished: World, tmp_path: Path, shared_signer: RunningSigner) -> Settings:
    """The configuration of the two doors, with a signer beside them."""
    shutil.copytree(furnished.home, tmp_path, dirs_exist_ok=True)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "signer.sock").symlink_to(shared_signer.socket)
    return _settings(tmp_path)
