"""SMS: one message reaches a telephone once, whatever the gateway and the worker do meanwhile."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from mdm.core.errors import ConfigurationError
from mdm.core.telephone import mobile_number
from mdm.outbox import sms as posting
from mdm.outbox.model import OutboxMessage
from mdm.settings import Settings
from mdm.worker import sms
from mdm.worker.office import Office
from mdm.worker.post import deliver
from mdm.worker.topics import TOPICS
from tests.conftest import NOW
from tests.sim.sms import TOKEN, SmsGateway, sms_gateway
from tests.worker.conftest import HandClock

MO = "+32470123456"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database is enough: the post itself is tested on both."""
    return sqlite_url


@pytest.fixture
def gateway() -> Iterator[SmsGateway]:
    with sms_gateway() as there:
        yield there


@pytest.fixture
def settings(database_url: str, gateway: SmsGateway) -> Settings:
    return Settings(database_url=database_url, sms_url=gateway.url, sms_token=TOKEN)


def write(office: Office, to: str = "0470 12 34 56", text: str = "Hello Mo", minutes: int | None = None) -> bool:
    until = NOW + timedelta(minutes=minutes) if minutes is not None else None
    with office.call("test") as call:
        return posting.post(call, to=to, text=text, country="BE", until=until) is not None


def kept(office: Office) -> OutboxMessage:
    with office.call("test", write=False) as call:
        return call.session.scalars(select(OutboxMessage)).one()


def test_a_message_reaches_the_telephone_in_one_spelling(office: Office, gateway: SmsGateway) -> None:
    assert write(office, text="Hello\x00 Mo\nA line.")
    deliver(office, TOPICS)
    assert gateway.to(MO) == ["Hello Mo\nA line."]
    assert kept(office).done_at == NOW
    (asked,) = gateway.asked
    assert (asked.key, asked.body["from"]) == (asked.body["id"], "Antwerpen")


@pytest.mark.parametrize("wrong", ["03 221 13 33", "12", "", "call me", "+32470123456789012", "0900 12 345"])
def test_what_is_no_mobile_number_is_not_written_to(office: Office, gateway: SmsGateway, wrong: str) -> None:
    assert not write(office, to=wrong)
    assert deliver(office, TOPICS) == 0
    assert gateway.asked == []


def test_a_number_belongs_to_the_country_that_is_set() -> None:
    assert mobile_number("06 12345678", "NL") == "+31612345678"
    assert mobile_number("0031 6 12345678", "BE") == "+31612345678"
    assert mobile_number("06 12345678", "BE") is None


def test_a_line_cut_after_the_message_was_taken_makes_no_second_one(
    office: Office, gateway: SmsGateway, clock: HandClock
) -> None:
    gateway.answers = [0]
    write(office)
    deliver(office, TOPICS)
    assert kept(office).done_at is None
    clock.forward(seconds=10)
    deliver(office, TOPICS)
    assert len(gateway.asked) == 2
    assert gateway.to(MO) == ["Hello Mo"]
    assert kept(office).done_at is not None


def test_a_worker_that_was_killed_after_handing_over_makes_no_second_one(office: Office, gateway: SmsGateway) -> None:
    write(office)
    # Handed over, and killed before it was noted: the message is still open.
    sms.send(office, kept(office).payload)
    deliver(office, TOPICS)
    assert len(gateway.asked) == 2
    assert gateway.to(MO) == ["Hello Mo"]


def test_two_messages_with_the_same_words_are_two(office: Office, gateway: SmsGateway) -> None:
    write(office)
    write(office)
    deliver(office, TOPICS)
    assert gateway.to(MO) == ["Hello Mo", "Hello Mo"]


def test_a_busy_gateway_is_waited_for_and_a_broken_one_tried_again(
    office: Office, gateway: SmsGateway, clock: HandClock
) -> None:
    gateway.answers = [(429, 120), 500, 401]
    write(office)
    deliver(office, TOPICS)
    assert (kept(office).attempts, kept(office).due_at) == (0, NOW + timedelta(seconds=120))
    for tries in (1, 2):
        clock.forward(seconds=121)
        deliver(office, TOPICS)
        assert (kept(office).attempts, kept(office).dead_at) == (tries, None)
    clock.forward(seconds=121)
    deliver(office, TOPICS)
    assert gateway.to(MO) == ["Hello Mo"]


def test_a_message_that_is_refused_for_good_is_given_up_at_once_and_tells_no_number(
    office: Office, gateway: SmsGateway
) -> None:
    gateway.answers = [422]
    write(office)
    deliver(office, TOPICS)
    assert kept(office).dead_at == NOW
    assert "422" in (kept(office).last_error or "")
    assert "470" not in (kept(office).last_error or "")
    assert gateway.delivered == {}


def test_a_gateway_that_is_too_slow_is_tried_again(
    office: Office, gateway: SmsGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sms, "TIMEOUT", 0.2)
    gateway.pause = 0.6
    write(office)
    deliver(office, TOPICS)
    assert (kept(office).attempts, kept(office).done_at, kept(office).dead_at) == (1, None, None)
    assert "ReadTimeout" in (kept(office).last_error or "")


def test_without_a_gateway_it_waits_uncounted_and_what_is_late_is_never_sent(
    office: Office, gateway: SmsGateway, clock: HandClock
) -> None:
    nobody = Office(office.engine, office.settings.model_copy(update={"sms_url": ""}), office.clock)
    write(nobody, minutes=30)
    deliver(nobody, TOPICS)
    assert (kept(office).attempts, kept(office).done_at) == (0, None)
    clock.forward(hours=2)
    deliver(office, TOPICS)
    assert kept(office).done_at is not None
    assert gateway.asked == []


def test_numbers_and_texts_leave_this_machine_only_under_tls(office: Office, gateway: SmsGateway) -> None:
    for wrong in ("http://sms.example.org/send", "ftp://localhost/", "sms.example.org"):
        open_line = Office(office.engine, office.settings.model_copy(update={"sms_url": wrong}), office.clock)
        with pytest.raises(ConfigurationError, match="sms_url"):
            sms.send(open_line, {"id": "1", "to": MO, "text": "x"})
    assert gateway.asked == []
