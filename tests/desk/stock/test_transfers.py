"""What is sent is on nobody's shelf and is not lost; what arrives stands at the other desk; differences stay told."""

import pytest

from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.desk.stock import queries, service
from mdm.desk.stock.model import Transfer
from mdm.inventory import service as inventory
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.storage.call import Call
from tests.conftest import Calling
from tests.desk.stock.place import ON_ONE_DATABASE, clerk, phone, point


def two_desks(call: Call, devices: int = 3) -> tuple[ServicePoint, ServicePoint, list[Device]]:
    start, goal = point(call, "WERK"), point(call, "STAD")
    return start, goal, [phone(call, start) for _ in range(devices)]


def sent(call: Call, start: ServicePoint, goal: ServicePoint, devices: list[Device]) -> Transfer:
    sender = call.by(clerk(start.id))
    transfer = service.open_transfer(sender, start.id, goal.code)
    for device in devices:
        service.add_device(sender, transfer.uid, device.tag or "")
    return service.send(sender, transfer.uid)


def test_ten_devices_go_to_another_desk_and_stand_on_its_shelf(calling: Calling) -> None:
    with calling() as call:
        start, goal, devices = two_desks(call)
        old = service.create_shelf(call, start.id, "A1")
        new = service.create_shelf(call, goal.id, "B1")
        service.shelve(call, devices[0], old)
        transfer = sent(call, start, goal, devices)
        assert queries.ready_devices(call, start.id) == queries.ready_devices(call, goal.id) == []
        assert {device.state for device in devices} == {"in_stock"}
        assert devices[0].shelf_id is None
        receiver = call.by(clerk(goal.id))
        for device in devices:
            service.arrive(receiver, transfer.uid, device.serial or "", shelf=new)
            service.arrive(receiver, transfer.uid, f"https://mdm.example/desk?code={device.tag}")
        service.finish(receiver, transfer.uid)

        assert service.finish(receiver, transfer.uid).state == "received"
        assert [device.service_point_id for device in devices] == [goal.id] * 3
        assert len(queries.on_shelf(receiver, new.id)) == 3
        assert {line.state for line, _device in queries.lines(call, transfer)} == {"arrived"}
        assert queries.transfer_of(call, devices[0]) is None


def test_what_does_not_arrive_is_missing_and_can_be_found_at_either_end(calling: Calling) -> None:
    with calling() as call:
        start, goal, devices = two_desks(call)
        transfer = sent(call, start, goal, devices)
        receiver, sender = call.by(clerk(goal.id)), call.by(clerk(start.id))
        service.arrive(receiver, transfer.uid, devices[0].tag or "")
        service.finish(receiver, transfer.uid, note="one box was open")

        assert [line.state for line, _device in queries.lines(call, transfer)] == ["arrived", "missing", "missing"]
        assert queries.ready_devices(call, start.id) == []
        assert {device.state for device in devices} == {"in_stock"}
        service.found(receiver, transfer.uid, devices[1].uid, goal.id)
        service.found(sender, transfer.uid, devices[2].uid, start.id)
        service.found(sender, transfer.uid, devices[2].uid, start.id)
        assert [device.service_point_id for device in devices] == [goal.id, goal.id, start.id]
        assert queries.ready_devices(call, start.id) == [devices[2]]
        with pytest.raises(DeniedError):
            service.found(sender, transfer.uid, devices[1].uid, goal.id)


@ON_ONE_DATABASE
def test_a_device_that_came_along_is_taken_as_extra_and_a_strangers_is_not(calling: Calling) -> None:
    with calling() as call:
        start, goal, devices = two_desks(call)
        foreign = phone(call, point(call, "ELSE"))
        transfer = sent(call, start, goal, devices[:1])
        receiver = call.by(clerk(goal.id))
        assert service.arrive(receiver, transfer.uid, devices[1].tag or "").state == "extra"
        with pytest.raises(NotFoundError) as refused:
            service.arrive(receiver, transfer.uid, foreign.tag or "")
        assert foreign.label not in str(refused.value)
        assert [device.service_point_id for device in (devices[1], foreign)] == [goal.id, foreign.service_point_id]


def test_a_device_is_on_one_transfer_at_a_time_and_not_handed_out_from_it(calling: Calling) -> None:
    with calling() as call:
        start, goal, devices = two_desks(call)
        first = service.open_transfer(call, start.id, goal.code)
        line = service.add_device(call, first.uid, devices[0].uid)
        assert service.add_device(call, first.uid, devices[0].uid) is line
        shelf = service.create_shelf(call, start.id, "A1")
        with pytest.raises(ConflictError):
            service.shelve(call, devices[0], shelf)
        inventory.apply_fields(call, devices[0], {"state": "lost"}, None)
        with pytest.raises(ConflictError) as refused:
            service.send(call, first.uid)
        assert refused.value.code == "not_stored"
        assert first.state == "open"
        service.drop_device(call, first.uid, devices[0].uid)
        with pytest.raises(ConflictError) as empty:
            service.send(call, first.uid)
        assert empty.value.code == "empty"
        service.add_device(call, first.uid, devices[1].uid)
        second = service.open_transfer(call, start.id, goal.code)
        with pytest.raises(ConflictError) as twice:
            service.add_device(call, second.uid, devices[1].uid)
        assert twice.value.code == "in_transit"
        call.session.rollback()


@ON_ONE_DATABASE
def test_a_cancelled_list_leaves_everything_where_it_is(calling: Calling) -> None:
    with calling() as call:
        start, goal, devices = two_desks(call)
        transfer = service.open_transfer(call, start.id, goal.code)
        service.add_device(call, transfer.uid, devices[0].uid)
        service.cancel_transfer(call, transfer.uid)
        service.cancel_transfer(call, transfer.uid)

        assert queries.transfer_of(call, devices[0]) is None
        assert len(queries.ready_devices(call, start.id)) == 3
        with pytest.raises(ConflictError):
            service.send(call, transfer.uid)


@ON_ONE_DATABASE
def test_each_end_does_its_own_part_and_a_third_desk_none(calling: Calling) -> None:
    with calling() as call:
        start, goal, devices = two_desks(call)
        third = point(call, "ELSE")
        transfer = sent(call, start, goal, devices)
        sender, receiver, stranger = (call.by(clerk(one.id)) for one in (start, goal, third))
        assert queries.transfer(receiver, transfer.uid) is transfer
        assert len(queries.lines(receiver, transfer)) == 3
        with pytest.raises(NotFoundError):
            queries.transfer(stranger, transfer.uid)
        assert list(queries.transfers(stranger)) == []
        with pytest.raises(DeniedError):
            service.arrive(sender, transfer.uid, devices[0].tag or "")
        with pytest.raises(DeniedError):
            service.cancel_transfer(receiver, transfer.uid)
        for code in ("", "NOWHERE", start.code):
            with pytest.raises(InvalidError):
                service.open_transfer(sender, start.id, code)
        with pytest.raises(NotFoundError):
            service.open_transfer(receiver, start.id, goal.code)
