"""Before a unit moves, the console tells who and what comes along."""

from sqlalchemy import select

from mdm.core.actor import command_line
from mdm.org import queries as org
from mdm.org import service as org_service
from mdm.org.model import UnitParent
from mdm.overview.moves import coming_along
from mdm.pilot import service as pilot
from mdm.policies.document import apply_document
from tests.conftest import NOW, Calling


def test_people_devices_and_policies_that_come_along_are_counted_and_nothing_moves(calling: Calling) -> None:
    with calling(command_line("root")) as call:
        pilot.load(call)
        policy = {"name": "Werk", "settings": {"restrictions.camera": False}}
        apply_document(call, {**policy, "assignments": [{"include": ["unit:OS-WERK"]}]})
        before = len(call.session.scalars(select(UnitParent)).all())

    with calling(command_line("root"), write=False) as call:
        sb, werk = org.unit_by_code(call, "SB").id, org.unit_by_code(call, "OS-WERK").id
        told = coming_along(call, org_service.preview_move(call, sb, werk, NOW.date()))
        still = coming_along(call, org_service.preview_move(call, sb, org.unit_by_code(call, "GROEP").id, NOW.date()))

    assert (told.units, told.people, told.policies) == (2, 36, ("Werk",))
    assert told.devices >= 24
    assert (still.people, still.policies) == (36, ())
    with calling(write=False) as call:
        assert len(call.session.scalars(select(UnitParent)).all()) == before
