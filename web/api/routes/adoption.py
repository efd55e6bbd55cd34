"""Adoption: who of the invited is active, who is missing, inviting many at once."""

from zoneinfo import ZoneInfo

from apiflask import APIBlueprint
from flask import current_app

from mdm.adoption import due, queries, rates, service
from mdm.adoption.listings import MISSING
from mdm.adoption.model import InvitedState
from mdm.adoption.queries import RunView
from mdm.adoption.rates import Narrowed
from mdm.core.errors import N_, InvalidError
from mdm.core.permissions import Permission
from mdm.settings import Settings
from mdm.storage.call import Call
from web.api.listings import page_of, query_model
from web.api.operation import operation
from web.api.paging import Page, PageQuery
from web.api.shapes import adoption as shapes
from web.api.shapes.adoption import MissingPerson, Round
from web.common.app import SETTINGS

api = APIBlueprint(
    "adoption", __name__, tag={"name": "Adoption", "description": "Activation rates, and many invited at once."}
)
VIEW, INVITE = Permission.PEOPLE_VIEW, Permission.ENROLLMENT_INVITE
MissingQuery = query_model(MISSING, "MissingQuery")


@operation(api, "GET", "/adoption", VIEW, query=shapes.RateQuery, answer=shapes.Adoption)
def get_adoption(call: Call, query: shapes.RateQuery) -> shapes.Adoption:
    """Read activation rates.

    Of the people at your places. When units move on a date, the figures follow from that date on.
    """
    settings: Settings = current_app.extensions[SETTINGS]
    zone = ZoneInfo(settings.timezone)
    on = query.on or call.now.astimezone(zone).date()
    narrowed = Narrowed(query.unit_id, query.service_point_id, [one.value for one in query.persona])
    rows = rates.by(call, zone, query.by, narrowed, on)
    return shapes.Adoption(
        on=on,
        goal=due.GOAL,
        overall=_rate(rates.overall(call, zone, narrowed, on)),
        rows=[shapes.RateRow(**_rate(one.rate).model_dump(), key=one.key, name=one.name) for one in rows],
        weeks=[
            shapes.RateDay(**_rate(rate).model_dump(), on=day)
            for day, rate in rates.over_time(call, zone, narrowed, on)
        ],
    )


@operation(api, "GET", "/adoption/missing", VIEW, query=MissingQuery, answer=shapes.MissingPage)
def list_missing_people(call: Call, query: PageQuery) -> Page[MissingPerson]:
    """List who is not active.

    The list of the console with its filters and orders.
    """
    rows, following, total = page_of(call, MISSING, query, ("name", "standing", "invited", "channel"))
    items = [
        MissingPerson(
            person_id=row["_id"],
            name=row["name"],
            standing=row["standing"],
            invited_at=row["invited"],
            channel=row["channel"] or "",
        )
        for row in rows
    ]
    return shapes.MissingPage(items=items, next=following, total=total)


@operation(api, "POST", "/adoption/rounds", INVITE, body=shapes.RoundNew, answer=Round, status=201)
def create_round(call: Call, body: shapes.RoundNew) -> Round:
    """Invite many at once.

    The worker writes to them by day, a few at a time. Who is active, or was invited within seven days, is not written to.
    """
    if bool(body.person_ids) == bool(body.numbers):
        raise InvalidError(N_("Give row ids or personnel numbers, not both. Nobody was invited."), code="one_of")
    chosen = {"by": "api"}
    made = (
        service.invite_people(call, body.person_ids, chosen=chosen)
        if body.person_ids
        else service.invite_numbers(call, body.numbers, chosen=chosen)
    )
    return _round(queries.run(call, made.uid))


@operation(api, "GET", "/adoption/rounds/<uid:round_uid>", VIEW, answer=Round)
def get_round(call: Call, round_uid: str) -> Round:
    """Read how far a round of invitations is.

    Counts the people at your places.
    """
    return _round(queries.run(call, round_uid))


def _rate(rate: rates.Rate) -> shapes.Rate:
    return shapes.Rate.model_validate(rate)


def _round(view: RunView) -> Round:
    run = view.run
    return Round(
        uid=run.uid,
        made_by=run.made_by,
        made_at=run.made_at,
        finished_at=run.finished_at,
        total=view.total,
        states={InvitedState(state): number for state, number in view.states.items()},
    )
