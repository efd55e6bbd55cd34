"""The organiser's side of a quest: writing it, how it goes, the list for the draw, the draw."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import func, select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.guidance import lots
from mdm.guidance.model import Check, Quest, QuestDone, QuestPlayer, QuestTask
from mdm.guidance.progress import tasks_of
from mdm.guidance.texts import said, written
from mdm.org.model import ServicePoint, Unit
from mdm.people.model import LANGUAGES, Person, Persona
from mdm.storage.call import Call
from mdm.storage.scoping import within

TASKS: Final = 5
"""Assignments of a quest."""
MAX_TITLE: Final = 120
MAX_TEXT: Final = 1000
MOST_WINNERS: Final = 100


@dataclass(frozen=True, slots=True)
class TaskDraft:
    """One assignment as the organiser writes it, in one language."""

    title: str
    text: str
    check: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A quest as the organiser writes it, in one language; the texts in other languages stay as they are."""

    language: str
    title: str
    intro: str
    first_day: date | None
    last_day: date | None
    tasks: Sequence[TaskDraft]
    personas: Sequence[str] = ()
    units: Sequence[int] = ()
    service_points: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Figures:
    """How a quest goes: players, those who finished, those of them in the draw, and how many did each assignment."""

    players: int
    finished: int
    consenting: int
    done: Mapping[int, int]
    """By the id of the assignment's row."""


def see(call: Call) -> None:
    """Raises DeniedError for whoever may not look at guidance anywhere."""
    if not call.actor.may_somewhere(Permission.GUIDANCE_VIEW):
        raise DeniedError(N_("You are not allowed to see this."))


def quests(call: Call) -> Sequence[Quest]:
    """Every quest, the newest first."""
    see(call)
    return call.session.scalars(select(Quest).order_by(Quest.first_day.desc(), Quest.id.desc())).all()


def quest(call: Call, uid: str) -> Quest:
    """One quest; NotFoundError when it is not there."""
    see(call)
    found = call.session.scalar(select(Quest).where(Quest.uid == uid))
    if found is None:
        raise NotFoundError(N_("There is no such quest."))
    return found


def figures(call: Call, found: Quest) -> Figures:
    """How it goes, as counts of everybody: no name is in them."""
    see(call)
    row = call.session.execute(
        select(
            func.count(QuestPlayer.id), func.count(QuestPlayer.finished_at), func.count(QuestPlayer.consent_at)
        ).where(QuestPlayer.quest_id == found.id)
    ).one()
    done = call.session.execute(
        select(QuestDone.task_id, func.count())
        .join(QuestTask, QuestTask.id == QuestDone.task_id)
        .where(QuestTask.quest_id == found.id)
        .group_by(QuestDone.task_id)
    )
    return Figures(row[0], row[1], row[2], {line[0]: line[1] for line in done})


def finishers(call: Call, found: Quest) -> list[tuple[QuestPlayer, Person]]:
    """Who finished and lets the organiser have the name, in the order in which they finished.

    For organisers alone: that is what people agreed to. Nobody for everybody else.
    """
    rows = call.session.execute(
        select(QuestPlayer, Person)
        .join(Person, Person.id == QuestPlayer.person_id)
        .where(
            QuestPlayer.quest_id == found.id,
            QuestPlayer.finished_at.is_not(None),
            QuestPlayer.consent_at.is_not(None),
            within(call.actor.scope(Permission.GUIDANCE_MANAGE), Person.service_point_id, Person.unit_id),
        )
        .order_by(QuestPlayer.finished_at, QuestPlayer.id)
    )
    return [(row[0], row[1]) for row in rows]


def create(call: Call, draft: Draft) -> Quest:
    """Writes a new quest. Raises InvalidError with the fields."""
    require(call.actor, Permission.GUIDANCE_MANAGE)
    first, last = _check(call, draft)
    made = Quest(
        uid=new_uid(),
        title={},
        intro={},
        first_day=first,
        last_day=last,
        created_by=call.actor.name,
        created_at=call.now,
    )
    call.session.add(made)
    _write(call, made, draft)
    _record(call, "quest.created", made, {"language": draft.language})
    return made


