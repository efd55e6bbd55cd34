"""kill -9 at every statement that the signer gives its ledger: it happened as a whole, or not at all, and once."""

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mdm.core.errors import HavenmeesterError
from mdm.signer import keys
from mdm.signing.client import Signed, Withheld
from tests.conftest import Figure
from tests.signer.house import WIDE, House, InProcess
from tests.sim.approvers import Person, text_of

Act = Callable[[InProcess], Any]
Dump = dict[str, list[Any]]
VERBS = ("first seen", "signed", "voided", "frozen", "thawed", "budgets", "founded", "changed", "head")


def _prepared(house: House, verb: str) -> Act:
    """What is asked of a signer; everything that it needs has happened before."""
    if verb != "founded":
        house.found()
    people = house.people
    order = house.order(lane="stolen" if verb == "signed" else "ordinary")
    proofs = [one.proof(order.canonical) for one in people[:2]]
    if verb == "thawed":
        house.client.freeze(who="operator:1", why="")
    said = {
        "thawed": {"freeze": 1, "kind": "thaw"},
        "budgets": {"kind": "budgets", "limits": {"place_day": 7}, "version": 1},
    }.get(verb)
    paper = text_of({"issued": house.clock.seconds, "v": 1, **said}) if said else ""
    signatures = [one.proof(paper) for one in people[:2]]
    first = house.statement(people)
    new = Person("operator:40", since=house.clock.seconds + 72 * 3600)
    second = house.statement([*people, new], 2)
    secret = keys.founding_secret(house.home)
    acts: dict[str, Act] = {
        "first seen": lambda client: client.sign_order(order.canonical, proofs=proofs, ownership="city"),
        "signed": lambda client: client.sign_order(order.canonical, proofs=proofs, ownership="city"),
        "voided": lambda client: client.void_order(order.id),
        "frozen": lambda client: client.freeze(who="operator:1", why="Something is wrong."),
        "thawed": lambda client: client.thaw(statement=paper, proofs=signatures),
        "budgets": lambda client: client.set_budgets(statement=paper, proofs=signatures),
        "founded": lambda client: client.found_roster(
            secret=secret, roster=first, proofs=[one.proof(first) for one in people[:1:-1] + people[:1]]
        ),
        "changed": lambda client: client.change_roster(
            roster=second, proofs=[one.proof(second) for one in (people[0], people[2])]
        ),
        "head": lambda client: client.sign_head(7, "ab" * 32),
    }
    return acts[verb]


def _dump(home: Path) -> Dump:
    with closing(sqlite3.connect(home / "signer" / "ledger.db")) as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {name: sorted(db.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in names}


def _dies(house: House, home: Path, act: Act, statement: int) -> bool:
    """A child process asks and is killed when it gives its ledger the statement with this number: whether it was."""
    child = os.fork()
    if child == 0:
        # Nothing of the test's own may run on in here: the child ends in this block, whatever happens.
        try:
            client = InProcess(home, house.clock, limits=WIDE)
            left = [statement]

            def count(_sql: str) -> None:
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            client.ledger._db.set_trace_callback(count)
            act(client)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("verb", VERBS)
def test_killed_at_every_statement_it_happened_wholly_or_not_at_all_and_once(
    tmp_path: Path, verb: str, figure: Figure
) -> None:
    house = House(tmp_path / "home", founded=False, limits=WIDE)
    act = _prepared(house, verb)
    house.client.ledger.close()
    before = _dump(house.home)
    shutil.copytree(house.home, tmp_path / "whole")
    client = InProcess(tmp_path / "whole", house.clock, limits=WIDE)
    answer = act(client)
    client.ledger.close()
    after = _dump(tmp_path / "whole")
    assert after != before
    assert not isinstance(answer, HavenmeesterError)
    assert isinstance(answer, {"first seen": Withheld, "signed": Signed}.get(verb, object))

    point = 0
    while True:
        home = tmp_path / f"killed-{point}"
        shutil.copytree(house.home, home)
        killed = _dies(house, home, act, point)
        assert _dump(home) in ((before, after) if killed else (after,))
        again = InProcess(home, house.clock, limits=WIDE)
        assert act(again) == answer
        again.ledger.close()
        assert _dump(home) == after
        if not killed:
            break
        point += 1

    assert point >= 3
    figure(f"signer: {verb}: killed at each of {point} statements, done wholly or not at all, and once")
