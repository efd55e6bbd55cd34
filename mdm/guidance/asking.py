"""Ambassadors at the employee's own door: who can help me, my questions, and what an ambassador does with theirs."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import func, or_, select

from mdm.audit import service as audit
from mdm.core.errors import N_, InvalidError, LimitedError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.text import clean
from mdm.guidance import audience, questions
from mdm.guidance.letters import answered_letter, asked_letter
from mdm.guidance.model import Ambassador, Question, QuestionState
from mdm.inventory.model import Device
from mdm.outbox import service as outbox
from mdm.people import employee
from mdm.people.model import Person
from mdm.storage.call import Call

MAX_TEXT: Final = 1000
MOST_A_DAY: Final = 5
MOST_SHOWN: Final = 20
MOST_LOOKED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Helper:
    """An ambassador as colleagues see them: only what they agreed to."""

    uid: str
    name: str
    languages: tuple[str, ...]
    about: str
    phone: str
    email: str
    near: bool
    """Whether they help the person's own unit or service point."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, with the other one of the two."""

    question: Question
    name: str
    phone: str
    """Of whoever asked, for the ambassador who took it; else empty."""


def helpers(call: Call, most: int = MOST_SHOWN) -> list[Helper]:
    """Who agreed to help and is here: near ones first, then those who speak the person's language. Never oneself."""
    person = employee.me(call)
    where = audience.standing(call, person)
    rows = call.session.execute(
        select(Ambassador, Person)
        .join(Person, Person.id == Ambassador.person_id)
        .where(
            Ambassador.ended_at.is_(None),
            Ambassador.consent_at.is_not(None),
            Ambassador.person_id != person.id,
            or_(Person.left_on.is_(None), Person.left_on > call.now.date()),
        )
    )
    found = []
    for one, who in rows:
        near = one.unit_id in where.units or (
            one.service_point_id is not None and one.service_point_id == where.service_point
        )
        everybody = one.unit_id is None and one.service_point_id is None
        rank = (not near, person.language not in one.languages, not everybody, who.name.lower(), one.id)
        found.append((rank, _shown(one, who, near=near)))
    return [helper for _rank, helper in sorted(found, key=lambda line: line[0])[:most]]


def helper(call: Call, uid: str) -> Helper:
    """One of ``helpers``; NotFoundError for all others."""
    for one in helpers(call, MOST_LOOKED):
        if one.uid == uid:
            return one
    raise NotFoundError(N_("This colleague does not help any more. Choose somebody else."))


def ask(call: Call, uid: str, text: str, *, address: str, device_uid: str = "") -> Question:
    """Asks an ambassador something; they get a letter that says so. The same question that waits already is given back.

    Raises NotFoundError for somebody who does not help, or a device that is not the person's; InvalidError without a
    question, LimitedError above five a day.
    """
    person = employee.me(call)
    helper(call, uid)
    row = call.session.execute(
        select(Ambassador, Person).join(Person, Person.id == Ambassador.person_id).where(Ambassador.uid == uid)
    ).one()
    said = clean(text, MAX_TEXT, lines=True)
    if not said:
        raise InvalidError(N_("Nothing was sent yet."), fields={"text": N_("Write your question.")})
    device = _device(call, person, device_uid)
    mine = select(Question).where(Question.person_id == person.id)
    known = call.session.scalar(
        mine.where(Question.ambassador_id == row[0].id, Question.text == said, Question.state.in_(questions.WAITING))
    )
    if known is not None:
        return known
    _refuse_more(call, person)
    made = Question(
        uid=new_uid(),
        person_id=person.id,
        ambassador_id=row[0].id,
        device_id=device.id if device else None,
        text=said,
        state=QuestionState.ASKED.value,
        asked_at=call.now,
        changed_at=call.now,
    )
    call.session.add(made)
    call.session.flush()
    if row[1].email:
        subject, letter = asked_letter(row[1].language, name=row[1].name, address=address)
        outbox.post(call, "mail", {"to": row[1].email, "subject": subject, "text": letter})
    return made


def mine(call: Call) -> list[Asked]:
    """What the person asked, newest first, with the answers; at most twenty."""
    rows = call.session.execute(
        select(Question, Person.name)
        .join(Ambassador, Ambassador.id == Question.ambassador_id)
        .join(Person, Person.id == Ambassador.person_id)
        .where(Question.person_id == employee.me(call).id)
        .order_by(Question.id.desc())
        .limit(MOST_SHOWN)
    )
    return [Asked(row[0], row[1], "") for row in rows]


