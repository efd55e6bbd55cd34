"""The life of a device as one table: what may follow what, and in which states somebody holds it."""

from collections.abc import Mapping

from mdm.core.errors import N_, ConflictError
from mdm.inventory.model import Device, LifeCycle

_L = LifeCycle

MOVES: dict[LifeCycle, frozenset[LifeCycle]] = {
    _L.IN_STOCK: frozenset({_L.HANDED_OUT, _L.ON_LOAN, _L.IN_REPAIR, _L.LOST, _L.RETIRED}),
    _L.HANDED_OUT: frozenset({_L.RETURNED, _L.IN_REPAIR, _L.LOST, _L.WIPED}),
    _L.ON_LOAN: frozenset({_L.RETURNED, _L.IN_REPAIR, _L.LOST, _L.WIPED}),
    _L.IN_REPAIR: frozenset({_L.HANDED_OUT, _L.ON_LOAN, _L.RETURNED, _L.IN_STOCK, _L.LOST, _L.WIPED, _L.RETIRED}),
    _L.LOST: frozenset({_L.HANDED_OUT, _L.ON_LOAN, _L.RETURNED, _L.WIPED, _L.RETIRED}),
    _L.RETURNED: frozenset({_L.WIPED, _L.IN_REPAIR, _L.LOST, _L.RETIRED}),
    _L.WIPED: frozenset({_L.IN_STOCK, _L.HANDED_OUT, _L.ON_LOAN, _L.IN_REPAIR, _L.LOST, _L.RETIRED}),
    _L.RETIRED: frozenset({_L.IN_STOCK}),
}
"""A returned device is wiped before it is stock again, so that nobody gets another's data; a retired one can be
taken back into stock, because a slip of the hand must not need a new asset number."""

HELD = frozenset({_L.HANDED_OUT, _L.ON_LOAN, _L.IN_REPAIR, _L.LOST, _L.WIPED})
"""States in which the holder stays known: a lost device is still somebody's."""

WITH_HOLDER = frozenset({_L.HANDED_OUT, _L.ON_LOAN})
"""States that make no sense without a holder."""

STORED = frozenset({_L.IN_STOCK, _L.RETURNED, _L.WIPED})
"""States in which a device in nobody's hands can stand on a shelf."""


def leaves_shelf(device: Device, kept: Mapping[str, object]) -> bool:
    """Whether a device that gets these values no longer stands on the shelf that it stood on."""
    if device.shelf_id is None:
        return False
    after = {key: kept.get(key, getattr(device, key)) for key in ("state", "service_point_id", "person_id")}
    return (
        after["state"] not in STORED
        or after["person_id"] is not None
        or after["service_point_id"] != device.service_point_id
    )


def check(before: LifeCycle, after: LifeCycle) -> None:
    """Nothing when ``after`` may follow ``before``; raises ConflictError that names both."""
    if after not in MOVES[before]:
        raise ConflictError(
            N_("A device that is %(before)s cannot become %(after)s. Nothing was changed."),
            code="life_cycle",
            before=before.value.replace("_", " "),
            after=after.value.replace("_", " "),
        )
