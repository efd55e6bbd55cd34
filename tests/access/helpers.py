"""What the tests of this room share."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from mdm.access import service as access
from mdm.access.model import Operator
from mdm.core.actor import Actor, ActorKind, command_line
from mdm.core.permissions import Role
from mdm.org import queries as org
from tests.conftest import NOW, Calling

LIMITS = access.Limits(timedelta(minutes=60), timedelta(hours=12))
HERE = access.Visit("192.0.2.7", "Firefox")
VISITOR = Actor(ActorKind.VISITOR, None, "visitor")
PASSWORD = "correct horse battery staple"


def make_operator(calling: Calling, email: str, *roles: Role, place: access.Place = access.CITY) -> Operator:
    """An operator with roles at one place, made on the command line."""
    with calling(command_line("root")) as call:
        operator = access.create_operator(call, email=email)
        for role in roles:
            access.add_grant(call, operator.id, role, place)
    return operator


def with_password(calling: Calling, email: str, *roles: Role) -> Operator:
    """An operator who came by link and set ``PASSWORD``."""
    operator = make_operator(calling, email, *roles)
    with calling(command_line("root")) as call:
        link = access.create_link(call, operator.id)
    with calling(VISITOR) as call:
        secret = access.with_link(call, link, HERE, LIMITS).secret
        assert secret is not None
        found = access.find(call.session, secret, NOW, LIMITS)
        assert found is not None
        assert access.set_password(call.by(speaking(call.session, operator)), found[0], PASSWORD, HERE)
        access.sign_out(call, secret)
    return operator


def speaking(session: Session, operator: Operator, now: datetime = NOW) -> Actor:
    """The operator as an actor, with the grants of now."""
    return access.actor_for(session, operator, "req-2", "192.0.2.7", now, org.units_below)
