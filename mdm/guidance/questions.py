"""The life of a question to an ambassador: moves as a table, and handing it to the desk."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import select

from mdm.audit import service as audit
from mdm.core.errors import N_, ConflictError
from mdm.core.permissions import Role
from mdm.desk.cases import opening as cases
from mdm.desk.cases.handling import note
from mdm.desk.cases.opening import Told, open_in
from mdm.guidance.letters import handed_letter
from mdm.guidance.model import Ambassador, Question, QuestionState
from mdm.inventory.model import Device, LifeCycle
from mdm.org.model import ServicePoint
from mdm.outbox import service as outbox
from mdm.people import employee
from mdm.people.model import Person
from mdm.storage.call import Call

_S = QuestionState
MOVES: Final[Mapping[QuestionState, frozenset[QuestionState]]] = {
    _S.ASKED: frozenset({_S.TAKEN, _S.ANSWERED, _S.HANDED}),
    _S.TAKEN: frozenset({_S.ANSWERED, _S.HANDED}),
    _S.ANSWERED: frozenset(),
    _S.HANDED: frozenset(),
}
"""What may follow what. What was answered or handed on stays so; the person asks anew."""
WAITING: Final = tuple(state.value for state, after in MOVES.items() if after)
IN_HAND: Final = (LifeCycle.HANDED_OUT.value, LifeCycle.ON_LOAN.value)


def move(call: Call, question: Question, to: QuestionState) -> bool:
    """Puts a question into another state: False when it is there already. Raises ConflictError for a move that is none."""
    if question.state == to:
        return False
    if to not in MOVES[QuestionState(question.state)]:
        raise ConflictError(N_("This question was answered or handed on already. Nothing was changed."))
    question.state, question.changed_at = to.value, call.now
    return True


def hand_over(call: Call, question: Question) -> Question:
    """Gives a question to the desk: as a case where it is about a device in hand, as a note in the case that is open, else
    as a letter to the service point. Twice is like once.

    Raises ConflictError where there is neither a device nor a service point with an address.
    """
    if question.state == QuestionState.HANDED:
        return question
    person = call.session.get_one(Person, question.person_id)
    device = call.session.get(Device, question.device_id) if question.device_id is not None else None
    if device is not None and device.person_id == person.id and device.state in IN_HAND:
        _as_case(call, question, device)
    else:
        _as_letter(call, question, person)
    move(call, question, QuestionState.HANDED)
    call.session.flush()
    audit.record(
        call,
        "question.handed",
        ("question", question.uid),
        name=person.name,
        where=person.where,
        details={"case": question.case_number},
    )
    return question


def hand_over_all(call: Call, ambassador: Ambassador) -> int:
    """Gives everything that waits for an ambassador to the desk; what cannot go there stays. How many went."""
    waiting = call.session.scalars(
        select(Question).where(Question.ambassador_id == ambassador.id, Question.state.in_(WAITING))
    ).all()
    went = 0
    for question in waiting:
        try:
            hand_over(call, question)
        except ConflictError:
            continue
        went += 1
    return went


def _as_case(call: Call, question: Question, device: Device) -> None:
    clerk = employee.lent(call, Role.DESK_CLERK)
    known = open_in(clerk, f"gone:{device.id}") or open_in(clerk, f"broken:{device.id}")
    if known is not None:
        note(clerk, known.uid, question.text)
    else:
        known = cases.open_broken(clerk, device.uid, Told(account=question.text))
    question.case_number = known.number


def _as_letter(call: Call, question: Question, person: Person) -> None:
    point = call.session.get(ServicePoint, person.service_point_id) if person.service_point_id is not None else None
    if point is None or not point.email or (point.closed_on is not None and point.closed_on <= call.now.date()):
        raise ConflictError(N_("No service point with an e-mail address looks after this person. Nothing was changed."))
    subject, text = handed_letter(
        name=person.name,
        phone=person.phone or "-",
        email=person.email or "-",
        language=person.language,
        text=question.text,
    )
    outbox.post(call, "mail", {"to": point.email, "subject": subject, "text": text})
