"""Commands: what is asked of a device once."""

from datetime import datetime
from typing import Any

from pydantic import Field

from mdm.commands.model import State, Verb
from web.api.paging import PageQuery, page_model
from web.api.shapes.fields import Id, Moment, Search, Uid
from web.api.strict import Answer, Body


class Command(Answer):
    """One thing asked of one device once."""

    id: str
    device: str = Field(description="Id of the device.")
    device_label: str
    batch: str | None
    verb: Verb
    args: dict[str, Any]
    state: State
    asked_by: str
    reason: str
    created_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    fetched_at: datetime | None
    finished_at: datetime | None
    detail: str
    data: dict[str, Any] | None = Field(description="What the device sent back: diagnostics, for example.")


class CommandQuery(PageQuery):
    """Filters of the list of commands."""

    search: Search = ""
    state: list[State] | None = Field(default=None, max_length=20, description="May be given more than once.")
    verb: list[Verb] | None = Field(default=None, max_length=20, description="May be given more than once.")
    device: Uid | None = None
    batch: Uid | None = None
    service_point_id: Id | None = None
    since: Moment | None = None


class CommandNew(Body):
    """What is asked of which devices. All of them or, when one is not right, none."""

    devices: list[Uid] = Field(min_length=1, max_length=10_000)
    verb: Verb
    args: dict[str, Any] = Field(default={}, description='`{"text": "…"}` for a message; most verbs take none.')
    reason: str = Field(default="", max_length=500)
    lifetime_minutes: int | None = Field(
        default=None, ge=1, le=60 * 24 * 30, description="How long it stands; each verb has its own when absent."
    )


class Sent(Answer):
    """What was sent."""

    batch: str | None = Field(description="Set when there was more than one device.")
    commands: list[str] = Field(description="Ids of the commands, in the order of the devices.")


class Batch(Answer):
    """One batch, as far as you may see its devices."""

    id: str
    verb: Verb
    reason: str
    asked_by: str
    created_at: datetime
    expires_at: datetime
    total: int
    counts: dict[State, int] = Field(
        description="How many commands are in each state; states without any are left out."
    )


CommandPage = page_model(Command)
