"""Taking in: a device and its kit back over the counter, as it looks now, locked or not, and wiped when it proves itself."""

from sqlalchemy import select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, InvalidError, NotFoundError
from mdm.core.permissions import Permission, Where
from mdm.core.text import clean
from mdm.desk.custody import agreement, kit, locks, papers, photos, signing
from mdm.desk.custody.agreement import Coming
from mdm.desk.custody.asked import Seen, TakeIn, TakenIn
from mdm.desk.custody.handing import on_paper
from mdm.desk.custody.model import Custody, KitLine, KitPiece, Paper, PaperKind, PieceState, Signature
from mdm.desk.custody.standing_in import stand_down
from mdm.desk.repairs import service as repairs
from mdm.desk.stock import service as stock
from mdm.desk.stock.queries import shelf_by_code
from mdm.inventory import queries as devices
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, LifeCycle
from mdm.orders import service as orders
from mdm.orders.model import Lane, Order
from mdm.storage.call import Call

REASON = "Handed in at the counter"
"""Why the device is wiped; stands in the order and its receipt."""


def ask_signature(call: Call, wanted: TakeIn) -> tuple[Signature, str]:
    """Asks the person to sign for this take-in on their own phone, as ``handing.ask_signature``. Raises as ``take_in``."""
    ready = agreement.coming(call, wanted)
    return signing.ask(call, ready.content, ready.person, wanted.where)


def take_in(call: Call, wanted: TakeIn) -> TakenIn:
    """Takes one device in: custody ended, kit counted, condition and locks kept, paper written, wipe asked for.

    All or nothing. A signature may be missing: who brings it is not always who had it. The same ``key`` again changes
    nothing (``again``). With ``presence`` the wipe goes the hand-in lane: raises what ``orders.request_wipe`` raises, and
    nothing is taken in then. Raises as ``agreement.coming`` and ``signing.take``.
    """
    before = papers.by_key(call, wanted.key, PaperKind.TAKE_IN, wanted.device)
    if before is not None:
        return TakenIn(before, closed_by(call, before), again=True)
    ready = agreement.coming(call, wanted)
    signature = None
    if wanted.signed is not None:
        signature = signing.take(call, ready.content, ready.person, wanted.where, wanted.signed)
    order = wipe(call, ready, wanted.presence)
    paper = papers.write(
        call,
        PaperKind.TAKE_IN,
        wanted.where,
        on_paper({**ready.content, "wipe": order.id if order else ""}, ""),
        person=ready.person,
        key=wanted.key,
        language=ready.person.language,
        signature=signature,
    )
    take_back(call, ready, wanted.seen, wanted.service_point_id, paper)
    repair = repairs.open(call, ready.device, faults=wanted.faults, note=wanted.seen.note) if wanted.faults else None
    if wanted.shelf and repair is None:
        stock.shelve(call, ready.device, shelf_by_code(call, wanted.shelf))
    audit.record(
        call,
        "desk.taken_in",
        ("paper", paper.uid),
        name=paper.number,
        where=wanted.where,
        details=said(ready, order),
    )
    return TakenIn(paper, ready.custody, order, repair)


def wipe(call: Call, ready: Coming, presence: str) -> Order | None:
    """Asks for the wipe in the hand-in lane, while the device is still in the person's name, so that they are told."""
    if not presence.strip():
        return None
    return orders.request_wipe(call, ready.device.uid, REASON, lane=Lane.HAND_IN, presence=presence)


def take_back(call: Call, ready: Coming, seen: Seen, service_point_id: int, paper: Paper | None) -> None:
    """Writes what was checked: the locks as they show now, custody, kit, pictures, holder."""
    custody, device = ready.custody, ready.device
    light = locks.light_of(call, device)
    custody.light, custody.locks = light.colour.value, [one.code for one in light.findings]
    custody.condition, custody.condition_note = seen.condition.value, clean(seen.note, 2000, lines=True)
    custody.to_at, custody.in_by, custody.back_at_id = call.now, call.actor.name, service_point_id
    custody.in_paper_id = paper.id if paper else None
    stand_down(call, custody, device)
    _kit_back(call, ready, service_point_id)
    photos.attach(call, seen.photos, custody)
    inventory.take_back(call, device.uid, service_point_id, reason=custody.condition_note)
    call.session.flush()


