"""Tells systemd how we are (sd_notify(3)), by hand: one datagram to the socket that it names. Elsewhere: nothing."""

import os
import socket
import time

_EVERY = 5.0
_last = [0.0]


def tell(message: str) -> None:
    """Sends ``READY=1``, ``STATUS=…``, ``STOPPING=1``. A manager that is not there is not an error."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    target = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        try:
            channel.sendto(message.encode(), target)
        except OSError:
            # The agent's work does not depend on being watched.
            return


def alive() -> None:
    """Feeds the watchdog, at most every few seconds."""
    now = time.monotonic()
    if now - _last[0] >= _EVERY:
        _last[0] = now
        tell("WATCHDOG=1")


def patience() -> float | None:
    """Seconds that the watchdog waits for a sign; None when nobody watches."""
    value = os.environ.get("WATCHDOG_USEC", "")
    return int(value) / 1_000_000 if value.isdigit() and int(value) > 0 else None
