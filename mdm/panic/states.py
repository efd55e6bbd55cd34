"""The life of a call for help as a table of moves. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from mdm.core.errors import N_, ConflictError


class State(StrEnum):
    """Where a call for help stands."""

    ACKNOWLEDGED = "acknowledged"
    CALLED_OFF = "called_off"
    CLOSED = "closed"
    RINGING = "ringing"


class Move(StrEnum):
    """What can happen to it after it was raised."""

    ACKNOWLEDGE = "acknowledge"
    """Somebody says that they are coming."""
    CALL_OFF = "call_off"
    """Who raised it says that they are safe."""
    CLOSE = "close"
    """It is over, and written down."""
    DURESS = "duress"
    """Who raised it says so with the code that means the contrary."""
    ESCALATE = "escalate"
    """Nobody has answered: more people are told."""
    PRESS = "press"
    """The button is pressed once more."""


MOVES: Final[Mapping[tuple[State, Move], State]] = {
    (State.RINGING, Move.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.RINGING, Move.CALL_OFF): State.CALLED_OFF,
    (State.RINGING, Move.DURESS): State.RINGING,
    (State.RINGING, Move.ESCALATE): State.RINGING,
    (State.RINGING, Move.PRESS): State.RINGING,
    (State.ACKNOWLEDGED, Move.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Move.CALL_OFF): State.CALLED_OFF,
    (State.ACKNOWLEDGED, Move.CLOSE): State.CLOSED,
    (State.ACKNOWLEDGED, Move.DURESS): State.ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Move.PRESS): State.ACKNOWLEDGED,
    (State.CALLED_OFF, Move.CLOSE): State.CLOSED,
}
"""Every move there is. After a true false alarm a new press is a new call, and so is one after the end."""
OPEN: Final = (State.RINGING.value, State.ACKNOWLEDGED.value, State.CALLED_OFF.value)
"""States in which somebody still has something to do."""
LOUD: Final = (State.RINGING.value, State.ACKNOWLEDGED.value)
"""States in which somebody may be in danger."""

_REFUSED: Final[Mapping[Move, str]] = {
    Move.ACKNOWLEDGE: N_("This call for help is over already. You need not go."),
    Move.CALL_OFF: N_("This call for help is over already. Nothing was changed."),
    Move.CLOSE: N_(
        "Nobody has answered this call for help yet, or it is closed already. Say first that you are coming."
    ),
}
_OTHERWISE: Final = N_("This call for help is over already. Nothing was changed.")


def after(state: str, move: Move) -> State:
    """The state after the move. Raises ConflictError (``panic_state``) where there is no such move from here."""
    found = MOVES.get((State(state), move))
    if found is None:
        raise ConflictError(_REFUSED.get(move, _OTHERWISE), code="panic_state")
    return found


def possible(state: str, move: Move) -> bool:
    """Whether there is such a move from here."""
    return (State(state), move) in MOVES
