"""The life of a command as one table: what may follow what. ``queued`` again is the device's "not now"."""

from mdm.commands.model import State
from mdm.core.errors import N_, ConflictError

_S = State

MOVES: dict[State, frozenset[State]] = {
    _S.QUEUED: frozenset({_S.SENT, _S.FETCHED, _S.CANCELLED, _S.EXPIRED}),
    _S.SENT: frozenset({_S.FETCHED, _S.CANCELLED, _S.EXPIRED}),
    _S.FETCHED: frozenset({_S.DONE, _S.FAILED, _S.REFUSED, _S.QUEUED, _S.EXPIRED}),
    _S.CANCELLED: frozenset(),
    _S.DONE: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.FAILED: frozenset(),
    _S.REFUSED: frozenset(),
}

OPEN = frozenset({_S.QUEUED, _S.SENT, _S.FETCHED})
"""States in which the device still has to fetch or answer it."""

CANCELLABLE = frozenset(state for state, after in MOVES.items() if _S.CANCELLED in after)
"""States before the device has fetched it."""

ANSWERS: dict[str, State] = {"busy": _S.QUEUED, "done": _S.DONE, "failed": _S.FAILED, "refused": _S.REFUSED}
"""What a device may answer, and what the command becomes by it."""


def check(before: State, after: State) -> None:
    """Nothing when ``after`` may follow ``before``; raises ConflictError (``command_state``) that names the state."""
    if after not in MOVES[before]:
        raise ConflictError(
            N_("The command is %(state)s, so this can no longer be done. Nothing was changed."),
            code="command_state",
            state=before.value,
        )
