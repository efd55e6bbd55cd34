"""Oneself, operators, their grants, API tokens."""

from apiflask import APIBlueprint

from mdm.access import model, queries, service
from mdm.core.permissions import Permission
from mdm.core.risk import Risk
from mdm.storage.call import Call
from web.api.operation import SignedIn, operation
from web.api.paging import Page, PageQuery, cut
from web.api.shapes import access as shapes
from web.api.shapes.access import Operator, Token
from web.api.versions import unchanged

api = APIBlueprint(
    "access", __name__, tag={"name": "Access", "description": "Oneself, operators, their roles at places, API tokens."}
)
OPERATORS, TOKENS = Permission.OPERATOR_MANAGE, Permission.API_TOKEN_MANAGE
ONE = "/operators/<key:operator_id>"


def _me(call: Call) -> shapes.Me:
    actor, operator = call.actor, queries.me(call)
    scopes = [(permission, actor.scope(permission)) for permission in Permission if actor.may_somewhere(permission)]
    return shapes.Me(
        kind=actor.kind,
        id=actor.id,
        name=operator.name if operator else actor.name,
        email=operator.email if operator else None,
        language=operator.language if operator else actor.language,
        theme=operator.theme if operator else None,
        roles=sorted({grant.role for grant in actor.grants}),
        permissions=[
            shapes.Place(
                permission=permission,
                city=scope.city,
                service_points=sorted(scope.service_points),
                units=sorted(scope.units),
            )
            for permission, scope in scopes
        ],
    )


@operation(api, "GET", "/me", SignedIn(), answer=shapes.Me, tagged=True)
def get_me(call: Call) -> shapes.Me:
    """Read who you are.

    Your roles, and what you may do where.
    """
    return _me(call)


@operation(api, "PATCH", "/me", SignedIn(), body=shapes.MeEdit, answer=shapes.Me, tagged=True, guarded=True)
def edit_me(call: Call, body: shapes.MeEdit) -> shapes.Me:
    """Change your own name, language or theme.

    For people only: 403 for an API token.
    """
    unchanged(_me(call))
    service.edit_profile(call, **body.given())
    return _me(call)


def _operator(found: model.Operator, grants: list[model.OperatorGrant]) -> Operator:
    return Operator(
        id=found.id,
        email=found.email,
        name=found.name,
        language=found.language,
        second_factor=found.totp_confirmed_at is not None,
        disabled_at=found.disabled_at,
        created_at=found.created_at,
        grants=[shapes.Grant.model_validate(grant) for grant in grants],
    )


def _one(call: Call, operator_id: int) -> Operator:
    return _operator(*queries.operator(call, operator_id))


@operation(api, "GET", "/operators", OPERATORS, query=shapes.OperatorQuery, answer=shapes.OperatorPage)
def list_operators(call: Call, query: shapes.OperatorQuery) -> Page[Operator]:
    """List operators.

    By name; those all of whose roles lie at places that you govern.
    """
    found = queries.operators(call, search=query.search, disabled=query.disabled)
    rows, following, total = cut(found, query, lambda row: row[0].id)
    return shapes.OperatorPage(items=[_operator(*row) for row in rows], next=following, total=total)


@operation(api, "GET", ONE, OPERATORS, answer=Operator)
def get_operator(call: Call, operator_id: int) -> Operator:
    """Read one operator.

    With the roles and their places.
    """
    return _one(call, operator_id)


@operation(api, "POST", "/operators", OPERATORS, body=shapes.OperatorNew, answer=Operator, status=201)
def create_operator(call: Call, body: shapes.OperatorNew) -> Operator:
    """Make somebody who can sign in.

    With no rights yet. For people only: 403 for an API token. 409 when the address is taken.
    """
    return _operator(service.create_operator(call, email=body.email, name=body.name, language=body.language), [])


@operation(
    api,
    "POST",
    f"{ONE}/grants",
    OPERATORS,
    body=shapes.GrantNew,
    answer=shapes.Grant,
    status=201,
    risks=(Risk.ROLE_GIVE,),
)
def add_grant(call: Call, operator_id: int, body: shapes.GrantNew) -> shapes.Grant:
    """Give a role at a place.

    For people only. 403 for a place that you do not govern and for yourself; 409 when the operator would both ask for
    orders and approve them.
    """
    place = service.Place(body.service_point_id, body.unit_id)
    return shapes.Grant.model_validate(service.add_grant(call, operator_id, body.role, place))


@operation(
    api,
    "DELETE",
    "/grants/<key:grant_id>",
    OPERATORS,
    answer=None,
    status=204,
    problems=(409,),
    risks=(Risk.ROLE_TAKE,),
)
def remove_grant(call: Call, grant_id: int) -> None:
    """Take a role away.

    For people only. API tokens that rested on it are revoked. Twice is like once. 409 for the last fleet admin.
    """
    service.remove_grant(call, grant_id)


@operation(api, "POST", f"{ONE}/disable", OPERATORS, answer=Operator, risks=(Risk.OPERATOR_DISABLE,))
def disable_operator(call: Call, operator_id: int) -> Operator:
    """Shut an operator out at once.

    For people only. Sessions end, links and API tokens die. 409 for yourself and for the last fleet admin.
    """
    service.disable_operator(call, operator_id)
    return _one(call, operator_id)


@operation(api, "POST", f"{ONE}/enable", OPERATORS, answer=Operator, risks=(Risk.OPERATOR_ENABLE,))
def enable_operator(call: Call, operator_id: int) -> Operator:
    """Let a disabled operator sign in again.

    For people only. With the roles that were left; tokens stay revoked.
    """
    service.enable_operator(call, operator_id)
    return _one(call, operator_id)


@operation(api, "GET", "/tokens", TOKENS, query=PageQuery, answer=shapes.TokenPage)
def list_tokens(call: Call, query: PageQuery) -> Page[Token]:
    """List API tokens.

    Newest first, revoked and expired ones included; those at places that you govern.
    """
    rows, following, total = cut(queries.tokens(call), query, lambda row: row.id)
    return shapes.TokenPage(items=[Token.model_validate(row) for row in rows], next=following, total=total)


@operation(
    api, "POST", "/tokens", TOKENS, body=shapes.TokenNew, answer=shapes.TokenMade, status=201, risks=(Risk.TOKEN_MAKE,)
)
def create_token(call: Call, body: shapes.TokenNew) -> shapes.TokenMade:
    """Make an API token.

    For people only. The secret is shown this once. 403 for a role that can do what you cannot, and for one that approves.
    """
    place = service.Place(body.service_point_id, body.unit_id)
    token, secret = service.create_token(call, name=body.name, role=body.role, place=place, expires_at=body.expires_at)
    return shapes.TokenMade.model_validate({**Token.model_validate(token).model_dump(), "secret": secret})


@operation(api, "POST", "/tokens/<key:token_id>/revoke", TOKENS, answer=None, status=204)
def revoke_token(call: Call, token_id: int) -> None:
    """Refuse a token from now on.

    Twice is like once.
    """
    service.revoke_token(call, token_id)
