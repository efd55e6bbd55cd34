"""Alarms, and the targets of webhooks."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from mdm.alarms.kinds import Kind
from web.api.paging import page_model
from web.api.strict import Answer, Body


class Alarm(Answer):
    """What somebody had to hear of at once."""

    id: int
    at: datetime
    kind: Kind
    sentence: str = Field(description="What happened, in English.")
    subject_kind: str
    subject_id: str
    service_point_id: int | None
    unit_id: int | None
    line: int | None = Field(description="The line of the diary that it was raised for.")
    told: int = Field(description="People and programs that were told.")


class WebhookTarget(Answer):
    """A program that hears alarms, and how the last delivery went. Its secret is never shown here."""

    id: int
    name: str
    url: str
    kinds: list[str] = Field(description="Kinds of alarms that it hears; empty: all of them.")
    enabled: bool
    created_at: datetime
    created_by: str
    last_at: datetime | None
    last_status: int | None
    last_error: str
    failures: int = Field(description="Tries in a row that failed.")


class NewWebhookTarget(Body):
    """A target; one of the same name is changed."""

    name: str = Field(min_length=1, max_length=80)
    url: str = Field(max_length=2000, description="`https://host/path`; the host must be on the server's list.")
    kinds: list[Annotated[str, Field(max_length=40)]] = Field(
        default=[], max_length=50, description="Kinds of alarms, or `diary_head`; empty: every alarm."
    )
    enabled: bool = True


AlarmPage = page_model(Alarm, "AlarmPage")
WebhookTargetPage = page_model(WebhookTarget, "WebhookTargetPage")
