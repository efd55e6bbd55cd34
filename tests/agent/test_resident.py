"""The resident process: what it costs, how it is watched, when it comes back."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from agent import pace, programs
from tests.agent.conftest import Device
from tests.agent.test_exchange import until
from tests.sim.gateway import Gateway
from tests.sim.measure import measure


def test_an_idle_check_in_is_small_and_memory_stays_where_it_is() -> None:
    found = measure(checkins=150)
    assert found["idle_bytes"] <= 400
    assert found["rss_kb"] <= 25 * 1024
    assert found["growth_kb"] <= 1024
    assert found["new_connections"] == 0


def test_the_resident_process_needs_the_standard_library_only() -> None:
    code = (
        "import sys, agent.main, agent.loop, agent.exchange\n"
        "print([name for name in sys.modules if name.partition('.')[0] in ('cryptography', 'mdm', 'web', 'flask')])"
    )
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert outcome.stdout.strip() == "[]"


def test_systemd_is_told_that_the_agent_is_ready_alive_and_stopping(
    enrolled: Device, gateway: Gateway, tmp_path: Path
) -> None:
    gateway.next = 1
    place = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(place))
        manager.settimeout(20)
        process = enrolled.start("--wait", "1", NOTIFY_SOCKET=str(place), WATCHDOG_USEC="20000000")
        heard = [manager.recv(200).decode()]
        until(lambda: gateway.checkins)
        heard.append(manager.recv(200).decode())
        process.terminate()
        assert process.wait(10) == 0
        manager.settimeout(1)
        try:
            while True:
                heard.append(manager.recv(200).decode())
        except TimeoutError:
            pass
    assert heard[0] == "READY=1"
    assert "WATCHDOG=1" in heard
    assert heard[-1] == "STOPPING=1"


@pytest.mark.skipif(programs.find("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_the_service_unit_is_one_that_systemd_accepts(tmp_path: Path) -> None:
    unit = (Path(__file__).parents[2] / "agent/havenmeester-agent.service").read_text()
    place = tmp_path / "havenmeester-agent.service"
    # The program is not installed on the machine that tests.
    place.write_text(unit.replace("/usr/bin/havenmeester-agent", "/bin/true"))
    outcome = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(place)], capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0
    assert place.name not in outcome.stderr


def test_the_pause_grows_with_failures_and_honours_what_the_gateway_asks() -> None:
    assert [pace.after_failure(count, None, 0.999999) for count in (1, 2, 3)] == pytest.approx([2, 4, 8], rel=1e-3)
    assert pace.after_failure(60, None, 0.5) <= pace.LONGEST_PAUSE
    assert pace.after_failure(1, 120, 0.0) == 120
    assert pace.after_failure(1, 10**12, 0.0) == pace.LONGEST_NEXT
    assert 54 <= pace.until_next(60, 0.0) < pace.until_next(60, 0.9) <= 66
    assert pace.after_refusal(1, 0.0) >= 450
    assert pace.after_refusal(99, 1.0) <= pace.LONGEST_REFUSED


@pytest.mark.parametrize(("said", "kept"), [(None, 60), ("soon", 60), (True, 60), (-5, 1), (0, 1), (10**9, 86_400)])
def test_a_hint_is_kept_within_reason(said: object, kept: int) -> None:
    assert pace.hint(said) == kept


def test_a_certificate_is_renewed_at_two_thirds_of_its_life() -> None:
    assert not pace.renewal_due(0, 900, 599)
    assert pace.renewal_due(0, 900, 600)


def test_another_agent_on_the_same_state_is_told_to_wait(enrolled: Device, gateway: Gateway) -> None:
    process = enrolled.start("--wait", "5")
    try:
        until(lambda: gateway.checkins)
        outcome = enrolled.call("run", "--once")
        assert outcome.returncode == 8
        assert f"process {process.pid}" in outcome.stderr
        enrolled.good("leave")
        assert process.wait(10) == 0
    finally:
        if process.poll() is None:
            os.kill(process.pid, 9)
            process.wait()
