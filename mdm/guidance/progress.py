"""How far players have come: what is done is written down once, by a page or by the clock, whoever is first."""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import select

from mdm.guidance import facts
from mdm.guidance.model import BY_FACT, Quest, QuestDone, QuestPlayer, QuestTask
from mdm.storage.call import Call

BATCH: Final = 500
"""Players that one transaction of the sweep looks at."""


def tasks_of(call: Call, quest_id: int) -> Sequence[QuestTask]:
    """The assignments of a quest in their order."""
    query = select(QuestTask).where(QuestTask.quest_id == quest_id).order_by(QuestTask.number)
    return call.session.scalars(query).all()


def done_by(call: Call, player_id: int) -> frozenset[int]:
    """Which assignments a player has done, by the ids of their rows."""
    return frozenset(call.session.scalars(select(QuestDone.task_id).where(QuestDone.player_id == player_id)))


def running(quest: Quest, call: Call) -> bool:
    """Whether the quest goes on today: both days count."""
    return quest.first_day <= call.now.date() <= quest.last_day


def mark(call: Call, player: QuestPlayer, task: QuestTask) -> bool:
    """Writes down that an assignment is done, and that all are when it was the last one; False when it was before."""
    # Held until the transaction ends, so that a page and the clock do not both write.
    call.session.execute(select(QuestPlayer.id).where(QuestPlayer.id == player.id).with_for_update())
    done = done_by(call, player.id)
    if task.id in done:
        return False
    call.session.add(QuestDone(player_id=player.id, task_id=task.id, at=call.now))
    if player.finished_at is None and {one.id for one in tasks_of(call, task.quest_id)} <= done | {task.id}:
        player.finished_at = call.now
    call.session.flush()
    return True


def look(call: Call, quest: Quest, players: Collection[QuestPlayer]) -> int:
    """Marks what the devices of these players say is done; how much was new. Nothing outside the quest's days."""
    if not running(quest, call):
        return 0
    open_ = {player.person_id: player for player in players if player.finished_at is None}
    new = 0
    for task in tasks_of(call, quest.id):
        if task.check in BY_FACT:
            for person in sorted(facts.have_done(call.session, task, list(open_))):
                new += mark(call, open_[person], task)
    return new


def sweep(call: Call, after: int) -> int | None:
    """Looks at the next players of quests that go on; the number to go on after, None when all have been looked at."""
    today = call.now.date()
    rows = call.session.execute(
        select(QuestPlayer, Quest)
        .join(Quest, Quest.id == QuestPlayer.quest_id)
        .where(
            QuestPlayer.id > after,
            QuestPlayer.finished_at.is_(None),
            Quest.first_day <= today,
            Quest.last_day >= today,
        )
        .order_by(QuestPlayer.id)
        .limit(BATCH)
    ).all()
    quests = {row[1].id: row[1] for row in rows}
    for number, quest in quests.items():
        look(call, quest, [row[0] for row in rows if row[0].quest_id == number])
    return rows[-1][0].id if len(rows) == BATCH else None
