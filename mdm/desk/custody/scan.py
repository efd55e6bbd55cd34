"""From a scan to a card: what lies there, how it stands, who has it, and the one right next step."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, cast

from sqlalchemy import Select, String, and_, literal, or_, select, union_all

from mdm.core.actor import require
from mdm.core.errors import N_, DeniedError
from mdm.core.permissions import Permission, Where
from mdm.desk.custody import codes, locks
from mdm.desk.custody.agreement import Line
from mdm.desk.custody.codes import Read
from mdm.desk.custody.kit import name_of
from mdm.desk.custody.locks import Locks
from mdm.desk.custody.model import Custody, KitKind, KitPiece
from mdm.desk.custody.next_step import Do, Sentence, Standing, Step, Steps, steps
from mdm.desk.custody.queries import Held, held_by, kit_of
from mdm.desk.repairs.model import Repair
from mdm.desk.repairs.queries import open_for as open_repair
from mdm.desk.stock.model import Shelf
from mdm.desk.stock.queries import shelves_select, transfer_of
from mdm.enrollment.model import Invitation
from mdm.enrollment.progress import Progress
from mdm.enrollment.queries import invitation_progress
from mdm.inventory import queries as devices
from mdm.inventory.model import Device, LifeCycle, Ownership
from mdm.orders.model import Order
from mdm.orders.queries import open_for as open_order
from mdm.people import queries as people
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.scoping import within

Thing = Device | Person | KitPiece | Shelf
MOST: Final = 10
"""Choices that a half-typed word gives."""
PERSON: Final = "person:"
"""What stands before the row id in the choice of a person: no number, badge or address has it."""
ARRIVING: Final = timedelta(hours=2)
"""How long after an invitation the card shows how far the enrollment is, instead of something else to do."""


class CardKind(StrEnum):
    """What a code turned out to be."""

    DEVICE = "device"
    PERSON = "person"
    PIECE = "piece"
    PRESENCE = "presence"
    SEVERAL = "several"
    SHELF = "shelf"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several things that a code may mean; ``code`` is what to look up to get its card."""

    kind: CardKind
    code: str
    label: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """What the counter shows for one scan. What does not apply is None or empty."""

    kind: CardKind
    code: str
    """What was read, without what the scanner added."""
    next: Step
    others: tuple[Step, ...] = ()
    title: str = ""
    detail: str = ""
    state: str = ""
    """The life-cycle state of a device, the state of a piece."""
    holder: Person | None = None
    device: Device | None = None
    custody: Custody | None = None
    kit: tuple[Line, ...] = ()
    locks: Locks | None = None
    """The account-lock light, for a device that somebody has."""
    order: Order | None = None
    """The wipe that is under way."""
    invitation: Invitation | None = None
    progress: Progress | None = None
    """How far the enrollment is; there while it is not green."""
    piece: KitPiece | None = None
    held: tuple[Held, ...] = ()
    """What a person has."""
    shelf: Shelf | None = None
    repair: Repair | None = None
    """The repair of the device that is open."""
    warnings: tuple[Sentence, ...] = ()
    choices: tuple[Choice, ...] = ()


def look_up(call: Call, code: str, service_point_id: int | None = None) -> Card:
    """The card for a code or a few typed letters, as the counter of ``service_point_id`` sees it.

    Never raises for what was scanned: an unknown code is a card that says what to do. Codes of other places are unknown.
    Raises DeniedError for whoever may not look at any counter.
    """
    if service_point_id is not None:
        require(call.actor, Permission.DESK_VIEW, Where(service_point_id))
    elif not call.actor.may_somewhere(Permission.DESK_VIEW):
        raise DeniedError(N_("You are not allowed to work at a desk."))
    chosen = code.removeprefix(PERSON)
    if chosen != code and chosen.isascii() and chosen.isdigit() and len(chosen) < 15:
        return person_card(call, int(chosen))
    read = codes.read(code)
    if not read.spellings:
        return _unknown(read, N_("Nothing was read. Scan once more, or type what stands on the label."))
    found = _found(call, read)
    if len(found) == 1:
        return _card(call, read, found[0], service_point_id)
    if found:
        return _several(read, found, N_("This code means several things. Choose one."))
    return _nothing(call, read)


def device_card(call: Call, uid: str, service_point_id: int | None = None) -> Card:
    """The card of one device by its id; NotFoundError when it is not there or not the actor's."""
    device = devices.device_by_uid(call, uid)
    return _device(call, Read(device.tag or device.serial or uid, ()), device, service_point_id)


