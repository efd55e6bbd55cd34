"""NetworkManager's keyfiles, its name servers, and the firewall."""

import ipaddress
import uuid
from collections.abc import Mapping
from typing import Any

from mdm.platforms.linux.escape import comment, ini, keyfile, keyfile_bytes, slug
from mdm.platforms.linux.parts import MARK, Part, Resources, Settings, file, given, unit

NAMESPACE = uuid.UUID("6f9c2b53-58b5-4a0e-9d7e-1f2f0a7b5c11")
"""Ours: the UUID of a connection is made from its kind and name, so that it is the same at every rendering."""
_KEY_MANAGEMENT = {"wpa2": "wpa-psk", "wpa3": "sae", "peap": "wpa-eap"}


def connection(kind: str, name: str, type_: str, *, autoconnect: bool = True) -> dict[str, str]:
    """The section ``connection`` of a keyfile."""
    return {
        "id": keyfile(name),
        "uuid": str(uuid.uuid5(NAMESPACE, f"{kind}:{name}")),
        "type": type_,
        "autoconnect": "true" if autoconnect else "false",
    }


def network(kind: str, key: str, name: str, sections: dict[str, dict[str, str]]) -> dict[str, Any]:
    """A resource of the kind network."""
    return {
        "id": f"{kind}.{slug(name)}",
        "kind": "network",
        "keys": [key],
        "name": f"havenmeester-{kind}-{slug(name)}",
        "content": ini(sections),
    }


def _wifi(settings: Settings) -> Resources:
    return [_wifi_network(record) for record in settings.get("wifi.networks", [])]


def _wifi_network(record: Mapping[str, Any]) -> dict[str, Any]:
    """nm-settings-keyfile(5). The SSID is a list of bytes: as a text, ``65;66;`` would be read as one."""
    ssid, security = record["ssid"], record["security"]
    sections = {
        "connection": connection("wifi", ssid, "wifi", autoconnect=record.get("autoconnect", True)),
        "wifi": {"mode": "infrastructure", "ssid": keyfile_bytes(ssid)},
    }
    if record.get("hidden"):
        sections["wifi"]["hidden"] = "true"
    if security != "open":
        sections["wifi-security"] = {"key-mgmt": _KEY_MANAGEMENT[security]}
    if security in ("wpa2", "wpa3"):
        sections["wifi-security"]["psk"] = keyfile(record["passphrase"])
    if security == "peap":
        # Without the name of the server any access point with any public certificate could ask for the password.
        sections["802-1x"] = {
            "eap": "peap;",
            "phase2-auth": "mschapv2",
            "identity": keyfile(record["identity"]),
            "password": keyfile(record["passphrase"]),
            "domain-suffix-match": keyfile(record["domain"]),
            "system-ca-certs": "true",
        }
    sections |= {"ipv4": {"method": "auto"}, "ipv6": {"method": "auto"}}
    return network("wifi", "wifi.networks", ssid, sections)


def _vpn(settings: Settings) -> Resources:
    return [_wireguard(record) for record in settings.get("vpn.connections", [])]


def _wireguard(record: Mapping[str, Any]) -> dict[str, Any]:
    name = record["name"]
    address = ipaddress.ip_interface(record["address"])
    family, other = ("ipv4", "ipv6") if address.version == 4 else ("ipv6", "ipv4")
    head = connection("vpn", name, "wireguard")
    head["interface-name"] = "hm" + uuid.uuid5(NAMESPACE, name).hex[:10]
    allowed = [str(ipaddress.ip_interface(text).network) for text in record["allowed"]]
    peer = {"endpoint": keyfile(record["endpoint"]), "allowed-ips": "".join(f"{network};" for network in allowed)}
    if record.get("keepalive"):
        peer["persistent-keepalive"] = str(record["keepalive"])
    sections = {
        "connection": head,
        "wireguard": {"private-key": keyfile(record["private_key"])},
        f"wireguard-peer.{record['peer_key']}": peer,
        family: {"method": "manual", "address1": address.with_prefixlen},
        other: {"method": "disabled"},
    }
    for text in record.get("dns", []):
        server = ipaddress.ip_address(text)
        section = sections["ipv4" if server.version == 4 else "ipv6"]
        if section["method"] == "manual":
            section["dns"] = section.get("dns", "") + f"{server};"
    return network("vpn", "vpn.connections", name, sections)


DNS = ("dns.servers", "dns.search")


def _dns(settings: Settings) -> Resources:
    """NetworkManager.conf(5), global DNS; it holds for every connection."""
    keys = given(settings, DNS)
    if not keys:
        return []
    sections: dict[str, dict[str, str]] = {"global-dns": {}}
    if "dns.search" in settings:
        sections["global-dns"]["searches"] = ",".join(settings["dns.search"])
    if "dns.servers" in settings:
        servers = [str(ipaddress.ip_address(text)) for text in settings["dns.servers"]]
        sections["global-dns-domain-*"] = {"servers": ",".join(servers)}
    path = "/etc/NetworkManager/conf.d/90-havenmeester-dns.conf"
    return [file("network.dns", keys, path, MARK + ini(sections), after=("nm-reload",))]


FIREWALL = ("firewall.enabled", "firewall.allow_in")
# A unit of our own, so that nothing of the system's stays switched on when it goes: our table goes with it.
_FIREWALL = (
    f"{MARK}[Unit]\nDescription=Havenmeester: firewall on\nDefaultDependencies=no\nWants=network-pre.target\n"
    "After=nftables.service\nBefore=network-pre.target shutdown.target\nConflicts=shutdown.target\n\n"
    "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/env nft -f /etc/nftables.conf\n"
    "ExecStop=-/usr/bin/env nft delete table inet havenmeester\n\n[Install]\nWantedBy=sysinit.target\n"
)


def _firewall(settings: Settings) -> Resources:
    """nftables(8): our own table, everything from outside dropped but answers, ICMP, DHCP and what is allowed."""
    if settings.get("firewall.enabled") is not True:
        return []
    rules = "".join(f"\t\t{_rule(record)}\n" for record in settings.get("firewall.allow_in", []))
    content = (
        f"#!/usr/sbin/nft -f\n{MARK}"
        "table inet havenmeester\ndelete table inet havenmeester\n\n"
        "table inet havenmeester {\n\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n"
        "\t\tct state established,related accept\n\t\tct state invalid drop\n\t\tiif lo accept\n"
        "\t\tmeta l4proto { icmp, ipv6-icmp } accept\n\t\tudp dport { 68, 546 } accept\n"
        f"{rules}\t}}\n}}\n"
    )
    keys = given(settings, FIREWALL)
    return [
        file(
            "firewall.rules",
            keys,
            "/etc/nftables.conf",
            content,
            mode="0755",
            validate="nft",
            after=("firewall-reload",),
        ),
        unit("firewall.unit", ["firewall.enabled"], "havenmeester-firewall.service", _FIREWALL, stay=True),
    ]


def _rule(record: Mapping[str, Any]) -> str:
    source = ""
    if record.get("source"):
        network = ipaddress.ip_interface(record["source"]).network
        source = f"ip{'6' if network.version == 6 else ''} saddr {network} "
    protocol = "udp" if record["protocol"] == "udp" else "tcp"
    name = comment(record["name"])
    said = f' comment "{name}"' if name else ""
    return f"{source}{protocol} dport {int(record['port'])} accept{said}"


PARTS = (
    Part(("wifi.networks",), _wifi),
    Part(("vpn.connections",), _vpn),
    Part(DNS, _dns),
    Part(FIREWALL, _firewall),
)
