"""Whatever people, worker, signer, devices, crashes, restores and thieves do, in any order: nothing is wiped that should
not be.

Two devices and a private one, three people who ask and say no, the key files of four approvers, the real signer in this
process with its own ledger, and agents that judge by themselves (``tests/orders/machine``).
"""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import Figure
from tests.orders.machine.devices import Devices
from tests.orders.machine.invariants import Invariants
from tests.orders.machine.mishaps import Mishaps
from tests.orders.machine.people import People
from tests.orders.machine.world import FIGURES, forget

HEALTH = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


class OrderProtocol(People, Devices, Mishaps, Invariants):
    """People, worker, signer and agents around one database."""


@pytest.fixture
def examples() -> Iterator[None]:
    """Figures at nought before a run, and no template left behind."""
    FIGURES.clear()
    yield
    forget()


def _run(examples: int, figure: Figure) -> None:
    wanted = settings(max_examples=examples, stateful_step_count=25, deadline=None, suppress_health_check=HEALTH)
    run_state_machine_as_test(OrderProtocol, settings=wanted)
    figure("the state machine of orders: " + ", ".join(f"{count} {name}" for name, count in sorted(FIGURES.items())))
    assert FIGURES["runs"] >= examples
    assert FIGURES["orders carried out"] > examples // 20, "a machine that wipes nothing proves nothing"


@pytest.mark.usefixtures("examples")
def test_whatever_happens_in_some_runs_nothing_is_wiped_that_should_not_be(figure: Figure) -> None:
    _run(40, figure)


@pytest.mark.parametrize(
    "runs", [pytest.param(400, marks=pytest.mark.slow), pytest.param(2000, marks=pytest.mark.long)]
)
@pytest.mark.timeout(7200)
@pytest.mark.usefixtures("examples")
def test_whatever_happens_in_very_many_runs_nothing_is_wiped_that_should_not_be(runs: int, figure: Figure) -> None:
    _run(runs, figure)
