"""Groups of devices."""

from apiflask import APIBlueprint

from mdm.core.permissions import Permission
from mdm.core.risk import Risk
from mdm.inventory import groups
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.paging import Page, PageQuery, cut
from web.api.shapes import groups as shapes
from web.api.shapes.devices import Device, DevicePage
from web.api.shapes.groups import Group
from web.api.versions import unchanged

api = APIBlueprint("groups", __name__, tag={"name": "Groups", "description": "Sets of devices, chosen by hand."})
VIEW, EDIT = Permission.POLICY_VIEW, Permission.POLICY_EDIT
ONE = "/groups/<key:group_id>"


def _one(call: Call, group_id: int) -> Group:
    return Group.model_validate(groups.group(call, group_id))


@operation(api, "GET", "/groups", VIEW, query=PageQuery, answer=shapes.GroupPage)
def list_groups(call: Call, query: PageQuery) -> Page[Group]:
    """List groups of devices.

    By name. Groups belong to the whole city, as policies do.
    """
    rows, following, total = cut([row for row, _ in groups.groups(call)], query, lambda row: row.id)
    return shapes.GroupPage(items=[Group.model_validate(row) for row in rows], next=following, total=total)


@operation(api, "GET", ONE, VIEW, answer=Group, tagged=True)
def get_group(call: Call, group_id: int) -> Group:
    """Read one group.

    The answer carries an ETag for an edit.
    """
    return _one(call, group_id)


@operation(api, "POST", "/groups", EDIT, body=shapes.GroupNew, answer=Group, status=201, tagged=True)
def create_group(call: Call, body: shapes.GroupNew) -> Group:
    """Make an empty group.

    409 when the name is taken.
    """
    return Group.model_validate(groups.create(call, body.name, body.note))


@operation(api, "PATCH", ONE, EDIT, body=shapes.GroupEdit, answer=Group, problems=(409,), tagged=True, guarded=True)
def edit_group(call: Call, group_id: int, body: shapes.GroupEdit) -> Group:
    """Rename a group or change its note.

    What is left out stays.
    """
    now = _one(call, group_id)
    unchanged(now)
    wanted = {"name": now.name, "note": now.note, **body.given()}
    return Group.model_validate(groups.edit(call, group_id, name=wanted["name"], note=wanted["note"]))


@operation(api, "GET", f"{ONE}/devices", VIEW, query=PageQuery, answer=DevicePage)
def list_group_devices(call: Call, group_id: int, query: PageQuery) -> Page[Device]:
    """List the devices of a group.

    By name; only devices at your places are listed.
    """
    rows, following, total = cut(groups.members(call, group_id), query, lambda row: row.uid)
    return DevicePage(items=[Device.model_validate(row) for row in rows], next=following, total=total)


@operation(
    api, "POST", f"{ONE}/devices/add", EDIT, body=shapes.Members, answer=shapes.Changed, risks=(Risk.GROUP_MANY,)
)
def add_group_devices(call: Call, group_id: int, body: shapes.Members) -> shapes.Changed:
    """Put devices into a group.

    All or none: one that is not there or not yours refuses the whole request.
    """
    return shapes.Changed(changed=groups.add(call, group_id, body.devices))


@operation(
    api, "POST", f"{ONE}/devices/remove", EDIT, body=shapes.Members, answer=shapes.Changed, risks=(Risk.GROUP_MANY,)
)
def remove_group_devices(call: Call, group_id: int, body: shapes.Members) -> shapes.Changed:
    """Take devices out of a group.

    All or none: one that is not there or not yours refuses the whole request.
    """
    return shapes.Changed(changed=groups.remove(call, group_id, body.devices))
