"""One connection to one kiosk: the host key is proved before anything else is said, and nothing that it says is believed.

Not a byte of a user name, a key or a signature leaves before the host key was proved: the proof stands inside the key
exchange, before we even agree to the new keys. Everything that comes back is capped in size and in time and cleaned.
"""

import contextlib
import logging
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import paramiko

from mdm.core.text import clean
from mdm.kiosks import algorithms, hostkeys
from mdm.kiosks.commands import COMMANDS

logging.getLogger("paramiko").setLevel(logging.CRITICAL)
"""What a stranger sends is told once, cleaned, in the words below; never raw in a log."""

OUTPUT: Final = 64 * 1024
"""Bytes of one command's output; more ends it."""
SHOWN: Final = 2000
"""Characters of it that are kept for people."""
HANDSHAKE: Final = 256 * 1024
"""Bytes that a kiosk may send before it has let us in."""
WINDOW: Final = 128 * 1024
BLOCK: Final = 32 * 1024
_ESCAPES: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]?"
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|\Z)"
    r"|\x1b[ -/]*[0-~]?",
    re.DOTALL,
)
"""Escape sequences of a terminal (ECMA-48), as a whole: what is left of one would be read as words."""


class SshError(Exception):
    """It did not work. ``code`` is stable; ``passing`` says whether it may work later; ``said`` is cleaned text.

    ``seen`` is the fingerprint of a wrong host key.
    """

    def __init__(self, code: str, sentence: str, *, passing: bool = False, said: str = "", seen: str = "") -> None:
        self.code, self.passing, self.said, self.seen = code, passing, said, seen
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for reaching a kiosk, for the exchange of keys, for signing in; ``most`` caps any one command."""

    reach: float = 10
    exchange: float = 20
    sign_in: float = 20
    most: float = 600


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, and what it said: cleaned, at most ``SHOWN`` characters; ``raw`` is what it said in full."""

    code: int
    text: str
    raw: bytes

    @property
    def good(self) -> bool:
        """It ended well."""
        return self.code == 0


class _Bounded:
    """A socket that reads no further than it may: so many bytes, until that moment. Then it says that it has ended."""

    def __init__(self, inner: socket.socket) -> None:
        self.inner = inner
        self.left = HANDSHAKE
        self.deadline = time.monotonic() + 60
        self.why = ""

    def recv(self, size: int) -> bytes:
        """Bytes; none when the connection has ended or is to end."""
        if time.monotonic() > self.deadline:
            self.why = "too_long"
            return b""
        found = self.inner.recv(min(size, BLOCK))
        self.left -= len(found)
        if self.left < 0:
            self.why = "too_much"
            return b""
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class _Pinned(paramiko.Transport):  # type: ignore[misc]
    """A transport that takes one host key, or certificates of one authority, and proves it inside the exchange of keys."""

    def __init__(self, sock: Any, known: str, host: str, now: datetime) -> None:
        super().__init__(
            sock, default_window_size=WINDOW, default_max_packet_size=BLOCK, disabled_algorithms=algorithms.WEAK
        )
        self._known, self._host, self._now = known, host, now
        kept = paramiko.Transport
        self._kex_info = {**kept._kex_info, algorithms.KEX: kept._kex_info[algorithms.KEX_BEFORE]}
        self._preferred_kex = (algorithms.KEX, *kept._preferred_kex)
        plain = tuple(self.preferred_keys)
        if hostkeys.wants_certificate(known):
            self._preferred_keys = tuple(f"{name}-cert-v01@openssh.com" for name in plain)
        self.wrong: hostkeys.WrongHostError | None = None

    def _verify_key(self, host_key: bytes, sig: bytes) -> None:
        try:
            hostkeys.prove(self._known, bytes(host_key), self._host, self._now)
        except hostkeys.WrongHostError as wrong:
            self.wrong = wrong
            raise paramiko.SSHException("not the host key that was meant") from wrong
        super()._verify_key(host_key, sig)


