"""The employee who speaks at their own door, and the right that they are lent for one thing of their own."""

from dataclasses import replace

from mdm.core.actor import ActorKind
from mdm.core.errors import N_, NotSignedInError
from mdm.core.permissions import Grant, Role
from mdm.people.model import Person
from mdm.storage.call import Call


def me(call: Call) -> Person:
    """The employee who speaks. Raises NotSignedInError for anybody else."""
    person = call.session.get(Person, call.actor.id) if call.actor.kind is ActorKind.EMPLOYEE else None
    if person is None:
        raise NotSignedInError(N_("You are not signed in. Nothing was changed. Sign in again."))
    return person


def lent(call: Call, role: Role) -> Call:
    """The same call with a right that the employee has for this one thing of their own; the diary names the employee."""
    return call.by(replace(call.actor, grants=(Grant(role),)))
