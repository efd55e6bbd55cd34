"""The diary."""

from datetime import datetime
from typing import Any

from pydantic import Field

from mdm.core.actor import ActorKind
from web.api.paging import PageQuery, page_model
from web.api.shapes.fields import MAX_ID, Id, Line, Moment, Search
from web.api.strict import Answer


class AuditLine(Answer):
    """One line of the diary: who did what to what, when, under which request."""

    id: int
    at: datetime
    actor_kind: ActorKind
    actor_id: int | None
    actor_name: str
    address: str | None
    request_id: str
    action: str
    subject_kind: str
    subject_id: str
    subject_name: str
    service_point_id: int | None
    unit_id: int | None
    details: dict[str, Any]
    previous: str
    hash: str = Field(description="SHA-256 over this line and the hash of the line before it.")


class AuditQuery(PageQuery):
    """Filters of the diary."""

    search: Search = ""
    action: str = Field(
        default="", max_length=64, description="`order.approved`, or its beginning with a dot at the end: `order.`"
    )
    actor_kind: ActorKind | None = None
    actor_id: int | None = Field(default=None, ge=1, le=MAX_ID)
    subject_kind: str = Field(default="", max_length=32)
    subject_id: str = Field(default="", max_length=64)
    service_point_id: Id | None = None
    request: Line = Field(default="", description="Request id.")
    since: Moment | None = None
    until: Moment | None = None


class Proof(Answer):
    """What came of proving the diary."""

    whole: bool | None = Field(
        description="Whether every line is as it was written, and none is missing; null while the signer does not answer:"
        " the chain is whole then, but lines may have been cut from its end."
    )
    signer_asked: bool = Field(description="Whether the diary was compared with what the signer signed.")
    lines: int = Field(description="Number of the last line that was proved.")
    heads: int = Field(description="Signed heads that it agrees with.")
    hash: str = Field(description="Hash of that line.")
    broken_at: int | None = Field(description="Number of the first line that is wrong.")
    why: str


AuditPage = page_model(AuditLine, "AuditPage")
