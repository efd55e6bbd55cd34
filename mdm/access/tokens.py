"""API tokens: a program's right to use the API, with one role at one place."""

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from mdm.access.model import ApiToken, Operator
from mdm.access.people_only import require_person
from mdm.access.places import CITY, Place, UnitsBelow, actor_of_token
from mdm.audit import service as audit
from mdm.core.actor import Actor, ActorKind, require
from mdm.core.clock import iso
from mdm.core.errors import N_, DeniedError, InvalidError, NotFoundError
from mdm.core.ids import new_secret, secret_digest
from mdm.core.permissions import ROLE_PERMISSIONS, Permission, Role, Where
from mdm.core.risk import Risk, gate
from mdm.core.text import clean
from mdm.storage.call import Call
from mdm.storage.scoping import within

PREFIX = "hvm_"
"""What every token begins with, so that a scanner of leaked secrets can know one."""
LONGEST = timedelta(days=366 * 5)
TOUCH = timedelta(minutes=1)


def create_token(
    call: Call,
    *,
    name: str,
    role: Role,
    place: Place = CITY,
    expires_at: datetime | None = None,
    digest: str = "",
) -> tuple[ApiToken, str]:
    """The token and its secret, which is shown this once; only its digest is kept.

    Raises DeniedError when the role can do at that place what its maker cannot, and for a role that approves: that is for
    people. InvalidError for an empty name and for an end in the past or beyond five years. ApprovalNeededError, with the
    secret in ``once``, for a role that changes anything: it works from the moment at which somebody else has agreed.
    ``digest`` is that of a secret which was shown already; then none is made.
    """
    require(call.actor, Permission.API_TOKEN_MANAGE, place.where)
    require_person(call)
    if Permission.ORDER_APPROVE in ROLE_PERMISSIONS[role]:
        raise DeniedError(N_("Approving is for people. No token was made; choose another role."), code="person_needed")
    for permission in ROLE_PERMISSIONS[role]:
        require(call.actor, permission, place.where)
    secret = "" if digest else new_secret(PREFIX)
    written, end = _name(name), _end(expires_at, call.now)
    said = {
        "role": role.value,
        **place.details,
        "expires_at": iso(end) if end else None,
        "digest": digest or secret_digest(secret),
    }
    facts = {"changes": sum(_changes(permission) for permission in ROLE_PERMISSIONS[role])}
    gate(
        call,
        Risk.TOKEN_MAKE,
        ("api_token", written),
        said,
        name=written,
        where=place.where,
        facts=facts,
        once={"secret": secret},
    )
    token = ApiToken(
        name=written,
        secret_digest=said["digest"],
        role=role.value,
        service_point_id=place.service_point_id,
        unit_id=place.unit_id,
        created_at=call.now,
        created_by=call.actor.name,
        created_by_id=call.actor.id if call.actor.kind is ActorKind.OPERATOR else None,
        expires_at=end,
    )
    call.session.add(token)
    call.session.flush()
    _record(call, "api_token.created", token)
    return token, secret


def revoke_token(call: Call, token_id: int) -> None:
    """Refuses a token from now on. Twice is like once; NotFoundError for one that is not the actor's."""
    token = call.session.get(ApiToken, token_id)
    if token is None or not call.actor.may(Permission.API_TOKEN_MANAGE, Where(token.service_point_id, token.unit_id)):
        raise NotFoundError(N_("There is no such token, or it is not one of yours."))
    if token.revoked_at is None:
        token.revoked_at = call.now
        _record(call, "api_token.revoked", token)


def tokens(call: Call) -> list[ApiToken]:
    """Tokens at the places that the actor governs, revoked and expired ones included, the newest first."""
    scope = call.actor.scope(Permission.API_TOKEN_MANAGE)
    query = select(ApiToken).where(within(scope, ApiToken.service_point_id, ApiToken.unit_id))
    return list(call.session.scalars(query.order_by(ApiToken.id.desc())))


def actor_for_token(
    session: Session, secret: str, request_id: str, address: str | None, now: datetime, units_below: UnitsBelow
) -> Actor | None:
    """The actor behind a token; None when it is unknown, revoked, expired, or its maker is disabled."""
    token = session.scalar(
        select(ApiToken)
        .outerjoin(Operator, Operator.id == ApiToken.created_by_id)
        .where(
            ApiToken.secret_digest == secret_digest(secret),
            ApiToken.revoked_at.is_(None),
            or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now),
            Operator.disabled_at.is_(None),
        )
    )
    return None if token is None else actor_of_token(session, token, request_id, address, now, units_below)


def touch_token(session: Session, token_id: int, now: datetime) -> None:
    """Notes the use of a token, at most once a minute. Writes: in a transaction that only reads, use one of its own."""
    session.execute(
        update(ApiToken)
        .where(ApiToken.id == token_id, or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at <= now - TOUCH))
        .values(last_used_at=now)
        .execution_options(synchronize_session=False)
    )


def token_needs_touch(session: Session, token_id: int, now: datetime) -> bool:
    """Whether the last use was noted more than a minute ago, or never."""
    last = session.scalar(select(ApiToken.last_used_at).where(ApiToken.id == token_id))
    return last is None or last <= now - TOUCH


def _changes(permission: Permission) -> bool:
    """Whether a permission lets its holder do more than look."""
    return not permission.endswith((":view", ":export"))


def _name(name: str) -> str:
    written = clean(name, 128)
    if not written:
        sentence = N_("A name is needed, so that it is known later what the token is for.")
        raise InvalidError(sentence, fields={"name": sentence})
    return written


def _end(expires_at: datetime | None, now: datetime) -> datetime | None:
    if expires_at is not None and not now < expires_at <= now + LONGEST:
        sentence = N_("A token ends in the future, at most five years from now.")
        raise InvalidError(sentence, fields={"expires_at": sentence})
    return expires_at


def _record(call: Call, action: str, token: ApiToken) -> None:
    place = Place(token.service_point_id, token.unit_id)
    details = {"role": token.role, **place.details}
    audit.record(call, action, ("api_token", token.id), name=token.name, where=place.where, details=details)