class Connection:
    """A connection that is signed in. ``run`` runs a command of the table; ``close`` ends it."""

    def __init__(self, transport: _Pinned, bounded: _Bounded, limits: Limits, banner: str) -> None:
        self._transport, self._bounded, self._limits = transport, bounded, limits
        self.banner = banner
        """What the kiosk says to whoever signs in, cleaned."""

    def run(self, name: str, data: bytes = b"", *, sudo: bool = False) -> Said:
        """Runs the command of that name with ``data`` as its input.

        Raises SshError: ``lost`` (passing) when the connection ends before it, ``too_long``, ``too_much``.
        """
        command = COMMANDS[name]
        end = time.monotonic() + min(command.seconds, self._limits.most)
        self._bounded.deadline, self._bounded.left = end + 5, OUTPUT * 4 + len(data)
        try:
            channel = self._transport.open_session(timeout=max(1, min(30.0, end - time.monotonic())))
        except (paramiko.SSHException, EOFError, OSError) as trouble:
            raise self._lost() from trouble
        try:
            channel.set_combine_stderr(True)
            channel.exec_command(command.line(sudo=sudo))
            heard = _Ear(channel, end)
            heard.send(data)
            code = heard.to_the_end()
        except _TooLongError:
            raise SshError("too_long", f"{name} took longer than it may and was stopped", passing=True) from None
        except _TooMuchError as much:
            raise SshError("too_much", f"{name} said more than it may and was stopped", said=str(much)) from None
        except (paramiko.SSHException, EOFError, OSError) as trouble:
            raise self._lost() from trouble
        finally:
            with contextlib.suppress(Exception):
                channel.close()
        if code < 0:
            # No exit status: the connection went, or the program was killed with the machine.
            raise self._lost()
        return Said(code, tidy(heard.output), heard.output)

    def _lost(self) -> SshError:
        if self._bounded.why == "too_much":
            return SshError("too_much", "the kiosk sends more than it may")
        return SshError("lost", "the connection to the kiosk was lost", passing=True)

    def close(self) -> None:
        """Ends the connection. Never raises."""
        with contextlib.suppress(Exception):
            self._transport.close()
        with contextlib.suppress(OSError):
            self._bounded.inner.close()


class _TooLongError(Exception):
    pass


class _TooMuchError(Exception):
    pass


class _Ear:
    """Sends a command its input and hears its output at the same time, so that neither side waits for the other."""

    def __init__(self, channel: paramiko.Channel, end: float) -> None:
        self.channel, self.end, self.output = channel, end, b""

    def _hear(self) -> bool:
        heard = False
        while self.channel.recv_ready():
            self.output += self.channel.recv(BLOCK)
            heard = True
            if len(self.output) > OUTPUT:
                raise _TooMuchError(tidy(self.output))
        return heard

    def send(self, data: bytes) -> None:
        """The whole input, and that there is no more."""
        view = memoryview(data)
        self.channel.settimeout(0.5)
        while view and not self.channel.exit_status_ready():
            if time.monotonic() > self.end:
                raise _TooLongError
            self._hear()
            try:
                view = view[self.channel.send(view[:BLOCK]) :]
            except TimeoutError:
                continue
            except OSError:
                # It closed its input early; why, it says in its output.
                break
        with contextlib.suppress(OSError, EOFError):
            self.channel.shutdown_write()

    def to_the_end(self) -> int:
        """The exit status once everything was heard; -1 when there is none."""
        self.channel.settimeout(0.2)
        while True:
            if time.monotonic() > self.end:
                raise _TooLongError
            try:
                found = self.channel.recv(BLOCK)
            except TimeoutError:
                continue
            if not found:
                break
            self.output += found
            if len(self.output) > OUTPUT:
                raise _TooMuchError(tidy(self.output))
        while not self.channel.exit_status_ready():
            if time.monotonic() > self.end:
                raise _TooLongError
            if self.channel.transport is None or not self.channel.transport.is_active():
                break
            self.channel.status_event.wait(0.1)
        return int(self.channel.exit_status)


