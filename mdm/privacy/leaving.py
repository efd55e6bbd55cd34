"""Records of people who left are erased by themselves: shown beforehand, never many at once, and kept longer where a law asks.

How long after their last day at work, the setting ``person_days`` says. A record is shown on the page of privacy for the days of
grace before it goes, also when the setting is made shorter or the product is new. What is open (a device, a case, a call for
help) is waited for, and so is a wipe of late; somebody with ``privacy:manage`` can have a record kept until a day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, func, or_, select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, InvalidError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.people import queries as people
from mdm.people.model import Person
from mdm.privacy import service
from mdm.privacy.holding import Reason, reasons
from mdm.privacy.model import Departure, Erasure
from mdm.storage.call import Call

GRACE: Final = timedelta(days=30)
"""So long a record is shown before it goes."""
FEW: Final = 20
SHARE: Final = 50
"""In one day at most ``FEW`` records, or one of ``SHARE`` of all, whichever is more: a wrong file must not empty a city."""
LONGEST: Final = timedelta(days=3653)
"""Nothing is kept longer than ten years by one decision."""


@dataclass(frozen=True, slots=True)
class Leaver:
    """Somebody whose record goes soon, or is kept longer; and why it cannot go now."""

    person: Person
    due_at: datetime | None
    kept_until: date | None
    kept_why: str
    kept_by: str
    waits: tuple[Reason, ...]


def note(call: Call, days: int) -> int:
    """Notes whose time is over within the days of grace; forgets that of who came back. How many are new. 0 days: nobody."""
    _forget_others(call, days)
    if not days:
        return 0
    today = call.now.date()
    rows = call.session.execute(
        select(Person, Departure)
        .outerjoin(Departure, Departure.person_id == Person.id)
        .where(_over(today - timedelta(days=days) + GRACE), Departure.due_at.is_(None), ~_erased())
        .order_by(Person.id)
        .limit(1000)
    ).all()
    for person, known in rows:
        over = datetime.combine((person.left_on or today) + timedelta(days=days), time(), UTC)
        found = known or Departure(person_id=person.id)
        found.due_at = max(over, call.now + GRACE)
        call.session.add(found)
    call.session.flush()
    return len(rows)


def _over(day: date) -> ColumnElement[bool]:
    return and_(Person.left_on.is_not(None), Person.left_on <= day)


def _erased() -> ColumnElement[bool]:
    return Person.id.in_(select(Erasure.person_id))


def _forget_others(call: Call, days: int) -> None:
    """Who is here again, left later than was thought, or is kept by a setting that was made longer."""
    before = call.now.date() - timedelta(days=days) + GRACE if days else date.min
    soon = select(Person.id).where(_over(before))
    known = call.session.scalars(
        select(Departure).where(Departure.due_at.is_not(None), Departure.person_id.not_in(soon))
    ).all()
    for one in known:
        one.due_at = None
        if one.kept_until is None:
            call.session.delete(one)
    call.session.flush()


def erase_due(call: Call, days: int) -> int:
    """Begins the erasure of those whose time is over and for whom nothing is waited for; how many. The worker goes on with it."""
    if not days:
        return 0
    left = _room(call)
    due = call.session.scalars(
        select(Person)
        .join(Departure, Departure.person_id == Person.id)
        .where(
            Departure.due_at <= call.now,
            or_(Departure.kept_until.is_(None), Departure.kept_until < call.now.date()),
            _over(call.now.date() - timedelta(days=days)),
            ~_erased(),
        )
        .order_by(Departure.due_at, Person.id)
    ).all()
    begun = 0
    for person in due:
        if begun >= left:
            break
        if not reasons(call, person, by_itself=True):
            service.begin(call, person, service.OVER, clean(call.actor.name))
            begun += 1
    return begun


def _room(call: Call) -> int:
    """How many may still be begun today."""
    begun = call.session.scalar(
        select(func.count()).where(Erasure.reason == service.OVER, Erasure.begun_at > call.now - timedelta(days=1))
    )
    everybody = call.session.scalar(select(func.count()).select_from(Person)) or 0
    return max(FEW, everybody // SHARE) - (begun or 0)


def listed(call: Call, limit: int = 200) -> Sequence[Leaver]:
    """Whose record goes soon or is kept longer, the next first. Raises DeniedError."""
    require(call.actor, Permission.PRIVACY_VIEW)
    rows = call.session.execute(
        select(Departure, Person)
        .join(Person, Person.id == Departure.person_id)
        .where(or_(Departure.due_at.is_not(None), Departure.kept_until >= call.now.date()), ~_erased())
        .order_by(Departure.due_at.is_(None), Departure.due_at, Person.id)
        .limit(limit)
    ).all()
    return [_leaver(call, found, person) for found, person in rows]


def of(call: Call, person: Person) -> Leaver | None:
    """What is noted of one person; None where nothing is. Raises DeniedError."""
    require(call.actor, Permission.PRIVACY_VIEW)
    found = call.session.get(Departure, person.id)
    return None if found is None else _leaver(call, found, person)


def _leaver(call: Call, found: Departure, person: Person) -> Leaver:
    waits = tuple(reasons(call, person, by_itself=True))
    return Leaver(person, found.due_at, found.kept_until, found.kept_why, found.kept_by, waits)


def keep_longer(call: Call, person_id: int, until: str, why: str) -> Departure:
    """Has a record kept until a day, that day included: nobody can erase it before. Again: the new day counts.

    Raises DeniedError, NotFoundError, InvalidError for a day that is none, has passed or is too far, and without a reason.
    """
    require(call.actor, Permission.PRIVACY_MANAGE)
    person = people.person(call, person_id)
    day, said = _day(call, until), clean(why, service.MAX_REASON)
    if not said:
        raise InvalidError(N_("Say why. Nothing was changed."), fields={"why": N_("Say why.")})
    found = call.session.get(Departure, person.id)
    if found is None:
        found = Departure(person_id=person.id)
        call.session.add(found)
    found.kept_until, found.kept_why, found.kept_by = day, said, clean(call.actor.name)
    audit.record(
        call, "person.kept", ("person", person.id), name=person.name, where=person.where,
        details={"until": day.isoformat(), "reason": said},
    )  # fmt: skip
    return found


def keep_no_longer(call: Call, person_id: int) -> None:
    """Takes that back; somebody whose record is not kept longer stays as they are. Raises DeniedError, NotFoundError."""
    require(call.actor, Permission.PRIVACY_MANAGE)
    person = people.person(call, person_id)
    found = call.session.get(Departure, person.id)
    if found is None or found.kept_until is None:
        return
    found.kept_until, found.kept_why, found.kept_by = None, "", ""
    if found.due_at is not None:
        # Whoever reads the page must have the time to see that it goes after all.
        found.due_at = max(found.due_at, call.now + timedelta(days=1))
    audit.record(call, "person.kept_no_longer", ("person", person.id), name=person.name, where=person.where)


def _day(call: Call, written: str) -> date:
    try:
        day = date.fromisoformat(written.strip())
    except ValueError:
        day = date.min
    if not call.now.date() < day <= (call.now + LONGEST).date():
        sentence = N_("Choose a day after today, within ten years.")
        raise InvalidError(
            N_("Choose a day after today, within ten years. Nothing was changed."), fields={"until": sentence}
        )
    return day