def me_as_ambassador(call: Call) -> Ambassador | None:
    """The person as ambassador; None for whoever is none."""
    return call.session.scalar(
        select(Ambassador).where(Ambassador.person_id == employee.me(call).id, Ambassador.ended_at.is_(None))
    )


def asked_me(call: Call) -> list[Asked]:
    """What the ambassador was asked: what waits first, oldest first; at most fifty."""
    me = _ambassador(call)
    rows = call.session.execute(
        select(Question, Person)
        .join(Person, Person.id == Question.person_id)
        .where(Question.ambassador_id == me.id)
        .order_by(Question.state.not_in(questions.WAITING), Question.id)
        .limit(50)
    )
    return [Asked(row[0], row[1].name, row[1].phone if row[0].state == QuestionState.TAKEN else "") for row in rows]


def agree(call: Call, *, helps: bool, phone: bool, email: bool) -> Ambassador:
    """Whether colleagues see the ambassador, and with which ways to reach them. Taking it back hides them at once."""
    me = _ambassador(call)
    person = employee.me(call)
    if (me.consent_at is not None) != helps:
        me.consent_at = call.now if helps else None
        action = "ambassador.consent_given" if helps else "ambassador.consent_taken_back"
        audit.record(call, action, ("ambassador", me.uid), name=person.name, where=person.where)
    me.show_phone, me.show_email = helps and phone, helps and email
    call.session.flush()
    return me


def take(call: Call, uid: str) -> Question:
    """The ambassador looks after a question. Raises NotFoundError for another's, ConflictError when it is done."""
    found = _asked_me(call, uid)
    questions.move(call, found, QuestionState.TAKEN)
    return found


def answer(call: Call, uid: str, text: str) -> Question:
    """Answers a question; the person gets a letter. Raises as ``take``, InvalidError without an answer."""
    found = _asked_me(call, uid)
    said = clean(text, MAX_TEXT, lines=True)
    if not said:
        raise InvalidError(N_("Nothing was sent yet."), fields={"answer": N_("Write your answer.")})
    if questions.move(call, found, QuestionState.ANSWERED):
        found.answer = said
        asker = call.session.get_one(Person, found.person_id)
        if asker.email:
            subject, letter = answered_letter(
                asker.language, name=asker.name, helper=employee.me(call).name, answer=said
            )
            outbox.post(call, "mail", {"to": asker.email, "subject": subject, "text": letter})
    return found


def pass_on(call: Call, uid: str) -> Question:
    """Hands a question to the desk. Raises as ``take``, and ConflictError where nobody there can be reached."""
    return questions.hand_over(call, _asked_me(call, uid))


def _shown(one: Ambassador, who: Person, *, near: bool) -> Helper:
    return Helper(
        one.uid,
        who.name,
        tuple(one.languages),
        one.about,
        who.phone if one.show_phone else "",
        (who.email or "") if one.show_email else "",
        near,
    )


def _device(call: Call, person: Person, uid: str) -> Device | None:
    if not uid:
        return None
    found = call.session.scalar(select(Device).where(Device.uid == uid, Device.person_id == person.id))
    if found is None:
        raise NotFoundError(N_("This device is not one of yours. Nothing was changed."))
    return found


def _refuse_more(call: Call, person: Person) -> None:
    since = call.now - timedelta(days=1)
    today = call.session.scalar(select(func.count()).where(Question.person_id == person.id, Question.asked_at > since))
    if (today or 0) >= MOST_A_DAY:
        raise LimitedError(
            N_("You asked five questions today. Nothing was sent; ask your service point, or try tomorrow."),
            retry_after=3600,
        )


def _ambassador(call: Call) -> Ambassador:
    me = me_as_ambassador(call)
    if me is None:
        raise NotFoundError(N_("You are not an ambassador."))
    return me


def _asked_me(call: Call, uid: str) -> Question:
    found = call.session.scalar(
        select(Question).where(Question.uid == uid, Question.ambassador_id == _ambassador(call).id).with_for_update()
    )
    if found is None:
        raise NotFoundError(N_("You were not asked this. Nothing was changed."))
    return found
