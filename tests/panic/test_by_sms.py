"""Nobody answers: the worker's own jobs tell one after the other by SMS, until somebody says by the link that they come."""

from collections.abc import Iterator

import pytest

from mdm.core.actor import Actor, ActorKind
from mdm.panic import raising, service
from mdm.panic.model import PanicAlarm
from mdm.panic.raising import Press
from mdm.settings import Settings
from mdm.worker.office import Office
from mdm.worker.post import deliver_urgent
from mdm.worker.table import look_after_panic
from mdm.worker.topics import TOPICS
from tests.panic.conftest import PRESS, _build, on_duty, phone
from tests.sim.sms import TOKEN, SmsGateway, sms_gateway
from tests.worker.conftest import HandClock
from tests.worker.conftest import clock as clock
from tests.worker.conftest import office as office

ANN, BOB = "+32470000001", "+32470000002"


@pytest.fixture
def gateway() -> Iterator[SmsGateway]:
    with sms_gateway() as there:
        yield there


@pytest.fixture
def settings(database_url: str, gateway: SmsGateway) -> Settings:
    """No mail is set up: the SMS leaves all the same."""
    return Settings(database_url=database_url, sms_url=gateway.url, sms_token=TOKEN, panic_step_seconds=30)


def _second(office: Office, clock: HandClock, seconds: float = 0) -> None:
    clock.forward(seconds=seconds)
    look_after_panic(office)
    deliver_urgent(office, TOPICS)


def test_one_after_the_other_is_told_by_sms_until_somebody_comes_by_the_link(
    office: Office, clock: HandClock, gateway: SmsGateway
) -> None:
    with office.call("tests") as call:
        city = _build(call)
        on_duty(call, city, "ann", rank=1, phone="0470 00 00 01")
        on_duty(call, city, "bob", rank=2, phone="0470 00 00 02")
        visitor = Actor(ActorKind.VISITOR, None, "", (), "-", None)
        alarm = raising.by_key(call.by(visitor), phone(call, city), Press(PRESS)).id

    _second(office, clock)
    (first,) = gateway.to(ANN)
    assert "Fatma Yılmaz" in first
    assert "Counter 3" in first
    assert gateway.to(BOB) == []
    _second(office, clock, 29)
    assert gateway.to(BOB) == []
    _second(office, clock, 2)
    (second,) = gateway.to(BOB)
    assert first.rsplit("/", 1)[1] != second.rsplit("/", 1)[1]

    with office.call("tests") as call:
        service.acknowledge_by_link(
            call.by(Actor(ActorKind.VISITOR, None, "", (), "-", None)), second.rsplit("/", 1)[1]
        )
    for _ in range(3):
        _second(office, clock, 600)
    assert [len(gateway.to(number)) for number in (ANN, BOB)] == [1, 1]
    with office.call("tests", write=False) as call:
        found = call.session.get_one(PanicAlarm, alarm)
        assert (found.state, found.acknowledged_by) == ("acknowledged", "bob")
