"""Names can be taken out of the diary for good, and it is still proved; nobody can pass off a forgery as an erasure."""

from dataclasses import replace

import pytest
from sqlalchemy import select, text, update

from mdm.audit import erasing
from mdm.audit import service as audit
from mdm.audit.chain import Break, line_hash, text_digest
from mdm.audit.erasing import Text
from mdm.audit.model import AuditEntry
from tests.conftest import FLEET_ADMIN, Calling

NAME = "Zoë Vanparys"


def _text(row: AuditEntry) -> Text:
    return Text(row.actor_name, row.address, row.subject_name, row.details)


def _without(row: AuditEntry) -> Text:
    if NAME not in (row.actor_name, row.subject_name):
        return _text(row)
    return replace(_text(row), actor_name="gone", address=None, subject_name="gone", details={"n": 1})


def _write(calling: Calling, lines: int = 6) -> None:
    with calling(replace(FLEET_ADMIN, name=NAME)) as call:
        for number in range(lines):
            audit.record(call, "person.edited", ("person", number), name="Somebody", details={"name": NAME})
    with calling() as call:
        audit.record(call, "device.moved", ("device", 1), name="Kiosk")


def _as_first_version(calling: Calling) -> None:
    """The lines as they were hashed before there were salts."""
    with calling() as call:
        previous = "0" * 64
        for row in call.session.scalars(select(AuditEntry).order_by(AuditEntry.id)):
            row.salt = row.text_digest = None
            row.previous, row.hash = previous, line_hash(previous, audit.content_of(row))
            previous = row.hash


def _end(calling: Calling) -> Break | tuple[int, str]:
    with calling(write=False) as call:
        return audit.chain_end(call.session)


@pytest.mark.parametrize("first_version", [False, True])
def test_what_is_taken_out_is_gone_and_the_chain_holds(calling: Calling, first_version: bool) -> None:
    _write(calling)
    if first_version:
        _as_first_version(calling)
    before = _end(calling)
    assert isinstance(before, tuple)

    with calling() as call:
        hashes = call.session.scalars(select(AuditEntry.hash).order_by(AuditEntry.id)).all()
        done = erasing.erase(call, 0, _without)

    assert (done.last, done.changed) == (7, 6)
    assert isinstance(_end(calling), tuple)
    with calling(write=False) as call:
        rows = call.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [row.hash for row in rows[:7]] == hashes
        assert not any(NAME in str(_text(row)) for row in rows)
        assert all(row.salt is None for row in rows[:6])
        assert rows[-1].action == "diary.erased"
        assert sorted(rows[-1].details["lines"]) == ["1", "2", "3", "4", "5", "6"]


def test_the_same_erasure_again_writes_nothing(calling: Calling) -> None:
    _write(calling)
    with calling() as call:
        erasing.erase(call, 0, _without)
    with calling() as call:
        assert erasing.erase(call, 0, _without).changed == 0
        assert call.session.scalar(select(AuditEntry.id).order_by(AuditEntry.id.desc()).limit(1)) == 8


def test_a_line_that_names_two_people_is_taken_out_of_twice(calling: Calling) -> None:
    with calling() as call:
        audit.record(call, "device.moved", ("device", 1), name=NAME, details={"to": "Ann", "from": "Bert"})
    for name in ("Ann", "Bert"):
        with calling() as call:
            erasing.erase(
                call, 0, lambda row, name=name: replace(
                    _text(row), details={key: "gone" if value == name else value for key, value in row.details.items()}
                )
            )  # fmt: skip

    assert isinstance(_end(calling), tuple)


FORGERIES = [
    "UPDATE audit_entry SET actor_name = 'Somebody Else' WHERE id = 3",
    "UPDATE audit_entry SET subject_name = 'another one' WHERE id = 3",
    "UPDATE audit_entry SET address = '192.0.2.1' WHERE id = 3",
    "UPDATE audit_entry SET salt = NULL WHERE id = 3",
    "UPDATE audit_entry SET salt = NULL, actor_name = 'gone' WHERE id = 3",
    "UPDATE audit_entry SET action = 'device.moved' WHERE id = 3",
    "UPDATE audit_entry SET actor_id = 99 WHERE id = 3",
]


class _TakenBackError(Exception):
    pass


@pytest.mark.parametrize(("erased", "first_version"), [(False, False), (False, True), (True, False), (True, True)])
def test_text_that_was_changed_and_not_told_of_is_found(calling: Calling, erased: bool, first_version: bool) -> None:
    _write(calling)
    if first_version:
        _as_first_version(calling)
    if erased:
        with calling() as call:
            erasing.erase(call, 0, _without)
    for forgery in FORGERIES:
        same = ("salt = NULL WHERE" in forgery and (erased or first_version)) or ("'gone'" in forgery and erased)
        with pytest.raises(_TakenBackError), calling() as call:
            call.session.execute(text(forgery))
            found = audit.chain_end(call.session)
            assert isinstance(found, tuple) if same else isinstance(found, Break) and found.id == 3, forgery
            raise _TakenBackError


def test_the_line_that_tells_of_an_erasure_cannot_be_changed_itself(calling: Calling) -> None:
    _write(calling)
    with calling() as call:
        erasing.erase(call, 0, _without)
        forged = {"lines": {"7": "0" * 64}}
        call.session.execute(update(AuditEntry).where(AuditEntry.id == 8).values(details=forged))

    assert isinstance(_end(calling), Break)


def test_a_line_cannot_tell_of_lines_that_come_after_it(calling: Calling) -> None:
    with calling() as call:
        audit.record(call, audit.ERASED, ("diary", "lines"), details={"lines": {"2": "0" * 64}})
        audit.record(call, "device.moved", ("device", 1), name=NAME)

    assert isinstance(_end(calling), tuple)


def test_a_digest_says_nothing_without_its_salt() -> None:
    text_ = {"actor": NAME}

    assert text_digest("00" * 16, text_) != text_digest("01" * 16, text_)
