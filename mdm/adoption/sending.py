"""The worker's part: writing what waits, reminding, telling leads, noticing who is active. Each verb is one transaction.

A letter, its place in the post and the note that it was written are committed together: killed in between, nothing was
written; done again, nothing is written twice.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, true, update
from sqlalchemy.orm import Session

from mdm.adoption import due
from mdm.adoption.model import Channel, InvitationRun, InvitedState, Invitee, LeadLetter, Letter, LetterKind, RunLine
from mdm.adoption.service import invitee, note_invited
from mdm.adoption.writing import Writer
from mdm.core.ids import secret_digest
from mdm.desk.custody.model import Custody
from mdm.desk.custody.once import insert_once
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint, Unit
from mdm.org.queries import unit_paths
from mdm.outbox.model import OutboxMessage
from mdm.people.model import Person
from mdm.storage.call import Call

BATCH: Final = 100
"""Letters that one transaction writes."""
AHEAD: Final = 200
"""Letters in the post on each way at the most: what else is in the post, an alarm, never stands behind thousands."""
LEADS: Final = 50


def waits(call: Call, writer: Writer) -> bool:
    """Whether there is anything to write now: a line of a run, or somebody to remind, on a way whose post is not full."""
    ways = _open_ways(call, writer)
    if ways is None:
        return False
    return call.session.scalar(_waiting(ways).limit(1)) is not None or bool(_to_remind(call, writer, 1))


def write_waiting(call: Call, writer: Writer) -> int:
    """Writes to the next people of all runs, in the order in which they were asked for; how many lines were decided.

    Who is reached by a way whose post is full waits, and holds up nobody who is reached by the other.
    """
    ways = _open_ways(call, writer)
    lines = call.session.scalars(_waiting(ways).order_by(RunLine.id).limit(BATCH)).all() if ways is not None else []
    people, points = _people(call, [line.person_id for line in lines if line.person_id is not None])
    active = _active(call.session, people)
    for line in lines:
        line.at = call.now
        person = people.get(line.person_id or 0)
        line.state = (
            InvitedState.UNKNOWN.value if person is None else _decide(call, writer, line, person, points, active).value
        )
    call.session.flush()
    _finish(call, {line.run_id for line in lines})
    return len(lines)


def _waiting(ways: ColumnElement[bool]) -> Select[RunLine]:
    waiting = RunLine.state == InvitedState.WAITING.value
    return select(RunLine).outerjoin(Person, Person.id == RunLine.person_id).where(waiting, ways)


def _open_ways(call: Call, writer: Writer) -> ColumnElement[bool] | None:
    """Which people can be written to now, as a condition on ``Person``; None while the post is full on every way.

    Letters wait in the post while no mail server is set up, or none answers; SMS leave all the same, and the reverse.
    """
    in_post = dict(
        call.session.execute(
            select(OutboxMessage.topic, func.count())
            .where(
                OutboxMessage.topic.in_(("mail", "sms")),
                OutboxMessage.done_at.is_(None),
                OutboxMessage.dead_at.is_(None),
            )
            .group_by(OutboxMessage.topic)
        ).all()
    )
    by_mail = writer.by_mail()
    free = {way: in_post.get(way, 0) < AHEAD for way in ("mail", "sms")}
    if all(free.values()):
        return true()
    if free["mail"]:
        return by_mail
    return func.coalesce(~by_mail, true()) if free["sms"] else None


def _decide(
    call: Call, writer: Writer, line: RunLine, person: Person, points: dict[int, ServicePoint], active: Collection[int]
) -> InvitedState:
    if _gone(person, call.now):
        return InvitedState.LEFT
    row = invitee(call, person.id)
    if row.activated_at is not None or person.id in active:
        return InvitedState.ACTIVE
    recent = due.invited_before(call.now, writer.zone, due.AGAIN_AFTER)
    if row.invited_at is not None and row.invited_at >= recent:
        return InvitedState.EARLIER
    letter = writer.write(call, person, LetterKind.INVITATION, points.get(person.service_point_id or 0), line.id)
    if letter is None:
        return InvitedState.PAPER
    note_invited(call, row, Channel(letter.channel))
    return InvitedState(letter.channel)


def _finish(call: Call, runs: Collection[int]) -> None:
    waiting = select(RunLine.id).where(RunLine.run_id == InvitationRun.id, RunLine.state == InvitedState.WAITING.value)
    call.session.execute(
        update(InvitationRun)
        .where(InvitationRun.id.in_(runs), InvitationRun.finished_at.is_(None), ~waiting.exists())
        .values(finished_at=call.now)
        .execution_options(synchronize_session=False)
    )


def remind(call: Call, writer: Writer) -> int:
    """Reminds the next people who were invited seven days ago, are not active and want reminders; how many were looked at."""
    rows = _to_remind(call, writer, BATCH)
    people, points = _people(call, [row.person_id for row in rows])
    active = _active(call.session, people)
    for row in rows:
        person = people[row.person_id]
        if person.id in active:
            row.activated_at = active[person.id]
            continue
        letter = writer.write(call, person, LetterKind.REMINDER, points.get(person.service_point_id or 0))
        row.reminded_at = call.now
        row.reminder = letter.channel if letter else ""
    call.session.flush()
    return len(rows)


def _to_remind(call: Call, writer: Writer, most: int) -> Sequence[Invitee]:
    ways = _open_ways(call, writer)
    if ways is None:
        return []
    return call.session.scalars(
        select(Invitee)
        .join(Person, Person.id == Invitee.person_id)
        .where(
            ways,
            Invitee.invited_at < due.invited_before(call.now, writer.zone, due.REMIND_AFTER),
            Invitee.activated_at.is_(None),
            Invitee.reminded_at.is_(None),
            Invitee.no_reminders_at.is_(None),
            _here(call.now),
        )
        .order_by(Invitee.person_id)
        .limit(most)
    ).all()


def tell_leads(call: Call, writer: Writer) -> int:
    """One letter to each lead who has people for whom fourteen days are over, with all of theirs; how many letters.

    The lead of somebody is of their unit, or of the nearest unit above that has one, in today's organogram; nobody is told
    about themselves. A lead who got a letter within seven days waits. Who wants no reminders is named all the same: the
    letter is not theirs.
    """
    paths = unit_paths(call.session, call.now.astimezone(writer.zone).date())
    leads = dict(call.session.execute(select(Unit.id, Unit.lead_email).where(Unit.lead_email != "")).all())
    rows = call.session.execute(
        select(Invitee, Person, Unit.name)
        .join(Person, Person.id == Invitee.person_id)
        .outerjoin(Unit, Unit.id == Person.unit_id)
        .where(
            Invitee.invited_at < due.invited_before(call.now, writer.zone, due.LEAD_AFTER),
            Invitee.activated_at.is_(None),
            _here(call.now),
        )
        .order_by(Unit.name, Person.name, Person.id)
    )
    teams: dict[str, list[tuple[Invitee, Person, str | None]]] = defaultdict(list)
    for row, person, unit in rows:
        lead = _lead_of(person, paths, leads)
        if lead:
            teams[lead].append((row, person, unit))
    told = 0
    for lead, team in sorted(teams.items()):
        if told < LEADS and any(row.lead_told_at is None for row, _, _ in team) and not _rests(call, lead):
            _tell(call, writer, lead, team)
            told += 1
    return told


def _lead_of(person: Person, paths: dict[int, tuple[int, ...]], leads: dict[int, str]) -> str:
    for unit in paths.get(person.unit_id or 0, ()):
        lead = leads.get(unit, "").lower()
        if lead and lead != (person.email or "").lower():
            return lead
    return ""


def _rests(call: Call, lead: str) -> bool:
    recent = select(LeadLetter.id).where(
        LeadLetter.lead_digest == secret_digest(lead), LeadLetter.at > call.now - timedelta(days=due.LEAD_REST)
    )
    return call.session.scalar(recent.limit(1)) is not None


def _tell(call: Call, writer: Writer, lead: str, team: Sequence[tuple[Invitee, Person, str | None]]) -> None:
    language = call.session.scalar(select(Person.language).where(Person.email == lead)) or writer.language
    names = [f"{person.name} ({unit})" if unit else person.name for _, person, unit in team]
    message = writer.write_lead(call, lead, language, names)
    call.session.add(LeadLetter(lead_digest=secret_digest(lead), at=call.now, people=len(team), post_id=message.id))
    for row, _, _ in team:
        row.lead_told_at = row.lead_told_at or call.now
    call.session.flush()


def notice_active(call: Call, most: int = 1000) -> int:
    """Notes who has a device now that is set up, and since when; how many were new. Also of people nobody invited.

    Since it was set up, or since this person has it, whichever is later.
    """
    new = (
        select(Device.person_id)
        .outerjoin(Invitee, Invitee.person_id == Device.person_id)
        .where(Device.person_id.is_not(None), Device.enrolled_at.is_not(None), Invitee.activated_at.is_(None))
        .distinct()
        .limit(most)
    )
    active = _active(call.session, list(call.session.scalars(new)))
    known = set(call.session.scalars(select(Invitee.person_id).where(Invitee.person_id.in_(active))))
    fresh = [
        {"person_id": person, "activated_at": at, "channel": "", "reminder": ""}
        for person, at in active.items()
        if person not in known
    ]
    insert_once(call, Invitee, ["person_id"], fresh)
    for person in known:
        call.session.execute(update(Invitee).where(Invitee.person_id == person).values(activated_at=active[person]))
    return len(active)


def notice_failed(call: Call) -> int:
    """Notes which letters were given up, so that a paper is printed instead; and which left after all. How many."""
    lost = call.session.scalars(
        select(Letter)
        .join(OutboxMessage, OutboxMessage.id == Letter.post_id)
        .where(OutboxMessage.dead_at.is_not(None), Letter.failed_at.is_(None))
        .limit(1000)
    ).all()
    for letter in lost:
        letter.failed_at = call.now
    back = call.session.scalars(
        select(Letter)
        .join(OutboxMessage, OutboxMessage.id == Letter.post_id)
        .where(OutboxMessage.done_at.is_not(None), Letter.failed_at.is_not(None))
        .limit(1000)
    ).all()
    for letter in back:
        letter.failed_at = None
    for letter, before, after in (
        *((one, one.channel, InvitedState.FAILED.value) for one in lost),
        *((one, InvitedState.FAILED.value, one.channel) for one in back),
    ):
        call.session.execute(
            update(RunLine)
            .where(RunLine.id == letter.line_id, RunLine.state == before)
            .values(state=after, at=call.now)
        )
    return len(lost) + len(back)


def forget(session: Session, before: datetime, limit: int = 2000) -> int:
    """Deletes letters and rounds of before that moment, a few at a time; how many. How far each person is stays."""
    gone = 0
    for table in (Letter, LeadLetter, RunLine):
        old = select(table.id).where(table.at < before).limit(limit)
        gone += int(session.execute(delete(table).where(table.id.in_(old))).rowcount)  # type: ignore[attr-defined]
    empty = select(InvitationRun.id).where(
        InvitationRun.made_at < before, ~select(RunLine.id).where(RunLine.run_id == InvitationRun.id).exists()
    )
    session.execute(delete(InvitationRun).where(InvitationRun.id.in_(empty)))
    return gone


def _people(call: Call, ids: Sequence[int]) -> tuple[dict[int, Person], dict[int, ServicePoint]]:
    people = {one.id: one for one in call.session.scalars(select(Person).where(Person.id.in_(ids)))}
    points = {one.service_point_id for one in people.values() if one.service_point_id is not None}
    # Loaded once for the batch: each letter names the place where help is.
    found = call.session.scalars(select(ServicePoint).where(ServicePoint.id.in_(points)))
    call.session.scalars(select(Invitee).where(Invitee.person_id.in_(ids))).all()
    return people, {one.id: one for one in found if one.closed_on is None or one.closed_on > call.now.date()}


def _active(session: Session, people: Collection[int]) -> dict[int, datetime]:
    """Those of these people who have a device that is set up, and since when they have one."""
    rows = session.execute(
        select(Device.person_id, Device.enrolled_at, Custody.from_at)
        .outerjoin(
            Custody,
            and_(Custody.device_id == Device.id, Custody.person_id == Device.person_id, Custody.to_at.is_(None)),
        )
        .where(Device.person_id.in_(people), Device.enrolled_at.is_not(None))
    )
    since: dict[int, datetime] = {}
    for person, enrolled, held in rows:
        if person is not None and enrolled is not None:
            at = max(enrolled, held) if held is not None else enrolled
            since[person] = min(at, since.get(person, at))
    return since


def _here(now: datetime) -> ColumnElement[bool]:
    return or_(Person.left_on.is_(None), Person.left_on > now.date())


def _gone(person: Person, now: datetime) -> bool:
    return person.left_on is not None and person.left_on <= now.date()
