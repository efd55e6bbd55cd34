"""The diary as a list."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, String, and_, cast, false, or_, select, true

from mdm.audit.model import AuditEntry
from mdm.core.errors import N_, InvalidError
from mdm.core.permissions import Permission
from mdm.overview import words
from mdm.overview.listing import Column, Filter, Listing, any_of
from mdm.storage.call import Call
from mdm.storage.scoping import within


def entries_of(call: Call) -> Select[Any]:
    """Lines of the diary that the actor may read: about things at their places."""
    scope = call.actor.scope(Permission.AUDIT_VIEW)
    return select(AuditEntry.id).where(within(scope, AuditEntry.service_point_id, AuditEntry.unit_id))


def _words(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    columns = (AuditEntry.actor_name, AuditEntry.subject_name, AuditEntry.action, AuditEntry.subject_id)
    return and_(true(), *(or_(*(one.icontains(value, autoescape=True) for one in columns)) for value in values))


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise InvalidError(N_("Write the date as year-month-day, for example 2026-12-31.")) from error


def midnight(day: date, zone: str) -> datetime:
    """The first moment of a day in a time zone."""
    return datetime.combine(day, time(), ZoneInfo(zone))


def listing(zone: str) -> Listing:
    """The list, with days as they begin in the city's time zone."""

    def since(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
        return and_(true(), *(AuditEntry.at >= midnight(_day(value), zone) for value in values))

    def until(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
        return and_(true(), *(AuditEntry.at < midnight(_day(value) + timedelta(days=1), zone) for value in values))

    def subject(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
        pairs = (value.partition(":") for value in values)
        return or_(
            false(),
            *(and_(AuditEntry.subject_kind == kind, AuditEntry.subject_id == key) for kind, _, key in pairs),
        )

    return Listing(
        name="audit",
        permission=Permission.AUDIT_VIEW,
        base=entries_of,
        id=AuditEntry.id,
        sort="-id",
        extra=(
            AuditEntry.subject_name.label("_name"),
            AuditEntry.subject_kind.label("_subject_kind"),
            AuditEntry.subject_id.label("_subject_id"),
            AuditEntry.actor_name.label("_actor_name"),
            AuditEntry.action.label("_action"),
            AuditEntry.details.label("_details"),
        ),
        columns=(
            Column("id", N_("Number"), AuditEntry.id, "number", default=True, sort=AuditEntry.id),
            Column("at", N_("Time"), AuditEntry.at, "moment", default=True, sort=AuditEntry.at),
            Column("told", N_("What happened"), AuditEntry.action, "told", default=True),
            Column("details", N_("Details"), cast(AuditEntry.details, String), "details", default=True),
            Column("actor", N_("Who"), AuditEntry.actor_name, sort=AuditEntry.actor_name),
            Column("action", N_("Action"), AuditEntry.action, "action", sort=AuditEntry.action),
            Column("subject", N_("What"), AuditEntry.subject_name, "subject"),
            Column("actor_kind", N_("Kind of speaker"), AuditEntry.actor_kind, "actor_kind"),
            Column("address", N_("Address"), AuditEntry.address, "code"),
            Column("request", N_("Request"), AuditEntry.request_id, "code"),
            Column("hash", N_("Hash"), AuditEntry.hash, "code"),
        ),
        filters=(
            Filter("q", N_("Search"), _words, shown=False),
            Filter("action", N_("Action"), any_of(AuditEntry.action), choices=_actions),
            Filter("actor_kind", N_("Kind of speaker"), any_of(AuditEntry.actor_kind), words=words.ACTORS),
            Filter("since", N_("From"), since, shown=False),
            Filter("until", N_("Until"), until, shown=False),
            Filter("subject", N_("About"), subject, shown=False),
        ),
    )


def _actions(call: Call) -> list[tuple[str, str]]:
    scope = within(call.actor.scope(Permission.AUDIT_VIEW), AuditEntry.service_point_id, AuditEntry.unit_id)
    found = call.session.scalars(
        select(AuditEntry.action).where(scope).distinct().order_by(AuditEntry.action).limit(300)
    )
    return [(action, action) for action in found]
