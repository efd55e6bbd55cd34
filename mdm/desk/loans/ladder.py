"""The ladder of an overdue loan: a reminder, the team lead, the proposal to lock. Pure.

A step waits for the one before it: after a night in which nothing ran, nobody's device is proposed for a lock on the morning
of the first reminder.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mdm.desk.loans.model import LadderStep

BREATH = timedelta(days=1)
"""What lies between two steps at the least."""


@dataclass(frozen=True, slots=True)
class Rungs:
    """After how long each step is due, counted from the moment at which the device should have been back."""

    remind: timedelta
    lead: timedelta
    lock: timedelta


USUAL = Rungs(timedelta(hours=2), timedelta(days=3), timedelta(days=7))
"""For a loan from a place that has no rules of its own."""


_NEXT = {
    LadderStep.NONE: LadderStep.REMINDED,
    LadderStep.REMINDED: LadderStep.LEAD,
    LadderStep.LEAD: LadderStep.LOCK,
}


def next_step(
    step: LadderStep, last_step_at: datetime | None, due: datetime, rungs: Rungs, now: datetime
) -> LadderStep | None:
    """The one step that is to be taken now, None where it is not time yet or nothing is left."""
    following = {
        LadderStep.NONE: LadderStep.REMINDED,
        LadderStep.REMINDED: LadderStep.LEAD,
        LadderStep.LEAD: LadderStep.LOCK,
    }.get(step)
    if following is None:
        return None
    after = {LadderStep.REMINDED: rungs.remind, LadderStep.LEAD: rungs.lead, LadderStep.LOCK: rungs.lock}[following]
    if now < due + after or (last_step_at is not None and now < last_step_at + BREATH):
        return None
    return following
