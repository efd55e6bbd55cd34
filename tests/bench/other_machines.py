"""What stands for other machines shall not slow this one down: whoever measures goes before everything that runs beside it.

Control groups do that, where we may make them. How willing a process is to give way (``nice``, ``chrt --idle``) counts, with
the kernel's automatic groups, only among those of one session; and every connection of an SSH server is a session of its own.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

GROUPS = ((Path("/sys/fs/cgroup/cpu"), "cpu.shares", 1024), (Path("/sys/fs/cgroup"), "cpu.weight", 100))
"""Of the first version, and of the second: where, the file that holds what share of the processors a group has, and the share
that everything else has."""
OURS, THEIRS = 100, 10
"""How many times the share of anything else whoever measures gets, and all other machines together."""
_ENTER = 'echo $$ > "$0" && exec "$@"'


@dataclass
class OtherMachines:
    """Words before a command by which it, and all that it starts, runs behind whoever measures."""

    before: tuple[str, ...] = ("chrt", "--idle", "0")
    groups: list[Path] = field(default_factory=list)

    def end(self) -> None:
        """Ends what is left of them, and puts this process back."""
        if not self.groups:
            return
        ours, theirs = self.groups
        (ours.parent / "cgroup.procs").write_text(str(os.getpid()))
        for _ in range(100):
            for left in (theirs / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(left), signal.SIGKILL)
            # What has just been killed is in it for a moment.
            with contextlib.suppress(OSError):
                theirs.rmdir()
                break
            time.sleep(0.1)
        with contextlib.suppress(OSError):
            ours.rmdir()


@contextlib.contextmanager
def other_machines() -> Iterator[OtherMachines]:
    """This process, and what it starts, goes before all others on the processors; other machines go after it.

    Where no control group can be made other machines are started by ``chrt --idle``, and the figures say less.
    """
    found = _groups()
    try:
        if found.groups:
            (found.groups[0] / "cgroup.procs").write_text(str(os.getpid()))
        yield found
    finally:
        found.end()


def _groups() -> OtherMachines:
    for above, share, usual in GROUPS:
        ours, theirs = (above / f"havenmeester-bench-{os.getpid()}-{name}" for name in ("ours", "theirs"))
        with contextlib.suppress(OSError):
            for group, times in ((ours, OURS), (theirs, THEIRS)):
                group.mkdir()
                (group / share).write_text(str(usual * times))
            return OtherMachines(("sh", "-c", _ENTER, str(theirs / "cgroup.procs")), [ours, theirs])
        for group in (ours, theirs):
            with contextlib.suppress(OSError):
                group.rmdir()
    return OtherMachines()