def person_card(call: Call, person_id: int) -> Card:
    """The card of one person by row id; an unknown card for somebody who is not there, or not at the actor's places."""
    found = call.session.scalar(people.people_select(call).where(Person.id == person_id))
    read = Read(f"{PERSON}{person_id}", ())
    return _person(call, read, found) if found is not None else _nothing(call, read)


def _found(call: Call, read: Read) -> list[Thing]:
    """Everything at the actor's places that has one of these spellings: one statement, however many kinds there are."""
    some = read.spellings
    device = or_(Device.uid.in_(some), Device.serial.in_(some), Device.tag.in_(some), Device.imei.in_(some))
    person = or_(Person.badge.in_(some), Person.number.in_(some), Person.email.in_(some))
    seen = within(call.actor.scope(Permission.DESK_VIEW), KitPiece.service_point_id, KitPiece.unit_id)
    parts: tuple[tuple[type[Thing], Select[Any]], ...] = (
        (Device, devices.devices_select(call, Permission.DESK_VIEW).where(device).with_only_columns(Device.id)),
        (Person, people.people_select(call).where(person).with_only_columns(Person.id)),
        (KitPiece, select(KitPiece.id).where(KitPiece.code.in_(some), seen)),
        (Shelf, shelves_select(call).where(Shelf.code.in_(some)).with_only_columns(Shelf.id)),
    )
    kinds = {kind.__tablename__: kind for kind, _ in parts}
    named = [query.add_columns(literal(kind.__tablename__, String).label("kind")) for kind, query in parts]
    rows = call.session.execute(union_all(*named).limit(MOST)).all()
    return [cast(Thing, call.session.get_one(kinds[str(row[1])], int(row[0]))) for row in rows]


def _card(call: Call, read: Read, one: Thing, service_point_id: int | None) -> Card:
    if isinstance(one, Device):
        return _device(call, read, one, service_point_id)
    if isinstance(one, Person):
        return _person(call, read, one)
    if isinstance(one, Shelf):
        return _shelf(read, one)
    return _piece(call, read, one)


def _device(call: Call, read: Read, device: Device, service_point_id: int | None) -> Card:
    custody, holder = _held(call, device)
    order = open_order(call, device.uid)
    invitation, progress = _enrolling(call, device)
    here = service_point_id in (None, device.service_point_id)
    repair = open_repair(call, device)
    standing = _standing(call, device, custody, holder, order, progress, here=here)
    in_transit = device.person_id is None and transfer_of(call, device) is not None
    found = steps(replace(standing, repair=repair is not None, in_transit=in_transit))
    return Card(
        CardKind.DEVICE,
        read.text,
        found.next,
        found.others,
        title=device.label,
        detail=device.product,
        state=device.state,
        holder=holder,
        device=device,
        custody=custody,
        kit=kit_of(call, [custody.id]).get(custody.id, ()) if custody else (),
        locks=locks.light_of(call, device) if holder is not None else None,
        order=order,
        invitation=invitation,
        progress=progress,
        repair=repair,
        warnings=tuple(_warnings(call, holder, here=here)),
    )


def _held(call: Call, device: Device) -> tuple[Custody | None, Person | None]:
    """Who has a device, and since which hand-over."""
    if device.person_id is None:
        return None, None
    row = call.session.execute(
        select(Person, Custody)
        .outerjoin(Custody, and_(Custody.device_id == device.id, Custody.to_at.is_(None)))
        .where(Person.id == device.person_id)
    ).one()
    return row[1], row[0]


def _standing(
    call: Call,
    device: Device,
    custody: Custody | None,
    holder: Person | None,
    order: Order | None,
    progress: Progress | None,
    *,
    here: bool,
) -> Standing:
    return Standing(
        state=LifeCycle(device.state),
        platform=device.platform,
        ownership=device.ownership,
        holder=holder.name if holder else "",
        here=here,
        wipeable=device.ownership != Ownership.PRIVATE and device.enrolled_at is not None and bool(device.key_digest),
        wiping=order is not None,
        arriving=progress is not None,
        overdue=custody is not None and custody.due_at is not None and custody.due_at < call.now,
    )


def _enrolling(call: Call, device: Device) -> tuple[Invitation | None, Progress | None]:
    """The newest invitation for this device, and how far it is; nothing for one that is old, withdrawn or green."""
    if device.person_id is None:
        return None, None
    found = call.session.scalar(
        select(Invitation)
        .where(
            Invitation.device_id == device.id,
            Invitation.created_at > call.now - ARRIVING,
            Invitation.withdrawn_at.is_(None),
        )
        .order_by(Invitation.id.desc())
        .limit(1)
    )
    if found is None or found.person_id != device.person_id:
        return None, None
    progress = invitation_progress(call.session, found, call.now)
    return (None, None) if progress.green else (found, progress)


