"""The signer is killed, raced and brought up again from older files: nothing is signed twice, nothing is lost."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mdm.core.errors import ConfigurationError, HavenmeesterError, UnavailableError
from mdm.core.ids import new_uid
from mdm.signer import keys
from mdm.signer.clock import LEAP, SteadyClock
from mdm.signer.desk import Desk
from mdm.signer.ledger import FILE, Ledger
from mdm.signing.client import Signed, SignerClient, Withheld
from mdm.signing.seals import OrderText, open_order
from mdm.signing.shapes import Nothing
from tests.conftest import Figure
from tests.signer.house import House, Turned
from tests.signer.neighbour import RunningSigner, enrol
from tests.sim.approvers import Council, Person, roster, text_of

PEOPLE = [Person(f"operator:{number}") for number in (21, 22, 23)]


def _found(signer: RunningSigner) -> None:
    text = text_of(roster(PEOPLE))
    signer.client.found_roster(
        secret=keys.founding_secret(signer.home), roster=text, proofs=[one.proof(text) for one in PEOPLE]
    )


def _order(client: SignerClient, **changes: object) -> str:
    device = new_uid()
    return text_of(
        Council.order(device, enrol(client, device).key_digest, **{"lane": "stolen", "place": "", **changes})
    )


def _ask(client: SignerClient, text: str) -> Signed | Withheld:
    return client.sign_order(text, proofs=[one.proof(text) for one in PEOPLE[:2]], ownership="city")


def test_of_fifty_who_try_for_the_last_place_in_a_budget_exactly_one_gets_it(
    signer: RunningSigner, figure: Figure
) -> None:
    _found(signer)
    _ask(signer.client, _order(signer.client))
    orders = [_order(signer.client, requester=f"operator:{number + 100}") for number in range(50)]
    barrier, outcomes = threading.Barrier(50), []

    def ask(text: str) -> None:
        client = SignerClient(signer.socket, timeout=60)
        barrier.wait()
        while True:
            try:
                outcomes.append(_ask(client, text))
            except UnavailableError:
                continue  # There were too many callers at once, and it said so; nothing was signed.
            return

    threads = [threading.Thread(target=ask, args=(text,)) for text in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outcomes) == 50
    assert len([one for one in outcomes if isinstance(one, Signed)]) == 1
    assert {one.code for one in outcomes if isinstance(one, Withheld)} == {"budget_stolen"}
    assert signer.client.health().orders_in_24_hours == 2
    figure("signer: 50 parallel tries at the last place of a budget: 1 signed, 49 held")


KILLED = """
import os, signal, sys
from pathlib import Path
from mdm.signer import keys, ledger, server
from mdm.signer.main import run
from mdm.settings import load

point = sys.argv[1]

def die():
    os.kill(os.getpid(), signal.SIGKILL)

if point == "before the commit":
    signing = ledger.Book.add_order
    def add_order(self, one):
        signing(self, one)
        die()
    ledger.Book.add_order = add_order
elif point == "after the commit":
    def told(result):
        if "signature" in result:
            die()
        return answer(result)
    answer, server.encode_result = server.encode_result, told
elif point == "when it is first seen":
    def seen(self, *said):
        first(self, *said)
        die()
    first, ledger.Book.first_approved = ledger.Book.first_approved, seen
