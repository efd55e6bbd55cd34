"""A count finds what is missing, what stands here and should not, and what stands elsewhere; two people count at once."""

import threading

import pytest
from sqlalchemy import Engine, func, select

from mdm.core.errors import ConflictError, HavenmeesterError, NotFoundError
from mdm.desk.stock import queries, service
from mdm.desk.stock.model import StockScan
from mdm.desk.stock.takes import differences
from mdm.inventory import service as inventory
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.conftest import FLEET_ADMIN, NOW, Calling
from tests.desk.stock.place import clerk, phone, point


def test_the_report_names_each_difference_and_stays_as_it_was(calling: Calling) -> None:
    with calling() as call:
        desk, other = point(call, "WERK"), point(call, "STAD")
        a1, a2 = service.create_shelf(call, desk.id, "A1"), service.create_shelf(call, desk.id, "A2")
        right, missing, wrong_shelf, out = (phone(call, desk) for _ in range(4))
        foreign = phone(call, other)
        for device in (right, missing, wrong_shelf):
            service.shelve(call, device, a1)
        inventory.apply_fields(call, out, {"state": "lost"}, None)
    later = NOW.replace(hour=11)
    with calling(now=later) as call:
        take = service.open_take(call, desk.id)
        assert service.open_take(call, desk.id) is take
        assert getattr(service.scan(call, take.id, a1.code).shelf, "id", None) == a1.id
        for device, shelf in ((right, a1), (wrong_shelf, a2), (out, a1), (foreign, a1)):
            service.scan(call, take.id, device.tag or "", shelf_id=shelf.id)
        service.scan(call, take.id, "no such thing", shelf_id=a1.id)
        assert service.scan(call, take.id, right.serial or "").again
        assert [(device.id, standing.value) for device, standing in differences(call, take)] == [
            (missing.id, "missing")
        ]
        closed = service.close_take(call, take.id, tidy=True)
        expected = {"elsewhere": 2, "extra": 1, "missing": 1, "right": 1, "unknown": 1}
        assert closed.counts == expected
        assert service.close_take(call, take.id).counts == expected
        assert call.session.get_one(type(wrong_shelf), wrong_shelf.id).shelf_id == a2.id
        inventory.apply_fields(call, call.session.get_one(type(missing), missing.id), {"state": "lost"}, None)
        standings = {scan.code: scan.standing for scan, _device in queries.scans(call, take.id)}
        assert standings[missing.uid] == "missing"
        with pytest.raises(ConflictError) as refused:
            service.scan(call, take.id, right.tag or "")
        assert refused.value.code == "take_state"


def test_what_came_in_during_the_count_is_not_missing(calling: Calling) -> None:
    with calling() as call:
        desk = point(call, "WERK")
        take = service.open_take(call, desk.id)
    with calling(now=NOW.replace(hour=10)) as call:
        phone(call, desk)
        assert [standing.value for _device, standing in differences(call, queries.take(call, take.id))] == ["moved"]


def test_a_clerk_is_not_told_what_a_foreign_device_is(calling: Calling) -> None:
    with calling() as call:
        desk, other = point(call, "WERK"), point(call, "STAD")
        foreign = phone(call, other)
        mine = call.by(clerk(desk.id))
        take = service.open_take(mine, desk.id)
        read = service.scan(mine, take.id, foreign.tag or "")
        assert read.device is None
        assert read.scan is not None
        assert (read.scan.standing, read.scan.device_id) == ("unknown", None)
        with pytest.raises(NotFoundError):
            queries.take(call.by(clerk(other.id)), take.id)


def test_the_own_last_scan_is_undone_and_not_a_colleagues(calling: Calling) -> None:
    with calling() as call:
        desk = point(call, "WERK")
        one, two = phone(call, desk), phone(call, desk)
        ann, ben = call.by(clerk(desk.id, "Ann")), call.by(clerk(desk.id, "Ben"))
        take = service.open_take(ann, desk.id)
        service.scan(ann, take.id, one.tag or "")
        service.scan(ben, take.id, two.tag or "")
        undone = service.undo(ann, take.id)
        assert undone is not None
        assert undone.code == one.uid
        assert service.undo(ann, take.id) is None
        assert [scan.code for scan, _device in queries.scans(call, take.id)] == [two.uid]


def test_two_people_scan_the_same_heap_at_once_and_each_device_counts_once(calling: Calling, engine: Engine) -> None:
    with calling() as call:
        desk = point(call, "WERK")
        tags = [phone(call, desk).tag or "" for _ in range(12)]
        take_id = service.open_take(call, desk.id).id
    refused: list[HavenmeesterError] = []

    def work(order: list[str]) -> None:
        for tag in order:
            try:
                with transaction(engine) as session:
                    service.scan(Call(FLEET_ADMIN, session, NOW), take_id, tag)
            except ConflictError as error:
                refused.append(error)

    threads = [threading.Thread(target=work, args=(order,)) for order in (tags, tags[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with calling() as call:
        assert call.session.scalar(select(func.count()).select_from(StockScan)) == 12
        assert service.close_take(call, take_id).counts == {"right": 12}
    assert {error.code for error in refused} <= {"scanned_twice"}
