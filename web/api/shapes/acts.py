"""Acts: risky things that the server itself does once somebody else has agreed."""

from datetime import datetime
from typing import Any

from pydantic import Field

from mdm.core.risk import Risk
from mdm.orders.model import ActState
from web.api.paging import PageQuery, page_model
from web.api.shapes.orders import Who
from web.api.strict import Answer, Body


class Asked(Answer):
    """Nothing was done yet: a request was made of it, and somebody else must agree."""

    act: str = Field(description="Id of the request: `GET /acts/{act_id}` shows what becomes of it.")
    state: ActState
    verb: Risk
    detail: str = Field(description="What happens next.")
    once: dict[str, str] = Field(
        description="Shown this one time: the secret of a token that works once it is approved."
    )


class ActSubject(Answer):
    """What the act is about."""

    kind: str
    id: str
    name: str


class ActRow(Answer):
    """One request."""

    id: str
    verb: Risk
    state: ActState
    subject_kind: str
    subject_id: str
    subject_name: str
    reason: str
    why: str = Field(description="Why it is held, was not done, or was refused.")
    requested_by: str
    requested_by_id: str
    requested_at: datetime
    expires_at: datetime
    due_at: datetime | None = Field(description="From when on it is done; null while people are waited for.")
    finished_at: datetime | None


class ActDecision(Who):
    """One person's yes or no."""

    approved: bool
    reason: str


class ActReceipt(Answer):
    """One request with everything about it."""

    id: str
    verb: Risk
    words: str
    state: ActState
    subject: ActSubject
    arguments: dict[str, Any]
    facts: dict[str, Any]
    reason: str
    why: str
    place: str = Field(description="Code of the service point whose approvers may agree; empty for the whole city.")
    requested_by: Who
    approvals_needed: int
    decisions: list[ActDecision]
    due_at: datetime | None
    expires_at: datetime
    finished_at: datetime | None
    statement: str = Field(description="The text that people sign, to the letter.")


class ActQuery(PageQuery):
    """Filters of the list of requests."""

    state: list[ActState] | None = Field(default=None, max_length=20, description="May be given more than once.")


class ActYes(Body):
    """Somebody's signature over the statement."""

    proof: dict[str, Any] = Field(max_length=8, description="As `havenmeester approve` or a passkey makes it.")
    reason: str = Field(default="", max_length=500)


ActPage = page_model(ActRow)