def make_ready(call: Call, device_uid: str, shelf: str = "") -> Device:
    """A wiped device is stock again, on this shelf where one is named; one that is stock already is only put there.

    Raises ConflictError (``not_wiped``) while somebody's data may be on it, NotFoundError for an unknown shelf.
    """
    device = devices.device_by_uid(call, device_uid)
    require(call.actor, Permission.DESK_WORK, device.where)
    if device.state == LifeCycle.RETURNED:
        raise agreement.not_wiped(device)
    inventory.move(call, device.uid, LifeCycle.IN_STOCK)
    return stock.shelve(call, device, shelf_by_code(call, shelf)) if shelf else device


def take_piece(call: Call, code: str, service_point_id: int) -> KitPiece:
    """Takes one piece of a kit back without its device; one that nobody has stays as it is."""
    where = Where(service_point_id)
    require(call.actor, Permission.DESK_WORK, where)
    piece = kit.piece(call, code)
    if piece is None:
        raise NotFoundError(N_("There is no such piece, or it is not one of yours."))
    if piece.person_id is None:
        return piece
    line = call.session.scalar(
        select(KitLine)
        .where(KitLine.piece_id == piece.id, KitLine.returned < KitLine.quantity)
        .order_by(KitLine.id.desc())
        .limit(1)
    )
    if line is not None:
        line.returned, line.missing, line.returned_at = line.quantity, 0, call.now
    details = {"person": piece.person_id}
    piece.person_id, piece.unit_id, piece.state = None, None, PieceState.IN_STOCK.value
    piece.service_point_id = service_point_id
    audit.record(call, "kit_piece.taken_in", ("kit_piece", piece.id), name=piece.code, where=where, details=details)
    return piece


def erased_by_hand(call: Call, device_uid: str, how: str) -> None:
    """Notes that somebody erased a returned device by hand, and looked: it can go on the shelf from then on.

    For devices that cannot prove their presence. Raises ConflictError (``life_cycle``) in any other state.
    """
    device = devices.device_by_uid(call, device_uid)
    require(call.actor, Permission.DESK_WORK, device.where)
    told = clean(how, 200)
    if not told:
        sentence = N_("Say how it was erased. Nothing was changed.")
        raise InvalidError(sentence, fields={"how": sentence}, code="reason_missing")
    inventory.move(call, device.uid, LifeCycle.WIPED, reason=told)


def closed_by(call: Call, paper: Paper) -> Custody:
    """The custody that this paper ended."""
    return call.session.scalars(select(Custody).where(Custody.in_paper_id == paper.id).limit(1)).one()


def said(ready: Coming, order: Order | None) -> dict[str, object]:
    """What the diary says of a take-in."""
    return {
        "device": ready.device.uid,
        "person": ready.person.id,
        "condition": ready.custody.condition,
        "light": ready.custody.light,
        "missing": [line.piece.code if line.piece else line.kind.code for line in ready.lines or () if line.lacking],
        "order": order.id if order else "",
    }


def _kit_back(call: Call, ready: Coming, service_point_id: int) -> None:
    for line in ready.lines or ():
        line.row.returned += line.back
        line.row.missing = line.row.quantity - line.row.returned
        if line.row.missing == 0:
            line.row.returned_at = call.now
        if line.piece is None:
            continue
        if line.row.missing:
            # It stays in the person's name: whoever leaves is asked for it.
            line.piece.state = PieceState.MISSING.value
        elif line.back:
            line.piece.state, line.piece.person_id, line.piece.unit_id = PieceState.IN_STOCK.value, None, None
            line.piece.service_point_id = service_point_id
