"""Operators and their grants."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update

from mdm.access.model import ApiToken, OneTimeLink, Operator, OperatorGrant, WebSession
from mdm.access.people_only import own_id, require_person
from mdm.access.places import CITY, Place
from mdm.audit import service as audit
from mdm.core.actor import ActorKind, require
from mdm.core.errors import N_, ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.mail import email_address
from mdm.core.permissions import EVERYWHERE, ROLE_PERMISSIONS, Permission, Role, Where
from mdm.core.risk import Risk, gate
from mdm.core.text import clean
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

CONSOLE_LANGUAGES = ("nl", "fr", "en")
THEMES = ("auto", "light", "dark")


def create_operator(call: Call, *, email: str, name: str = "", language: str = "nl") -> Operator:
    """Makes somebody who can sign in, with no rights yet and no password: the first sign-in is by link or by OpenID Connect.

    Raises InvalidError that names the field, ConflictError when the address is taken.
    """
    if not call.actor.may_somewhere(Permission.OPERATOR_MANAGE):
        require(call.actor, Permission.OPERATOR_MANAGE)
    require_person(call)
    address = email_address(email)
    operator = Operator(
        email=address,
        name=clean(name) or address.split("@", 1)[0],
        language=_language(language),
        created_at=call.now,
    )
    call.session.add(operator)
    flush_unique(call.session, _email_taken())
    _record(call, "operator.created", operator, {"email": address})
    return operator


def add_operator(
    call: Call, *, email: str, role: Role, place: Place = CITY, name: str = "", language: str = "nl"
) -> Operator:
    """Makes somebody who can sign in, with one role at a place. Raises as ``create_operator`` and ``add_grant``."""
    require(call.actor, Permission.OPERATOR_MANAGE, place.where)
    require_person(call)
    address = email_address(email)
    if call.session.scalar(select(Operator.id).where(Operator.email == address)) is not None:
        raise _email_taken()
    said = {"role": role.value, **place.details, "name": clean(name), "language": _language(language)}
    gate(
        call, Risk.OPERATOR_ADD, ("operator", address), said, name=address, where=place.where, facts=_powers([role])
    )  # fmt: skip
    operator = create_operator(call, email=address, name=name, language=language)
    _give(call, operator, role, place)
    return operator


def ensure_operator(call: Call, *, email: str, name: str = "", language: str = "nl") -> Operator:
    """The operator with this address, made when there is none. Raises as ``create_operator``."""
    found = call.session.scalar(select(Operator).where(Operator.email == email_address(email)))
    if found is None:
        return create_operator(call, email=email, name=name, language=language)
    return manageable(call, found.id)


def edit_profile(
    call: Call, *, name: str | None = None, language: str | None = None, theme: str | None = None
) -> Operator:
    """Changes one's own name, language and theme; what is None stays. Raises InvalidError that names the field."""
    operator = call.session.get_one(Operator, own_id(call))
    if name is not None and clean(name):
        operator.name = clean(name)
    if language is not None:
        operator.language = _language(language)
    if theme is not None:
        if theme not in THEMES:
            sentence = N_("The theme is auto, light or dark.")
            raise InvalidError(sentence, fields={"theme": sentence})
        operator.theme = theme
    return operator


def add_grant(call: Call, operator_id: int, role: Role, place: Place = CITY) -> OperatorGrant:
    """Gives a role at a place; one that is held already is answered as it is.

    Raises DeniedError for a place that the giver does not govern and for oneself, ConflictError when the operator would
    both ask for orders and approve them, ApprovalNeededError for a role that may do anything.
    """
    require(call.actor, Permission.OPERATOR_MANAGE, place.where)
    require_person(call)
    operator = call.session.get(Operator, operator_id)
    if operator is None:
        raise _no_operator()
    _not_oneself(call, operator)
    held = grants_of(call, operator_id)
    for grant in held:
        if (grant.role, grant.service_point_id, grant.unit_id) == (role.value, place.service_point_id, place.unit_id):
            return grant
    _asks_or_approves([*(Role(grant.role) for grant in held), role])
    said = {"role": role.value, **place.details}
    gate(
        call,
        Risk.ROLE_GIVE,
        ("operator", operator.id),
        said,
        name=operator.name,
        where=place.where,
        facts=_powers([role]),
    )
    return _give(call, operator, role, place)


