"""The employees' page over the pilot, and people who came in through its true pages."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from mdm.core.actor import command_line
from mdm.inventory.model import Device
from mdm.people.model import Person
from mdm.portal import keys
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.conftest import alone
from tests.console.conftest import filled as filled
from tests.console.conftest import settings as settings
from tests.console.visiting import Visitor
from web.build import build
from web.portal.app import make_portal

HOST = "http://mijn.localhost:8080"


class Employee(Visitor):
    """An employee with a phone in the hand."""

    def __init__(self, app: Flask, person: int = 0) -> None:
        super().__init__(app)
        self.person = person

    def get(self, address: str, **options: object):
        return super().get(address, base_url=HOST, **options)

    def post(self, address: str, **fields: object):
        return self.client.post(address, data={"csrf_token": self.token, **fields}, base_url=HOST)


@pytest.fixture
def portal(settings: Settings) -> Flask:
    """The employees' page."""
    build()
    return make_portal(settings)


@pytest.fixture
def stranger(portal: Flask) -> Employee:
    """Somebody who is not in."""
    return Employee(portal)


@pytest.fixture
def paper(settings: Settings) -> Callable[[int], str]:
    """``paper(person)`` is the code that a clerk prints."""

    def one(person: int) -> str:
        engine = make_engine(settings.database)
        with transaction(engine, write=True) as session:
            code = keys.make_paper(Call(command_line("clerk"), session, datetime.now(UTC), alone()), person)
        engine.dispose()
        return code

    return one


@pytest.fixture
def employee(portal: Flask, settings: Settings, paper: Callable[[int], str]) -> Employee:
    """Somebody of the pilot who holds an enrolled device, and is in."""
    engine = make_engine(settings.database)
    with transaction(engine, write=False) as session:
        person = session.scalars(
            select(Person.id)
            .join(Device, Device.person_id == Person.id)
            .where(Device.state == "handed_out", Person.left_on.is_(None))
            .order_by(Device.enrolled_at.is_(None), Person.id)
        ).first()
    engine.dispose()
    assert person is not None
    one = Employee(portal, person)
    one.get("/in")
    one.post("/language", language="en")
    assert one.post("/in/code", code=paper(person)).status_code == 303
    one.get("/")
    return one
