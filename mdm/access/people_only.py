"""What a person does, and a program never: give rights, make tokens, reset somebody's second factor."""

from mdm.core.actor import ActorKind
from mdm.core.errors import N_, DeniedError
from mdm.storage.call import Call

_PEOPLE = frozenset({ActorKind.COMMAND_LINE, ActorKind.OPERATOR, ActorKind.SYSTEM})


def require_person(call: Call) -> None:
    """Nothing for a person; raises DeniedError for a token or a device, whatever its role: a leaked one cannot multiply."""
    if call.actor.kind not in _PEOPLE:
        raise DeniedError(
            N_("An API token cannot do this; sign in as a person. Nothing was changed."), code="person_needed"
        )


def own_id(call: Call) -> int:
    """The id of the operator who speaks; raises DeniedError for anybody who is no operator."""
    if call.actor.kind is not ActorKind.OPERATOR or call.actor.id is None:
        raise DeniedError(N_("Only somebody who has signed in can do this. Nothing was changed."), code="person_needed")
    return call.actor.id
