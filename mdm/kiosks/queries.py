"""Reads of set-ups: at the actor's places only, by ``kiosk:bootstrap``."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select

from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.enrollment.model import Invitation
from mdm.inventory.model import Device
from mdm.kiosks.model import OPEN, KioskSetup, State
from mdm.org.model import ServicePoint
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.scoping import within

PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One set-up with the names that people know; ``device`` is what it became."""

    row: KioskSetup
    point: ServicePoint
    person: Person
    device: Device | None


def _visible(call: Call) -> Select[KioskSetup]:
    scope = call.actor.scope(Permission.KIOSK_BOOTSTRAP)
    return select(KioskSetup).where(within(scope, KioskSetup.service_point_id, None))


def setup(call: Call, uid: str, *, lock: bool = False) -> KioskSetup:
    """One set-up; NotFoundError when it is not there or not at one of the actor's places."""
    query = _visible(call).where(KioskSetup.uid == uid)
    found = call.session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFoundError(N_("There is no such set-up of a kiosk, or it is not at one of your places."))
    return found


def line(call: Call, uid: str) -> Line:
    """The same with names."""
    found = setup(call, uid)
    return next(iter(_lines(call, _visible(call).where(KioskSetup.id == found.id))))


def setups(call: Call, *, batch: str = "", before: int | None = None, limit: int = PAGE) -> Sequence[Line]:
    """Set-ups, the newest first; of one file in the order of its rows. ``before`` is the last number of the page before."""
    query = _visible(call)
    if batch:
        return _lines(call, query.where(KioskSetup.batch == batch).order_by(KioskSetup.row_number, KioskSetup.id))
    if before is not None:
        query = query.where(KioskSetup.id < before)
    return _lines(call, query.order_by(KioskSetup.id.desc()).limit(limit))


def _lines(call: Call, query: Select[KioskSetup]) -> Sequence[Line]:
    rows = call.session.execute(
        query.join(ServicePoint, ServicePoint.id == KioskSetup.service_point_id)
        .join(Person, Person.id == KioskSetup.person_id)
        .outerjoin(Invitation, Invitation.id == KioskSetup.invitation_id)
        .outerjoin(Device, Device.id == Invitation.device_id)
        .add_columns(ServicePoint, Person, Device)
    )
    return [Line(row[0], row[1], row[2], row[3]) for row in rows]


def counts(call: Call, batch: str = "") -> Counter[str]:
    """How many set-ups are in each state; of one file, or of all."""
    scope = call.actor.scope(Permission.KIOSK_BOOTSTRAP)
    query = select(KioskSetup.state, func.count()).where(within(scope, KioskSetup.service_point_id, None))
    if batch:
        query = query.where(KioskSetup.batch == batch)
    return Counter({row[0]: row[1] for row in call.session.execute(query.group_by(KioskSetup.state))})


def any_open(found: Counter[str]) -> bool:
    """Whether something of it is still to be done."""
    return any(found[State(state).value] for state in OPEN)
