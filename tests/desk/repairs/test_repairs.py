"""A repair opens, goes away, comes back and closes; the device goes on where it was, and its holder is never lost."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.desk.repairs import queries, service
from mdm.inventory import service as inventory
from mdm.inventory.holder import Holder
from mdm.inventory.model import Device
from mdm.outbox.model import OutboxMessage
from mdm.people.model import Person
from mdm.storage.call import Call
from tests.conftest import NOW, Calling
from tests.desk.stock.place import ON_ONE_DATABASE, clerk, phone, point


def held(call: Call, device: Device) -> Person:
    person = Person(name="Ann Peeters", created_at=NOW)
    call.session.add(person)
    call.session.flush()
    inventory.hand_out(call, device.uid, Holder(person.id, person.name))
    return person


@ON_ONE_DATABASE
def test_a_phone_goes_to_the_supplier_and_comes_back_to_its_holder(calling: Calling) -> None:
    with calling() as call:
        desk = point(call, "WERK")
        device, loaner = phone(call, desk, warranty_until=date(2027, 1, 1)), phone(call, desk)
        person = held(call, device)
        repair = service.open(call, device, faults=["screen", "battery"], note="dropped", loaner=loaner)
        assert (device.state, device.person_id, repair.warranty) == ("in_repair", person.id, True)
        service.send(call, device, supplier="Repair nv", reference="RMA 7", due_on=date(2026, 12, 1))
        service.take_back(call, device)
        assert service.take_back(call, device) is repair
        service.close(call, device, outcome="repaired", cost_cents=4550, note="new screen")

        assert (repair.state, repair.cost_cents, repair.currency) == ("closed", 4550, "EUR")
        assert (device.state, device.person_id) == ("handed_out", person.id)
        assert queries.faults(call, [repair.id]) == {repair.id: ["battery", "screen"]}
        assert queries.open_for(call, device) is None
        assert list(queries.of_person(call, person.id)) == [repair]
        assert repair.note == "dropped\nnew screen"


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    ("before", "outcome", "after"),
    [
        ("in_stock", "repaired", "in_stock"),
        ("in_stock", "no_fault", "in_stock"),
        ("returned", "repaired", "returned"),
        ("wiped", "repaired", "in_stock"),
        ("in_stock", "beyond_repair", "returned"),
        ("handed_out", "repaired", "handed_out"),
        ("on_loan", "no_fault", "on_loan"),
        ("handed_out", "replaced", "in_repair"),
        ("handed_out", "beyond_repair", "in_repair"),
    ],
)
def test_where_a_device_goes_after_its_repair(calling: Calling, before: str, outcome: str, after: str) -> None:
    with calling() as call:
        device = phone(call, point(call, "WERK"))
        person = held(call, device) if before in ("handed_out", "on_loan") else None
        inventory.apply_fields(call, device, {"state": before}, None)
        service.open(call, device, faults=["other"])
        service.close(call, device, outcome=outcome)

        assert device.state == after
        assert device.person_id == (person.id if person else None)


def test_a_device_has_one_open_repair(calling: Calling) -> None:
    with calling() as call:
        device = phone(call, point(call, "WERK"))
        service.open(call, device, faults=["screen"])
        with pytest.raises(ConflictError) as refused:
            service.open(call, device, faults=["sound"])
        assert refused.value.code == "repair_open"
        service.close(call, device, outcome="repaired")
        service.open(call, device, faults=["sound"])
        assert len(queries.of_device(call, device)) == 2


@ON_ONE_DATABASE
def test_what_makes_no_sense_is_refused_and_nothing_changes(calling: Calling) -> None:
    with calling() as call:
        device = phone(call, point(call, "WERK"))
        for faults in ([], ["fire"]):
            with pytest.raises(InvalidError):
                service.open(call, device, faults=faults)
        assert device.state == "in_stock"
        with pytest.raises(NotFoundError):
            service.close(call, device, outcome="repaired")
        repair = service.open(call, device, faults=["screen"])
        with pytest.raises(ConflictError):
            service.take_back(call, device)
        for wrong in ({"outcome": "mended"}, {"outcome": "repaired", "cost_cents": -1}):
            with pytest.raises(InvalidError):
                service.close(call, device, **wrong)  # type: ignore[arg-type]
        with pytest.raises(InvalidError):
            service.close(call, device, outcome="repaired", replacement=phone(call, point(call, "STAD")))
        with pytest.raises(InvalidError):
            service.link_loaner(call, device, device)
        with pytest.raises(InvalidError):
            service.send(call, device, supplier=" ")
        assert repair.state == "open"


@ON_ONE_DATABASE
def test_a_lost_phone_is_not_repaired_and_a_retired_one_neither(calling: Calling) -> None:
    with calling() as call:
        device = phone(call, point(call, "WERK"))
        inventory.apply_fields(call, device, {"state": "retired"}, None)
        with pytest.raises(ConflictError) as refused:
            service.open(call, device, faults=["screen"])
        assert refused.value.code == "life_cycle"


@ON_ONE_DATABASE
def test_another_desks_repairs_are_not_there(calling: Calling) -> None:
    with calling() as call:
        desk, other = point(call, "WERK"), point(call, "STAD")
        device = phone(call, other)
        repair = service.open(call, device, faults=["screen"])
        mine = call.by(clerk(desk.id))

        with pytest.raises(NotFoundError):
            queries.repair(mine, repair.uid)
        assert queries.open_for(mine, device) is None
        assert queries.by_product(mine) == []
        with pytest.raises(DeniedError):
            service.close(mine, device, outcome="repaired")


def test_an_overdue_repair_is_told_once_per_date(calling: Calling) -> None:
    with calling() as call:
        desk = point(call, "WERK", email="desk@stad.example")
        device = phone(call, desk)
        service.open(call, device, faults=["screen"])
        service.send(call, device, supplier="Repair nv", due_on=date(2026, 11, 25))
        assert service.remind(call) == 0
    late = NOW + timedelta(days=3)
    told = []
    for _ in range(2):
        with calling(now=late) as call:
            assert queries.overdue_count(call) == 1
            told.append(service.remind(call))
    with calling(now=late) as call:
        device = call.session.get_one(Device, device.id)
        service.edit(call, device, faults=["screen"], supplier="Repair nv", due_on=date(2026, 11, 26))
        assert service.remind(call) == 0
    with calling(now=late + timedelta(days=1)) as call:
        told.append(service.remind(call))
        letters = call.session.scalars(select(OutboxMessage.payload).where(OutboxMessage.topic == "mail")).all()
    assert told == [1, 0, 1]
    assert [letter["to"] for letter in letters] == ["desk@stad.example"] * 2


def test_repeated_faults_are_counted_by_product(calling: Calling) -> None:
    with calling() as call:
        desk = point(call, "WERK")
        first, second = phone(call, desk), phone(call, desk)
        for device, faults in ((first, ["screen"]), (second, ["screen", "sound"]), (first, ["screen"])):
            service.open(call, device, faults=faults)
            service.close(call, device, outcome="repaired")
        found = [(one.product, one.fault, one.repairs, one.devices, one.fleet) for one in queries.by_product(call)]
        assert found == [("Fairphone 5", "screen", 3, 2, 2), ("Fairphone 5", "sound", 1, 1, 2)]
        assert queries.by_product(call, since=NOW + timedelta(days=1)) == []
