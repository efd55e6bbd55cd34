"""What can be done about invitations: inviting many, handing out papers, coming in for the first time."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import insert, select, update

from mdm.adoption import queries
from mdm.adoption.model import Channel, InvitationRun, InvitedState, Invitee, RunLine
from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, DeniedError, InvalidError, NotFoundError, TooLargeError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.desk.custody.once import insert_once
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.scoping import within
from mdm.storage.unique import flush_unique

MOST: Final = 50_000
"""People in one run."""
CHUNK: Final = 1000
PAPERS: Final = 100
"""Papers that are printed at a time."""


def invite_people(
    call: Call, ids: Sequence[int], *, key: str = "", chosen: dict[str, Any] | None = None
) -> InvitationRun:
    """Begins a run: the worker writes to each of these people, by day, in small batches. Nobody waits for it.

    ``key`` is what the door calls this one press: asked again with it, the run of the first time is the answer. People at
    places where the actor may not invite are left out. Raises DeniedError for who may invite nowhere, InvalidError where
    nobody is left, TooLargeError beyond ``MOST``.
    """
    return _begin(call, ids, (), key, chosen)


def invite_numbers(
    call: Call, numbers: Iterable[str], *, key: str = "", chosen: dict[str, Any] | None = None
) -> InvitationRun:
    """The same for personnel numbers. One that is nobody's, or somebody's at another place, is a line that says so."""
    wanted = list(dict.fromkeys(filter(None, (clean(number, 64) for number in numbers))))
    _enough(len(wanted))
    found: dict[str, int] = {}
    for start in range(0, len(wanted), CHUNK):
        rows = call.session.execute(
            select(Person.number, Person.id).where(_invited_by(call), Person.number.in_(wanted[start : start + CHUNK]))
        )
        found.update({str(number): person for number, person in rows})
    unknown = [number for number in wanted if number not in found]
    return _begin(call, list(found.values()), unknown, key, chosen)


def _begin(
    call: Call, ids: Sequence[int], unknown: Sequence[str], key: str, chosen: dict[str, Any] | None
) -> InvitationRun:
    if not call.actor.may_somewhere(Permission.ENROLLMENT_INVITE):
        raise DeniedError(
            N_("You are not allowed to do this here (%(permission)s). Nothing was changed."),
            permission=Permission.ENROLLMENT_INVITE.value,
        )
    again = call.session.scalar(select(InvitationRun).where(InvitationRun.key == key)) if key else None
    if again is not None:
        return again
    _enough(len(ids) + len(unknown))
    people = _allowed(call, ids)
    if not people and not unknown:
        raise InvalidError(
            N_("There is nobody to invite here, or nobody whom you may invite. Nothing was changed."), code="nobody"
        )
    run = InvitationRun(
        uid=new_uid(),
        key=clean(key, 64) or new_uid(),
        made_by=call.actor.name,
        asked_by=queries.speaker(call),
        made_at=call.now,
        chosen=chosen or {},
        total=len(people) + len(unknown),
    )
    call.session.add(run)
    flush_unique(
        call.session,
        ConflictError(N_("This round was begun a moment ago. Nothing was changed. Look at it."), code="round_begun"),
    )
    lines: list[dict[str, Any]] = [
        {"run_id": run.id, "person_id": one, "given": "", "state": InvitedState.WAITING.value, "at": call.now}
        for one in people
    ]
    lines += [
        {"run_id": run.id, "person_id": None, "given": one, "state": InvitedState.UNKNOWN.value, "at": call.now}
        for one in unknown
    ]
    for start in range(0, len(lines), CHUNK):
        call.session.execute(insert(RunLine), lines[start : start + CHUNK])
    if not people:
        run.finished_at = call.now
    audit.record(
        call, "adoption.invited", ("adoption_run", run.uid), details={"people": len(people), "unknown": len(unknown)}
    )
    return run


def printed(call: Call, line_ids: Sequence[int]) -> list[Person]:
    """Notes that papers are printed for these people, who could not be written to; the people, by name.

    Raises NotFoundError when one is not (any more) on the list for papers, or not at one of the actor's places; DeniedError
    where the actor does not work at the desk there. ``PAPERS`` at a time.
    """
    if not 0 < len(line_ids) <= PAPERS:
        raise InvalidError(N_("Choose between one and %(most)s people. Nothing was printed."), most=PAPERS)
    rows = call.session.execute(queries.papers_select(call).where(RunLine.id.in_(line_ids))).all()
    if len(rows) != len(set(line_ids)):
        raise NotFoundError(N_("Somebody of these has a paper already, or is not at one of your places. Look again."))
    people = [person for _, person in rows]
    for person in people:
        require(call.actor, Permission.DESK_WORK, person.where)
    # Whatever runs they stand in: one paper is enough.
    call.session.execute(
        update(RunLine)
        .where(
            RunLine.person_id.in_([person.id for person in people]),
            RunLine.state.in_((InvitedState.PAPER.value, InvitedState.FAILED.value)),
        )
        .values(state=InvitedState.PRINTED.value, at=call.now)
    )
    for person in people:
        note_invited(call, invitee(call, person.id), Channel.PAPER)
    audit.record(call, "adoption.printed", ("adoption", "papers"), details={"people": len(people)})
    return sorted(people, key=lambda one: (one.name, one.id))


def came_in(call: Call, person_id: int) -> None:
    """Notes that somebody is on the employees' page for the first time. For use cases that let them in."""
    row = invitee(call, person_id)
    if row.came_in_at is None:
        row.came_in_at = call.now


def invitee(call: Call, person_id: int) -> Invitee:
    """The row of one person, made where there is none: also when the worker writes to them while they come in."""
    row = call.session.get(Invitee, person_id)
    if row is None:
        insert_once(call, Invitee, ["person_id"], [{"person_id": person_id, "channel": "", "reminder": ""}])
        row = call.session.get_one(Invitee, person_id)
    return row


def note_invited(call: Call, row: Invitee, channel: Channel) -> None:
    """Begins the days of reminding anew: an invitation went to this person now."""
    row.invited_at = call.now
    row.first_invited_at = row.first_invited_at or call.now
    row.channel = channel.value
    row.reminded_at = row.lead_told_at = None
    row.reminder = ""


def _enough(number: int) -> None:
    if number > MOST:
        raise TooLargeError(
            N_("More than %(most)s people at once. Nobody was invited. Do it in parts."), code="too_many", most=MOST
        )


def _invited_by(call: Call) -> Any:
    return within(call.actor.scope(Permission.ENROLLMENT_INVITE), Person.service_point_id, Person.unit_id)


def _allowed(call: Call, ids: Sequence[int]) -> list[int]:
    """Those of these people whom the actor may invite, each once."""
    found: list[int] = []
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), CHUNK):
        query = select(Person.id).where(_invited_by(call), Person.id.in_(wanted[start : start + CHUNK]))
        found += call.session.scalars(query.order_by(Person.id))
    return found
