"""Commands."""

from datetime import datetime, timedelta

from apiflask import APIBlueprint
from sqlalchemy import tuple_

from mdm.commands import model, queries, service
from mdm.commands.model import Verb
from mdm.core.permissions import Permission
from mdm.core.risk import Risk
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.paging import Page, walk
from web.api.shapes import commands as shapes
from web.api.shapes.commands import Command
from web.api.shapes.groups import Changed

api = APIBlueprint("commands", __name__, tag={"name": "Commands", "description": "What is asked of devices once."})
VIEW = Permission.DEVICE_VIEW
ONE = "/commands/<uid:command_id>"


def _shown(line: queries.Line) -> Command:
    command = line.command
    own = {name: getattr(command, name) for name in Command.model_fields if name not in ("device", "device_label")}
    return Command.model_validate({**own, "device": line.device.uid, "device_label": line.device.label})


@operation(api, "GET", "/commands", VIEW, query=shapes.CommandQuery, answer=shapes.CommandPage)
def list_commands(call: Call, query: shapes.CommandQuery) -> Page[Command]:
    """List commands.

    Newest first; only those of your devices.
    """
    filters = queries.Filters(
        states=query.state or (),
        verbs=query.verb or (),
        device_uid=query.device or "",
        batch=query.batch or "",
        service_point_id=query.service_point_id,
        words=query.search,
        since=query.since,
    )
    place = tuple_(model.Command.created_at, model.Command.id)

    def fetch(mark: tuple[str, str] | None, limit: int) -> list[queries.Line]:
        wanted = queries.lines_select(call, filters)
        if mark is not None:
            wanted = wanted.where(place < (datetime.fromisoformat(mark[0]), mark[1]))
        return [queries.Line(row[0], row[1]) for row in call.session.execute(wanted.limit(limit))]

    rows, following = walk(query, fetch, lambda row: (row.command.created_at.isoformat(), row.command.id))
    items = [_shown(row) for row in rows]
    return shapes.CommandPage(items=items, next=following, total=queries.count(call, filters))


@operation(
    api,
    "POST",
    "/commands",
    VIEW,
    body=shapes.CommandNew,
    answer=shapes.Sent,
    status=201,
    problems=(404,),
    risks=(Risk.LOCK_MANY,),
)
def send_command(call: Call, body: shapes.CommandNew) -> shapes.Sent:
    """Ask something of one device or of many.

    All of them or, when one is not right, none. Locking asks `command:lock` at the place of each, the rest
    `command:send`. What became of it is in the list of commands, per device.
    """
    lifetime = timedelta(minutes=body.lifetime_minutes) if body.lifetime_minutes is not None else None
    sent = service.send(call, body.devices, Verb(body.verb), body.args, reason=body.reason, lifetime=lifetime)
    return shapes.Sent(batch=sent.batch, commands=list(sent.commands))


@operation(api, "GET", ONE, VIEW, answer=Command)
def get_command(call: Call, command_id: str) -> Command:
    """Read one command.

    With its state and what the device sent back.
    """
    return _shown(queries.command(call, command_id))


@operation(api, "POST", f"{ONE}/cancel", VIEW, answer=Command)
def cancel_command(call: Call, command_id: str) -> Command:
    """Take a command back.

    Until the device has fetched it: 409 from then on. Twice is like once.
    """
    service.cancel(call, command_id)
    return _shown(queries.command(call, command_id))


@operation(api, "GET", "/batches/<uid:batch_id>", VIEW, answer=shapes.Batch)
def get_batch(call: Call, batch_id: str) -> shapes.Batch:
    """Read one batch.

    With how many of its commands are in each state.
    """
    found = queries.batch(call, batch_id)
    return shapes.Batch.model_validate(found)


@operation(api, "POST", "/batches/<uid:batch_id>/cancel", VIEW, answer=Changed)
def cancel_batch(call: Call, batch_id: str) -> Changed:
    """Take back what of a batch no device has fetched yet.

    Answers how many.
    """
    queries.batch(call, batch_id)
    return Changed(changed=service.cancel_batch(call, batch_id))
