"""A counter that has been worked at for a while: shelves, hand-overs, a repair, a transfer, cases. For the demonstration."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from mdm.desk.cases import service as cases
from mdm.desk.custody import service as custody
from mdm.desk.custody.asked import HandOut, Signed, TakeIn
from mdm.desk.custody.follow import follow_devices
from mdm.desk.custody.kit import KitGiven
from mdm.desk.repairs import queries as repair_queries
from mdm.desk.repairs import service as repairs
from mdm.desk.stock import levels, shelves, transfers
from mdm.desk.stock import queries as stock
from mdm.inventory.model import Device, DeviceKind, LifeCycle
from mdm.org import queries as org
from mdm.org.model import ServicePoint
from mdm.people import service as people
from mdm.people.model import Person
from mdm.storage.call import Call

COUNTER = "WERKHAVEN"
SHELVES = ("Kast A · telefoons", "Kast B · tablets", "Kluis")
SIM = "893207000000000000"


def load_desk(call: Call) -> None:
    """Fills the counter of Werkhaven through the verbs that clerks use; nothing where it has shelves already."""
    point = org.service_point_by_code(call, COUNTER)
    if shelves_there(call, point):
        return
    stock = _devices(call, point, LifeCycle.IN_STOCK, DeviceKind.PHONE)
    _shelve(call, point, stock[4:])
    _hand_out(call, point, stock[:3])
    _repair(call, point)
    _send_away(call, point, stock[3:4])
    _open_cases(call, point)


def shelves_there(call: Call, point: ServicePoint) -> bool:
    """Whether somebody has worked at this counter already."""
    return bool(stock.shelves(call, point.id))


def _devices(call: Call, point: ServicePoint, state: LifeCycle, kind: DeviceKind | None = None) -> list[Device]:
    query = select(Device).where(Device.service_point_id == point.id, Device.state == state.value)
    if kind is not None:
        query = query.where(Device.kind == kind.value)
    return list(call.session.scalars(query.order_by(Device.tag)))


def _shelve(call: Call, point: ServicePoint, phones: Sequence[Device]) -> None:
    made = [shelves.create_shelf(call, point.id, name) for name in SHELVES]
    for phone in phones:
        shelves.shelve(call, phone, made[0])
    for tablet in _devices(call, point, LifeCycle.IN_STOCK, DeviceKind.TABLET):
        shelves.shelve(call, tablet, made[1])
    levels.set_minimum(call, point.id, DeviceKind.PHONE.value, max(1, len(phones) - 1))


def _free(call: Call, point: ServicePoint, number: int) -> list[Person]:
    """People of this place who have no device."""
    has = select(Device.id).where(Device.person_id == Person.id).exists()
    query = select(Person).where(Person.service_point_id == point.id, ~has).order_by(Person.id).limit(number)
    return list(call.session.scalars(query))


def _hand_out(call: Call, point: ServicePoint, phones: Sequence[Device]) -> None:
    """Two hand-overs that stand, and one that came back."""
    for number, (person, phone) in enumerate(zip(_free(call, point, len(phones)), phones, strict=False)):
        kit = (KitGiven("sim", f"{SIM}{number}"), KitGiven("charger"))
        custody.hand_out(
            call,
            HandOut(person.id, (phone.uid,), point.id, kit, signed=Signed(typed=person.name), invite=False),
        )
    if len(phones) == 3 and phones[2].person_id is not None:
        person = call.session.get_one(Person, phones[2].person_id)
        custody.take_in(call, TakeIn(phones[2].uid, point.id, signed=Signed(typed=person.name)))


def _repair(call: Call, point: ServicePoint) -> None:
    for device in _devices(call, point, LifeCycle.IN_REPAIR)[:2]:
        if repair_queries.open_for(call, device) is None:
            repairs.open(
                call,
                device,
                faults=["screen"],
                note="Gevallen van een trap",
                supplier="Herstelhuis",
                due_on=call.now.date() + timedelta(days=9),
            )


def _send_away(call: Call, point: ServicePoint, phones: Sequence[Device]) -> None:
    other = call.session.scalar(
        select(ServicePoint).where(ServicePoint.id != point.id).order_by(ServicePoint.id).limit(1)
    )
    if other is None or not phones:
        return
    transfer = transfers.open_transfer(call, point.id, other.code, note="Voor de nieuwe collega's")
    for phone in phones:
        transfers.add_device(call, transfer.uid, phone.tag or phone.uid)
    transfers.send(call, transfer.uid)


def _open_cases(call: Call, point: ServicePoint) -> None:
    """What if ...: one lost, one broken, one stolen, somebody who leaves in ten days."""
    held = _devices(call, point, LifeCycle.HANDED_OUT)
    follow_devices(call, [device.id for device in held[:6]])
    for device in _devices(call, point, LifeCycle.LOST)[:1]:
        cases.open_lost(
            call, device.uid, cases.Told("Op de tram blijven liggen, lijn 7", call.now.date(), "Groenplaats")
        )
    if len(held) < 4:
        return
    told = cases.Told(
        "Uit de fietstas genomen", call.now.date() - timedelta(days=1), "Sint-Jansvliet", "AN.10.L1.004711/2026"
    )
    cases.open_stolen(call, held[-1].uid, told)
    cases.open_broken(call, held[-2].uid, cases.Told("Het scherm blijft zwart"))
    if held[-3].person_id is not None:
        leaves = people.leave(call, held[-3].person_id, call.now.date() + timedelta(days=10))
        cases.open_leaver(call, leaves.id)
