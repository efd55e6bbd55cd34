"""Witnesses: heads outside the database, with which alone every tampering of the diary is found."""

import json
import random
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.orm import Session

from mdm.audit import export, heads, watch
from mdm.audit import service as audit
from mdm.audit.chain import GENESIS, line_hash, text_digest
from mdm.audit.model import AuditEntry, AuditHead, DiaryClosure
from mdm.audit.witness import Mark, Witness, head_line, mark_line, read
from mdm.core.errors import ConfigurationError, InvalidError, UnavailableError
from mdm.settings import Settings
from mdm.signing.client import SignerClient
from tests.conftest import NOW, Calling
from tests.signer.neighbour import RunningSigner

LINES = 24
TAMPERINGS = {"sqlite": 1000, "postgresql": 200}
SOME = {"sqlite": 100, "postgresql": 100}
TABLE = AuditEntry.__table__
AWAY = SignerClient(Path("/nowhere/signer.sock"), timeout=0.2)


def _write(calling: Calling, count: int, action: str = "device.moved") -> None:
    with calling() as call:
        for number in range(count):
            audit.record(call, action, ("device", number), name=f"Kiosk {number}", details={"n": number})


def _settings(signer: RunningSigner, **more: Any) -> Settings:
    return Settings(home=signer.home, **more)


