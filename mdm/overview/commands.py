"""The list of commands over all devices."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, false, or_, select

from mdm.commands.model import Command
from mdm.core.errors import N_
from mdm.core.permissions import Permission
from mdm.inventory import search
from mdm.inventory.model import Device
from mdm.overview import words
from mdm.overview.listing import Column, Filter, Listing, any_id, any_of, moment_order
from mdm.storage.call import Call
from mdm.storage.scoping import within


def commands_of(call: Call) -> Select[Any]:
    """Commands to devices that the actor may see."""
    scope = call.actor.scope(Permission.DEVICE_VIEW)
    return (
        select(Command.id)
        .join(Device, Device.id == Command.device_id)
        .where(within(scope, Device.service_point_id, Device.unit_id))
    )


def _recent(call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    days = [int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 5]
    return or_(false(), *(Command.created_at >= call.now - timedelta(days=number) for number in days))


COMMANDS = Listing(
    name="commands",
    permission=Permission.DEVICE_VIEW,
    base=commands_of,
    id=Command.id,
    sort="-created",
    extra=(Device.uid.label("_uid"), Device.name.label("_name"), Device.tag.label("_tag")),
    columns=(
        Column("device", N_("Device"), Device.name, "device_name", True, Device.name),
        Column("verb", N_("Command"), Command.verb, "verb", True, Command.verb),
        Column("state", N_("State"), Command.state, "command_state", True, Command.state),
        Column("by", N_("Asked by"), Command.asked_by, "text", True, Command.asked_by),
        Column("created", N_("Asked"), Command.created_at, "seen", True, Command.created_at),
        Column("finished", N_("Finished"), Command.finished_at, "seen", True, moment_order(Command.finished_at)),
        Column("detail", N_("Answer"), Command.detail, "text", True),
        Column("expires", N_("Expires"), Command.expires_at, "moment", False, Command.expires_at),
    ),
    filters=(
        Filter("q", N_("Search"), lambda call, values: search.condition(call.session, " ".join(values)), shown=False),
        Filter("state", N_("State"), any_of(Command.state), words=words.COMMAND_STATES),
        Filter("verb", N_("Command"), any_of(Command.verb), words=words.VERBS),
        Filter("recent", N_("Asked within days"), _recent, shown=False),
        Filter("batch", N_("Batch"), any_of(Command.batch), shown=False),
        Filter("device", N_("Device"), any_id(Command.device_id), shown=False),
    ),
)
