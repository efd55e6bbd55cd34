"""One of everything that a desk has, at one place, all of it named with one word: what a clerk of another place may never see."""

from datetime import timedelta

from mdm.core.ids import new_uid
from mdm.desk.cases import service as cases
from mdm.desk.custody import box, handing, signing
from mdm.desk.custody import service as custody
from mdm.desk.custody.asked import HandOut
from mdm.desk.custody.kit import KitGiven
from mdm.desk.custody.model import Photo
from mdm.desk.kiosks import service as kiosks
from mdm.desk.loans import places as loan_places
from mdm.desk.loans import service as loans
from mdm.desk.loans.model import LadderStep, OverdueLoan
from mdm.desk.repairs import service as repairs
from mdm.desk.stock import levels, shelves, takes, transfers
from mdm.inventory import service as inventory
from mdm.inventory.model import Device
from mdm.kiosks.model import KioskPicture
from mdm.org.model import ServicePoint
from mdm.people.model import Person
from mdm.storage.call import Call


def device(
    call: Call, point: int, word: str, name: str, *, platform: str = "ios", kind: str = "phone", **more: str
) -> Device:
    """A device of this place, in stock and enrolled, with the word in all that a scan or a search could show."""
    made = inventory.create(
        call,
        {
            "platform": platform,
            "kind": kind,
            "name": f"{word} {name}",
            "serial": f"{word}-{name}",
            "model": f"{word} model",
            "service_point_id": point,
            **more,
        },  # type: ignore[typeddict-item]
    )
    made.enrolled_at, made.key_digest = call.now, f"{word}{name}".encode().hex().ljust(64, "0")[:64]
    return made


def furnish(call: Call, point: int, person: int, away: int, word: str) -> dict[str, str]:
    """Fills the desk of one service point; ids by the kind of thing, as ``CONSOLE_ARGUMENTS`` names them.

    ``away`` is a third place: what goes on a transfer goes there, so that neither of the two others is its goal.
    """
    session = call.session
    lost = device(call, point, word, "lost")
    case = cases.open_lost(call, lost.uid, cases.Told(account=f"{word} verhaal", seen_where=f"{word} straat"))
    cases.note(call, case.uid, f"{word} nota")
    phone = device(call, point, word, "out")
    given = HandOut(
        person, (phone.uid,), point, (KitGiven("sim", f"89320{point:014d}"),), unsigned=f"{word} ziek", invite=False
    )
    out = custody.hand_out(call, given)
    other = device(call, point, word, "next")
    asked, _secret = handing.ask_signature(call, HandOut(person, (other.uid,), point, invite=False))
    broken = device(call, point, word, "broken")
    repair = repairs.open(call, broken, faults=["screen"], note=f"{word} barst", supplier=f"{word} hersteller")
    shelf = shelves.create_shelf(call, point, f"{word} plank", note=f"{word} nota")
    shelved = device(call, point, word, "shelved")
    shelves.shelve(call, shelved, shelf)
    transfer = transfers.open_transfer(call, point, session.get_one(ServicePoint, away).code, note=f"{word} transport")
    transfers.add_device(call, transfer.uid, device(call, point, word, "moving").uid)
    take = takes.open_take(call, point, note=f"{word} telling")
    takes.scan(call, take.id, shelved.serial or "")
    minimum = levels.set_minimum(call, point, "phone", 50)
    assert minimum is not None
    for number in range(2):
        device(call, point, word, f"pool{number}", platform="linux", kind="laptop", ownership="loan_pool")
    loan_places.open_place(call, point, zone="Europe/Brussels", flex=True)
    begins = (call.now + timedelta(days=7)).replace(hour=9, minute=0, second=0, microsecond=0)
    while begins.weekday() > 4:
        begins += timedelta(days=1)
    reservation = loans.reserve(
        call,
        person,
        service_point_id=point,
        kind="laptop",
        begins=begins,
        ends=begins + timedelta(days=1),
        note=f"{word} vergadering",
    )
    pillar = inventory.create(
        call,
        {"platform": "linux", "kind": "kiosk", "name": f"{word} zuil", "service_point_id": point},
    )
    picture = KioskPicture(
        uid=new_uid(),
        device_id=pillar.id,
        command_id=new_uid(),
        asked_by=f"{word} kijker",
        taken_at=call.now,
        width=1,
        height=1,
        content=word.encode(),
    )
    session.add(picture)
    late = OverdueLoan(
        custody_id=out.custodies[0].id,
        device_id=phone.id,
        person_id=person,
        service_point_id=point,
        due_at=call.now - timedelta(days=2),
        step=LadderStep.LOCK.value,
        lead_email=f"{word}@stad.example",
        proposed_at=call.now,
    )
    session.add(late)
    photo = Photo(
        uid=new_uid(),
        digest="d" * 64,
        size=1,
        width=1,
        height=1,
        service_point_id=point,
        device_id=phone.id,
        custody_id=out.custodies[0].id,
        taken_by=f"{word} fotograaf",
        taken_at=call.now,
    )
    session.add(photo)
    run = box.start(call, point)
    box.scan(call, run.uid, f"{word}-onbekend")
    session.flush()
    walk = kiosks.start(call, [point])
    walk.started_by = f"{word} wandelaar"
    leaver = cases.open_leaver(call, person)
    session.flush()
    assert signing.signature(call, asked.uid).person_id == session.get_one(Person, person).id
    return {
        "box_uid": run.uid,
        "case_uid": case.uid,
        "leaver_uid": leaver.uid,
        "custody_uid": out.custodies[0].uid,
        "kit_code": f"89320{point:014d}",
        "minimum_id": str(minimum.id),
        "overdue_id": str(late.id),
        "photo_uid": photo.uid,
        "paper_uid": out.paper.uid,
        "repair_uid": repair.uid,
        "kiosk_picture_uid": picture.uid,
        "kiosk_round_uid": walk.uid,
        "scan_code": shelf.code,
        "reservation_uid": reservation.uid,
        "shelf_id": str(shelf.id),
        "signature_uid": asked.uid,
        "take_id": str(take.id),
        "transfer_uid": transfer.uid,
    }
