"""Discovery: what is on the network of a service point."""

from apiflask import APIBlueprint

from mdm.core.permissions import Permission
from mdm.discovery import queries
from mdm.discovery.flex import flex
from mdm.discovery.kinds import NetworkKind
from mdm.discovery.model import MatchedBy
from mdm.inventory.contact import day_of
from mdm.inventory.model import DeviceKind, LifeCycle
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.shapes import discovery as shapes

api = APIBlueprint(
    "discovery", __name__, tag={"name": "Discovery", "description": "What is on the networks of service points."}
)


@operation(api, "GET", "/discovery", Permission.DISCOVERY_VIEW, query=shapes.DiscoveryQuery, answer=shapes.Discovery)
def get_discovery(call: Call, query: shapes.DiscoveryQuery) -> shapes.Discovery:
    """Read what is on the network of a service point.

    What nobody manages, what is managed and was not seen, what was seen elsewhere, and the loan pool. At most 1000 of each.
    """
    place = queries.point(call, query.service_point).id
    counts, lent = queries.counts(call, place), flex(call, place)
    return shapes.Discovery(
        looked_at=counts.looked_at,
        random=counts.random,
        unmanaged=[_thing(line) for line in queries.unmanaged(call, place)],
        not_seen=[
            shapes.AbsentDevice(
                device=one.uid,
                name=one.name,
                kind=DeviceKind(one.kind),
                state=LifeCycle(one.state),
                last_contact_at=one.contact_at,
            )
            for one in queries.not_seen(call, place)
        ],
        elsewhere=[_thing(line) for line in queries.elsewhere(call, place)],
        here=[_thing(line) for line in queries.here(call, place)],
        pool=[
            shapes.PoolLine(
                kind=DeviceKind(line.kind),
                pool=line.pool,
                there=line.there,
                lent=line.lent,
                missing=line.missing,
                reserved=line.reserved,
                short=line.short,
            )
            for line in (lent.kinds if lent else ())
        ],
    )


def _thing(line: queries.Line) -> shapes.NetworkThing:
    row = line.row
    return shapes.NetworkThing(
        uid=row.uid,
        kind=NetworkKind(row.kind),
        name=row.name,
        vendor=row.vendor,
        model=row.model,
        serial=row.serial,
        mac=row.mac,
        random=row.random,
        addresses=row.addresses,
        services=row.services,
        device=line.device.uid if line.device else None,
        home_service_point_id=line.home.id if line.home else None,
        matched_by=MatchedBy(row.matched_by) if row.matched_by else None,
        service_point_id=row.service_point_id,
        first_seen_at=day_of(row.first_seen_at),
        last_seen_at=day_of(row.last_seen_at),
    )
