"""The lock of one process: the second is told and does not wait, and who goes leaves it free, however it went."""

import subprocess
import sys
from pathlib import Path

from mdm.core.alone import alone

HOLDS = """
import pathlib, sys
from mdm.core.alone import alone
with alone(pathlib.Path(sys.argv[1])) as free:
    print(free, flush=True)
    input()
"""


def test_the_second_is_told_and_the_third_has_it_when_the_first_is_gone(tmp_path: Path) -> None:
    lock = tmp_path / "run" / "one.lock"
    with alone(lock) as first, alone(lock) as second:
        assert (first, second) == (True, False)
    with alone(lock) as third:
        assert third


def test_a_process_that_is_killed_leaves_it_free(tmp_path: Path) -> None:
    lock = tmp_path / "one.lock"
    command = [sys.executable, "-c", HOLDS, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"True\n"
        with alone(lock) as free:
            assert not free
        other.kill()
        other.wait(60)
        with alone(lock) as free:
            assert free
