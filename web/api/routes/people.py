"""People."""

from apiflask import APIBlueprint
from flask import current_app

from mdm.core.permissions import Permission
from mdm.people import queries, service
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.paging import Page, walk
from web.api.shapes import people as shapes
from web.api.shapes.people import Person
from web.api.versions import unchanged
from web.common.sealed import SEAL

api = APIBlueprint("people", __name__, tag={"name": "People", "description": "Employees."})
VIEW, MANAGE = Permission.PEOPLE_VIEW, Permission.PEOPLE_MANAGE


def _one(call: Call, person_id: int) -> Person:
    return Person.model_validate(queries.person(call, person_id))


@operation(api, "GET", "/people", VIEW, query=shapes.PersonQuery, answer=shapes.PersonPage)
def list_people(call: Call, query: shapes.PersonQuery) -> Page[Person]:
    """List people.

    By name. Only people at your places are listed; people who have left are listed with `left=true`.
    """
    filters = queries.Filters(
        search=query.search,
        units=query.unit_id,
        service_points=query.service_point_id,
        persona=query.persona,
        language=query.language,
        left=query.left,
    )
    rows, following = walk(
        query,
        lambda after, limit: queries.people(call, filters, after=after, limit=limit),
        lambda row: (row.name, row.id),
    )
    items = [Person.model_validate(row) for row in rows]
    return shapes.PersonPage(items=items, next=following, total=queries.count(call, filters))


@operation(api, "GET", "/people/<key:person_id>", VIEW, answer=Person, tagged=True)
def get_person(call: Call, person_id: int) -> Person:
    """Read one person.

    The answer carries an ETag for an edit.
    """
    return _one(call, person_id)


@operation(api, "POST", "/people", MANAGE, body=shapes.PersonNew, answer=Person, status=201, tagged=True)
def create_person(call: Call, body: shapes.PersonNew) -> Person:
    """Take a person on.

    409 when somebody has this e-mail address or personnel number, and for somebody whose record was erased, unless
    `bring_back` says that they get a new one.
    """
    person = service.take_on(call, current_app.extensions[SEAL], **body.model_dump())
    return _one(call, person.id)


@operation(
    api, "PATCH", "/people/<key:person_id>", MANAGE, body=shapes.PersonEdit, answer=Person, problems=(409,),
    tagged=True, guarded=True,
)  # fmt: skip
def edit_person(call: Call, person_id: int, body: shapes.PersonEdit) -> Person:
    """Change a person.

    What is left out stays; devices in the person's hands follow. A move asks for the right at both places.
    """
    unchanged(_one(call, person_id))
    service.edit(call, person_id, **body.given())
    return _one(call, person_id)


@operation(api, "POST", "/people/<key:person_id>/leave", MANAGE, body=shapes.LeavingDate, answer=Person)
def let_person_leave(call: Call, person_id: int, body: shapes.LeavingDate) -> Person:
    """Note that a person leaves.

    What the person holds stays in the person's name until it is taken in.
    """
    service.leave(call, person_id, body.on)
    return _one(call, person_id)


@operation(api, "POST", "/people/<key:person_id>/come-back", MANAGE, answer=Person)
def let_person_come_back(call: Call, person_id: int) -> Person:
    """Take back that a person left.

    Somebody who is here stays as they are.
    """
    service.come_back(call, person_id)
    return _one(call, person_id)
