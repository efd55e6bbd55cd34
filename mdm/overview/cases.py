"""The list of cases."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, or_, select

from mdm.core.errors import N_
from mdm.core.permissions import Permission
from mdm.desk.cases.model import Case, CaseState
from mdm.org.model import ServicePoint
from mdm.overview import desk_words, words
from mdm.overview.devices import places, point_of
from mdm.overview.listing import Column, Filter, Listing, any_id, any_of, any_place, moment_order, text_order
from mdm.storage.call import Call
from mdm.storage.scoping import within


def cases_of(call: Call) -> Select[Any]:
    """Cases that the actor may see, with their service point."""
    scope = call.actor.scope(Permission.CASE_VIEW)
    return (
        select(Case.id)
        .outerjoin(ServicePoint, ServicePoint.id == Case.service_point_id)
        .where(within(scope, Case.service_point_id, Case.unit_id))
    )


def _words(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    columns = (Case.device_label, Case.person_name, Case.police_report)
    parts = [word for value in values for word in value.split()[:8]]
    return and_(*(or_(*(column.icontains(word, autoescape=True) for column in columns)) for word in parts or [""]))


def _late(call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    late = and_(Case.state == CaseState.OPEN.value, Case.due_at < call.now)
    return or_(false(), *(late if value == "yes" else ~late for value in values))


CASES = Listing(
    name="cases",
    permission=Permission.CASE_VIEW,
    base=cases_of,
    id=Case.id,
    sort="-opened",
    extra=(Case.uid.label("_case"),),
    columns=(
        Column("kind", N_("What"), Case.kind, "case", True, Case.kind),
        Column("device", N_("Device"), Case.device_label, "text", True, Case.device_label),
        Column("person", N_("Person"), Case.person_name, "text", True, Case.person_name),
        Column("state", N_("State"), Case.state, "case_state", True, Case.state),
        Column("due", N_("Next step due"), Case.due_at, "seen", True, moment_order(Case.due_at)),
        Column("place", N_("Service point"), ServicePoint.name, "text", True, text_order(ServicePoint.name)),
        Column("opened", N_("Opened"), Case.opened_at, "seen", True, Case.opened_at),
        Column("by", N_("Opened by"), Case.opened_by),
        Column("outcome", N_("Outcome"), Case.outcome, "case_outcome", False, Case.outcome),
        Column("closed", N_("Closed"), Case.closed_at, "seen", False, moment_order(Case.closed_at)),
    ),
    filters=(
        Filter("q", N_("Search"), _words, shown=False),
        Filter("kind", N_("What"), any_of(Case.kind), words=desk_words.CASE_KINDS),
        Filter("state", N_("State"), any_of(Case.state), words=desk_words.CASE_STATES),
        Filter("late", N_("Late"), _late, words=words.YES_NO),
        Filter("service_point", N_("Service point"), any_place(Case.service_point_id, point_of), choices=places),
        Filter("outcome", N_("Outcome"), any_of(Case.outcome), words=desk_words.CASE_OUTCOMES),
        Filter("device", N_("Device"), any_id(Case.device_id), shown=False),
        Filter("person", N_("Person"), any_id(Case.person_id), shown=False),
    ),
)
