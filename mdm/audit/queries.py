"""Reads of the diary. They give only lines whose place lies in the actor's scope; lines without a place are the city's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from mdm.audit.model import AuditEntry
from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.storage.call import Call
from mdm.storage.scoping import within

Line = AuditEntry
PAGE = 50
MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class Filters:
    """What the diary may be narrowed by; empty means all."""

    action: str = ""
    """An action (``order.approved``), or its beginning with a dot at the end (``order.``)."""
    actor_kind: str = ""
    actor_id: int | None = None
    actor_name: str = ""
    subject_kind: str = ""
    subject_id: str = ""
    service_point_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""
    """Words that the name of subject or actor, or the action, must hold."""
    request_id: str = ""


def lines_select(
    call: Call, filters: Filters | None = None, *, permission: Permission = Permission.AUDIT_VIEW
) -> Select[AuditEntry]:
    """Lines that the actor may read, narrowed by ``filters``, newest first."""
    scope = call.actor.scope(permission)
    query = select(AuditEntry).where(within(scope, AuditEntry.service_point_id, AuditEntry.unit_id))
    return query.where(*_conditions(filters or Filters())).order_by(AuditEntry.id.desc())


def _conditions(wanted: Filters) -> list[ColumnElement[bool]]:
    exact = (
        (AuditEntry.actor_kind, wanted.actor_kind),
        (AuditEntry.subject_kind, wanted.subject_kind),
        (AuditEntry.subject_id, wanted.subject_id),
        (AuditEntry.request_id, wanted.request_id),
    )
    found: list[ColumnElement[bool]] = [column == value for column, value in exact if value]
    if wanted.action.endswith("."):
        found.append(AuditEntry.action.startswith(wanted.action, autoescape=True))
    elif wanted.action:
        found.append(AuditEntry.action == wanted.action)
    if wanted.actor_id is not None:
        found.append(AuditEntry.actor_id == wanted.actor_id)
    if wanted.actor_name:
        found.append(AuditEntry.actor_name.icontains(wanted.actor_name, autoescape=True))
    if wanted.service_point_id is not None:
        found.append(AuditEntry.service_point_id == wanted.service_point_id)
    if wanted.since is not None:
        found.append(AuditEntry.at >= wanted.since)
    if wanted.until is not None:
        found.append(AuditEntry.at < wanted.until)
    for word in wanted.words.split()[:8]:
        columns = (AuditEntry.subject_name, AuditEntry.actor_name, AuditEntry.action)
        found.append(or_(*(column.icontains(word, autoescape=True) for column in columns)))
    return found


def lines(
    call: Call, filters: Filters | None = None, *, before: int | None = None, limit: int = PAGE
) -> Sequence[AuditEntry]:
    """One page of the diary, newest first; ``before`` is the number of the last line of the page before."""
    query = lines_select(call, filters)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return call.session.scalars(query.limit(max(1, min(limit, MAX_PAGE)))).all()


def count(call: Call, filters: Filters | None = None) -> int:
    """How many lines the actor may read under ``filters``."""
    query = lines_select(call, filters).order_by(None)
    return call.session.scalar(select(func.count()).select_from(query.subquery())) or 0


def line(call: Call, number: int) -> AuditEntry:
    """One line by its number; NotFoundError when it is not there or not the actor's."""
    found = call.session.scalar(lines_select(call).where(AuditEntry.id == number))
    if found is None:
        raise NotFoundError(N_("There is no such line in the diary, or it is not one of yours."))
    return found


def timeline(
    call: Call,
    subject: tuple[str, object],
    *,
    permission: Permission = Permission.AUDIT_VIEW,
    before: int | None = None,
    limit: int = PAGE,
) -> Sequence[AuditEntry]:
    """What was done to one subject (its kind and id), newest first.

    ``permission`` is the one by which the page that shows it was opened: who may see a device may see what was done to
    it, as far as it was done at their places.
    """
    wanted = Filters(subject_kind=subject[0], subject_id=str(subject[1]))
    query = lines_select(call, wanted, permission=permission)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return call.session.scalars(query.limit(max(1, min(limit, MAX_PAGE)))).all()


def actions(call: Call) -> Sequence[str]:
    """Every action that occurs in the lines that the actor may read, in alphabetical order: for a filter."""
    scope = call.actor.scope(Permission.AUDIT_VIEW)
    query = select(AuditEntry.action).where(within(scope, AuditEntry.service_point_id, AuditEntry.unit_id))
    return call.session.scalars(query.distinct().order_by(AuditEntry.action)).all()


def names_ever(session: Session, action: str) -> set[str]:
    """The names of everything to which this was ever done, whoever did it: for what a system remembers of itself."""
    return set(session.scalars(select(AuditEntry.subject_name).where(AuditEntry.action == action).distinct()))
