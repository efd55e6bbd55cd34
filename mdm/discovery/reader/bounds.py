"""What this process may still do: little memory, little time, no new rights, no file that grows, no capability."""

import ctypes
import os
import resource
import signal

MEMORY = 512 * 1024 * 1024
NOBODY = 65534
_NO_NEW_PRIVILEGES, _DEATH_SIGNAL, _DUMPABLE, _AMBIENT, _CLEAR_ALL = 38, 1, 4, 47, 4
_CAPABILITIES_3 = 0x20080522


def limit(seconds: int, memory: int = MEMORY) -> None:
    """Sets the limits of this process; it cannot lift them again."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))


def drop() -> None:
    """Gives every right away for good: the user, every capability, and the way to new ones. Open sockets stay open."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    libc.prctl(_AMBIENT, _CLEAR_ALL, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if libc.capset(header, nothing) != 0:
        raise OSError(ctypes.get_errno(), "the capabilities cannot be given away")
    for word, value in ((_NO_NEW_PRIVILEGES, 1), (_DUMPABLE, 0), (_DEATH_SIGNAL, signal.SIGKILL)):
        if libc.prctl(word, value, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "the process cannot be bounded")
