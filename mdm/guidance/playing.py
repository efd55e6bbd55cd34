"""A quest at the employee's own door: taking part, how far one is, one's own word, a colleague's code, consent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select

from mdm.audit import service as audit
from mdm.core.errors import N_, ConflictError, NotFoundError
from mdm.core.ids import new_uid
from mdm.guidance import codes, facts, progress
from mdm.guidance.audience import Audience, fits, standing
from mdm.guidance.model import BY_FACT, Check, HelpCode, Quest, QuestPlayer, QuestTask
from mdm.people import employee
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

SHOWN_AFTER: Final = timedelta(days=60)
"""So long after its last day a quest and its draw are still shown to those who took part."""
CODE_LIFE: Final = timedelta(days=1)
MOST_WRONG: Final = 10
"""Codes that do not fit, per player and day."""


@dataclass(frozen=True, slots=True)
class Played:
    """One quest as the person sees it; ``player`` is None while they do not take part."""

    quest: Quest
    tasks: Sequence[QuestTask]
    player: QuestPlayer | None
    done: frozenset[int]
    running: bool
    by_word: frozenset[int] = frozenset()
    """Assignments that a fact should tick and no device of the person can tell of: their own word ticks them."""

    @property
    def count(self) -> int:
        """How many assignments are done."""
        return sum(task.id in self.done for task in self.tasks)


def mine(call: Call) -> list[Played]:
    """The quests that are for this person now, and those that they took part in, the newest first."""
    person = employee.me(call)
    today = call.now.date()
    quests = call.session.scalars(
        select(Quest)
        .where(Quest.first_day <= today, Quest.last_day >= today - SHOWN_AFTER)
        .order_by(Quest.first_day.desc(), Quest.id.desc())
    ).all()
    where = standing(call, person) if quests else None
    found = []
    for quest in quests:
        player = _player(call, quest, person)
        invited = where is not None and fits(_audience(quest), where) and progress.running(quest, call)
        if player is not None or invited:
            done = progress.done_by(call, player.id) if player else frozenset()
            tasks = progress.tasks_of(call, quest.id)
            untold = (task.id for task in tasks if by_itself(task) and facts.cannot_tell(call.session, task, person.id))
            found.append(Played(quest, tasks, player, done, progress.running(quest, call), frozenset(untold)))
    return found


def look(call: Call) -> None:
    """Marks what the person's devices say is done, now and not only when the clock comes by."""
    for played in mine(call):
        if played.player is not None:
            progress.look(call, played.quest, [played.player])


def one(call: Call, uid: str) -> Played:
    """One of ``mine``; NotFoundError for all others."""
    for played in mine(call):
        if played.quest.uid == uid:
            return played
    raise NotFoundError(N_("There is no such quest for you."))


def join(call: Call, uid: str) -> QuestPlayer:
    """Takes part; twice is like once. What is done already counts at once. ConflictError when it is over."""
    played = one(call, uid)
    if played.player is not None:
        return played.player
    _still(played)
    player = QuestPlayer(quest_id=played.quest.id, person_id=employee.me(call).id, ticket=new_uid(), joined_at=call.now)
    call.session.add(player)
    flush_unique(call.session, ConflictError(N_("You take part already.")))
    progress.look(call, played.quest, [player])
    return player


def leave(call: Call, uid: str) -> None:
    """Takes part no more: progress and consent are deleted. Twice is like once."""
    played = one(call, uid)
    if played.player is not None:
        call.session.delete(played.player)
        call.session.flush()


def give_word(call: Call, uid: str, number: int) -> bool:
    """The person says that an assignment is done. Raises NotFoundError for one that a fact or a colleague decides.

    Where no device of theirs can tell of a fact, their word counts.
    """
    played = one(call, uid)
    untold = [task for task in played.tasks if task.number == number and task.id in played.by_word]
    player, task = _task(call, uid, number, Check(untold[0].check) if untold else Check.WORD)
    return progress.mark(call, player, task)


