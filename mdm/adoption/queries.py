"""Reads of invitations. All take the ``Call`` and give only people at the actor's places."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true

from mdm.adoption.model import InvitationRun, InvitedState, Invitee, RunLine
from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.people import queries as people
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.scoping import within

FOR_PAPER = (InvitedState.PAPER.value, InvitedState.FAILED.value)


@dataclass(frozen=True, slots=True)
class RunView:
    """A run, and how many of its people stand how; only those at the actor's places are counted."""

    run: InvitationRun
    states: dict[str, int]

    @property
    def decided(self) -> int:
        """People about whom the worker has decided."""
        return sum(self.states.values()) - self.states.get(InvitedState.WAITING.value, 0)

    @property
    def total(self) -> int:
        """People that the actor may see in it."""
        return sum(self.states.values())


def runs(call: Call, limit: int = 20) -> list[RunView]:
    """The latest runs with somebody at the actor's places, newest first."""
    mine = _lines(call).with_only_columns(RunLine.run_id, maintain_column_froms=True)
    found = call.session.scalars(
        select(InvitationRun).where(InvitationRun.id.in_(mine)).order_by(InvitationRun.id.desc()).limit(limit)
    ).all()
    counted = _counted(call, [one.id for one in found])
    return [RunView(one, counted.get(one.id, {})) for one in found]


def run(call: Call, uid: str) -> RunView:
    """One run; NotFoundError when it is not there or nobody in it is at one of the actor's places."""
    found = call.session.scalar(select(InvitationRun).where(InvitationRun.uid == uid))
    counted = _counted(call, [found.id]) if found is not None else {}
    if found is None or found.id not in counted:
        raise NotFoundError(N_("There is no such round of invitations, or nobody in it is at one of your places."))
    return RunView(found, counted[found.id])


def how_far(call: Call, person_id: int) -> Invitee | None:
    """How far one person is; None for who was never invited and has no device. NotFoundError as ``people.person``."""
    return call.session.get(Invitee, people.person(call, person_id).id)


def papers_select(call: Call) -> Select[RunLine, Person]:
    """Lines and people who are to get a paper, one line each, at the actor's places; not those who came in meanwhile."""
    # One line per person, however many runs they stand in.
    last = (
        select(func.max(RunLine.id))
        .where(RunLine.state.in_(FOR_PAPER), RunLine.person_id.is_not(None))
        .group_by(RunLine.person_id)
    )
    return (
        select(RunLine, Person)
        .join(Person, Person.id == RunLine.person_id)
        .outerjoin(Invitee, Invitee.person_id == Person.id)
        .where(
            RunLine.id.in_(last),
            RunLine.state.in_(FOR_PAPER),
            or_(Person.left_on.is_(None), Person.left_on > call.now.date()),
            Invitee.activated_at.is_(None),
            within(call.actor.scope(Permission.PEOPLE_VIEW), Person.service_point_id, Person.unit_id),
        )
    )


def papers(call: Call, limit: int = 100) -> Sequence[tuple[RunLine, Person]]:
    """The first people who are to get a paper, by name."""
    query = papers_select(call).order_by(Person.name, Person.id).limit(limit)
    return [(line, person) for line, person in call.session.execute(query)]


def papers_count(call: Call) -> int:
    """How many people are to get a paper."""
    return call.session.scalar(papers_select(call).with_only_columns(func.count())) or 0


def without_address(call: Call, ids: Sequence[int]) -> int:
    """How many of these people at the actor's places have neither e-mail address nor telephone number."""
    none = and_(func.coalesce(Person.email, "") == "", Person.phone == "")
    found = 0
    for start in range(0, len(ids), 1000):
        part = people.people_select(call).where(none, Person.id.in_(ids[start : start + 1000]))
        found += call.session.scalar(part.order_by(None).with_only_columns(func.count())) or 0
    return found


def speaker(call: Call) -> str:
    """Who speaks, as a round keeps them."""
    return f"{call.actor.kind.value}:{call.actor.id or 0}"


def may_see_line(call: Call) -> ColumnElement[bool]:
    """Lines about people at the actor's places, and numbers that are nobody's in rounds of their own; for the city all.

    The query must have ``RunLine``, ``InvitationRun`` and, by an outer join, ``Person``.
    """
    scope = call.actor.scope(Permission.PEOPLE_VIEW)
    if scope.city:
        return true()
    mine = and_(RunLine.person_id.is_(None), InvitationRun.asked_by == speaker(call))
    return or_(within(scope, Person.service_point_id, Person.unit_id), mine)


def _lines(call: Call) -> Select[Any]:
    return (
        select(RunLine.id)
        .select_from(RunLine)
        .join(InvitationRun, InvitationRun.id == RunLine.run_id)
        .outerjoin(Person, Person.id == RunLine.person_id)
        .where(may_see_line(call))
    )


def _counted(call: Call, ids: Sequence[int]) -> dict[int, dict[str, int]]:
    query = (
        _lines(call)
        .with_only_columns(RunLine.run_id, RunLine.state, func.count(), maintain_column_froms=True)
        .where(RunLine.run_id.in_(ids))
        .group_by(RunLine.run_id, RunLine.state)
    )
    counted: dict[int, dict[str, int]] = {}
    for number, state, count in call.session.execute(query):
        counted.setdefault(number, {})[state] = count
    return counted