run(load())
"""


@pytest.mark.parametrize("point", ["when it is first seen", "before the commit", "after the commit"])
def test_killed_at_any_point_of_signing_it_signs_once_and_tells_the_same(signer: RunningSigner, point: str) -> None:
    _found(signer)
    text = _order(signer.client)
    signer.stop()
    environment = {**os.environ, "HAVENMEESTER_HOME": str(signer.home)}
    dying = subprocess.Popen([sys.executable, "-W", "ignore", "-c", KILLED, point], env=environment)
    client = SignerClient(signer.socket, timeout=60)
    _wait(client, dying)

    with pytest.raises(UnavailableError):
        _ask(client, text)
    assert dying.wait(30) == -signal.SIGKILL
    signer.start()

    written = signer.client.health().orders_in_24_hours
    assert written == (1 if point == "after the commit" else 0)
    first = _ask(signer.client, text)
    assert isinstance(first, Signed)
    assert _ask(signer.client, text) == first
    assert signer.client.health().orders_in_24_hours == 1
    assert isinstance(open_order(signer.client.ca().order_key, text, first.signature), OrderText)


def _wait(client: SignerClient, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(2000):
        try:
            client.health()
        except UnavailableError:
            assert process.poll() is None
            time.sleep(0.02)
        else:
            return
    raise RuntimeError("the signer does not answer")


def test_a_rest_a_freeze_and_a_void_outlive_kill_9(signer: RunningSigner) -> None:
    _found(signer)
    resting, void = (_order(signer.client, lane="ordinary", place="A") for _ in range(2))
    first = _ask(signer.client, resting)
    signer.client.void_order(open_text(void).id)
    signer.client.freeze(who="operator:1", why="")
    signer.kill()
    signer.start()

    assert signer.client.health().frozen
    held = _ask(signer.client, resting)
    assert isinstance(held, Withheld)
    assert held.code == "frozen"
    with pytest.raises(HavenmeesterError) as refused:
        _ask(signer.client, void)
    assert refused.value.code == "order_void"
    assert isinstance(first, Withheld)


def open_text(text: str) -> OrderText:
    """The order in its text."""
    from mdm.signing.seals import read_order

    return read_order(text)


def test_with_a_full_disk_nothing_is_signed_and_afterwards_everything_goes_on(signer: RunningSigner) -> None:
    _found(signer)
    text, process = _order(signer.client), signer.process
    assert process is not None
    before = signer.client.health()
    # No file of the signer may grow beyond this: what a full disk does, for one process.
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    with pytest.raises(UnavailableError):
        _ask(signer.client, text)
    with pytest.raises(UnavailableError):
        signer.client.freeze(who="operator:1", why="")
    assert signer.client.health() == before
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    assert isinstance(_ask(signer.client, text), Signed)
    assert signer.client.freeze(who="operator:1", why="").number == 1


def _old_ledger(folder: Path) -> None:
    """A ledger as the first version left it, with one order in it."""
    from mdm.signer import schema

    with sqlite3.connect(folder / FILE) as db:
        for statement in schema._statements(schema._FIRST):
            db.execute(statement)
        db.execute("PRAGMA user_version=1")
        db.execute("INSERT INTO signed_order VALUES ('a', 'b', 'c', 'd', 'operator:1', '3', '{}', 1790000000)")
    (folder / FILE).chmod(0o600)


def test_a_ledger_of_the_first_version_is_taken_along(tmp_path: Path) -> None:
    folder = keys.create(tmp_path, "Antwerpen")
    _old_ledger(folder)

    for _ in range(2):
        ledger = Ledger(folder)
        with ledger.reading():
            order = ledger.book.order("a")
            assert ledger.book.epoch() == 1
            assert ledger.book.roster() is None
        assert order is not None
        assert (order.lane, order.token, order.roster, order.requester) == ("ordinary", "", 0, "operator:1")
        ledger.close()


def test_a_ledger_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    folder = keys.create(tmp_path, "Antwerpen")
    Ledger(folder).close()
    with sqlite3.connect(folder / FILE) as db:
        db.execute("PRAGMA user_version=99")

    with pytest.raises(ConfigurationError):
        Ledger(folder)


@pytest.mark.parametrize("table", ["roster", "approved_order", "void_order", "freeze", "thaw", "budgets", "epoch"])
def test_what_the_ledger_holds_cannot_be_changed_or_taken_out(tmp_path: Path, table: str) -> None:
    house = House(tmp_path)
    house.ask(house.order())
    house.client.void_order(new_uid())
    house.client.freeze(who="operator:1", why="")
    for kind, said in (
        ("thaw", {"freeze": 1}),
        ("budgets", {"limits": {"place_day": 3}, "version": 1}),
    ):
        text = text_of({"issued": house.clock.seconds, "kind": kind, "v": 1, **said})
        verb = house.client.thaw if kind == "thaw" else house.client.set_budgets
        verb(statement=text, proofs=[one.proof(text) for one in house.people[:2]])

    with sqlite3.connect(tmp_path / "signer" / FILE) as db:
        assert db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET rowid = rowid"):
            with pytest.raises(sqlite3.IntegrityError):
                db.execute(statement)


def test_a_clock_that_leaps_ahead_is_not_followed_and_a_correction_is() -> None:
    wall, boot = Turned(datetime(2026, 11, 23, 9, tzinfo=UTC)), [100.0]
    clock = SteadyClock(wall, lambda: boot[0])
    begun = clock()

    wall.on(days=2)
    boot[0] += 10
    assert clock() == begun + timedelta(seconds=10)
    wall.on(days=-2)
    wall.on(seconds=70)
    boot[0] += 60
    assert clock() == begun + timedelta(seconds=70)
    wall.on(minutes=4)
    assert clock() == begun + timedelta(seconds=70, minutes=4)
    wall.on(hours=-1)
    assert clock() == wall.now
    assert timedelta(minutes=4) < LEAP


def test_setting_the_clock_ahead_ends_no_rest(tmp_path: Path) -> None:
    wall, boot = Turned(), [0.0]
    house = House(tmp_path)
    order = house.order()
    house.client.desk._kernel._releases._clock = SteadyClock(wall, lambda: boot[0])
    first = house.ask(order)

    wall.on(days=1)
    later = house.ask(order)

    assert isinstance(first, Withheld)
    assert isinstance(later, Withheld)
    assert (later.code, later.retry_after) == ("cooling", first.retry_after)


def test_the_signer_says_that_the_clock_has_leapt(tmp_path: Path) -> None:
    wall, boot = Turned(), [0.0]
    folder = keys.create(tmp_path, "Antwerpen")
    ledger = Ledger(folder)
    desk = Desk(keys.load(tmp_path), ledger, "Antwerpen", clock=wall, steady=SteadyClock(wall, lambda: boot[0]))

    assert desk.answer("health", Nothing())["clock_ahead"] == 0
    wall.on(days=1)
    assert desk.answer("health", Nothing())["clock_ahead"] == 24 * 3600
    ledger.close()


def test_key_files_are_encrypted_with_a_passphrase_and_opened_with_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    folder = keys.create(tmp_path, "Antwerpen")
    before = keys.load(tmp_path)
    keys.encrypt(tmp_path, b"correct horse battery")
    assert all(b"ENCRYPTED" in (folder / name).read_bytes() for name in keys.PRIVATE)
    assert all((folder / name).stat().st_mode & 0o777 == 0o600 for name in keys.PRIVATE)

    with pytest.raises(ConfigurationError):
        keys.load(tmp_path)
    monkeypatch.setenv("HAVENMEESTER_SIGNER_PASSPHRASE", "another horse battery")
    with pytest.raises(ConfigurationError):
        keys.load(tmp_path)
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "signer-passphrase").write_text("correct horse battery\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert keys.public_text(keys.load(tmp_path).order_key) == keys.public_text(before.order_key)
    keys.encrypt(tmp_path, None)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert keys.public_text(keys.load(tmp_path).order_key) == keys.public_text(before.order_key)


def test_keys_made_where_there_is_a_passphrase_are_encrypted_from_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAVENMEESTER_SIGNER_PASSPHRASE", "correct horse battery")
    folder = keys.create(tmp_path, "Antwerpen")

    assert b"ENCRYPTED" in (folder / "order.key").read_bytes()
    keys.load(tmp_path)
    monkeypatch.setenv("HAVENMEESTER_SIGNER_PASSPHRASE", "short")
    with pytest.raises(ConfigurationError):
        keys.load(tmp_path)


def test_changing_the_passphrase_again_after_an_interruption_ends_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAVENMEESTER_SIGNER_PASSPHRASE", "correct horse battery")
    keys.create(tmp_path, "Antwerpen")
    new = b"another horse battery"
    whole = keys.PRIVATE
    monkeypatch.setattr(keys, "PRIVATE", whole[:1])
    keys.encrypt(tmp_path, new)
    monkeypatch.setattr(keys, "PRIVATE", whole)

    keys.encrypt(tmp_path, new)

    monkeypatch.setenv("HAVENMEESTER_SIGNER_PASSPHRASE", new.decode())
    keys.load(tmp_path)


def test_another_text_under_a_signed_id_is_refused_after_kill_9(signer: RunningSigner) -> None:
    _found(signer)
    text = _order(signer.client)
    _ask(signer.client, text)
    signer.kill()
    signer.start()

    with pytest.raises(HavenmeesterError) as refused:
        _ask(signer.client, replace(open_text(text), reason="Another reason.").canonical)

    assert refused.value.code == "order_differs"