def visit(call: Call, uid: str, number: int) -> str:
    """Notes that the person opened the address of an assignment; where they go. Afterwards, and twice, it only shows the way.

    Raises NotFoundError for an assignment that is no visit.
    """
    played = one(call, uid)
    task = _numbered(played, number, Check.VISIT)
    if played.player is not None and played.running:
        progress.mark(call, played.player, task)
    return task.target


def show_code(call: Call) -> HelpCode:
    """The code that confirms to a helper that they helped this person: the one that is still good, else a new one."""
    person = employee.me(call)
    known = call.session.scalar(select(HelpCode).where(HelpCode.person_id == person.id))
    if known is not None and known.expires_at > call.now:
        return known
    if known is not None:
        call.session.delete(known)
        call.session.flush()
    made = HelpCode(person_id=person.id, code=codes.new_code(), expires_at=call.now + CODE_LIFE)
    call.session.add(made)
    flush_unique(call.session, ConflictError(N_("That did not work. Try again.")))
    return made


def helped(call: Call, uid: str, number: int, written: str) -> bool:
    """A colleague's code: False when it does not fit. It works once; nobody confirms themselves.

    A code that does not fit is counted; after ten in a day none is looked at any more.
    """
    player, task = _task(call, uid, number, Check.HELPED)
    today = call.now.date()
    wrong = player.wrong if player.wrong_on == today else 0
    if wrong >= MOST_WRONG:
        return False
    found = call.session.scalar(select(HelpCode).where(HelpCode.code == codes.as_written(written)))
    if found is None or found.expires_at <= call.now or found.person_id == player.person_id:
        player.wrong, player.wrong_on = wrong + 1, today
        call.session.flush()
        return False
    call.session.execute(delete(HelpCode).where(HelpCode.id == found.id))
    progress.mark(call, player, task)
    return True


def consent(call: Call, uid: str, *, given: bool) -> QuestPlayer:
    """Lets the organiser have one's name for the draw, or takes that back. Twice is like once; both stand in the diary.

    Raises ConflictError for whoever has not done all assignments, and when the list of the draw was fixed already.
    """
    played = one(call, uid)
    player = played.player
    if player is None or player.finished_at is None:
        raise ConflictError(N_("Do all assignments first. Nothing was changed."))
    if given and played.quest.fixed_at is not None and player.ticket not in played.quest.tickets:
        raise ConflictError(N_("The list for the draw is closed already. Nothing was changed."))
    if (player.consent_at is not None) != given:
        person = employee.me(call)
        player.consent_at = call.now if given else None
        action = "quest.consent_given" if given else "quest.consent_taken_back"
        audit.record(call, action, ("quest", uid), name=person.name, where=person.where)
    return player


def _player(call: Call, quest: Quest, person: Person) -> QuestPlayer | None:
    return call.session.scalar(
        select(QuestPlayer).where(QuestPlayer.quest_id == quest.id, QuestPlayer.person_id == person.id)
    )


def _audience(quest: Quest) -> Audience:
    return Audience(quest.personas, quest.units, quest.service_points)


def _still(played: Played) -> None:
    if not played.running:
        raise ConflictError(N_("This quest is over. Nothing was changed."))


def _numbered(played: Played, number: int, check: Check) -> QuestTask:
    for task in played.tasks:
        if task.number == number and task.check == check:
            return task
    raise NotFoundError(N_("There is no such assignment to tick. Nothing was changed."))


def _task(call: Call, uid: str, number: int, check: Check) -> tuple[QuestPlayer, QuestTask]:
    played = one(call, uid)
    task = _numbered(played, number, check)
    _still(played)
    if played.player is None:
        raise ConflictError(N_("You do not take part yet. Nothing was changed."))
    return played.player, task


def by_itself(task: QuestTask) -> bool:
    """Whether the devices say when it is done. Pure."""
    return task.check in BY_FACT
