"""Signed heads: cutting, rewriting, rolling back and forging the diary are all found, and said in a sentence."""

import random
from dataclasses import replace

import pytest
from sqlalchemy import Engine, delete, func, select, update

from mdm.audit import heads
from mdm.audit import service as audit
from mdm.audit.chain import GENESIS, line_hash, text_digest
from mdm.audit.model import AuditEntry, AuditHead
from mdm.audit.proof import Proof
from mdm.core.errors import DeniedError
from mdm.storage.call import Call
from tests.conftest import Calling
from tests.signer.neighbour import RunningSigner


def _write(calling: Calling, count: int, action: str = "device.moved") -> None:
    with calling() as call:
        for number in range(count):
            audit.record(call, action, ("device", number), name=f"Kiosk {number}", details={"n": number})


def _prove(calling: Calling, signer: RunningSigner, *, witness: bool = True) -> Proof:
    client = signer.client
    with calling(write=False) as call:
        return audit.verify(call.session, client.ca().head_key, client.heads() if witness else ())


def _rewrite_all(call: Call, first: int) -> None:
    """What somebody does who knows how the chain is made: changes a line and hashes everything after it anew."""
    previous = GENESIS
    for row in call.session.scalars(select(AuditEntry).order_by(AuditEntry.id)):
        if row.id == first:
            row.actor_name = "Somebody Else"
        row.text_digest = text_digest(row.salt or "", audit.text_of(row))
        row.previous = previous
        row.hash = line_hash(previous, audit.content_of(row))
        previous = row.hash


def test_a_sealed_diary_is_proved_and_says_so(calling: Calling, engine: Engine, signer: RunningSigner) -> None:
    assert heads.seal(engine, signer.client) is None
    _write(calling, 3)
    first = heads.seal(engine, signer.client)
    assert heads.seal(engine, signer.client) == first
    _write(calling, 2)
    heads.seal(engine, signer.client)

    proof = _prove(calling, signer)

    assert proof.sound
    assert (proof.lines, proof.heads, proof.broken_at) == (5, 2, None)
    assert str(proof) == "All 5 lines are as they were written, and 2 signed heads agree, the last at line 5."
    with calling(write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(AuditHead)) == 2
        assert "not compared" in str(audit.verify(call.session))


def test_lines_cut_from_the_end_are_found_also_when_the_heads_in_the_database_go_too(
    calling: Calling, engine: Engine, signer: RunningSigner
) -> None:
    _write(calling, 5)
    heads.seal(engine, signer.client)
    with calling() as call:
        call.session.execute(delete(AuditEntry).where(AuditEntry.id > 3))

    assert _prove(calling, signer, witness=False).broken_at == 4

    with calling() as call:
        call.session.execute(delete(AuditHead))
    proof = _prove(calling, signer)
    assert not proof.sound
    assert proof.broken_at == 4
    assert "Lines are missing" in str(proof)


def test_a_diary_that_was_written_anew_from_any_line_on_is_found(
    calling: Calling, engine: Engine, signer: RunningSigner
) -> None:
    _write(calling, 6)
    heads.seal(engine, signer.client)
    with calling() as call:
        _rewrite_all(call, 2)
        assert audit.verify(call.session).broken_at == 6
        call.session.execute(delete(AuditHead))
        assert audit.verify(call.session).sound

    proof = _prove(calling, signer)

    assert not proof.sound
    assert "written anew" in str(proof)


def test_the_signer_does_not_sign_a_diary_that_went_back(
    calling: Calling, engine: Engine, signer: RunningSigner
) -> None:
    _write(calling, 5)
    heads.seal(engine, signer.client)
    with calling() as call:
        call.session.execute(delete(AuditEntry).where(AuditEntry.id > 3))
        call.session.execute(delete(AuditHead))
    with pytest.raises(DeniedError) as refused:
        heads.seal(engine, signer.client)
    assert refused.value.code == "head_back"

    _write(calling, 2, "device.lost")
    with pytest.raises(DeniedError):
        heads.seal(engine, signer.client)


def test_a_forged_head_is_found(calling: Calling, engine: Engine, signer: RunningSigner) -> None:
    _write(calling, 2)
    heads.seal(engine, signer.client)
    with calling() as call:
        call.session.execute(update(AuditHead).values(signature="A" * 86 + "=="))

    proof = _prove(calling, signer)

    assert not proof.sound
    assert "forged" in str(proof)


def test_a_witness_of_another_signer_is_found(
    calling: Calling, engine: Engine, signer: RunningSigner, shared_signer: RunningSigner
) -> None:
    _write(calling, 2)
    head = heads.seal(engine, signer.client)
    assert head is not None

    with calling(write=False) as call:
        assert not audit.verify(call.session, shared_signer.client.ca().head_key).sound
        assert not audit.verify(call.session, signer.client.ca().head_key, [replace(head, at=head.at + 1)]).sound


def test_every_random_tampering_is_found(calling: Calling, engine: Engine, signer: RunningSigner) -> None:
    _write(calling, 12)
    heads.seal(engine, signer.client)
    client = signer.client
    key, witnessed = client.ca().head_key, list(client.heads())
    dice = random.Random(20261121)
    missed = []
    for trial in range(120):
        with pytest.raises(_RolledBack), calling() as call:
            what = _tamper(call, dice)
            if audit.verify(call.session, key, witnessed).sound:
                missed.append((trial, what))
            raise _RolledBack
    assert missed == []
    assert _prove(calling, signer).sound


class _RolledBack(Exception):  # noqa: N818 -- it ends a transaction, nothing is wrong
    pass


def _tamper(call: Call, dice: random.Random) -> str:
    one, other = dice.sample(range(1, 13), 2)
    what = dice.choice(["edit", "delete", "swap", "truncate", "insert", "rewrite", "empty"])
    session = call.session
    if what == "edit":
        column = dice.choice(["actor_name", "action", "subject_id", "request_id", "details", "unit_id", "hash"])
        value: object = {"n": 99} if column == "details" else 7 if column == "unit_id" else "x"
        session.execute(update(AuditEntry).where(AuditEntry.id == one).values({column: value}))
    elif what == "delete":
        session.execute(delete(AuditEntry).where(AuditEntry.id == one))
    elif what == "truncate":
        session.execute(delete(AuditEntry).where(AuditEntry.id >= one))
    elif what == "swap":
        for before, after in ((one, 1000), (other, one), (1000, other)):
            session.execute(update(AuditEntry).where(AuditEntry.id == before).values(id=after))
    elif what == "insert":
        session.execute(update(AuditEntry).where(AuditEntry.id == 12).values(id=13))
        session.flush()
        audit_copy = session.scalars(select(AuditEntry).where(AuditEntry.id == one)).first()
        if audit_copy is not None:
            session.execute(
                AuditEntry.__table__.insert().values(  # type: ignore[attr-defined]
                    {column.name: getattr(audit_copy, column.name) for column in AuditEntry.__table__.columns}
                    | {"id": 12}
                )
            )
    elif what == "rewrite":
        _rewrite_all(call, one)
        session.flush()
    else:
        session.execute(delete(AuditEntry))
    session.expire_all()
    return what