def connect(
    host: str,
    port: int,
    account: str,
    known: str,
    identity: Callable[[], paramiko.PKey],
    now: datetime,
    limits: Limits | None = None,
    *,
    address: str = "",
) -> Connection:
    """Reaches a kiosk, proves its host key and signs in. ``identity`` is asked for the key only after the proof.

    ``address`` is where ``host`` was found to be, so that nobody can answer another one a moment later. Raises SshError:
    ``unreachable``, ``lost`` (both passing), ``no_ssh``, ``wrong_host_key``, ``not_let_in``, ``too_much``.
    """
    limits = limits or Limits()
    try:
        bare = socket.create_connection((address or host, port), timeout=limits.reach)
    except OSError as trouble:
        why = clean(trouble.strerror or str(trouble), 200) or "no answer"
        raise SshError("unreachable", f"nobody answers at {host} port {port}: {why}", passing=True) from trouble
    bounded = _Bounded(bare)
    bounded.deadline = time.monotonic() + limits.exchange
    try:
        transport = _Pinned(bounded, known, host, now)
    except Exception:
        bare.close()
        raise
    try:
        _agree(transport, bounded, limits)
        return _sign_in(transport, bounded, account, identity, limits)
    except BaseException:
        transport.close()
        bare.close()
        raise


def _agree(transport: _Pinned, bounded: _Bounded, limits: Limits) -> None:
    transport.banner_timeout = transport.handshake_timeout = limits.exchange
    end = time.monotonic() + limits.exchange
    try:
        transport.start_client(timeout=limits.exchange)
    except (paramiko.SSHException, EOFError, OSError, ValueError, IndexError, KeyError, TypeError) as trouble:
        if transport.wrong is not None:
            raise _wrong(transport.wrong) from trouble
        if isinstance(trouble, paramiko.ssh_exception.IncompatiblePeer):
            raise SshError("no_ssh", algorithms.why_none(str(trouble))) from None
        if bounded.why == "too_much":
            raise SshError("too_much", "it sends more than it may before it lets anybody in") from None
        if bounded.why == "too_long" or time.monotonic() > end - 0.2:
            raise SshError("no_ssh", "it does not speak SSH in time", passing=True) from None
        raise SshError("lost", "it ended the connection before it showed its key", passing=True) from None
    if not transport.initial_kex_done:
        raise SshError("no_ssh", "it does not speak SSH in time", passing=True)


def _wrong(wrong: hostkeys.WrongHostError) -> SshError:
    return SshError("wrong_host_key", f"it shows {wrong} ({wrong.seen})", seen=wrong.seen)


def _sign_in(
    transport: _Pinned, bounded: _Bounded, account: str, identity: Callable[[], paramiko.PKey], limits: Limits
) -> Connection:
    bounded.deadline = time.monotonic() + limits.sign_in
    transport.auth_timeout = limits.sign_in
    try:
        transport.auth_publickey(account, identity())
    except paramiko.AuthenticationException as refused:
        banner = tidy(transport.get_banner() or b"")
        if isinstance(refused, paramiko.ssh_exception.AuthenticationException) and bounded.why == "too_long":
            raise SshError("lost", "it did not answer the sign-in in time", passing=True) from None
        raise SshError("not_let_in", f"it does not let {account} in with our key", said=banner) from None
    except (paramiko.SSHException, EOFError, OSError) as trouble:
        if bounded.why == "too_much":
            raise SshError("too_much", "it sends more than it may before it lets anybody in") from trouble
        raise SshError("lost", "it ended the connection while we signed in", passing=True) from trouble
    if not transport.is_authenticated():
        raise SshError("not_let_in", f"it asks for more than the key of {account}")
    return Connection(transport, bounded, limits, tidy(transport.get_banner() or b""))


def tidy(output: bytes) -> str:
    """What a kiosk said, for people: no control characters, no escape sequences, at most ``SHOWN`` characters, from its end."""
    text = output[-4 * SHOWN :].decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    return clean(_ESCAPES.sub("", text)[-SHOWN:], SHOWN, lines=True)
