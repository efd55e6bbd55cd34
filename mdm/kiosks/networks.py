"""Where kiosks may be: we connect to addresses of these networks alone, whoever asks."""

import ipaddress
import socket
from collections.abc import Iterable

from mdm.core.errors import ConfigurationError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def read(text: str) -> tuple[Network, ...]:
    """The networks of a setting, separated by commas. Raises ConfigurationError that names the wrong one."""
    found: list[Network] = []
    for word in (part.strip() for part in text.split(",")):
        if not word:
            continue
        try:
            found.append(ipaddress.ip_network(word))
        except ValueError as error:
            raise ConfigurationError(
                "The setting kiosk_networks is wrong: %(word)s is no network.",
                word=word,
                mend="Write networks as 10.20.0.0/16, separated by commas.",
            ) from error
    return tuple(found)


def resolve(host: str, port: int, networks: Iterable[Network]) -> str | None:
    """The first address of the host that lies in one of the networks; None when none does. Raises OSError (no such host).

    Whoever connects uses this address and asks no second time.
    """
    allowed = tuple(networks)
    for _family, _kind, _protocol, _name, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        plain = str(address[0])
        if "%" in plain:
            continue
        one = ipaddress.ip_address(plain)
        mapped = one.ipv4_mapped if isinstance(one, ipaddress.IPv6Address) else None
        if any((mapped or one) in network for network in allowed):
            return plain
    return None
