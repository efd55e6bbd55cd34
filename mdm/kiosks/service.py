"""Asking for kiosks to be set up, taking it back, trying again. Asks ``kiosk:bootstrap`` at the kiosk's place.

The work itself is done by a process of its own (``work.py``); nothing here speaks with a kiosk.
"""

from sqlalchemy import select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission, Where
from mdm.core.text import clean
from mdm.kiosks import queries
from mdm.kiosks.model import OPEN, KioskSetup, State, Step
from mdm.kiosks.wanted import Wanted
from mdm.org import queries as org
from mdm.org.model import ServicePoint
from mdm.people import service as people
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique


def place_of(call: Call, wanted: Wanted) -> ServicePoint:
    """The service point of a kiosk, once the actor may set kiosks up there and no other set-up is under way at its address.

    Raises NotFoundError, DeniedError, ConflictError (``service_point_closed``, ``kiosk_busy``). Writes nothing.
    """
    point = org.service_point_by_code(call, wanted.service_point)
    require(call.actor, Permission.KIOSK_BOOTSTRAP, Where(service_point_id=point.id))
    require(call.actor, Permission.ENROLLMENT_INVITE, Where(service_point_id=point.id))
    if point.closed_on is not None and point.closed_on <= call.now.date():
        raise ConflictError(
            N_("The service point %(name)s is closed. Nothing was begun."), code="service_point_closed", name=point.name
        )
    _check_free(call, wanted.host, wanted.port)
    return point


def _check_free(call: Call, host: str, port: int, but: int | None = None) -> None:
    same = select(KioskSetup.id).where(
        KioskSetup.host == host, KioskSetup.port == port, KioskSetup.state.in_(OPEN), KioskSetup.id.is_not(but)
    )
    if call.session.scalar(same) is not None:
        raise _busy(host, port)


def _busy(host: str, port: int) -> ConflictError:
    return ConflictError(
        N_("The kiosk at %(host)s port %(port)s is being set up already. Nothing was begun."),
        code="kiosk_busy",
        host=host,
        port=str(port),
    )


def begin(call: Call, wanted: Wanted, *, batch: str = "", row: int = 0) -> KioskSetup:
    """Has one kiosk set up. Refuses like ``place_of``; an unknown e-mail address becomes a person at that place."""
    point = place_of(call, wanted)
    person = people.ensure(call, wanted.email, service_point_id=point.id)
    made = KioskSetup(
        uid=new_uid(),
        batch=batch,
        row_number=row,
        name=wanted.name,
        host=wanted.host,
        port=wanted.port,
        account=wanted.account,
        host_key=wanted.host_key,
        sign_in=wanted.sign_in,
        root=wanted.root,
        service_point_id=point.id,
        person_id=person.id,
        log=[],
        created_at=call.now,
        created_by=clean(call.actor.name) or call.actor.kind.value,
        due_at=call.now,
    )
    call.session.add(made)
    flush_unique(call.session, _busy(made.host, made.port))
    _record(call, "kiosk_setup.asked", made, {"host": made.host, "port": made.port, "host_key": made.host_key[:100]})
    return made


def withdraw(call: Call, uid: str) -> KioskSetup:
    """Takes a set-up back; what was changed on the kiosk is put back first. Twice is like once.

    Raises ConflictError (``kiosk_finished``) for one that has ended otherwise.
    """
    row = queries.setup(call, uid, lock=True)
    require(call.actor, Permission.KIOSK_BOOTSTRAP, row.where)
    if row.state == State.WITHDRAWN or (row.state == State.UNDOING and row.problem == "withdrawn"):
        return row
    if not row.open:
        raise ConflictError(N_("This kiosk's set-up has ended already. Nothing was changed."), code="kiosk_finished")
    row.problem, row.sentence = "withdrawn", ""
    row.tries, row.due_at = 0, call.now
    if row.changed or row.state == State.RUNNING:
        row.state = State.UNDOING.value
    else:
        row.state, row.finished_at = State.WITHDRAWN.value, call.now
    _record(call, "kiosk_setup.withdrawn", row, {})
    return row


def again(call: Call, uid: str) -> KioskSetup:
    """Has a set-up that failed tried once more, from its first step. One that is open is not kept waiting.

    Raises ConflictError (``kiosk_finished``) for one that was done or withdrawn, ``kiosk_busy`` beside another one.
    """
    row = queries.setup(call, uid, lock=True)
    require(call.actor, Permission.KIOSK_BOOTSTRAP, row.where)
    if row.open:
        row.due_at = min(row.due_at, call.now)
        return row
    if row.state in (State.DONE, State.WITHDRAWN):
        raise ConflictError(N_("This kiosk's set-up has ended already. Nothing was changed."), code="kiosk_finished")
    _check_free(call, row.host, row.port, row.id)
    row.step = Step.CLOSE.value if row.state == State.ACCESS_LEFT else Step.REACH.value
    row.state, row.tries, row.due_at = State.WAITING.value, 0, call.now
    row.problem, row.sentence, row.finished_at = "", "", None
    flush_unique(call.session, _busy(row.host, row.port))
    _record(call, "kiosk_setup.again", row, {})
    return row


def begin_many(call: Call, found: list[tuple[int, Wanted]]) -> tuple[str, list[KioskSetup]]:
    """Has every kiosk of a file set up, all of them or none: the name of the batch, and what was begun."""
    batch = new_uid()
    return batch, [begin(call, wanted, batch=batch, row=line) for line, wanted in found]


def _record(call: Call, action: str, row: KioskSetup, details: dict[str, object]) -> None:
    audit.record(call, action, ("kiosk_setup", row.uid), name=row.name, where=row.where, details=details)
