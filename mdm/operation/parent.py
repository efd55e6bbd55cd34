"""A child process that does not outlive whoever started it, also when that one was killed.

``python -m mdm.operation.parent PID ARGUMENT …`` becomes ``python ARGUMENT …`` that ends with the process PID, for programs
that know nothing of this.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_SET_PARENT_DEATH_SIGNAL = 1
"""``PR_SET_PDEATHSIG`` of prctl(2)."""


def die_with_parent(expected: int | None = None, number: signal.Signals = signal.SIGTERM) -> None:
    """Asks Linux to send this signal to this process when its parent ends; elsewhere nothing happens.

    ``expected`` is the parent's process id: where it is gone already, this process ends at once.
    """
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_SET_PARENT_DEATH_SIGNAL, number)
    if expected is not None and os.getppid() != expected:
        raise SystemExit(0)


def main(arguments: Sequence[str]) -> None:
    """Ties this process to its parent and becomes the program; a program keeps the tie."""
    die_with_parent(int(arguments[0]))
    os.execv(sys.executable, [sys.executable, *arguments[1:]])  # noqa: S606 -- our own program, no shell


if __name__ == "__main__":
    main(sys.argv[1:])
