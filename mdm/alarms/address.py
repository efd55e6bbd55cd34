"""Where a webhook may go. Pure but for ``resolve``: an address is taken apart once, judged, and never read again.

The list of hosts is in the configuration of the server, so nobody can widen it from the console. ``hooks.stad.example`` and
``hooks.stad.example:8443`` allow exactly that, ``*.stad.example`` every name below it. What a name resolves to must be a public
address; only a host that the list names exactly may be private or loopback.
"""

import ipaddress
import re
import socket
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from mdm.core.errors import N_, InvalidError, UnavailableError

MAX_URL: Final = 2000
_URL = re.compile(
    r"https://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?(?P<target>/[!-~]*)?", re.ASCII
)
_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*", re.ASCII)
_FORBIDDEN_IN_TARGET = re.compile(r'[#\\"<>^`{|}]')

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Address:
    """A webhook's address, taken apart. ``exact`` says that the list names this host itself."""

    host: str
    port: int
    target: str
    exact: bool


def hosts(setting: str) -> frozenset[str]:
    """The entries of the setting ``webhook_hosts``, in small letters."""
    return frozenset(entry.strip().lower() for entry in setting.split(",") if entry.strip())


def take_apart(url: str, allowed: Collection[str]) -> Address:
    """The address; raises InvalidError (``webhook_url`` or ``webhook_host``) for any that may not be called.

    Only ``https``, a host in small ASCII letters, no user, no fragment, no port but 443 unless the list names it.
    """
    found = _URL.fullmatch(url) if len(url) <= MAX_URL else None
    if found is None:
        raise _wrong()
    host, target = found["host"], found["target"] or "/"
    port = int(found["port"] or 443)
    if _FORBIDDEN_IN_TARGET.search(target) or not 0 < port < 65536 or (found["port"] or "443").startswith("0"):
        raise _wrong()
    literal = _literal(host)
    if literal is None and (_NAME.fullmatch(host) is None or len(host) > 253 or _looks_numeric(host)):
        raise _wrong()
    exact = _listed(host, port, allowed)
    if not exact and (literal is not None or port != 443 or not _below_one(host, allowed)):
        raise InvalidError(
            N_(
                "The host %(host)s is not on the list of hosts that webhooks may go to. Nothing was saved. The list is the"
                " setting webhook_hosts on the server."
            ),
            code="webhook_host",
            host=host if port == 443 else f"{host}:{port}",
        )
    return Address(host.strip("[]"), port, target, exact)


def _wrong() -> InvalidError:
    return InvalidError(
        N_("This is no address that a webhook may go to. Write https://host/path, with the host in small letters."),
        code="webhook_url",
    )


def _literal(host: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(host.strip("[]")) if host.startswith("[") or host[-1].isdigit() else None
    except ValueError:
        return None


def _looks_numeric(host: str) -> bool:
    # 127.1, 2130706433 and 0x7f.1 are addresses for some resolvers; no real name ends in a number (RFC 3696, section 2).
    last = host.rpartition(".")[2]
    return last.isdigit() or last.startswith("0x")


def _listed(host: str, port: int, allowed: Collection[str]) -> bool:
    return (port == 443 and host in allowed) or f"{host}:{port}" in allowed


def _below_one(host: str, allowed: Iterable[str]) -> bool:
    # Two labels at the least: a list that says *.be would allow a country.
    tails = [entry[1:] for entry in allowed if entry.startswith("*.") and entry.count(".") >= 2]
    return any(host.endswith(tail) and host != tail[1:] for tail in tails)


def resolve(address: Address) -> str:
    """The one IP address to connect to. Every address of the name is judged, and one that is wrong refuses them all.

    Raises UnavailableError when the name has none now, InvalidError (``webhook_private``) for an address inside.
    """
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnavailableError(
            N_("The host %(host)s has no address now."), host=address.host, code="webhook_name"
        ) from error
    numbers = [str(entry[4][0]) for entry in found]
    for number in numbers:
        if not acceptable(number, exact=address.exact):
            raise InvalidError(
                N_("The host %(host)s leads to %(number)s, inside or special. Nothing was sent."),
                code="webhook_private",
                host=address.host,
                number=number,
            )
    return numbers[0]


def acceptable(number: str, *, exact: bool) -> bool:
    """Whether a webhook may connect to this IP address; ``exact`` also allows private and loopback, never special ones."""
    try:
        ip = _plain(ipaddress.ip_address(number.partition("%")[0]))
    except ValueError:
        return False
    if ip.is_multicast or ip.is_unspecified or ip.is_link_local or "%" in number or _carries_another(ip):
        return False
    return ip.is_global or (exact and (ip.is_private or ip.is_loopback) and (ip.is_loopback or not ip.is_reserved))


def _plain(ip: IPAddress) -> IPAddress:
    return ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None else ip


_TRANSLATED = (
    ipaddress.ip_network("64:ff9b::/96"),
    ipaddress.ip_network("2002::/16"),
    ipaddress.ip_network("2001::/32"),
)


def _carries_another(ip: IPAddress) -> bool:
    """Whether the address is a way to another one (NAT64, 6to4, Teredo), which may be inside."""
    return isinstance(ip, ipaddress.IPv6Address) and any(ip in network for network in _TRANSLATED)