def edit(call: Call, uid: str, draft: Draft) -> Quest:
    """Writes one language of a quest, and what holds for all. Raises as ``create``.

    Raises ConflictError once the list of the draw is fixed, and where how an assignment is checked would change under people
    who have done it.
    """
    require(call.actor, Permission.GUIDANCE_MANAGE)
    found = quest(call, uid)
    if found.fixed_at is not None:
        raise ConflictError(N_("The list for the draw is fixed, so this quest stays as it is. Nothing was changed."))
    found.first_day, found.last_day = _check(call, draft)
    _write(call, found, draft)
    _record(call, "quest.edited", found, {"language": draft.language})
    return found


def fix_list(call: Call, uid: str) -> Quest:
    """Fixes who is in the draw, and writes the digest of the list into the diary before there is a seed. Twice is like once.

    Raises ConflictError before the quest is over and where nobody is on the list.
    """
    require(call.actor, Permission.GUIDANCE_MANAGE)
    found = _locked(call, uid)
    if found.fixed_at is not None:
        return found
    if call.now.date() <= found.last_day:
        raise ConflictError(N_("The quest goes on until the end of its last day. Nothing was fixed."))
    query = select(QuestPlayer.ticket).where(
        QuestPlayer.quest_id == found.id, QuestPlayer.finished_at.is_not(None), QuestPlayer.consent_at.is_not(None)
    )
    tickets = sorted(call.session.scalars(query))
    if not tickets:
        raise ConflictError(N_("Nobody has finished and agreed to be in the draw. Nothing was fixed."))
    found.tickets, found.tickets_digest, found.fixed_at = tickets, lots.list_digest(tickets), call.now
    _record(call, "quest.list_fixed", found, {"digest": found.tickets_digest, "lots": len(tickets)})
    return found


def draw(call: Call, uid: str, count: int, seed: str = "") -> Quest:
    """Draws from the fixed list and writes seed and winning lots into the diary. Drawn once; twice is like once.

    ``seed`` is what chance outside gave (the numbers of a lottery, say); empty: 256 bits of this machine's.
    Raises ConflictError before the list is fixed, InvalidError for a number that is no number of winners.
    """
    require(call.actor, Permission.GUIDANCE_MANAGE)
    found = _locked(call, uid)
    if found.drawn_at is not None:
        return found
    if found.fixed_at is None:
        raise ConflictError(N_("Fix the list first, so that nobody can choose the seed for it. Nothing was drawn."))
    if not 1 <= count <= MOST_WINNERS:
        sentence = N_("Give a number of winners from 1 to 100.")
        raise InvalidError(sentence, fields={"count": sentence})
    found.seed = clean(seed, 128) or secrets.token_hex(32)
    agreed = set(
        call.session.scalars(
            select(QuestPlayer.ticket).where(QuestPlayer.quest_id == found.id, QuestPlayer.consent_at.is_not(None))
        )
    )
    gone = set(found.tickets) - agreed
    found.winners, found.skipped = lots.draw(found.seed, found.tickets, count, gone)
    found.drawn_at = call.now
    told = {"seed": found.seed, "digest": found.tickets_digest, "winners": found.winners, "skipped": found.skipped}
    _record(call, "quest.drawn", found, told)
    return found


def winners(call: Call, found: Quest) -> list[tuple[str, Person | None]]:
    """The winning lots in their order, with who it is; None for somebody who took the consent back or is gone."""
    require(call.actor, Permission.GUIDANCE_MANAGE)
    rows = call.session.execute(
        select(QuestPlayer.ticket, Person)
        .join(Person, Person.id == QuestPlayer.person_id)
        .where(QuestPlayer.ticket.in_(found.winners), QuestPlayer.consent_at.is_not(None))
    )
    people: dict[str, Person] = {row[0]: row[1] for row in rows}
    return [(one, people.get(one)) for one in found.winners]


