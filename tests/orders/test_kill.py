"""kill -9 at every commit point of an order on the server: request, signatures, release, fetch, answer.

A process goes the whole way and is killed before and after each commit of the database and of the signer's ledger; the next
one brings it to its end. Whatever the point: one order, one signature, one receipt, and the diary holds.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from mdm.audit import service as audit
from mdm.audit.model import AuditEntry
from mdm.inventory.model import Device
from mdm.orders.model import Approval, Order, Release
from mdm.storage.engine import make_engine, transaction
from tests.conftest import Figure

DRIVER = """
import os, signal, sys
from pathlib import Path
from tests.orders import driven

left = [int(sys.argv[2])]
def point(*_args):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
driven.go_on(Path(sys.argv[1]), point)
print(-left[0])
"""


def _run(home: Path, limit: int) -> tuple[int, int]:
    """The exit code, and how many commit points there were."""
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(home), str(limit)], capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode in (0, -9), done.stderr
    return done.returncode, int(done.stdout) if done.returncode == 0 else 0


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_at_any_commit_an_order_is_signed_given_and_answered_once(tmp_path: Path, figure: Figure) -> None:
    template = tmp_path / "template"
    subprocess.run([sys.executable, "-c", BEGIN, str(template)], check=True, timeout=240)
    whole = tmp_path / "whole"
    shutil.copytree(template, whole)
    code, points = _run(whole, 0)
    assert code == 0
    _proved(whole)
    assert points >= 12
    for limit in range(1, points + 1):
        home = tmp_path / "home"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(template, home)
        assert _run(home, limit)[0] == -9
        assert _run(home, 0)[0] == 0
        _proved(home)
    figure(f"kill -9 at {points} commit points of an order on the server: one order, one signature, one receipt each")


BEGIN = "import sys; from pathlib import Path; from tests.orders import driven; driven.begin(Path(sys.argv[1]))"


def _proved(home: Path) -> None:
    engine = make_engine(f"sqlite:///{home / 'havenmeester.db'}")
    with transaction(engine, write=False) as session:
        assert session.scalars(select(Order.state)).all() == ["done"]
        assert session.scalar(select(func.count(Approval.id))) == 2
        assert session.scalar(select(func.count()).select_from(Release)) == 1
        assert session.scalars(select(Device.waiting)).all() == [0]
        actions = session.scalars(select(AuditEntry.action).where(AuditEntry.subject_kind == "order")).all()
        assert len(actions) == len(set(actions)) + 1, "each step once, but for two signatures"
        assert audit.verify(session).sound
    engine.dispose()
