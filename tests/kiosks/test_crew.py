"""Many kiosks side by side: the process that works on them, its lock, its going on after a restart, taking back."""

import threading
import time
from dataclasses import replace

import pytest
from sqlalchemy import select

from mdm.core.clock import utcnow
from mdm.core.errors import ConflictError
from mdm.kiosks import service
from mdm.kiosks.model import KioskSetup, State
from mdm.kiosks.ssh import Limits
from mdm.kiosks.wanted import checked
from mdm.kiosks.work import Crew
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.conftest import FLEET_ADMIN, Figure
from tests.conftest import alone as nobody_else
from tests.kiosks.conftest import Setup, until
from tests.sim.kiosk import Kiosk, Wire


def begin(made: Setup, kiosk: Kiosk, port: int) -> str:
    with transaction(made.engine) as session:
        call = Call(FLEET_ADMIN, session, utcnow(), nobody_else())
        wanted = checked(
            host="127.0.0.1", port=port, account=kiosk.account, host_key=kiosk.fingerprint, root=str(kiosk.root),
            service_point="WERKHAVEN", email="mo@example.org",
        )  # fmt: skip
        return service.begin(call, wanted).uid


def states(made: Setup) -> list[str]:
    with transaction(made.engine, write=False) as session:
        return list(session.scalars(select(KioskSetup.state).order_by(KioskSetup.id)))


@pytest.mark.slow
def test_twenty_are_at_work_side_by_side_and_reading_goes_on(made: Setup, kiosk: Kiosk, figure: Figure) -> None:
    # Each waits for the other nineteen: only when all are at work at the same time does one come through.
    kiosk.hook(
        'case "$SSH_ORIGINAL_COMMAND" in *look) mkdir -p ../met; touch ../met/$$; '
        "while [ $(ls ../met | wc -l) -lt 20 ]; do sleep 0.2; done; exit 1;; esac"
    )
    made.ground = replace(made.ground, limits=Limits(20, 60, 60, most=120))
    wires = [Wire(kiosk.port) for _ in range(20)]
    made.begin(kiosk, port=str(wires[0].port))
    for wire in wires[1:]:
        begin(made, kiosk, wire.port)
    crew = Crew(made.ground)
    worker = threading.Thread(target=crew.serve, daemon=True)
    worker.start()
    slowest, read = 0.0, 0
    try:

        def met() -> bool:
            nonlocal slowest, read
            begun = time.monotonic()
            found = states(made)
            slowest, read = max(slowest, time.monotonic() - begun), read + 1
            return all(state != State.WAITING for state in found) and not {State.RUNNING} & set(found)

        until(met, 150)
    finally:
        crew.stop()
        worker.join(60)
        for wire in wires:
            wire.close()
    assert len(list((kiosk.folder / "met").iterdir())) >= 20
    figure(f"kiosks: {read} readings beside twenty set-ups, the slowest {slowest:.2f} s")


def test_what_another_process_left_is_gone_on_with(made: Setup, kiosk: Kiosk) -> None:
    kiosk.hook('case "$SSH_ORIGINAL_COMMAND" in *look) exit 1;; esac')
    made.begin(kiosk)
    assert made.ground.book.claim(5)
    # Claimed by a process that is gone: nobody else gets it until the claim is over, or freed by the only one left.
    assert made.ground.book.claim(5) == []
    crew = Crew(made.ground, idle=0)
    crew.serve(lambda: not made.row.open)
    assert made.row.state == State.FAILED


def test_one_that_is_taken_back_while_it_runs_is_put_back(made: Setup, kiosk: Kiosk) -> None:
    kiosk.hook(
        'case "$SSH_ORIGINAL_COMMAND" in *agent.deb*) touch ../here; while [ -e ../here ]; do sleep 0.1; done;; esac'
    )
    made.begin(kiosk)
    crew = Crew(made.ground)
    worker = threading.Thread(target=crew.serve, args=(lambda: not made.row.open,), daemon=True)
    worker.start()
    try:
        until((kiosk.folder / "here").exists)
        with transaction(made.engine) as session:
            call = Call(FLEET_ADMIN, session, utcnow(), nobody_else())
            service.withdraw(call, made.uid)
            service.withdraw(call, made.uid)
        kiosk.hook("")
        (kiosk.folder / "here").unlink()
        until(lambda: not made.row.open)
    finally:
        crew.stop()
        worker.join(60)
    assert made.row.state == State.WITHDRAWN
    assert kiosk.untouched()
    with transaction(made.engine) as session, pytest.raises(ConflictError):
        service.again(Call(FLEET_ADMIN, session, utcnow(), nobody_else()), made.uid)
