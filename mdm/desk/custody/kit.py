"""What goes with a device: kinds of things, and the pieces that have a number of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError
from mdm.core.permissions import Permission, Where
from mdm.core.text import clean
from mdm.desk.custody import codes
from mdm.desk.custody.model import KitKind, KitPiece, PieceState
from mdm.desk.custody.once import insert_once
from mdm.storage.call import Call
from mdm.storage.scoping import within
from mdm.storage.unique import flush_unique

MAX_LINES: Final = 20
"""Lines of kit that go with one device."""
MAX_QUANTITY: Final = 50


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind as the product ships it."""

    code: str
    names: Mapping[str, str]
    numbered: bool = False
    returned: bool = True


SHIPPED: Final = (
    Kind("sim", {"en": "SIM card", "nl": "Simkaart", "fr": "Carte SIM"}, numbered=True),
    Kind("charger", {"en": "Charger", "nl": "Lader", "fr": "Chargeur"}),
    Kind("cable", {"en": "Cable", "nl": "Kabel", "fr": "Câble"}),
    Kind("case", {"en": "Case", "nl": "Hoesje", "fr": "Étui"}),
    Kind(
        "screen_protector", {"en": "Screen protector", "nl": "Schermfolie", "fr": "Protection d'écran"}, returned=False
    ),
    Kind("headset", {"en": "Headset", "nl": "Oortjes", "fr": "Écouteurs"}),
    Kind("stylus", {"en": "Stylus", "nl": "Stylus", "fr": "Stylet"}),
    Kind("bag", {"en": "Bag", "nl": "Tas", "fr": "Sacoche"}),
    Kind("dock", {"en": "Docking station", "nl": "Dockingstation", "fr": "Station d'accueil"}, numbered=True),
)
"""What a phone, a tablet or a laptop usually comes with. A city adds its own kinds."""


@dataclass(frozen=True, slots=True)
class KitGiven:
    """One line of what is handed out: a numbered piece by ``code``, or ``quantity`` of a ``kind``.

    A piece that nobody has recorded yet needs its ``kind`` too; a SIM card is known by its ICCID.
    """

    kind: str = ""
    code: str = ""
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Given:
    """A line that was found to be right: its kind, its piece where it has one, how many."""

    kind: KitKind
    piece: KitPiece | None
    quantity: int


def kinds(call: Call) -> Sequence[KitKind]:
    """The kinds in use, in their order. The shipped ones become rows when the first is needed."""
    query = select(KitKind).where(KitKind.retired_at.is_(None)).order_by(KitKind.position, KitKind.id)
    return call.session.scalars(query).all()


def shipped_kinds(call: Call) -> Sequence[KitKind]:
    """``kinds``, after the shipped ones were written where no kind is there at all. Twice is like once."""
    if call.session.scalar(select(KitKind.id).limit(1)) is None:
        rows = [
            {
                "code": kind.code,
                "names": dict(kind.names),
                "numbered": kind.numbered,
                "returned": kind.returned,
                "position": position,
                "created_at": call.now,
            }
            for position, kind in enumerate(SHIPPED)
        ]
        insert_once(call, KitKind, ("code",), rows)
    return kinds(call)


def name_of(kind: KitKind | Kind, language: str) -> str:
    """What people who speak this language call it."""
    return str(kind.names.get(language) or kind.names["en"])


def offered(call: Call, language: str) -> list[tuple[str, str, bool]]:
    """Code, name and whether it is numbered, of every kind that can be handed out; also before any is a row."""
    rows: Sequence[KitKind | Kind] = kinds(call) or SHIPPED
    return [(row.code, name_of(row, language), row.numbered) for row in rows]


def save_kind(
    call: Call, code: str, names: Mapping[str, str], *, numbered: bool = False, returned: bool = True
) -> KitKind:
    """Makes a kind, or changes the one with this code. Raises InvalidError without a code or an English name."""
    require(call.actor, Permission.ORG_MANAGE)
    shipped_kinds(call)
    written = clean(code, 32).lower().replace(" ", "_")
    named = {language: clean(names.get(language, ""), 64) for language in ("en", "nl", "fr")}
    if not written or not named["en"]:
        sentence = N_("A kind needs a code and an English name.")
        raise InvalidError(sentence, fields={"code": sentence})
    row = call.session.scalar(select(KitKind).where(KitKind.code == written))
    if row is None:
        row = KitKind(code=written, position=1000, created_at=call.now)
        call.session.add(row)
    row.names = {language: name for language, name in named.items() if name}
    row.numbered, row.returned, row.retired_at = numbered, returned, None
    flush_unique(call.session, ConflictError(N_("This kind was made at this moment. Nothing was saved."), code="stale"))
    audit.record(call, "kit_kind.saved", ("kit_kind", row.id), name=row.names["en"], details={"code": written})
    return row