def _give(call: Call, operator: Operator, role: Role, place: Place) -> OperatorGrant:
    grant = OperatorGrant(
        operator_id=operator.id,
        role=role.value,
        service_point_id=place.service_point_id,
        unit_id=place.unit_id,
        granted_at=call.now,
        granted_by=call.actor.name,
    )
    call.session.add(grant)
    call.session.flush()
    _record(call, "operator.role_given", operator, {"role": role.value, **place.details}, place.where)
    return grant


def remove_grant(call: Call, grant_id: int) -> None:
    """Takes a role away; API tokens of the operator that rested on it are revoked. Twice is like once.

    Raises NotFoundError for a grant at a place that is not the actor's, ConflictError for the last fleet admin of the city,
    ApprovalNeededError for an approver's: whoever takes the approvers away could do the rest alone.
    """
    require_person(call)
    grant = call.session.get(OperatorGrant, grant_id)
    if grant is None:
        return
    place = Place(grant.service_point_id, grant.unit_id)
    if not call.actor.may(Permission.OPERATOR_MANAGE, place.where):
        raise _no_operator()
    operator = call.session.get_one(Operator, grant.operator_id)
    if grant.role == Role.FLEET_ADMIN and place == CITY:
        _another_admin_remains(call, operator)
    said = {"grant": grant.id, "role": grant.role, **place.details}
    facts = {"approver": int(grant.role == Role.APPROVER)}
    gate(call, Risk.ROLE_TAKE, ("operator", operator.id), said, name=operator.name, where=place.where, facts=facts)
    call.session.delete(grant)
    call.session.flush()
    revoked = _revoke_tokens(call, operator)
    _record(
        call,
        "operator.role_taken",
        operator,
        {"role": grant.role, **place.details, "tokens_revoked": revoked},
        place.where,
    )


def disable_operator(call: Call, operator_id: int) -> Operator:
    """Shuts an operator out at once: sessions end, links and API tokens die. Twice is like once.

    Raises ConflictError for oneself and for the last fleet admin of the city, ApprovalNeededError for an approver.
    """
    require_person(call)
    operator = manageable(call, operator_id)
    if operator.disabled_at is not None:
        return operator
    _not_oneself(call, operator)
    _another_admin_remains(call, operator)
    roles = roles_of(call, operator_id)
    facts = {"approver": int(Role.APPROVER in roles)}
    gate(call, Risk.OPERATOR_DISABLE, ("operator", operator.id), {}, name=operator.name, facts=facts)
    operator.disabled_at = call.now
    end_all(call, operator_id)
    revoked = _revoke_tokens(call, operator, everything=True)
    _record(call, "operator.disabled", operator, {"tokens_revoked": revoked})
    return operator


def enable_operator(call: Call, operator_id: int) -> Operator:
    """Lets a disabled operator sign in again, with the grants that were left; tokens stay revoked.

    Raises ApprovalNeededError where a grant was left.
    """
    require_person(call)
    operator = manageable(call, operator_id)
    if operator.disabled_at is not None:
        facts = _powers(roles_of(call, operator_id))
        gate(call, Risk.OPERATOR_ENABLE, ("operator", operator.id), {}, name=operator.name, facts=facts)
        operator.disabled_at = None
        _record(call, "operator.enabled", operator, {})
    return operator


def end_all(call: Call, operator_id: int, *, but: int | None = None) -> int:
    """Ends the sessions of an operator, except the one named, and burns unused links: how many sessions ended."""
    ended = call.session.execute(
        delete(WebSession).where(WebSession.operator_id == operator_id, WebSession.id != (but or 0))
    )
    call.session.execute(
        update(OneTimeLink)
        .where(OneTimeLink.operator_id == operator_id, OneTimeLink.used_at.is_(None))
        .values(used_at=call.now)
    )
    return int(getattr(ended, "rowcount", 0))


def grants_of(call: Call, operator_id: int) -> list[OperatorGrant]:
    """Every grant of an operator, oldest first."""
    return list(
        call.session.scalars(
            select(OperatorGrant).where(OperatorGrant.operator_id == operator_id).order_by(OperatorGrant.id)
        )
    )


def roles_of(call: Call, operator_id: int) -> list[Role]:
    """The roles of an operator, whatever the place."""
    return [Role(grant.role) for grant in grants_of(call, operator_id)]


