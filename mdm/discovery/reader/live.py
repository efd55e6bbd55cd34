"""Listening to an interface, and, where it is asked for and allowed, asking the addresses of a network who they are.

Listening alone sends nothing: what devices call out by themselves is enough to know nearly all of them. Asking is ARP, one
question of mDNS and one of SSDP, slower than 50 packets a second, and to addresses of the given networks alone.
"""

import fcntl
import ipaddress
import os
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether

from mdm.discovery.reader.frames import ETHERNET
from mdm.discovery.reader.gather import Gathering
from mdm.discovery.reader.pace import Bucket
from mdm.discovery.reader.refusal import NotACaptureError

MOST_ADDRESSES = 4096
_ALL, _SOL_PACKET, _ADD_MEMBERSHIP, _ALL_MULTICAST = 0x0003, 263, 1, 2
_GET_ADDRESS, _GET_MASK, _ETHERNET_CARD = 0x8915, 0x891B, 1
Say = Callable[[dict[str, Any]], None]
Network = ipaddress.IPv4Network


def opened(interface: str) -> socket.socket:
    """A raw socket on the interface: the one thing that needs CAP_NET_RAW. Raises NotACaptureError."""
    try:
        listening = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL))
        listening.bind((interface, _ALL))
        if listening.getsockname()[3] != _ETHERNET_CARD:
            raise NotACaptureError("other_link")
        request = struct.pack("iHH8s", socket.if_nametoindex(interface), _ALL_MULTICAST, 0, b"")
        listening.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, request)
    except PermissionError as error:
        raise NotACaptureError("no_right") from error
    except OSError as error:
        raise NotACaptureError("no_interface") from error
    return listening


def own_network(interface: str) -> tuple[str, Network] | None:
    """The interface's own IPv4 address and network; None where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        wish = struct.pack("256s", interface.encode()[:15])
        try:
            address, mask = (
                socket.inet_ntoa(fcntl.ioctl(asking.fileno(), number, wish)[20:24])
                for number in (_GET_ADDRESS, _GET_MASK)
            )
        except OSError:
            return None
    return address, ipaddress.IPv4Network(f"{address}/{mask}", strict=False)


def targets(own: tuple[str, Network] | None, allowed: list[Network]) -> list[str]:
    """Addresses to ask: of the interface's own network, as far as it is allowed. Raises NotACaptureError for too many."""
    if own is None:
        raise NotACaptureError("no_address")
    address, network = own
    inside = [one for one in allowed if one.overlaps(network)]
    if not inside:
        raise NotACaptureError("not_allowed")
    # Of two networks that overlap one holds the other: the smaller is what both say.
    parts = sorted({max(one, network, key=lambda part: part.prefixlen) for one in inside})
    if sum(part.num_addresses for part in parts) > MOST_ADDRESSES:
        raise NotACaptureError("too_wide")
    return [one for part in parts for host in part.hosts() if (one := str(host)) != address]


def questions(mac: str, address: str, hosts: list[str]) -> Iterator[bytes]:
    """The packets, each made when it is needed."""
    for host in hosts:
        yield bytes(Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=mac, psrc=address, pdst=host))
    mdns = DNS(rd=0, qd=[DNSQR(qname=name, qtype="PTR") for name in ("_ipp._tcp.local", "_workstation._tcp.local")])
    yield bytes(
        Ether(src=mac, dst="01:00:5e:00:00:fb")
        / IP(src=address, dst="224.0.0.251", ttl=1)
        / UDP(sport=5353, dport=5353)
        / mdns
    )
    search = (
        b'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 2\r\nST: ssdp:all\r\n\r\n'
    )
    yield bytes(
        Ether(src=mac, dst="01:00:5e:7f:ff:fa")
        / IP(src=address, dst="239.255.255.250", ttl=1)
        / UDP(sport=1900, dport=1900)
        / search
    )


def listen(
    listening: socket.socket, gathering: Gathering, seconds: float, asking: Iterator[bytes], say: Say, *, orders: int
) -> tuple[int, bool]:
    """Takes packets for so long; sends what there is to ask, as slowly as the bucket says.

    How many were sent, and whether it came to its end: False when the interface went away. Anything that can be read from
    ``orders`` ends the asking, its end ends the listening.
    """
    mac = listening.getsockname()[4]
    bucket, end, told, sent = Bucket(), time.monotonic() + seconds, time.monotonic(), 0
    following = next(asking, None)
    while (left := end - time.monotonic()) > 0:
        pause = min(left, 0.5)
        if following is not None:
            pause = bucket.wait(time.monotonic())
            if not pause:
                try:
                    listening.send(following)
                except OSError:
                    return sent, False
                sent += 1
                following = next(asking, None)
        ready = select.select([listening.fileno(), orders], [], [], min(pause, left))[0]
        if orders in ready:
            if not os.read(orders, 4096):
                break
            following, asking = None, iter(())
        if listening.fileno() in ready:
            try:
                data, (*_, source) = listening.recvfrom(65535)
            except OSError:
                return sent, False
            if source != mac:
                gathering.take(data, ETHERNET, time.time())
        if time.monotonic() - told > 1:
            told = time.monotonic()
            say({"type": "progress", "packets": gathering.packets})
    return sent, True