def piece(call: Call, code: str) -> KitPiece | None:
    """The piece with this code at one of the actor's places; None for one that is not there, or not the actor's."""
    return call.session.scalar(
        select(KitPiece).where(
            KitPiece.code.in_(codes.spellings(code)),
            within(call.actor.scope(Permission.DESK_VIEW), KitPiece.service_point_id, KitPiece.unit_id),
        )
    )


def pieces_of(call: Call, person_id: int) -> Sequence[KitPiece]:
    """The numbered pieces that one person holds, as far as the actor may see them."""
    return call.session.scalars(
        select(KitPiece)
        .where(
            KitPiece.person_id == person_id,
            within(call.actor.scope(Permission.DESK_VIEW), KitPiece.service_point_id, KitPiece.unit_id),
        )
        .order_by(KitPiece.id)
    ).all()


def resolve(call: Call, lines: Sequence[KitGiven], place: Where, *, person_id: int) -> list[Given]:
    """What these lines mean; double scans of one piece count once, equal kinds are added up.

    Raises InvalidError for an unknown kind or a piece without one, ConflictError (``kit_taken``) for a piece that somebody
    else has. A piece that is new is recorded at this place.
    """
    if len(lines) > MAX_LINES:
        raise _wrong(N_("At most %(most)s lines go with one device. Nothing was done."), most=MAX_LINES)
    by_code = {row.code: row for row in shipped_kinds(call)} if lines else {}
    counted: dict[str, int] = {}
    found: dict[str, Given] = {}
    for line in lines:
        code = clean(line.code, 64)
        if not code:
            kind = _kind(by_code, line.kind)
            if not 1 <= line.quantity <= MAX_QUANTITY:
                raise _wrong(N_("A quantity is 1 to %(most)s. Nothing was done."), most=MAX_QUANTITY)
            counted[kind.code] = counted.get(kind.code, 0) + line.quantity
            continue
        one = piece(call, code) or _record(call, code, by_code, line.kind, place)
        _free(one, person_id)
        found[one.code] = Given(call.session.get_one(KitKind, one.kind_id), one, 1)
    return [*found.values(), *(Given(by_code[kind], None, number) for kind, number in counted.items())]


def _kind(by_code: Mapping[str, KitKind], code: str) -> KitKind:
    kind = by_code.get(clean(code, 32).lower())
    if kind is None:
        raise _wrong(N_("There is no kind of kit called %(value)s. Nothing was done."), value=clean(code, 32) or "-")
    return kind


def _record(call: Call, code: str, by_code: Mapping[str, KitKind], kind_code: str, place: Where) -> KitPiece:
    sim = codes.iccid(code)
    if not kind_code and sim is None:
        raise _wrong(
            N_("No piece with the code %(value)s is known here. Nothing was done; say what kind of thing it is."),
            value=code,
        )
    kind = _kind(by_code, kind_code or "sim")
    require(call.actor, Permission.DESK_WORK, place)
    row = KitPiece(
        kind_id=kind.id, code=sim or code, service_point_id=place.service_point_id, unit_id=None, created_at=call.now
    )
    row.state = PieceState.IN_STOCK.value
    call.session.add(row)
    # Another place may have a piece with this code: that is all that is told of it.
    flush_unique(call.session, _piece_taken(code))
    audit.record(
        call, "kit_piece.recorded", ("kit_piece", row.id), name=row.code, where=place, details={"kind": kind.code}
    )
    return row


def _piece_taken(code: str) -> ConflictError:
    return ConflictError(
        N_("Another piece has the code %(value)s. Nothing was done; look at the label."), code="kit_taken", value=code
    )


def _free(one: KitPiece, person_id: int) -> None:
    if one.state == PieceState.RETIRED or (one.person_id is not None and one.person_id != person_id):
        raise ConflictError(
            N_("The piece %(value)s is in somebody else's name, or out of use. Nothing was done; take it in first."),
            code="kit_taken",
            value=one.code,
        )


def _wrong(sentence: str, **params: object) -> InvalidError:
    return InvalidError(sentence, fields={"kit": sentence % params}, code="kit_wrong", **params)
