"""The TLS of the gateway: one context for all connections, client certificates asked for and proved against our CA.

A certificate of another CA ends the handshake. One of ours that is over does not: it is refused above, with a sentence
that the agent can keep, by the same statement that refuses revoked ones.
"""

import ssl
from pathlib import Path
from typing import Any

from gevent import GreenletExit, Timeout
from gevent import ssl as gevent_ssl

from web.gateway.identity import Identity
from web.gateway.pressure import Lateness

HANDSHAKE = 15
"""Seconds that a handshake may take: a silent client must not hold a place for ever."""
NO_CHECK_TIME = 0x200000
"""``X509_V_FLAG_NO_CHECK_TIME`` of OpenSSL; the validity in time is the database's word."""


class Context(gevent_ssl.SSLContext):  # type: ignore[misc]
    """A context whose handshakes end after a while, one way or the other."""

    lateness: Lateness | None = None
    """How late this process is; None before it serves."""

    def wrap_socket(self, sock: Any, *args: Any, **kwargs: Any) -> Any:
        """As the library does, but for at most ``HANDSHAKE`` seconds, and not at all when the process is too late.

        A handshake that fails is nothing unusual on a public port: it ends its greenlet, quietly, and fills no log. Who is
        hung up on before it comes back after a pause of its own; who has a connection already is served meanwhile.
        """
        if self.lateness is not None and self.lateness.too_late:
            sock.close()
            raise GreenletExit
        try:
            with Timeout(HANDSHAKE, TimeoutError("the handshake took too long")):
                return super().wrap_socket(sock, *args, **kwargs)
        except OSError as error:
            raise GreenletExit from error


def context(identity: Identity) -> Context:
    """The context for this identity."""
    made = Context(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(identity.server)
    made.load_verify_locations(identity.ca)
    made.verify_mode = ssl.CERT_OPTIONAL
    made.verify_flags |= NO_CHECK_TIME
    made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    return made


def reload(made: Context, server: Path) -> None:
    """Takes the key and chain that are in the file now, for handshakes from now on."""
    made.load_cert_chain(server)
