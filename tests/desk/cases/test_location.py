"""Where a lost device is: sealed, for one person at a time, each look written down and told to the holder, then forgotten."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from mdm.audit.model import AuditEntry
from mdm.commands.model import Command
from mdm.core.errors import ApprovalNeededError, ConfigurationError, ConflictError, DeniedError, InvalidError
from mdm.desk.cases import location, service
from mdm.desk.cases.model import CaseFix, Outcome
from mdm.inventory.model import Device
from mdm.outbox.model import OutboxMessage
from mdm.storage.call import Call
from mdm.storage.seal import Seal
from tests.conftest import NOW, Calling, alone
from tests.desk.cases.town import SEAL, Town, build

HERE = {"latitude": 51.2194, "longitude": 4.4025, "accuracy": 12, "at": "2026-11-23T08:00:00Z"}


@pytest.fixture
def town(calling: Calling) -> Town:
    with calling() as call:
        return build(call)


@pytest.fixture
def case(calling: Calling, town: Town) -> str:
    with calling(town.clerk(), asked=True) as call:
        return service.open_lost(call, town.phone).uid


def phone_id(call: Call, town: Town) -> int:
    return call.session.scalars(select(Device.id).where(Device.uid == town.phone)).one()


def told(call: Call) -> list[str]:
    rows = call.session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "mail").order_by(OutboxMessage.id))
    return [row.payload["text"] for row in rows]


def may_look(calling: Calling, town: Town, case: str) -> None:
    with calling(town.clerk(), asked=True) as call:
        service.look(call.with_permit(alone()), case, "left on tram 7")


def known(calling: Calling, town: Town) -> None:
    with calling() as call:
        assert location.take(call, SEAL, phone_id(call, town), HERE)


def test_nobody_looks_without_a_reason_or_without_somebody_who_agrees(calling: Calling, town: Town, case: str) -> None:
    known(calling, town)
    with pytest.raises(InvalidError), calling(town.clerk(), asked=True) as call:
        service.look(call, case, "  ")
    with pytest.raises(ApprovalNeededError), calling(town.clerk(), asked=True) as call:
        service.look(call, case, "left on tram 7")
    with pytest.raises(DeniedError) as refused, calling(town.clerk(), asked=True) as call:
        service.show(call, SEAL, case)
    assert refused.value.code == "no_look"


def test_each_look_is_in_the_diary_and_told_to_the_holder(calling: Calling, town: Town, case: str) -> None:
    known(calling, town)
    may_look(calling, town, case)
    for _ in range(2):
        with calling(town.clerk(), asked=True) as call:
            place = service.show(call, SEAL, case)
            assert (place.latitude, place.accuracy) == (51.2194, 12)
    with calling(write=False) as call:
        actions = list(call.session.scalars(select(AuditEntry.action)))
        assert (actions.count("case.located"), actions.count("case.looked")) == (1, 2)
        letters = [text for text in told(call) if "left on tram 7" in text]
        assert len(letters) == 2
        assert all("Clerk 7" in text and "51.2" not in text for text in letters)


def test_leave_to_look_is_one_persons_and_for_an_hour(calling: Calling, town: Town, case: str) -> None:
    known(calling, town)
    may_look(calling, town, case)
    with pytest.raises(DeniedError), calling(town.clerk(number=8), asked=True) as call:
        service.show(call, SEAL, case)
    with pytest.raises(DeniedError), calling(town.clerk(), NOW + timedelta(minutes=61), asked=True) as call:
        service.show(call, SEAL, case)


def test_what_is_kept_opens_with_the_key_and_at_its_own_row_alone(calling: Calling, town: Town, case: str) -> None:
    known(calling, town)
    known(calling, town)
    may_look(calling, town, case)
    with calling() as call:
        first, second = call.session.scalars(select(CaseFix).order_by(CaseFix.id)).all()
        assert b"51.2" not in first.sealed + second.sealed
        second.sealed = first.sealed
    with pytest.raises(ConfigurationError), calling(town.clerk(), asked=True) as call:
        service.show(call, SEAL, case)
    with pytest.raises(ConfigurationError), calling(town.clerk(), asked=True) as call:
        service.show(call, Seal(b"x" * 32), case)


def test_nothing_is_kept_without_an_open_case_and_all_is_forgotten_in_time(
    calling: Calling, town: Town, case: str
) -> None:
    known(calling, town)
    may_look(calling, town, case)
    with calling(town.clerk(), asked=True) as call:
        service.close(call, case, Outcome.FOUND)
    with pytest.raises(ConflictError), calling(town.clerk(), asked=True) as call:
        service.show(call, SEAL, case)
    with calling() as call:
        assert not location.take(call, SEAL, phone_id(call, town), HERE)
        assert location.forget_due(call.session, NOW - timedelta(days=1)) == 0
        assert location.forget_due(call.session, NOW + timedelta(days=1)) == 1
        assert call.session.scalar(select(func.count()).select_from(CaseFix)) == 0


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"latitude": "51", "longitude": "4"},
        {"latitude": 91, "longitude": 4},
        {"latitude": float("nan"), "longitude": 4},
    ],
)
def test_a_place_that_is_none_is_not_kept(calling: Calling, town: Town, case: str, found: dict[str, object]) -> None:
    with calling() as call:
        assert not location.take(call, SEAL, phone_id(call, town), found)


def test_a_device_that_cannot_tell_or_is_private_is_never_asked(calling: Calling, town: Town, case: str) -> None:
    with calling(town.clerk(), asked=True) as call:
        laptop = service.open_lost(call, town.laptop).uid
    with pytest.raises(ConflictError) as refused, calling(town.clerk(), asked=True) as call:
        service.look(call, laptop, "x")
    assert refused.value.code == "verb_unsupported"
    with calling() as call:
        call.session.get_one(Device, phone_id(call, town)).ownership = "private"
        location.lost_mode_is_on(call, phone_id(call, town))
    with pytest.raises(ConflictError) as refused, calling(town.clerk(), asked=True) as call:
        service.look(call, case, "x")
    assert refused.value.code == "device_private"
    with calling() as call:
        assert "locate" not in set(call.session.scalars(select(Command.verb)))


def test_going_into_lost_mode_asks_once(calling: Calling, town: Town, case: str) -> None:
    with calling() as call:
        for _ in range(2):
            location.lost_mode_is_on(call, phone_id(call, town))
        assert list(call.session.scalars(select(Command.verb))).count("locate") == 1