def gate_sign_in(call: Call, operator: Operator, said: dict[str, Any]) -> None:
    """Whoever makes a way in for somebody else could come in as them: raises ApprovalNeededError where they hold a role.

    The host's own command line is let through: it is how a city comes back in when nobody else can.
    """
    facts = _powers(roles_of(call, operator.id))
    if call.actor.kind is ActorKind.COMMAND_LINE:
        return
    if call.actor.kind is ActorKind.OPERATOR and call.actor.id == operator.id:
        return
    gate(call, Risk.SIGN_IN_LINK, ("operator", operator.id), said, name=operator.name, facts=facts)


def manageable(call: Call, operator_id: int) -> Operator:
    """An operator all of whose grants lie at places that the actor governs; NotFoundError for everybody else.

    Somebody without any grant is the city's.
    """
    operator = call.session.get(Operator, operator_id)
    places = [Where(grant.service_point_id, grant.unit_id) for grant in grants_of(call, operator_id)]
    if operator is None or not all(
        call.actor.may(Permission.OPERATOR_MANAGE, where) for where in places or [EVERYWHERE]
    ):
        raise _no_operator()
    return operator


def approver_since(call: Call, operator_id: int) -> datetime | None:
    """Since when the operator has been an approver anywhere; None for one who is not."""
    return call.session.scalar(
        select(func.min(OperatorGrant.granted_at)).where(
            OperatorGrant.operator_id == operator_id, OperatorGrant.role == Role.APPROVER.value
        )
    )


def _powers(roles: Iterable[Role]) -> dict[str, int]:
    return {"powers": len(frozenset[Permission]().union(*(ROLE_PERMISSIONS[role] for role in roles)))}


def _email_taken() -> ConflictError:
    return ConflictError(
        N_("There is an operator with this e-mail address already. Nothing was changed."), code="email_taken"
    )


def _language(language: str) -> str:
    if language not in CONSOLE_LANGUAGES:
        sentence = N_("The console speaks nl, fr and en.")
        raise InvalidError(sentence, fields={"language": sentence})
    return language


def _not_oneself(call: Call, operator: Operator) -> None:
    if call.actor.id == operator.id and call.actor.kind.value == "operator":
        raise DeniedError(
            N_("Nobody changes their own rights. Nothing was changed; ask another fleet admin."), code="own_rights"
        )


def _asks_or_approves(roles: Iterable[Role]) -> None:
    held = frozenset[Permission]().union(*(ROLE_PERMISSIONS[role] for role in roles))
    if {Permission.ORDER_REQUEST, Permission.ORDER_APPROVE} <= held:
        raise ConflictError(
            N_("Nobody both asks for orders and approves them. Nothing was changed; give the role to somebody else."),
            code="duties_apart",
        )


def _another_admin_remains(call: Call, operator: Operator) -> None:
    admins = (
        select(OperatorGrant.operator_id)
        .join(Operator, Operator.id == OperatorGrant.operator_id)
        .where(
            OperatorGrant.role == Role.FLEET_ADMIN.value,
            OperatorGrant.service_point_id.is_(None),
            OperatorGrant.unit_id.is_(None),
            Operator.disabled_at.is_(None),
        )
        .with_for_update()
    )
    holders = set(call.session.scalars(admins))
    if holders == {operator.id}:
        raise ConflictError(
            N_("This is the last fleet admin of the city. Nothing was changed; give somebody else the role first."),
            code="last_admin",
        )


def _revoke_tokens(call: Call, operator: Operator, *, everything: bool = False) -> int:
    """Revokes the operator's tokens that the remaining grants do not carry any more, or all of them."""
    held = grants_of(call, operator.id)
    revoked = 0
    for token in call.session.scalars(
        select(ApiToken).where(ApiToken.created_by_id == operator.id, ApiToken.revoked_at.is_(None))
    ):
        carried = any(
            ROLE_PERMISSIONS[Role(token.role)] <= ROLE_PERMISSIONS[Role(grant.role)]
            and (grant.service_point_id, grant.unit_id) in ((None, None), (token.service_point_id, token.unit_id))
            for grant in held
        )
        if everything or not carried:
            token.revoked_at = call.now
            revoked += 1
    return revoked


def _no_operator() -> NotFoundError:
    return NotFoundError(N_("There is no such operator, or not one at your places."))


def _record(call: Call, action: str, operator: Operator, details: dict[str, object], where: Where = EVERYWHERE) -> None:
    audit.record(call, action, ("operator", operator.id), name=operator.name, where=where, details=details)
