"""What is about to change hands, found to be right: rows locked, refusals said, and the words that are signed.

The same words are built when a signature is asked for and when it is taken; a signature is bound to their digest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from mdm.core.actor import require
from mdm.core.clock import iso
from mdm.core.errors import N_, ConflictError, InvalidError
from mdm.core.permissions import Permission, Where
from mdm.core.text import clean
from mdm.desk.custody import kit as kits
from mdm.desk.custody import terms
from mdm.desk.custody.asked import HandOut, KitBack, Seen, Swap, TakeIn
from mdm.desk.custody.follow import follow, locked
from mdm.desk.custody.kit import Given, name_of
from mdm.desk.custody.model import Condition, Custody, KitKind, KitLine, KitPiece
from mdm.desk.custody.terms import Text
from mdm.desk.stock.queries import transfer_of
from mdm.inventory import lifecycle
from mdm.inventory import queries as devices
from mdm.inventory.model import Device, LifeCycle, Ownership
from mdm.org.model import ServicePoint
from mdm.people import queries as people
from mdm.people.model import Person
from mdm.storage.call import Call

MAX_DEVICES = 20
Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Going:
    """What goes out: to whom, which devices, which kit, on which terms."""

    person: Person
    devices: tuple[Device, ...]
    held: frozenset[int]
    """Row ids of those that the person has already."""
    kit: tuple[Given, ...]
    terms: Text
    content: Content


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the kit that came along, and how many of it are back now."""

    row: KitLine
    kind: KitKind
    piece: KitPiece | None
    back: int

    @property
    def lacking(self) -> int:
        """How many of it are still out."""
        return self.row.quantity - self.row.returned - self.back


@dataclass(frozen=True, slots=True)
class Coming:
    """What comes back: whose, which device, how it looks, what of the kit."""

    person: Person
    device: Device
    custody: Custody
    lines: tuple[Line, ...] | None
    content: Content


def going(call: Call, wanted: HandOut) -> Going:
    """Checks a hand-out and locks its devices. Raises NotFoundError, DeniedError, InvalidError and ConflictError:

    ``person_left``, ``device_held`` (somebody else has it), ``device_private``, ``not_wiped``, ``life_cycle``, ``kit_taken``.
    """
    require(call.actor, Permission.DESK_WORK, wanted.where)
    person = receiver(call, wanted.person_id)
    uids = list(dict.fromkeys(wanted.devices))
    if not 1 <= len(uids) <= MAX_DEVICES:
        sentence = N_("Scan at least one device, and at most twenty. Nothing was handed out.")
        raise InvalidError(sentence, fields={"devices": sentence}, code="devices_wrong")
    rows = [devices.device_by_uid(call, uid) for uid in uids]
    # Always in the same order: two clerks with the same two devices wait for each other, and never for ever.
    found = {row.id: locked(call, row.id) for row in sorted(rows, key=lambda row: row.id)}
    state = LifeCycle.ON_LOAN if wanted.loan else LifeCycle.HANDED_OUT
    held = frozenset(number for number, row in found.items() if _has(call, row, person))
    for number, row in found.items():
        require(call.actor, Permission.DESK_WORK, row.where)
        if number not in held:
            free(call, row, state)
    given = kits.resolve(call, wanted.kit, wanted.where, person_id=person.id)
    text = terms.now(call, person.language)
    ordered = tuple(found[row.id] for row in rows)
    content = {
        "kind": "hand_out",
        **_head(call, person, wanted.where),
        "devices": [named(row) for row in ordered],
        "kit": kit_named(given, text.language),
        "loan": wanted.loan,
        "due": iso(wanted.due_at) if wanted.due_at else "",
        "note": clean(wanted.note, 500, lines=True),
        "terms": _terms(text),
    }
    return Going(person, ordered, held, tuple(given), text, content)


