"""Alarms of one kind that came together, as one entry of a list. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from mdm.alarms.model import Alarm

TOGETHER = timedelta(hours=1)
"""How far two alarms of one kind may lie apart that are shown as one."""


@dataclass(frozen=True, slots=True)
class Group:
    """The newest alarm of several of one kind, and the others."""

    newest: Alarm
    others: tuple[Alarm, ...]


def grouped(alarms: Sequence[Alarm]) -> list[Group]:
    """Alarms, the newest first, with those that follow one of their own kind within the hour put under it."""
    groups: list[list[Alarm]] = []
    for one in alarms:
        last = groups[-1][-1] if groups else None
        if last is not None and last.kind == one.kind and last.at - one.at <= TOGETHER:
            groups[-1].append(one)
        else:
            groups.append([one])
    return [Group(group[0], tuple(group[1:])) for group in groups]
