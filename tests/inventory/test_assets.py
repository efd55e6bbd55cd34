"""Devices as assets: recorded once, corrected, handed out and taken back, and never by somebody of another place."""

import pytest
from sqlalchemy import func, select

from mdm.audit.model import AuditEntry
from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.inventory import lifecycle, queries, service
from mdm.inventory.holder import Holder
from mdm.inventory.model import Device, DeviceEvent, LifeCycle
from mdm.outbox.model import OutboxMessage
from tests.conftest import Calling
from tests.inventory.conftest import Making, clerk


@pytest.mark.parametrize(("field", "value"), [("tag", "A-1"), ("serial", "S1"), ("imei", "356938035643809")])
def test_a_second_device_with_the_same_number_is_refused_and_named(
    calling: Calling, making: Making, field: str, value: str
) -> None:
    with calling() as call:
        making(call, name="first", **{field: value})

    with pytest.raises(ConflictError, match=value) as refused, calling() as call:
        making(call, name="second", **{field: value})

    assert refused.value.code == f"{field}_taken"
    with calling(write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(Device)) == 1


def test_every_wrong_field_is_named_at_once(calling: Calling, making: Making) -> None:
    with pytest.raises(InvalidError) as refused, calling() as call:
        making(call, imei="12", platform="amiga", purchased_on="yesterday", colour="red")

    assert set(refused.value.fields) == {"imei", "platform", "purchased_on", "colour"}


def test_fillers_of_makers_are_no_serial_numbers(calling: Calling, making: Making) -> None:
    with calling() as call:
        assert making(call, name="a", serial="To Be Filled By O.E.M.").serial is None
        assert making(call, name="b", serial=" None ").serial is None
        assert making(call, name="c", serial="0").serial is None


def test_saving_what_is_there_already_changes_nothing(calling: Calling, making: Making) -> None:
    with calling() as call:
        uid = making(call, tag="A-1").uid
    with calling() as call:
        lines = call.session.scalar(select(func.count()).select_from(AuditEntry))
        version = service.edit(call, uid, {"tag": "A-1"}).version

    with calling(write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(AuditEntry)) == lines
        assert queries.device(call, uid).version == version


def test_of_two_people_who_edit_the_second_is_told(calling: Calling, making: Making) -> None:
    with calling() as call:
        uid = making(call, tag="A-1").uid
    with calling() as call:
        service.edit(call, uid, {"note": "first"}, version=1)

    with pytest.raises(ConflictError) as refused, calling() as call:
        service.edit(call, uid, {"note": "second"}, version=1)

    assert refused.value.code == "stale"


def test_a_device_in_hands_has_its_holders_unit_and_gives_it_back(
    calling: Calling, making: Making, place: dict[str, int], sarah: Holder
) -> None:
    with calling() as call:
        device = making(call, tag="A-1", owner_unit_id=place["sweeping"], service_point_id=place["werkhaven"])
        service.hand_out(call, device.uid, sarah)

        assert (device.unit_id, device.persona, device.person_id) == (place["renovation"], "unit", place["sarah"])

        service.take_back(call, device.uid, place["nova"])

        assert (device.unit_id, device.persona, device.person_id) == (place["sweeping"], "", None)
        assert device.service_point_id == place["nova"]
        assert device.state == LifeCycle.RETURNED


def test_handing_out_twice_is_like_once(calling: Calling, making: Making, sarah: Holder) -> None:
    with calling() as call:
        uid = making(call, tag="A-1").uid
        service.hand_out(call, uid, sarah)
        events = call.session.scalar(select(func.count()).select_from(DeviceEvent))

        service.hand_out(call, uid, sarah)

        assert call.session.scalar(select(func.count()).select_from(DeviceEvent)) == events


def test_a_returned_device_is_wiped_before_the_next_one_gets_it(
    calling: Calling, making: Making, sarah: Holder
) -> None:
    with calling() as call:
        uid = making(call, tag="A-1").uid
        service.hand_out(call, uid, sarah)
        service.take_back(call, uid)

        with pytest.raises(ConflictError) as refused:
            service.hand_out(call, uid, sarah)
        assert refused.value.code == "life_cycle"

        service.move(call, uid, LifeCycle.WIPED)
        service.move(call, uid, LifeCycle.IN_STOCK)
        assert service.hand_out(call, uid, sarah).state == LifeCycle.HANDED_OUT


@pytest.mark.parametrize("state", [state for state in LifeCycle if state is not LifeCycle.IN_STOCK])
def test_only_the_moves_of_the_table_are_made(
    calling: Calling, making: Making, sarah: Holder, state: LifeCycle
) -> None:
    with calling() as call:
        device = making(call, tag="A-1")
        if state in lifecycle.MOVES[LifeCycle.IN_STOCK]:
            assert service.move(call, device.uid, state, holder=sarah).state == state
        else:
            with pytest.raises(ConflictError):
                service.move(call, device.uid, state, holder=sarah)
            assert device.state == LifeCycle.IN_STOCK


def test_what_assignments_choose_by_posts_a_new_place_and_a_note_does_not(calling: Calling, making: Making) -> None:
    with calling() as call:
        uid = making(call, tag="A-1").uid
    with calling() as call:
        posted = call.session.scalar(select(func.count()).select_from(OutboxMessage))
        service.edit(call, uid, {"note": "a scratch"})
        assert call.session.scalar(select(func.count()).select_from(OutboxMessage)) == posted
        service.edit(call, uid, {"ring": "pilot"})
        topics = call.session.scalars(select(OutboxMessage.topic).order_by(OutboxMessage.id)).all()
        assert topics[posted:] == ["device.place"]


def test_a_clerk_neither_sees_nor_moves_another_places_device(
    calling: Calling, making: Making, place: dict[str, int], sarah: Holder
) -> None:
    with calling() as call:
        there = making(call, tag="T", service_point_id=place["nova"]).uid
        here = making(call, tag="H", service_point_id=place["werkhaven"]).uid

    me = clerk(place["werkhaven"])
    with calling(me) as call:
        with pytest.raises(NotFoundError):
            queries.device(call, there)
        with pytest.raises(NotFoundError):
            service.hand_out(call, there, sarah)
        with pytest.raises(DeniedError):
            service.relocate(call, here, place["nova"])
        assert queries.device(call, here).service_point_id == place["werkhaven"]


def test_a_person_who_moves_to_another_unit_takes_the_devices_along(
    calling: Calling, making: Making, place: dict[str, int], sarah: Holder
) -> None:
    with calling() as call:
        device = making(call, tag="A-1")
        service.hand_out(call, device.uid, sarah)
        moved = Holder(sarah.person_id, "Sarah Peeters", unit_id=place["sweeping"], persona="city")

        assert service.holder_changed(call, moved) == 1

        assert (device.unit_id, device.persona) == (place["sweeping"], "city")
        assert "peeters" in device.search


def test_what_waits_never_goes_below_nothing(calling: Calling, making: Making) -> None:
    with calling() as call:
        device = making(call, tag="A-1")
        service.set_waiting(call, device.id, 2)
        assert device.waiting == 2
        service.set_waiting(call, device.id, -1)
        service.set_waiting(call, device.id, -5)
        assert device.waiting == 0
