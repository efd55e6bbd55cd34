"""What devices say of themselves: facts, what changed in them, their time line, their applications."""

from apiflask import APIBlueprint

from mdm.core.permissions import Permission
from mdm.inventory import queries
from mdm.inventory.model import Platform
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.paging import Page, PageQuery, cut, walk
from web.api.shapes import devices as shapes
from web.api.told import told

api = APIBlueprint(
    "reports", __name__, tag={"name": "Reports", "description": "What devices say of themselves, and since when."}
)
VIEW = Permission.DEVICE_VIEW
ONE = "/devices/<uid:device_uid>"


@operation(api, "GET", f"{ONE}/facts", VIEW, answer=shapes.Facts)
def get_device_facts(call: Call, device_uid: str) -> shapes.Facts:
    """Read what a device last said.

    By section. A value that the device could not find out is null. `changed_at` is the day while somebody holds the device.
    """
    sections = queries.facts(call, device_uid)
    exact = queries.device_by_uid(call, device_uid).contact_exact
    items = [shapes.FactSection.model_validate(one) for one in sections.values()]
    return shapes.Facts(items=[told(one, "changed_at", exact=exact) for one in items])


@operation(api, "GET", f"{ONE}/changes", VIEW, query=PageQuery, answer=shapes.FactChangePage)
def list_device_changes(call: Call, device_uid: str, query: PageQuery) -> Page[shapes.FactChange]:
    """List what changed in the facts.

    Newest first. `at` is the day while somebody holds the device.
    """
    rows, following = walk(
        query,
        lambda mark, limit: queries.changes(call, device_uid, before=mark[0] if mark else None, limit=limit),
        lambda row: (row.id,),
    )
    exact = queries.device_by_uid(call, device_uid).contact_exact
    items = [told(shapes.FactChange.model_validate(row), "at", exact=exact) for row in rows]
    return shapes.FactChangePage(items=items, next=following)


@operation(api, "GET", f"{ONE}/events", VIEW, query=PageQuery, answer=shapes.DeviceEventPage)
def list_device_events(call: Call, device_uid: str, query: PageQuery) -> Page[shapes.DeviceEvent]:
    """List a device's own time line.

    Newest first: enrolled, handed out, moved, answered.
    """
    rows, following = walk(
        query,
        lambda mark, limit: queries.events(call, device_uid, before=mark[0] if mark else None, limit=limit),
        lambda row: (row.id,),
    )
    return shapes.DeviceEventPage(items=[shapes.DeviceEvent.model_validate(row) for row in rows], next=following)


@operation(api, "GET", f"{ONE}/applications", VIEW, query=shapes.InstalledQuery, answer=shapes.InstalledPage)
def list_device_applications(call: Call, device_uid: str, query: shapes.InstalledQuery) -> Page[shapes.Installed]:
    """List what is installed on a device.

    By identifier.
    """
    found = queries.applications(call, device_uid, words=query.search)
    rows, following, total = cut(found, query, lambda row: row.application_id)
    items = [shapes.Installed.model_validate(row) for row in rows]
    return shapes.InstalledPage(items=items, next=following, total=total)


@operation(
    api, "GET", "/applications", Permission.APPLICATION_VIEW, query=shapes.ApplicationQuery,
    answer=shapes.ApplicationPage,
)  # fmt: skip
def list_applications(call: Call, query: shapes.ApplicationQuery) -> Page[shapes.Application]:
    """List the applications that your devices have.

    By identifier and platform, each with the number of your devices that have it.
    """
    rows, following = walk(
        query,
        lambda mark, limit: queries.catalogue(
            call, words=query.search, platform=query.platform or "", after=mark, limit=limit
        ),
        lambda row: (row.application.identifier, row.application.platform),
    )
    items = [
        shapes.Application(
            id=row.application.id,
            platform=Platform(row.application.platform),
            identifier=row.application.identifier,
            name=row.application.name,
            devices=row.devices,
            versions=row.versions,
        )
        for row in rows
    ]
    return shapes.ApplicationPage(items=items, next=following)


@operation(
    api, "GET", "/applications/<key:application_id>/versions", Permission.APPLICATION_VIEW,
    answer=shapes.ApplicationVersions,
)  # fmt: skip
def list_application_versions(call: Call, application_id: int) -> shapes.ApplicationVersions:
    """List the versions of an application.

    Most frequent first; empty for an application that none of your devices has.
    """
    found = queries.versions(call, application_id)
    return shapes.ApplicationVersions(
        items=[shapes.ApplicationVersion(version=version, devices=devices) for version, devices in found]
    )
