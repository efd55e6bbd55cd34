"""Groups of devices, chosen by hand."""

from datetime import datetime

from pydantic import Field

from web.api.paging import page_model
from web.api.shapes.fields import Line, Text, Uid
from web.api.strict import Answer, Body, Edit


class Group(Answer):
    """A named set of devices; one of the things an assignment can include or exclude."""

    id: int
    name: str
    note: str
    created_at: datetime


class GroupNew(Body):
    """A new group."""

    name: Line
    note: Text = ""


class GroupEdit(Edit):
    """What shall change; what is left out stays."""

    name: Line = ""
    note: Text = ""


class Members(Body):
    """Devices by their ids."""

    devices: list[Uid] = Field(min_length=1, max_length=500)


class Changed(Answer):
    """How many rows changed; those that were so already are not counted."""

    changed: int


GroupPage = page_model(Group)
