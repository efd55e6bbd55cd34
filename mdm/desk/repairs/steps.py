"""The life of a repair as one table: what may follow what."""

from mdm.core.errors import N_, ConflictError
from mdm.desk.repairs.model import RepairState

_S = RepairState

MOVES: dict[RepairState, frozenset[RepairState]] = {
    _S.OPEN: frozenset({_S.AT_SUPPLIER, _S.CLOSED}),
    _S.AT_SUPPLIER: frozenset({_S.BACK, _S.CLOSED}),
    _S.BACK: frozenset({_S.AT_SUPPLIER, _S.CLOSED}),
    _S.CLOSED: frozenset(),
}
"""What a desk mends itself is closed at once; what comes back unmended goes to the supplier again."""


def check(before: RepairState, after: RepairState) -> None:
    """Nothing when ``after`` may follow ``before``; raises ConflictError that names both."""
    if after not in MOVES[before]:
        raise ConflictError(
            N_("A repair that is %(before)s cannot become %(after)s. Nothing was changed."),
            code="repair_state",
            before=before.value.replace("_", " "),
            after=after.value.replace("_", " "),
        )