@pytest.fixture
def witnessed(calling: Calling, engine: Engine, signer: RunningSigner, tmp_path: Path) -> Path:
    """A diary of ``LINES`` lines with four signed heads, and the witness file that knows them."""
    path = tmp_path / "outside" / "heads.jsonl"
    settings = _settings(signer, witness_file=str(path))
    for _ in range(4):
        _write(calling, LINES // 4)
        heads.seal(engine, signer.client)
        export.carry_out(settings, signer.client, NOW)
    return path


def test_a_witness_alone_proves_the_diary_while_the_signer_is_away(calling: Calling, witnessed: Path) -> None:
    with calling(write=False) as call:
        alone = heads.prove(call.session, AWAY)
        seen = heads.prove(call.session, AWAY, export.load(witnessed))

    assert alone.proved is None
    assert (seen.proved, seen.signer_asked, seen.proof.heads, seen.last) == (True, False, 4, LINES)


class _RolledBack(Exception):  # noqa: N818 -- it ends a transaction, nothing is wrong
    pass


Row = dict[str, Any]


def _rows(session: Session) -> list[Row]:
    return [dict(row) for row in session.execute(select(TABLE).order_by(TABLE.c.id)).mappings()]


def _chained(rows: Sequence[Row]) -> list[Row]:
    """The rows numbered and hashed as our own code would: what somebody does who knows how the chain is made."""
    previous, made = GENESIS, []
    for number, row in enumerate(rows, 1):
        entry = AuditEntry(**{**row, "id": number, "previous": previous, "hash": ""})
        entry.text_digest = text_digest(entry.salt or "", audit.text_of(entry))
        previous_hash, previous = previous, line_hash(previous, audit.content_of(entry))
        made.append(
            {**row, "id": number, "previous": previous_hash, "hash": previous, "text_digest": entry.text_digest}
        )
    return made


def _tampered(rows: list[Row], dice: random.Random) -> tuple[str, list[Row]]:
    """A diary that is not the one that was written, and what was done to it."""
    what = dice.choice(["edit", "delete", "insert", "swap", "truncate", "roll back", "other end"])
    new, place = [dict(row) for row in rows], dice.randrange(len(rows))
    if what == "edit":
        column = dice.choice(sorted(set(new[0]) - {"id", "at", "actor_id", "unit_id", "service_point_id", "details"}))
        new[place][column] = (
            (str(new[place][column] or "") + "x")[-64:] if column not in ("previous", "hash") else "0" * 64
        )
        changed = dice.choice(["details", "unit_id", "service_point_id", "actor_id", "only"])
        if changed != "only":
            new[place] = rows[place] | {changed: {"n": -1} if changed == "details" else 4711}
    elif what == "delete":
        del new[place : place + dice.randint(1, 3)]
    elif what == "insert":
        new.insert(place, {**rows[dice.randrange(len(rows))], "subject_name": "made up"})
    elif what == "swap":
        other = dice.choice([n for n in range(len(rows)) if n != place])
        new[place], new[other] = new[other], new[place]
    elif what == "truncate":
        del new[place:]
    elif what == "roll back":
        # An old copy of the database that has lived on since: other lines stand where some stood.
        new = (
            new[:place]
            + [{**row, "subject_name": "lived on"} for row in new[place:]]
            + [dict(rows[0])] * dice.randint(0, 9)
        )
    else:
        new[-1]["actor_name"] = "Somebody else"
    clever = what in ("roll back", "other end") or dice.random() < 0.6
    if clever:
        return f"{what}, hashed anew", _chained(new)
    return what, new if what in ("edit", "truncate") else [{**row, "id": n} for n, row in enumerate(new, 1)]


@pytest.mark.parametrize("many", [SOME, pytest.param(TAMPERINGS, marks=pytest.mark.slow)], ids=["some", "a thousand"])
def test_random_tamperings_are_all_found_with_nothing_but_database_and_witness(
    calling: Calling, engine: Engine, witnessed: Path, capsys: pytest.CaptureFixture[str], many: dict[str, int]
) -> None:
    dice = random.Random(20261122)
    seen = export.load(witnessed)
    missed, done, same = [], {}, 0
    with calling(write=False) as call:
        rows = _rows(call.session)
    while sum(done.values()) < many[engine.name]:
        what, new = _tampered(rows, dice)
        if new == rows:
            same += 1
            continue
        done[what] = done.get(what, 0) + 1
        with pytest.raises(_RolledBack), calling() as call:
            call.session.execute(delete(AuditEntry))
            if new:
                call.session.execute(insert(TABLE), new)
            if dice.random() < 0.5:
                call.session.execute(delete(AuditHead))
            found = heads.prove(call.session, AWAY, seen)
            if found.proved is not False:
                missed.append((what, str(found.proof)))
            raise _RolledBack
    with capsys.disabled():
        print(
            f"\ntamperings of the diary: {sum(done.values())}, found: {sum(done.values()) - len(missed)} ({engine.name})"
        )

    assert missed == []
    assert len(done) >= 12
    with calling(write=False) as call:
        assert heads.prove(call.session, AWAY, seen).proved is True


def test_a_witness_file_is_appended_to_and_a_line_that_was_cut_costs_nothing(
    calling: Calling, engine: Engine, signer: RunningSigner, witnessed: Path
) -> None:
    settings = _settings(signer, witness_file=str(witnessed))
    before = witnessed.read_text()
    assert export.carry_out(settings, signer.client, NOW) == 0
    with witnessed.open("a") as file:
        file.write('{"at":1,"hash":"cut by a cra')
    _write(calling, 1)
    heads.seal(engine, signer.client)

    assert export.carry_out(settings, signer.client, NOW) == 1

    assert witnessed.read_text().startswith(before)
    assert witnessed.stat().st_mode & 0o777 == 0o600
    seen = export.load(witnessed)
    assert (len(seen.heads), seen.unreadable) == (5, 1)
    assert seen.last == list(signer.client.heads())[-1]


def test_a_witness_that_cannot_be_written_gets_its_heads_later(
    calling: Calling, engine: Engine, signer: RunningSigner, tmp_path: Path
) -> None:
    _write(calling, 2)
    heads.seal(engine, signer.client)
    with pytest.raises(UnavailableError, match="cannot be written"):
        export.append(Path("/dev/full"), ["x\n"])
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(UnavailableError):
        export.carry_out(_settings(signer, witness_file=str(blocked / "heads")), signer.client, NOW)
    blocked.unlink()

    assert export.carry_out(_settings(signer, witness_file=str(blocked / "heads")), signer.client, NOW) == 1


def test_what_is_no_head_is_passed_over_and_a_witness_of_two_signers_is_refused(
    witnessed: Path, signer: RunningSigner
) -> None:
    whole = witnessed.read_text().splitlines()
    noise = [
        "",
        "Nov 22 00:00:01 host cron: ok",
        '{"other": 1}',
        '{"v":1,"number":"3"}',
        "{" * 9000,
        '{"v":1,"restored":true}',
    ]
    syslogged = [f"Nov 22 00:10:00 host havenmeester 17 DIARYHEAD - {line}" for line in whole]

    assert len(read([*noise, *syslogged]).heads) == 4
    first = read(whole).heads[0]
    with pytest.raises(InvalidError, match="different signers"):
        heads.prove(None, AWAY, read([*whole, head_line(first, "another")]))  # type: ignore[arg-type]
    with pytest.raises(InvalidError, match="no signed head"):
        heads.prove(None, AWAY, Witness())  # type: ignore[arg-type]


def test_a_line_of_the_witness_that_was_changed_is_a_forged_head(calling: Calling, witnessed: Path) -> None:
    lines = witnessed.read_text().splitlines()
    value = json.loads(lines[1])
    for name, other in (("hash", "0" * 64), ("number", value["number"] - 1), ("at", value["at"] + 1)):
        seen = read([lines[0], json.dumps({**value, name: other}), *lines[2:]])
        with calling(write=False) as call:
            found = heads.prove(call.session, AWAY, seen)
        assert (found.proved, "forged" in str(found.proof)) == (False, True)


def test_a_marked_restore_excuses_what_it_lost_and_nothing_else(calling: Calling, witnessed: Path) -> None:
    lines = witnessed.read_text().splitlines()
    with calling() as call:
        call.session.execute(delete(AuditEntry).where(AuditEntry.id > 13))
        call.session.execute(delete(AuditHead).where(AuditHead.number > 13))
    with calling(write=False) as call:
        assert heads.prove(call.session, AWAY, read(lines)).proved is False
        for excused, proved in ((13, True), (12, True), (18, False), (24, False)):
            marked = read([*lines, mark_line(Mark(excused, 1, "mo"))])
            assert heads.prove(call.session, AWAY, marked).proved is proved, excused
    with calling() as call:
        call.session.execute(update(AuditEntry).where(AuditEntry.id == 2).values(actor_name="x"))
        assert heads.prove(call.session, AWAY, read([*lines, mark_line(Mark(13, 1, "mo"))])).proved is False


def test_heads_go_to_a_system_log_by_datagram_stream_and_local_socket(
    calling: Calling, engine: Engine, signer: RunningSigner, tmp_path: Path
) -> None:
    _write(calling, 3)
    heads.seal(engine, signer.client)
    heard: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram, socket.create_server(("127.0.0.1", 0)) as stream:
        datagram.bind(("127.0.0.1", 0))
        datagram.settimeout(20)

        def accept() -> None:
            caller, _ = stream.accept()
            with caller:
                while part := caller.recv(65536):
                    heard.append(part)

        thread = threading.Thread(target=accept)
        thread.start()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as local:
            local.bind(str(tmp_path / "log"))
            local.settimeout(20)
            where = [
                f"udp://127.0.0.1:{datagram.getsockname()[1]}",
                f"tcp://127.0.0.1:{stream.getsockname()[1]}",
                f"unix://{tmp_path / 'log'}",
            ]
            for one in where:
                settings = _settings(signer, witness_syslog=one)
                (signer.home / "run" / "witness-syslog").unlink(missing_ok=True)
                assert export.carry_out(settings, signer.client, NOW) == 1
                assert export.carry_out(settings, signer.client, NOW) == 0
            thread.join(20)
            packets = [datagram.recv(9000), local.recv(9000), b"".join(heard).split(b" ", 1)[1]]
    counted = int(b"".join(heard).split(b" ", 1)[0])

    assert counted == len(packets[2])
    assert all(packet.startswith(b"<109>1 2026-11-23T09:00:00Z ") for packet in packets)
    seen = read(packet.decode() for packet in packets)
    assert len(seen.heads) == 3
    with calling(write=False) as call:
        assert heads.prove(call.session, AWAY, seen).proved is True


def test_a_system_log_that_is_away_is_said_and_a_wrong_address_is_a_wrong_setting(signer: RunningSigner) -> None:
    with pytest.raises(UnavailableError, match="tried again"):
        export.syslog("unix:///nowhere/log", ["x"], NOW)
    for wrong in ("http://x", "udp://", "unix://", "ftp"):
        with pytest.raises(ConfigurationError):
            export.syslog(wrong, ["x"], NOW)


def test_a_diary_that_is_shorter_than_witnessed_stops_privileged_acts_and_nothing_else(
    calling: Calling, engine: Engine, signer: RunningSigner, witnessed: Path
) -> None:
    settings = _settings(signer, witness_file=str(witnessed))
    with calling(write=False) as call:
        kept = _rows(call.session)
    assert watch.look(engine, settings, signer.client, NOW) is None
    with calling() as call:
        call.session.execute(delete(AuditEntry).where(AuditEntry.id > 10))
        call.session.execute(delete(AuditHead))

    missing = watch.look(engine, settings, AWAY, NOW)

    assert missing is not None
    assert missing.number == LINES
    for action in ("order.requested", "order.approved", "operator.role_given", "act.asked"):
        with (
            calling() as call,
            pytest.raises(UnavailableError, match="it has 10 lines, and line 24 was signed") as stopped,
        ):
            audit.record(call, action, ("order", 1))
        assert stopped.value.code == "diary_back"
    for action in ("device.locked", "order.cancelled", "act.cancelled", "operator.signed_in"):
        with calling() as call:
            audit.record(call, action, ("device", 1))
    with calling(write=False) as call:
        assert call.session.scalars(select(AuditEntry.action).where(AuditEntry.id > 10)).all() == [
            "device.locked",
            "order.cancelled",
            "act.cancelled",
            "operator.signed_in",
        ]
    # Nobody to ask is no all-clear.
    assert watch.look(engine, _settings(signer), AWAY, NOW) is None
    with calling(write=False) as call:
        assert call.session.get(DiaryClosure, 1) is not None

    with calling() as call:
        call.session.execute(delete(AuditEntry))
        call.session.execute(insert(TABLE), kept)
    assert watch.look(engine, settings, signer.client, NOW) is None
    with calling() as call:
        audit.record(call, "order.requested", ("order", 1))


def test_a_diary_that_grew_again_over_what_was_cut_is_noticed_too(
    calling: Calling, engine: Engine, signer: RunningSigner, witnessed: Path
) -> None:
    with calling() as call:
        call.session.execute(delete(AuditEntry).where(AuditEntry.id > 10))
    _write(calling, LINES)

    assert watch.look(engine, _settings(signer), signer.client, NOW) is not None
    assert watch.look(engine, _settings(signer, witness_file=str(witnessed)), AWAY, NOW) is not None