def coming(call: Call, wanted: TakeIn) -> Coming:
    """Checks a take-in and locks its device. Raises NotFoundError, DeniedError, InvalidError and ConflictError:

    ``not_out`` (nobody has it), ``custody_changed`` (somebody else has it than the clerk saw), ``kit_wrong``.
    """
    require(call.actor, Permission.DESK_WORK, wanted.where)
    device = locked(call, devices.device_by_uid(call, wanted.device).id)
    require(call.actor, Permission.DESK_WORK, device.where)
    custody = follow(call, device)
    if custody is None:
        raise not_out(call, device)
    if wanted.custody and wanted.custody != custody.uid:
        raise ConflictError(
            N_("Somebody else did something with %(device)s meanwhile: %(holder)s has it now. Nothing was done."),
            code="custody_changed",
            device=device.label,
            holder=custody.person_name,
        )
    lifecycle.check(LifeCycle(device.state), LifeCycle.RETURNED)
    person = call.session.get_one(Person, custody.person_id)
    lines = None if wanted.kit is None else _lines(call, custody, wanted.kit)
    text = terms.now(call, person.language)
    content = {
        "kind": "take_in",
        **_head(call, person, wanted.where),
        "back": [{**named(device), **_seen(wanted.seen)}],
        "kit_back": _lines_named(lines, text.language),
        "note": clean(wanted.note, 500, lines=True),
    }
    return Coming(person, device, custody, lines, content)


def swapping(call: Call, wanted: Swap) -> tuple[Coming, Going]:
    """Checks both halves of a swap. Raises as ``coming`` and ``going``; InvalidError (``same_device``) for one device twice."""
    if wanted.broken == wanted.loaner:
        sentence = N_("The same device cannot come in and go out. Nothing was done; scan the other one.")
        raise InvalidError(sentence, fields={"loaner": sentence}, code="same_device")
    back = coming(
        call,
        TakeIn(
            wanted.broken,
            wanted.service_point_id,
            wanted.custody,
            wanted.seen,
            wanted.kit_back,
            wanted.presence,
        ),
    )
    out = going(
        call,
        HandOut(
            back.person.id,
            (wanted.loaner,),
            wanted.service_point_id,
            wanted.kit,
            wanted.loan,
            wanted.due_at,
            wanted.note,
        ),
    )
    content = {**out.content, "kind": "swap", "back": back.content["back"], "kit_back": back.content["kit_back"]}
    return back, Going(out.person, out.devices, out.held, out.kit, out.terms, content)


def receiver(call: Call, person_id: int) -> Person:
    """Somebody who may be given a device. NotFoundError as in ``people.queries``; ConflictError (``person_left``)."""
    person = people.person(call, person_id)
    if person.left_on is not None and person.left_on <= call.now.date():
        raise ConflictError(
            N_("%(name)s left on %(day)s. Nothing was handed out; take the person on again first."),
            code="person_left",
            name=person.name,
            day=person.left_on.isoformat(),
        )
    return person


def free(call: Call, device: Device, state: LifeCycle) -> None:
    """Nothing when this (locked) device can be given to somebody; raises ConflictError that says what must happen first."""
    if device.ownership == Ownership.PRIVATE:
        raise ConflictError(
            N_("%(device)s is somebody's private device: the desk does not hand it out. Nothing was changed."),
            code="device_private",
            device=device.label,
        )
    custody = follow(call, device)
    if custody is not None:
        raise ConflictError(
            N_("%(device)s is with %(holder)s since %(day)s. Nothing was handed out; take it in first."),
            code="device_held",
            device=device.label,
            holder=custody.person_name,
            day=custody.from_at.date().isoformat(),
        )
    if device.state == LifeCycle.RETURNED:
        raise not_wiped(device)
    if transfer_of(call, device) is not None:
        raise ConflictError(
            N_("%(device)s is on a transfer. Nothing was handed out; receive it first."),
            code="in_transit",
            device=device.label,
        )
    lifecycle.check(LifeCycle(device.state), state)


def not_wiped(device: Device) -> ConflictError:
    """The answer for a device that may still hold somebody's data."""
    return ConflictError(
        N_("%(device)s came back and is not wiped yet. Nothing was done; wipe it first."),
        code="not_wiped",
        device=device.label,
    )


