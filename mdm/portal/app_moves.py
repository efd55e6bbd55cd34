"""The life of a wish for an application, as a table of moves. Pure."""

from collections.abc import Mapping
from typing import Final

from mdm.core.errors import N_, ConflictError
from mdm.portal.model import AppRequest, AppState

MOVES: Final[Mapping[AppState, frozenset[AppState]]] = {
    AppState.ASKED: frozenset({AppState.GRANTED, AppState.REFUSED, AppState.WITHDRAWN}),
    AppState.GRANTED: frozenset({AppState.WITHDRAWN}),
    AppState.REFUSED: frozenset(),
    AppState.WITHDRAWN: frozenset(),
}
"""What may follow what. What has ended stays as it was; the person asks anew."""
OPEN: Final = frozenset(state for state, after in MOVES.items() if after)


def moved(wish: AppRequest, to: AppState) -> bool:
    """Puts the wish into another state: False when it is there already. Raises ConflictError for a move that is none."""
    if wish.state == to:
        return False
    if to not in MOVES[AppState(wish.state)]:
        raise ConflictError(
            N_("This was answered or taken back already. Nothing was changed."), code="app_request_state"
        )
    wish.state = to.value
    if to not in OPEN:
        wish.slot = None
    return True