def _locked(call: Call, uid: str) -> Quest:
    found = quest(call, uid)
    call.session.refresh(found, with_for_update=True)
    return found


def _write(call: Call, found: Quest, draft: Draft) -> None:
    found.title = written(found.title, draft.language, draft.title, MAX_TITLE)
    found.intro = written(found.intro, draft.language, draft.intro, MAX_TEXT, lines=True)
    found.personas = list(dict.fromkeys(draft.personas))
    found.units = sorted(set(draft.units))
    found.service_points = sorted(set(draft.service_points))
    call.session.flush()
    there = {task.number: task for task in tasks_of(call, found.id)}
    for number, told in enumerate(draft.tasks, start=1):
        task = there.get(number) or QuestTask(quest_id=found.id, number=number, title={}, text={}, check="", target="")
        target = clean(told.target, 500) if told.check in (Check.APPLICATION, Check.VISIT) else ""
        if task.id is not None and (task.check, task.target) != (told.check, target):
            _refuse_done(call, task)
        task.title = written(task.title, draft.language, told.title, MAX_TITLE)
        task.text = written(task.text, draft.language, told.text, MAX_TEXT, lines=True)
        task.check, task.target = told.check, target
        call.session.add(task)
    call.session.flush()


def _refuse_done(call: Call, task: QuestTask) -> None:
    if call.session.scalar(select(QuestDone.id).where(QuestDone.task_id == task.id).limit(1)) is not None:
        raise ConflictError(
            N_("Somebody has done assignment %(number)s already, so how it is checked stays. Nothing was changed."),
            number=task.number,
        )


def _check(call: Call, draft: Draft) -> tuple[date, date]:
    wrong: dict[str, str] = {}
    if draft.language not in LANGUAGES:
        wrong["language"] = N_("Choose one from the list.")
    if not clean(draft.title, MAX_TITLE):
        wrong["title"] = N_("Give a title.")
    if draft.first_day is None:
        wrong["first_day"] = N_("Give a day.")
    if draft.last_day is None or (draft.first_day is not None and draft.last_day < draft.first_day):
        wrong["last_day"] = N_("Give a day that is not before the first one.")
    if len(draft.tasks) != TASKS:
        wrong["tasks"] = N_("A quest has five assignments.")
    for number, task in enumerate(draft.tasks, start=1):
        wrong |= {f"{name}_{number}": sentence for name, sentence in _wrong_task(task).items()}
    if not set(draft.personas) <= set(Persona):
        wrong["personas"] = N_("Choose one from the list.")
    for name, numbers, column in (
        ("units", draft.units, Unit.id),
        ("service_points", draft.service_points, ServicePoint.id),
    ):
        if set(call.session.scalars(select(column).where(column.in_(numbers)))) != set(numbers):
            wrong[name] = N_("Choose one from the list.")
    if wrong or draft.first_day is None or draft.last_day is None:
        raise InvalidError(N_("This quest is not right. Nothing was saved."), fields=wrong)
    return draft.first_day, draft.last_day


def _wrong_task(task: TaskDraft) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if not clean(task.title, MAX_TITLE):
        wrong["title"] = N_("Give a title.")
    if task.check not in set(Check):
        wrong["check"] = N_("Choose one from the list.")
    if task.check == Check.APPLICATION and not clean(task.target, 500):
        wrong["target"] = N_("Give the package or bundle.")
    if task.check == Check.VISIT and not is_address(task.target):
        wrong["target"] = N_("Give an address that begins with https://")
    return wrong


def is_address(text: str) -> bool:
    """Whether this is an address on the web by which people can be sent on. Pure."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return (
        parts.scheme == "https"
        and bool(parts.hostname)
        and text == clean(text, 500)
        and " " not in text
        and "\\" not in text
    )


def _record(call: Call, action: str, found: Quest, details: Mapping[str, object]) -> None:
    audit.record(call, action, ("quest", found.uid), name=said(found.title, "en"), details=dict(details))
