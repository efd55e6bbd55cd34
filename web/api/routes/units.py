"""Units: a tree with dates."""

from typing import Any

from apiflask import APIBlueprint

from mdm.core.permissions import Permission
from mdm.org import queries, service
from mdm.overview.moves import coming_along
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.paging import Page, cut
from web.api.shapes import org as shapes
from web.api.shapes.org import Unit
from web.api.versions import unchanged

api = APIBlueprint("units", __name__, tag={"name": "Units", "description": "Business units as a tree with dates."})
VIEW, MANAGE = Permission.ORG_VIEW, Permission.ORG_MANAGE


def _shown(line: queries.UnitLine) -> Unit:
    unit = line.unit
    return Unit(
        id=unit.id,
        code=unit.code,
        name=unit.name,
        parent_id=line.parent_id,
        depth=line.depth,
        lead_email=unit.lead_email,
        closed_on=unit.closed_on,
        created_at=unit.created_at,
    )


def _one(call: Call, unit_id: int) -> Unit:
    unit = queries.unit(call, unit_id)
    paths = queries.unit_paths(call.session, call.now.date())
    path = paths[unit_id]
    return _shown(queries.UnitLine(unit, path[1] if len(path) > 1 else None, path))


def _effect(effect: service.MoveEffect) -> shapes.MoveEffect:
    return shapes.MoveEffect(**_told(effect))


def _told(effect: service.MoveEffect) -> dict[str, Any]:
    return {
        "units": sorted(effect.units),
        "before": list(effect.before),
        "after": list(effect.after),
        "from_date": effect.from_date,
        "changes": effect.changes,
    }


@operation(api, "GET", "/units", VIEW, query=shapes.UnitQuery, answer=shapes.UnitPage)
def list_units(call: Call, query: shapes.UnitQuery) -> Page[Unit]:
    """List units.

    In the order of the tree, read from the top, children by name. Only units at your places are listed.
    """
    lines = queries.units(call, search=query.search, closed=query.closed, on=query.on)
    rows, following, total = cut(lines, query, lambda line: line.unit.id)
    return shapes.UnitPage(items=[_shown(row) for row in rows], next=following, total=total)


@operation(api, "GET", "/units/<key:unit_id>", VIEW, answer=Unit, tagged=True)
def get_unit(call: Call, unit_id: int) -> Unit:
    """Read one unit.

    The answer carries an ETag for an edit.
    """
    return _one(call, unit_id)


@operation(api, "POST", "/units", MANAGE, body=shapes.UnitNew, answer=Unit, status=201, problems=(404,), tagged=True)
def create_unit(call: Call, body: shapes.UnitNew) -> Unit:
    """Make a unit.

    It hangs below `parent_id` from `from_date` on; without a parent it is a root. 409 when the code is taken.
    """
    unit = service.create_unit(call, code=body.code, name=body.name, parent_id=body.parent_id, from_date=body.from_date)
    return _one(call, unit.id)


@operation(
    api, "PATCH", "/units/<key:unit_id>", MANAGE, body=shapes.UnitEdit, answer=Unit, problems=(409,), tagged=True,
    guarded=True,
)  # fmt: skip
def edit_unit(call: Call, unit_id: int, body: shapes.UnitEdit) -> Unit:
    """Rename a unit or give it another code.

    What is left out stays. 409 when the code is taken.
    """
    unchanged(_one(call, unit_id))
    service.edit_unit(call, unit_id, **body.given())
    return _one(call, unit_id)


@operation(api, "GET", "/units/<key:unit_id>/places", VIEW, answer=shapes.UnitHistory)
def list_unit_places(call: Call, unit_id: int) -> shapes.UnitHistory:
    """Where a unit hung, hangs and will hang.

    Oldest first; the latest date that has come counts.
    """
    rows = queries.unit_history(call, unit_id)
    return shapes.UnitHistory(items=[shapes.UnitPlace.model_validate(row) for row in rows])


@operation(api, "POST", "/units/<key:unit_id>/move", MANAGE, body=shapes.UnitMove, answer=shapes.MoveEffect)
def move_unit(call: Call, unit_id: int, body: shapes.UnitMove) -> shapes.MoveEffect:
    """Hang a unit below another parent from a date on.

    Everything below it comes along. 409 when on any date it would hang below itself.
    """
    return _effect(service.move_unit(call, unit_id, body.parent_id, body.from_date))


@operation(
    api,
    "POST",
    "/units/<key:unit_id>/move/preview",
    MANAGE,
    body=shapes.UnitMove,
    answer=shapes.MovePreview,
    problems=(409,),
    write=False,
)
def preview_unit_move(call: Call, unit_id: int, body: shapes.UnitMove) -> shapes.MovePreview:
    """Show what a move would do.

    Nothing is changed. Refused as the move itself would be. People and devices are those that you may see.
    """
    effect = service.preview_move(call, unit_id, body.parent_id, body.from_date)
    along = coming_along(call, effect)
    return shapes.MovePreview(
        **_told(effect), people=along.people, devices=along.devices, policies=list(along.policies)
    )


@operation(
    api, "DELETE", "/units/<key:unit_id>/move", MANAGE, query=shapes.MoveQuery, answer=None, status=204, problems=(409,)
)
def cancel_unit_move(call: Call, unit_id: int, query: shapes.MoveQuery) -> None:
    """Take back a planned move.

    409 when the move has come already, or when another planned move depends on it.
    """
    service.cancel_move(call, unit_id, query.from_date)


@operation(api, "POST", "/units/<key:unit_id>/close", MANAGE, body=shapes.ClosingDate, answer=Unit)
def close_unit(call: Call, unit_id: int, body: shapes.ClosingDate) -> Unit:
    """Close a unit from a date on.

    409 while open units hang below it on that date.
    """
    service.close_unit(call, unit_id, body.on)
    return _one(call, unit_id)


@operation(api, "POST", "/units/<key:unit_id>/reopen", MANAGE, answer=Unit)
def reopen_unit(call: Call, unit_id: int) -> Unit:
    """Open a closed unit again.

    An open one stays as it is.
    """
    service.reopen_unit(call, unit_id)
    return _one(call, unit_id)