def not_out(call: Call, device: Device) -> ConflictError:
    """The answer for a device that nobody has: since when, and who took it in."""
    last = call.session.scalar(
        select(Custody).where(Custody.device_id == device.id).order_by(Custody.id.desc()).limit(1)
    )
    if last is None or last.to_at is None:
        return ConflictError(
            N_("Nobody has %(device)s: it was never handed out. Nothing was changed."),
            code="not_out",
            device=device.label,
        )
    if not last.in_by:
        return ConflictError(
            N_("%(device)s is back already, since %(day)s. Nothing was changed."),
            code="not_out",
            device=device.label,
            day=last.to_at.date().isoformat(),
        )
    return ConflictError(
        N_("%(device)s is back already: %(clerk)s took it in on %(day)s. Nothing was changed."),
        code="not_out",
        device=device.label,
        clerk=last.in_by,
        day=last.to_at.date().isoformat(),
    )


def named(device: Device) -> Content:
    """A device as a paper names it for ever."""
    return {
        "uid": device.uid,
        "label": device.label,
        "product": device.product,
        "device_kind": device.kind,
        "tag": device.tag or "",
        "serial": device.serial or "",
        "imei": device.imei or "",
    }


def kit_named(given: Sequence[Given], language: str) -> list[Content]:
    """The kit as a paper names it."""
    return [
        {
            "kind": one.kind.code,
            "name": name_of(one.kind, language),
            "code": one.piece.code if one.piece else "",
            "quantity": one.quantity,
        }
        for one in given
    ]


def kit_lines(call: Call, custody_ids: Sequence[int]) -> list[Line]:
    """The kit that came along with these custodies, with nothing back now; in the order it was given. Not scoped."""
    rows = call.session.execute(
        select(KitLine, KitKind, KitPiece)
        .join(KitKind, KitKind.id == KitLine.kind_id)
        .outerjoin(KitPiece, KitPiece.id == KitLine.piece_id)
        .where(KitLine.custody_id.in_(custody_ids))
        .order_by(KitLine.id)
    )
    return [Line(line, kind, piece, 0) for line, kind, piece in rows]


def _lines(call: Call, custody: Custody, told: Sequence[KitBack]) -> tuple[Line, ...]:
    said = {one.line_id: one.returned for one in told}
    known = kit_lines(call, [custody.id])
    unknown = said.keys() - {line.row.id for line in known}
    wrong = [line for line in known if not 0 <= said.get(line.row.id, 0) <= line.row.quantity - line.row.returned]
    if unknown or wrong:
        sentence = N_("More came back than went out, or something else. Nothing was done; count once more.")
        raise InvalidError(sentence, fields={"kit": sentence}, code="kit_wrong")
    return tuple(Line(line.row, line.kind, line.piece, said.get(line.row.id, 0)) for line in known)


def _lines_named(lines: Sequence[Line] | None, language: str) -> list[Content]:
    return [
        {
            "kind": line.kind.code,
            "name": name_of(line.kind, language),
            "code": line.piece.code if line.piece else "",
            "returned": line.back,
            "missing": line.lacking,
        }
        for line in lines or ()
        if line.back or line.lacking
    ]


def _seen(seen: Seen) -> Content:
    return {
        "condition": Condition(seen.condition).value,
        "condition_note": clean(seen.note, 500, lines=True),
        "photos": len(seen.photos),
    }


def _has(call: Call, device: Device, person: Person) -> bool:
    custody = follow(call, device)
    return custody is not None and custody.person_id == person.id and device.state in lifecycle.WITH_HOLDER


def _head(call: Call, person: Person, where: Where) -> Content:
    named_person = {"id": person.id, "name": person.name, "number": person.number or ""}
    return {"person": named_person, "place": place(call, where)}


def place(call: Call, where: Where) -> Content:
    """The service point as a paper names it."""
    point = call.session.get_one(ServicePoint, where.service_point_id)
    return {"code": point.code, "name": point.name}


def _terms(text: Text) -> Mapping[str, str]:
    return {"language": text.language, "title": text.title, "text": text.text, "digest": text.digest}
