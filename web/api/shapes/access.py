"""Who may come in, and as what."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from mdm.core.actor import ActorKind
from mdm.core.permissions import Permission, Role
from web.api.paging import PageQuery, page_model
from web.api.shapes.fields import Id, Line, Moment, Search
from web.api.strict import Answer, Body, Edit

ConsoleLanguage = Literal["nl", "fr", "en"]


class Place(Answer):
    """The places of one permission; `city` is everywhere."""

    permission: Permission
    city: bool
    service_points: list[int]
    units: list[int] = Field(description="Units of the grants with everything that is below them today.")


class Me(Answer):
    """Who speaks, and what they may do where."""

    kind: ActorKind
    id: int | None
    name: str
    email: str | None
    language: str
    theme: str | None
    roles: list[Role]
    permissions: list[Place]


class MeEdit(Edit):
    """What shall change; what is left out stays."""

    name: Line = ""
    language: ConsoleLanguage = "nl"
    theme: Literal["auto", "light", "dark"] = "auto"


class Grant(Answer):
    """A role at a place; without service point and unit it is for the city."""

    id: int
    role: Role
    service_point_id: int | None
    unit_id: int | None
    granted_at: datetime
    granted_by: str


class Operator(Answer):
    """Somebody who signs in to the console."""

    id: int
    email: str
    name: str
    language: str
    second_factor: bool = Field(description="Whether a second factor is set up.")
    disabled_at: datetime | None
    created_at: datetime
    grants: list[Grant]


class OperatorQuery(PageQuery):
    """Filters of the list of operators."""

    search: Search = ""
    disabled: bool = Field(default=True, description="Disabled ones as well.")


class OperatorNew(Body):
    """Somebody who shall be able to sign in; the first sign-in is by link or by the city's identity provider."""

    email: Line
    name: Line = ""
    language: ConsoleLanguage = "nl"


class GrantNew(Body):
    """A role at a place; without service point and unit it is for the city."""

    role: Role
    service_point_id: Id | None = None
    unit_id: Id | None = None


class Token(Answer):
    """A program's right to use the API: one role at one place."""

    id: int
    name: str
    role: Role
    service_point_id: int | None
    unit_id: int | None
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class TokenMade(Token):
    """The token and its secret."""

    secret: str = Field(description="Shown this once; only its digest is kept.")


class TokenNew(Body):
    """A token can do no more than whoever makes it."""

    name: Line
    role: Role
    service_point_id: Id | None = None
    unit_id: Id | None = None
    expires_at: Moment | None = Field(default=None, description="At most five years from now.")


OperatorPage = page_model(Operator)
TokenPage = page_model(Token)
