"""Figures of the stock: what is ready against what there must be."""

from mdm.core.errors import N_
from mdm.desk.stock import levels
from mdm.org.queries import service_point_names
from mdm.overview import words
from mdm.overview.home import Chart, Series
from mdm.storage.call import Call

MOST = 40


def against_minimum(call: Call) -> Chart:
    """Ready devices, and what is missing to the level that is kept, the emptiest first; only the actor's service points."""
    found = sorted(levels.compared(call), key=lambda one: (one.ready - (one.least or 0), one.kind))[:MOST]
    names = service_point_names(call.session, {one.service_point_id for one in found})
    return Chart(
        tuple(f"{names[one.service_point_id]}: {one.product or words.KINDS[one.kind]}" for one in found),
        (
            Series(N_("Ready"), "good", tuple(one.ready for one in found)),
            Series(N_("Still missing"), "bad", tuple(max(0, (one.least or 0) - one.ready) for one in found)),
        ),
        tuple(
            (("service_point", str(one.service_point_id)), ("kind", one.kind), ("state", "in_stock")) for one in found
        ),
    )
