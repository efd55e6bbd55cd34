"""The city's side of ambassadors: who they are, how much they are asked, and when one stops."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.guidance import questions
from mdm.guidance.model import Ambassador, Question, QuestionState
from mdm.guidance.quests import see
from mdm.org.model import ServicePoint, Unit
from mdm.people import queries as people
from mdm.people.model import LANGUAGES, Person
from mdm.storage.call import Call
from mdm.storage.scoping import within
from mdm.storage.unique import flush_unique

SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class Line:
    """One ambassador with counts of what they were asked; never with the questions, which are between the two."""

    ambassador: Ambassador
    person: Person
    asked: int
    waiting: int
    answered: int
    handed: int


def ambassadors(call: Call) -> list[Line]:
    """The ambassadors at the actor's places, those who still help first, by name."""
    see(call)
    rows = call.session.execute(
        select(Ambassador, Person)
        .join(Person, Person.id == Ambassador.person_id)
        .where(within(call.actor.scope(Permission.GUIDANCE_VIEW), Person.service_point_id, Person.unit_id))
        .order_by(Ambassador.ended_at.is_not(None), Person.name, Ambassador.id)
        .limit(SHOWN)
    ).all()
    counts: dict[int, dict[str, int]] = {}
    query = (
        select(Question.ambassador_id, Question.state, func.count())
        .where(Question.ambassador_id.in_([row[0].id for row in rows]))
        .group_by(Question.ambassador_id, Question.state)
    )
    for number, state, count in call.session.execute(query):
        counts.setdefault(number, {})[state] = count
    found = []
    for one, person in rows:
        by = counts.get(one.id, {})
        waits = by.get(QuestionState.ASKED, 0) + by.get(QuestionState.TAKEN, 0)
        answered, handed = by.get(QuestionState.ANSWERED, 0), by.get(QuestionState.HANDED, 0)
        found.append(Line(one, person, sum(by.values()), waits, answered, handed))
    return found


def name(
    call: Call,
    who: str,
    *,
    languages: Sequence[str],
    about: str = "",
    service_point_id: int | None = None,
    unit_id: int | None = None,
) -> Ambassador:
    """Makes somebody an ambassador, or one again; colleagues see them from when they agree on their own page.

    ``who`` is an e-mail address or a personnel number. Raises NotFoundError, InvalidError, ConflictError for one who is one.
    """
    require(call.actor, Permission.GUIDANCE_MANAGE)
    spoken = list(dict.fromkeys(languages))
    if not spoken or not set(spoken) <= set(LANGUAGES):
        sentence = N_("Choose at least one language.")
        raise InvalidError(sentence, fields={"languages": sentence})
    _check_place(call, service_point_id, unit_id)
    person = people.person_by_email(call, who) if "@" in who else people.person_by_number(call, who)
    if person.left_on is not None and person.left_on <= call.now.date():
        raise ConflictError(N_("%(name)s has left. Nothing was changed."), name=person.name)
    found = call.session.scalar(select(Ambassador).where(Ambassador.person_id == person.id))
    taken = ConflictError(N_("%(name)s is an ambassador already. Nothing was changed."), name=person.name)
    if found is not None and found.ended_at is None:
        raise taken
    if found is None:
        found = Ambassador(uid=new_uid(), person_id=person.id, languages=spoken, created_at=call.now)
        call.session.add(found)
    found.languages, found.about = spoken, clean(about, 255)
    found.service_point_id, found.unit_id = service_point_id, unit_id
    # Who begins again is asked again.
    found.ended_at = found.consent_at = None
    flush_unique(call.session, taken)
    _record(call, "ambassador.named", found, person)
    return found


def end(call: Call, uid: str) -> Ambassador:
    """Somebody is no ambassador any more; what waits for them goes to the desk. Twice is like once. NotFoundError without."""
    require(call.actor, Permission.GUIDANCE_MANAGE)
    row = call.session.execute(
        select(Ambassador, Person).join(Person, Person.id == Ambassador.person_id).where(Ambassador.uid == uid)
    ).first()
    if row is None:
        raise NotFoundError(N_("There is no such ambassador."))
    found, person = row
    if found.ended_at is None:
        found.ended_at = call.now
        _record(call, "ambassador.ended", found, person)
        questions.hand_over_all(call, found)
    return found


def _check_place(call: Call, service_point_id: int | None, unit_id: int | None) -> None:
    wrong: dict[str, str] = {}
    if service_point_id is not None and call.session.get(ServicePoint, service_point_id) is None:
        wrong["service_point"] = N_("Choose one from the list.")
    if unit_id is not None and call.session.get(Unit, unit_id) is None:
        wrong["unit"] = N_("Choose one from the list.")
    if wrong:
        raise InvalidError(N_("There is no such place. Nothing was changed."), fields=wrong)


def _record(call: Call, action: str, found: Ambassador, person: Person) -> None:
    audit.record(call, action, ("ambassador", found.uid), name=person.name, where=person.where)