def _warnings(call: Call, holder: Person | None, *, here: bool) -> list[Sentence]:
    told = []
    if not here:
        told.append(Sentence(N_("It stands at another of your places in the books.")))
    if holder is not None and holder.left_on is not None and holder.left_on <= call.now.date():
        told.append(
            Sentence(
                N_("%(name)s left on %(day)s. Take in everything that is still out."),
                {"name": holder.name, "day": holder.left_on.isoformat()},
            )
        )
    return told


def _person(call: Call, read: Read, person: Person) -> Card:
    held = tuple(held_by(call, person.id))
    gone = person.left_on is not None and person.left_on <= call.now.date()
    named = {"name": person.name}
    if gone:
        do = Do.TAKE_IN if held else Do.NONE
        found = Steps(Step(do, Sentence(N_("%(name)s has left: nothing more is handed out."), named)))
    else:
        back = (Step(Do.TAKE_IN, Sentence(N_("Something comes back."))),) if held else ()
        found = Steps(Step(Do.HAND_OUT, Sentence(N_("Scan what %(name)s gets."), named)), back)
    return Card(
        CardKind.PERSON,
        read.text,
        found.next,
        found.others,
        title=person.name,
        detail=person.number or person.email or "",
        holder=person,
        held=held,
        warnings=tuple(_warnings(call, person if gone else None, here=True)),
    )


def _piece(call: Call, read: Read, piece: KitPiece) -> Card:
    kind = call.session.get_one(KitKind, piece.kind_id)
    # Whose it is may be told to whoever may see the piece: it lies at their counter.
    holder = call.session.get(Person, piece.person_id) if piece.person_id is not None else None
    if holder is not None:
        step = Step(Do.TAKE_PIECE, Sentence(N_("%(holder)s has it."), {"holder": holder.name}))
    else:
        step = Step(Do.HAND_OUT, Sentence(N_("It is in stock.")))
    title = f"{name_of(kind, call.actor.language)} {piece.code}"
    return Card(CardKind.PIECE, read.text, step, title=title, state=piece.state, holder=holder, piece=piece)


def _shelf(read: Read, shelf: Shelf) -> Card:
    why = Sentence(N_("Scan what lies on it, or what you put on it."))
    return Card(CardKind.SHELF, read.text, Step(Do.SHELVE, why), title=shelf.name, detail=shelf.note, shelf=shelf)


def _nothing(call: Call, read: Read) -> Card:
    if read.bad_check:
        return _unknown(read, N_("This looks like an IMEI, but its check digit is wrong. Scan it once more."))
    presence = codes.presence(read.text)
    if presence is not None:
        why = N_("This looks like the code that a device shows to be wiped. Scan the device first, then type the code.")
        return Card(CardKind.PRESENCE, presence, Step(Do.NONE, Sentence(why)))
    words = _by_words(call, read.text)
    if len(words) == 1:
        return _card(call, read, words[0], None)
    if words:
        return _several(read, words, N_("Choose one, or type more of it."))
    if codes.iccid(read.text):
        why = N_(
            "This is a SIM card that nobody has recorded yet. Scan the person or the device it goes to, then the card."
        )
        return Card(CardKind.UNKNOWN, read.text, Step(Do.HAND_OUT, Sentence(why)))
    return _unknown(
        read,
        N_("Nothing at your service points has this code. Scan it once more; if it is another place's, ask there."),
    )


def _by_words(call: Call, text: str) -> list[Thing]:
    if len(text) < 2 or (not any(character.isalpha() for character in text) and len(text) < devices.TAIL):
        return []
    found: list[Thing] = []
    found += people.people(call, people.Filters(search=text), limit=MOST)
    if call.actor.may_somewhere(Permission.DEVICE_VIEW):
        found += devices.suggestions(call, text, limit=MOST)
    return found[: MOST * 2]


def _several(read: Read, found: Sequence[Thing], why: str) -> Card:
    choices = tuple(_choice(one) for one in found)
    return Card(CardKind.SEVERAL, read.text, Step(Do.NONE, Sentence(why)), choices=choices)


def _choice(one: Thing) -> Choice:
    if isinstance(one, Device):
        return Choice(CardKind.DEVICE, one.uid, one.label, one.product)
    if isinstance(one, Person):
        return Choice(CardKind.PERSON, f"{PERSON}{one.id}", one.name, one.number or "")
    if isinstance(one, Shelf):
        return Choice(CardKind.SHELF, one.code, one.name)
    return Choice(CardKind.PIECE, one.code, one.code)


def _unknown(read: Read, why: str) -> Card:
    return Card(CardKind.UNKNOWN, read.text, Step(Do.NONE, Sentence(why)))
