"""Shelves know what stands on them, levels what is missing; only at the actor's own desk."""

import pytest
from sqlalchemy import select

from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.desk.stock import levels, queries, service
from mdm.inventory import service as inventory
from mdm.inventory.holder import Holder
from mdm.inventory.model import LifeCycle
from mdm.outbox.model import OutboxMessage
from mdm.people.model import Person
from tests.conftest import NOW, Calling
from tests.desk.stock.place import ON_ONE_DATABASE, clerk, phone, point


def test_a_device_stands_on_one_shelf_until_it_leaves_the_desk(calling: Calling) -> None:
    with calling() as call:
        desk = point(call, "WERK")
        one, two = service.create_shelf(call, desk.id, "A1"), service.create_shelf(call, desk.id, "A2")
        device = phone(call, desk)
        service.shelve(call, device, one)
        service.shelve(call, device, two)

        assert [(line.shelf.name, line.devices) for line in queries.shelves(call, desk.id)] == [("A1", 0), ("A2", 1)]
        assert queries.shelf_by_code(call, two.code.lower()) is two
        person = Person(name="Ann", created_at=NOW)
        call.session.add(person)
        call.session.flush()
        inventory.hand_out(call, device.uid, Holder(person.id, "Ann"))
        assert device.shelf_id is None
        assert queries.on_shelf(call, two.id) == []
        inventory.take_back(call, device.uid)
        assert device.shelf_id is None
        assert queries.without_shelf(call, desk.id) == [device]


@ON_ONE_DATABASE
def test_what_is_out_or_elsewhere_cannot_be_put_on_a_shelf(calling: Calling) -> None:
    with calling() as call:
        desk, other = point(call, "WERK"), point(call, "STAD")
        shelf = service.create_shelf(call, desk.id, "A1")
        away, broken = phone(call, other), phone(call, desk)
        inventory.move(call, broken.uid, LifeCycle.IN_REPAIR)
        for device, code in ((away, "other_place"), (broken, "not_stored")):
            with pytest.raises(ConflictError) as refused:
                service.shelve(call, device, shelf)
            assert refused.value.code == code
            assert device.shelf_id is None


@ON_ONE_DATABASE
def test_a_shelf_with_devices_is_not_closed_and_an_empty_one_is_closed_once(calling: Calling) -> None:
    with calling() as call:
        desk = point(call, "WERK")
        shelf = service.create_shelf(call, desk.id, "A1")
        device = service.shelve(call, phone(call, desk), shelf)
        with pytest.raises(ConflictError) as refused:
            service.close_shelf(call, shelf.id)
        assert refused.value.code == "shelf_full"
        service.unshelve(call, device)
        assert service.close_shelf(call, shelf.id).closed_at == service.close_shelf(call, shelf.id).closed_at == NOW
        with pytest.raises(ConflictError):
            service.shelve(call, device, shelf)


def test_two_shelves_of_one_desk_have_two_names(calling: Calling) -> None:
    with calling() as call:
        desk = point(call, "WERK")
        service.create_shelf(call, desk.id, "A1")
        with pytest.raises(ConflictError) as refused:
            service.create_shelf(call, desk.id, "A1")
        assert refused.value.code == "shelf_taken"
        call.session.rollback()


@ON_ONE_DATABASE
def test_a_clerk_sees_and_moves_the_own_desks_shelves_and_no_others(calling: Calling) -> None:
    with calling() as call:
        desk, other = point(call, "WERK"), point(call, "STAD")
        theirs = service.create_shelf(call, other.id, "B1")
        device = phone(call, other)
        service.shelve(call, device, theirs)
        mine = call.by(clerk(desk.id))

        assert queries.shelves(mine, other.id) == []
        assert queries.ready_devices(mine, other.id) == []
        assert levels.low(mine) == []
        for forbidden in (
            lambda: queries.shelf(mine, theirs.id),
            lambda: queries.shelf_by_code(mine, theirs.code),
            lambda: service.create_shelf(mine, other.id, "X"),
            lambda: service.close_shelf(mine, theirs.id),
            lambda: levels.levels(mine, other.id),
            lambda: service.set_minimum(mine, other.id, "phone", 3),
        ):
            with pytest.raises(NotFoundError):
                forbidden()
        with pytest.raises(DeniedError):
            service.shelve(mine, device, theirs)


def test_a_level_that_is_broken_is_told_once_and_again_only_after_it_was_kept(calling: Calling) -> None:
    def letters() -> int:
        with calling() as call:
            return levels.warn(call)

    with calling() as call:
        desk = point(call, "WERK", email="werkhaven@stad.example")
        service.set_minimum(call, desk.id, "phone", 2, product_name="fairphone 5")
        phone(call, desk)
    assert [letters(), letters()] == [1, 0]
    with calling() as call:
        (level,) = levels.low(call)
        assert (level.product, level.ready, level.least) == ("fairphone 5", 1, 2)
        phone(call, desk)
    assert letters() == 0
    with calling() as call:
        assert levels.low(call) == []
        inventory.move(call, queries.ready_devices(call, desk.id)[0].uid, LifeCycle.IN_REPAIR)
    assert letters() == 1
    with calling() as call:
        sent = call.session.scalars(select(OutboxMessage.payload).where(OutboxMessage.topic == "mail")).all()
        assert [letter["to"] for letter in sent] == ["werkhaven@stad.example"] * 2
        assert "fairphone 5: 1 ready, 2 wanted" in sent[0]["text"]


def test_levels_count_by_kind_and_by_product_and_nothing_keeps_nothing(calling: Calling) -> None:
    with calling() as call:
        desk = point(call, "WERK")
        phone(call, desk)
        phone(call, desk, model="Pixel 8", manufacturer="Google")
        back = phone(call, desk)
        inventory.apply_fields(call, back, {"state": "returned"}, None)
        phone(call, desk, ownership="private")
        service.set_minimum(call, desk.id, "phone", 3)
        service.set_minimum(call, desk.id, "tablet", 1)

        found = [(one.kind, one.product, one.ready, one.preparing, one.least) for one in levels.levels(call, desk.id)]
        assert found == [
            ("phone", "", 2, 1, 3),
            ("phone", "Fairphone 5", 1, 1, None),
            ("phone", "Google Pixel 8", 1, 0, None),
            ("tablet", "", 0, 0, 1),
        ]
        assert service.set_minimum(call, desk.id, "tablet", 0) is None
        assert [one.kind for one in queries.minimums(call)] == ["phone"]
        for kind, least in (("spoon", 1), ("phone", -1), ("phone", 10_001)):
            with pytest.raises(InvalidError):
                service.set_minimum(call, desk.id, kind, least)
