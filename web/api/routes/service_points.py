"""Service points."""

from apiflask import APIBlueprint

from mdm.core.permissions import Permission
from mdm.org import queries, service
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.paging import Page, walk
from web.api.shapes import org as shapes
from web.api.shapes.org import ServicePoint
from web.api.versions import unchanged

api = APIBlueprint(
    "service_points", __name__, tag={"name": "Service points", "description": "Desks with stock, places of devices."}
)
VIEW, MANAGE = Permission.ORG_VIEW, Permission.ORG_MANAGE


def _one(call: Call, service_point_id: int) -> ServicePoint:
    return ServicePoint.model_validate(queries.service_point(call, service_point_id))


@operation(api, "GET", "/service-points", VIEW, query=shapes.PlaceQuery, answer=shapes.ServicePointPage)
def list_service_points(call: Call, query: shapes.PlaceQuery) -> Page[ServicePoint]:
    """List service points.

    By name. Only service points in your places are listed.
    """
    rows, following = walk(
        query,
        lambda after, limit: queries.service_points(
            call, search=query.search, closed=query.closed, after=after, limit=limit
        ),
        lambda row: (row.name, row.id),
    )
    return shapes.ServicePointPage(items=[ServicePoint.model_validate(row) for row in rows], next=following)


@operation(api, "GET", "/service-points/<key:service_point_id>", VIEW, answer=ServicePoint, tagged=True)
def get_service_point(call: Call, service_point_id: int) -> ServicePoint:
    """Read one service point.

    The answer carries an ETag for an edit.
    """
    return _one(call, service_point_id)


@operation(
    api, "POST", "/service-points", MANAGE, body=shapes.ServicePointNew, answer=ServicePoint, status=201, tagged=True
)
def create_service_point(call: Call, body: shapes.ServicePointNew) -> ServicePoint:
    """Make a service point.

    409 when the code is taken.
    """
    point = service.create_service_point(call, **body.model_dump())
    return _one(call, point.id)


@operation(
    api, "PATCH", "/service-points/<key:service_point_id>", MANAGE, body=shapes.ServicePointEdit, answer=ServicePoint,
    problems=(409,), tagged=True, guarded=True,
)  # fmt: skip
def edit_service_point(call: Call, service_point_id: int, body: shapes.ServicePointEdit) -> ServicePoint:
    """Change a service point.

    What is left out stays. 409 when the code is taken.
    """
    unchanged(_one(call, service_point_id))
    service.edit_service_point(call, service_point_id, **body.given())
    return _one(call, service_point_id)


@operation(
    api, "POST", "/service-points/<key:service_point_id>/close", MANAGE, body=shapes.ClosingDate, answer=ServicePoint
)
def close_service_point(call: Call, service_point_id: int, body: shapes.ClosingDate) -> ServicePoint:
    """Close a service point from a date on.

    It is no longer offered; what stands there stays there.
    """
    service.close_service_point(call, service_point_id, body.on)
    return _one(call, service_point_id)


@operation(api, "POST", "/service-points/<key:service_point_id>/reopen", MANAGE, answer=ServicePoint)
def reopen_service_point(call: Call, service_point_id: int) -> ServicePoint:
    """Open a closed service point again.

    An open one stays as it is.
    """
    service.reopen_service_point(call, service_point_id)
    return _one(call, service_point_id)
