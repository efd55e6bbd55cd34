"""The diary: a chain that shows every edit, and lines that live and die with their change."""

import pytest
from sqlalchemy import Engine, delete, select, update

from mdm.audit import service as audit
from mdm.audit.chain import Break
from mdm.audit.model import AuditEntry
from mdm.core.permissions import Where
from tests.conftest import Calling


def _write_five(calling: Calling) -> None:
    for number in range(5):
        with calling() as call:
            audit.record(
                call,
                "device.moved",
                ("device", number),
                name=f"Kiosk {number}",
                where=Where(3),
                details={"to": "é", "n": 1},
            )


def test_an_untouched_diary_is_proved(calling: Calling) -> None:
    _write_five(calling)

    with calling(write=False) as call:
        outcome = audit.chain_end(call.session)

    assert isinstance(outcome, tuple)
    assert outcome[0] == 5


@pytest.mark.parametrize("number", [1, 3, 5])
def test_an_edited_line_is_found(calling: Calling, engine: Engine, number: int) -> None:
    _write_five(calling)
    with calling() as call:
        call.session.execute(update(AuditEntry).where(AuditEntry.id == number).values(actor_name="Somebody else"))

    with calling(write=False) as call:
        outcome = audit.chain_end(call.session)

    assert outcome == Break(number, "its content was changed")


def test_a_line_taken_from_the_middle_is_found(calling: Calling) -> None:
    _write_five(calling)
    with calling() as call:
        call.session.execute(delete(AuditEntry).where(AuditEntry.id == 3))

    with calling(write=False) as call:
        assert audit.chain_end(call.session) == Break(4, "line 3 is missing")


def test_a_change_that_is_rolled_back_leaves_no_line_and_no_gap(calling: Calling) -> None:
    _write_five(calling)
    with pytest.raises(RuntimeError), calling() as call:
        audit.record(call, "device.wiped", ("device", 1))
        raise RuntimeError("the disk is full")
    with calling() as call:
        audit.record(call, "device.locked", ("device", 1))

    with calling(write=False) as call:
        assert isinstance(audit.chain_end(call.session), tuple)
        assert call.session.scalars(select(AuditEntry.action).where(AuditEntry.id == 6)).all() == ["device.locked"]
