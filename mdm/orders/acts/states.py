"""The life of an act as one table: what may follow what. Forward only; nothing is done twice."""

from mdm.core.errors import N_, ConflictError
from mdm.orders.model import ActState

_S = ActState

MOVES: dict[ActState, frozenset[ActState]] = {
    _S.REQUESTED: frozenset({_S.APPROVED, _S.REJECTED, _S.CANCELLED, _S.EXPIRED}),
    _S.APPROVED: frozenset({_S.HELD, _S.DONE, _S.FAILED, _S.CANCELLED, _S.EXPIRED}),
    _S.HELD: frozenset({_S.HELD, _S.DONE, _S.FAILED, _S.CANCELLED, _S.EXPIRED}),
    _S.CANCELLED: frozenset(),
    _S.DONE: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.FAILED: frozenset(),
    _S.REJECTED: frozenset(),
}

OPEN = frozenset(state for state, after in MOVES.items() if after)
"""States in which the act may still be done."""

TO_PERFORM = frozenset({_S.APPROVED, _S.HELD})
"""States in which only the worker is waited for."""


def check(before: ActState, after: ActState) -> None:
    """Nothing when ``after`` may follow ``before``; raises ConflictError (``act_state``) that names the state."""
    if after not in MOVES[before]:
        raise ConflictError(
            N_("The request is %(state)s, so this can no longer be done. Nothing was changed."),
            code="act_state",
            state=before.value,
        )
