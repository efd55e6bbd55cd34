"""Two lists of the console: who is missing, and the people of one run with what became of them."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, case, or_, select, true

from mdm.adoption.model import InvitationRun, Invitee, RunLine
from mdm.adoption.queries import may_see_line
from mdm.core.errors import N_
from mdm.core.permissions import Permission
from mdm.org.model import ServicePoint, Unit
from mdm.overview import people_words, words
from mdm.overview.devices import places, point_of, unit_ids, unit_of, units_offered
from mdm.overview.listing import Column, Filter, Listing, any_id, any_of, any_place, moment_order, text_order
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.scoping import has_words, within


def _people(call: Call) -> Select[Any]:
    """People at the actor's places who are here and not active."""
    return (
        select(Person.id)
        .outerjoin(Invitee, Invitee.person_id == Person.id)
        .outerjoin(ServicePoint, ServicePoint.id == Person.service_point_id)
        .outerjoin(Unit, Unit.id == Person.unit_id)
        .where(
            within(call.actor.scope(Permission.PEOPLE_VIEW), Person.service_point_id, Person.unit_id),
            or_(Person.left_on.is_(None), Person.left_on > call.now.date()),
            Invitee.activated_at.is_(None),
        )
    )


def _words(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    return and_(true(), *(has_words(Person.search, value) for value in values))


def _unit(call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    return Person.unit_id.in_(unit_ids(call, values))


STANDING: Final = case(
    (Invitee.invited_at.is_(None), "uninvited"),
    (Invitee.lead_told_at.is_not(None), "lead_told"),
    (Invitee.reminded_at.is_not(None), "reminded"),
    (Invitee.came_in_at.is_not(None), "came_in"),
    else_="invited",
)
"""How far somebody is who is not active, as a word of ``people_words.ADOPTION_STANDINGS``."""

MISSING: Final = Listing(
    name="adoption_missing",
    permission=Permission.PEOPLE_VIEW,
    base=_people,
    id=Person.id,
    sort="name",
    extra=(Person.name.label("_name"),),
    columns=(
        Column("name", N_("Name"), Person.name, "person_name", default=True, sort=Person.name),
        Column("standing", N_("State"), STANDING, "adoption_standing", default=True, sort=STANDING),
        Column("unit", N_("Unit"), Unit.name, default=True, sort=text_order(Unit.name)),
        Column(
            "service_point", N_("Service point"), ServicePoint.name, default=True, sort=text_order(ServicePoint.name)
        ),
        Column(
            "invited", N_("Invited"), Invitee.invited_at, "moment", default=True, sort=moment_order(Invitee.invited_at)
        ),
        Column("channel", N_("Way"), Invitee.channel, "channel", default=True, sort=text_order(Invitee.channel)),
        Column("came_in", N_("First visit"), Invitee.came_in_at, "moment", sort=moment_order(Invitee.came_in_at)),
        Column("reminded", N_("Reminded"), Invitee.reminded_at, "moment", sort=moment_order(Invitee.reminded_at)),
        Column("lead_told", N_("Lead told"), Invitee.lead_told_at, "moment", sort=moment_order(Invitee.lead_told_at)),
        Column("persona", N_("Persona"), Person.persona, "persona", sort=Person.persona),
        Column("language", N_("Language"), Person.language, "spoken", sort=Person.language),
        Column("number", N_("Personnel number"), Person.number, "code", sort=text_order(Person.number)),
        Column("email", N_("E-mail address"), Person.email, sort=text_order(Person.email)),
        Column("phone", N_("Phone number"), Person.phone, "code"),
    ),
    filters=(
        Filter("q", N_("Search"), _words, shown=False),
        Filter(
            "standing", N_("State"), lambda _call, values: STANDING.in_(values), words=people_words.ADOPTION_STANDINGS
        ),
        Filter("unit", N_("Unit"), _unit, choices=units_offered, by_code=unit_of),
        Filter(
            "service_point",
            N_("Service point"),
            any_place(Person.service_point_id, point_of),
            choices=places,
            by_code=point_of,
        ),
        Filter("persona", N_("Persona"), any_of(Person.persona), words=words.PERSONAS),
        Filter("language", N_("Language"), any_of(Person.language), words=words.LANGUAGES),
        Filter("channel", N_("Way"), any_of(Invitee.channel), words=people_words.CHANNELS),
    ),
)


def _lines(call: Call) -> Select[Any]:
    return (
        select(RunLine.id)
        .join(InvitationRun, InvitationRun.id == RunLine.run_id)
        .outerjoin(Person, Person.id == RunLine.person_id)
        .outerjoin(Invitee, Invitee.person_id == Person.id)
        .outerjoin(ServicePoint, ServicePoint.id == Person.service_point_id)
        .outerjoin(Unit, Unit.id == Person.unit_id)
        .where(may_see_line(call))
    )


_name = case((Person.id.is_(None), RunLine.given), else_=Person.name)

LINES: Final = Listing(
    name="adoption_lines",
    permission=Permission.PEOPLE_VIEW,
    base=_lines,
    id=RunLine.id,
    sort="name",
    extra=(Person.id.label("_person_id"),),
    columns=(
        Column("name", N_("Name"), _name, "invited_person", default=True, sort=text_order(_name)),
        Column("state", N_("Result"), RunLine.state, "adoption_line", default=True, sort=RunLine.state),
        Column("at", N_("When"), RunLine.at, "moment", default=True, sort=RunLine.at),
        Column("unit", N_("Unit"), Unit.name, default=True, sort=text_order(Unit.name)),
        Column(
            "service_point", N_("Service point"), ServicePoint.name, default=True, sort=text_order(ServicePoint.name)
        ),
        Column(
            "active", N_("Active since"), Invitee.activated_at, "moment", True, sort=moment_order(Invitee.activated_at)
        ),
        Column("language", N_("Language"), Person.language, "spoken", sort=text_order(Person.language)),
        Column("number", N_("Personnel number"), Person.number, "code", sort=text_order(Person.number)),
    ),
    filters=(
        Filter("q", N_("Search"), _words, shown=False),
        Filter("state", N_("Result"), any_of(RunLine.state), words=people_words.ADOPTION_LINES),
        Filter("unit", N_("Unit"), _unit, choices=units_offered),
        Filter("service_point", N_("Service point"), any_place(Person.service_point_id, point_of), choices=places),
        Filter("run", N_("Round"), any_id(RunLine.run_id), shown=False),
    ),
)
