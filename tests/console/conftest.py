"""A console over a filled house, once per session, and visitors who have signed in through its true pages."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from flask import Flask

from mdm.settings import Settings
from tests.console.browser import listening
from tests.console.council import Council, council
from tests.console.house import fill, sign_in_link
from tests.console.visiting import Visitor as Visitor
from web.build import build
from web.console.app import make_console

_FILLED: dict[Path, Path] = {}


@pytest.fixture(autouse=True)
def _plain_log() -> None:
    """Plain lines: traces with every local variable take seconds to draw."""
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """A database file with the pilot in it, to copy from; filled once, in however many rooms this fixture is known."""
    if sqlite_template not in _FILLED:
        path = tmp_path_factory.mktemp("filled") / "havenmeester.db"
        shutil.copy(sqlite_template, path)
        settings = Settings(home=path.parent, database_url=f"sqlite:///{path}", language="en")
        fill(settings, datetime.now(UTC).replace(microsecond=0))
        _FILLED[sqlite_template] = path
    return _FILLED[sqlite_template]


@pytest.fixture
def settings(filled: Path, tmp_path: Path) -> Settings:
    """The configuration of a console of one test's own."""
    path = tmp_path / "havenmeester.db"
    for file in filled.parent.glob("havenmeester.db*"):
        shutil.copy(file, tmp_path / file.name)
    return Settings(home=tmp_path, database_url=f"sqlite:///{path}", language="en", console_port=8080)


@pytest.fixture
def console(settings: Settings) -> Flask:
    """The console."""
    build()
    return make_console(settings)


@pytest.fixture
def visitor(console: Flask) -> Visitor:
    """A stranger."""
    return Visitor(console)


@pytest.fixture
def signed_in(console: Flask, settings: Settings) -> Callable[[str], Visitor]:
    """``signed_in("mo@stad.example")`` has redeemed a one-time link."""

    def one(email: str) -> Visitor:
        visitor = Visitor(console)
        address = f"/sign-in/link/{sign_in_link(settings.database, email)}"
        visitor.get(address)
        assert visitor.post(address).status_code == 303
        visitor.get("/account")
        return visitor

    return one


@pytest.fixture
def house(console: Flask, settings: Settings) -> Iterator[Settings]:
    """A console that listens at a name, because no browser makes passkeys for a bare number."""
    with listening(settings) as configured:
        yield configured


@pytest.fixture
def sealed(house: Settings) -> Iterator[Council]:
    """Its signer, with nothing founded yet."""
    with council(house) as made:
        yield made
