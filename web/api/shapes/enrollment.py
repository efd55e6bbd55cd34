"""Invitations and enrollments."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from mdm.enrollment.progress import Standing, Step
from mdm.inventory.model import DeviceKind, Ownership, Platform
from web.api.paging import PageQuery, page_model
from web.api.shapes.fields import Id, Line, Uid
from web.api.strict import Answer, Body


class Invitation(Answer):
    """A one-time, expiring right to enrol one device for one person at one service point."""

    uid: str
    person_id: int
    platform: Platform
    service_point_id: int
    unit_id: int | None
    ownership: Ownership
    kind: DeviceKind | Literal[""]
    standing: Standing
    created_by: str
    created_at: datetime
    expires_at: datetime
    opened_at: datetime | None
    used_at: datetime | None
    withdrawn_at: datetime | None
    failure: str = Field(description="Why it stopped, where it did.")


class InvitationMade(Invitation):
    """The invitation and its address."""

    url: str = Field(
        description="Shown this once. Its fragment carries the fingerprint of our CA, so that the agent trusts nothing else."
    )


class InvitationNew(Body):
    """Who is invited to enrol what, and where."""

    email: Line
    platform: Platform
    service_point: Line = Field(description="Code of the service point.")
    name: Line | None = Field(default=None, description="For a person who is not known yet.")
    kind: DeviceKind | None = None
    ownership: Ownership = Ownership.CITY
    device: Uid | None = Field(default=None, description="The device it is for, where it is recorded already.")


class InvitationQuery(PageQuery):
    """Filters of the list of invitations."""

    standing: Standing | None = None
    person_id: Id | None = None


class StepDone(Answer):
    """One step, and when it was done; a step that a later one implies has no moment of its own."""

    step: Step
    at: datetime | None


class Progress(Answer):
    """How far an invitation has come."""

    standing: Standing
    done: list[StepDone]
    next: Step | None
    green: bool = Field(description="Whether the device has its settings.")
    failure: str
    device: str | None


class Enrollment(Answer):
    """One certificate of a device."""

    id: int
    fingerprint: str = Field(description="SHA-256 of the certificate.")
    serial_number: str
    not_before: datetime
    not_after: datetime
    first_used_at: datetime | None
    revoked_at: datetime | None
    revoked_why: str
    created_at: datetime


class Enrollments(Answer):
    """The certificates of a device, newest first."""

    items: list[Enrollment]


class Revocation(Body):
    """Why."""

    reason: str = Field(min_length=1, max_length=64)


InvitationPage = page_model(Invitation)
