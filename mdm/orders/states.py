"""The life of an order as one table: what may follow what. Forward only; nothing is done twice."""

from mdm.core.errors import N_, ConflictError
from mdm.orders.model import OrderState

_S = OrderState

MOVES: dict[OrderState, frozenset[OrderState]] = {
    _S.REQUESTED: frozenset({_S.APPROVED, _S.PAUSED, _S.REFUSED, _S.REJECTED, _S.CANCELLED, _S.EXPIRED}),
    _S.APPROVED: frozenset({_S.COOLING, _S.RELEASED, _S.HELD, _S.PAUSED, _S.REFUSED, _S.CANCELLED, _S.EXPIRED}),
    _S.COOLING: frozenset({_S.RELEASED, _S.HELD, _S.PAUSED, _S.REFUSED, _S.CANCELLED, _S.EXPIRED}),
    _S.HELD: frozenset({_S.COOLING, _S.RELEASED, _S.PAUSED, _S.REFUSED, _S.CANCELLED, _S.EXPIRED}),
    _S.PAUSED: frozenset({_S.REQUESTED, _S.APPROVED, _S.REJECTED, _S.REFUSED, _S.CANCELLED, _S.EXPIRED}),
    _S.RELEASED: frozenset({_S.FETCHED, _S.PAUSED, _S.REFUSED, _S.CANCELLED, _S.EXPIRED}),
    _S.FETCHED: frozenset({_S.DONE, _S.FAILED, _S.REFUSED, _S.UNANSWERED}),
    _S.UNANSWERED: frozenset({_S.DONE, _S.FAILED, _S.REFUSED}),
    _S.CANCELLED: frozenset(),
    _S.DONE: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.FAILED: frozenset(),
    _S.REFUSED: frozenset(),
    _S.REJECTED: frozenset(),
}

OPEN = frozenset({_S.REQUESTED, _S.APPROVED, _S.COOLING, _S.HELD, _S.PAUSED, _S.RELEASED, _S.FETCHED})
"""States in which the order still stands: there is one such order per device at the most."""

CANCELLABLE = frozenset(state for state, after in MOVES.items() if _S.CANCELLED in after)
"""States before the device has fetched it."""

PAUSABLE = frozenset(state for state, after in MOVES.items() if _S.PAUSED in after)
"""States in which the holder may still stop it."""

WAITS_FOR_SIGNER = frozenset({_S.APPROVED, _S.COOLING, _S.HELD})
"""Enough people have approved it, and the signer is asked again and again until it signs or refuses."""

DELIVERABLE = frozenset({_S.RELEASED, _S.FETCHED})
"""States in which the device is given the order when it asks, and again until it answers."""

ANSWERS: dict[str, OrderState] = {"done": _S.DONE, "failed": _S.FAILED, "refused": _S.REFUSED}
"""What a device may answer. ``busy`` is no answer: the order stands and is given again."""


def check(before: OrderState, after: OrderState) -> None:
    """Nothing when ``after`` may follow ``before``; raises ConflictError (``order_state``) that names the state."""
    if after not in MOVES[before]:
        raise ConflictError(
            N_("The order is %(state)s, so this can no longer be done. Nothing was changed."),
            code="order_state",
            state=before.value,
        )
