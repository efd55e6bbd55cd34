"""How a phone reaches the network besides Wi-Fi: tunnels, name servers, and the operator's access points."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from mdm.platforms.apple.render.parts import Part, Resources, Settings, given, profile, settings_command
from mdm.platforms.linux.escape import slug

VPN = "com.apple.vpn.managed"
DNS = "com.apple.dnsSettings.managed"
CELLULAR = "com.apple.cellular"
BOTH_PROTOCOLS = 3
"""IPv4 and IPv6."""


def _tunnels(settings: Settings) -> Resources:
    return [
        profile(f"vpn.{slug(one['name'])}", ["vpn.ikev2"], f"VPN {one['name']}", [_tunnel(one)])
        for one in settings.get("vpn.ikev2", [])
    ]


def _tunnel(record: Mapping[str, Any]) -> dict[str, Any]:
    tunnel: dict[str, Any] = {
        "RemoteAddress": record["server"],
        "RemoteIdentifier": record.get("remote_id", record["server"]),
        "LocalIdentifier": record.get("local_id", record.get("username", record["name"])),
        "EnablePFS": 1,
        "DeadPeerDetectionRate": "Medium",
    }
    if record["method"] == "password":
        # Apple's way to say that the phone proves itself by EAP alone, and the server by its certificate.
        tunnel |= {"AuthenticationMethod": "None", "ExtendedAuthEnabled": 1}
        tunnel |= {"AuthName": record["username"], "AuthPassword": record["secret"]}
    else:
        tunnel |= {"AuthenticationMethod": "SharedSecret", "SharedSecret": record["secret"]}
    if record.get("always"):
        tunnel |= {"OnDemandEnabled": 1, "OnDemandRules": [{"Action": "Connect"}]}
    return {"PayloadType": VPN, "VPNType": "IKEv2", "UserDefinedName": record["name"], "IKEv2": tunnel}


def _name_servers(settings: Settings) -> Resources:
    """An encrypted name server; plain addresses only say where it is, before names can be looked up."""
    if "dns.encrypted" not in settings:
        return []
    address = settings["dns.encrypted"]
    parts = urlsplit(address)
    if parts.scheme == "https":
        dns: dict[str, Any] = {"DNSProtocol": "HTTPS", "ServerURL": address}
    else:
        dns = {"DNSProtocol": "TLS", "ServerName": parts.hostname or ""}
    if settings.get("dns.servers"):
        dns["ServerAddresses"] = list(settings["dns.servers"])
    keys = given(settings, ("dns.encrypted", "dns.servers"))
    return [profile("dns", keys, "DNS", [{"PayloadType": DNS, "DNSSettings": dns}], **{"from": "14.0"})]


def _access_points(settings: Settings) -> Resources:
    records = settings.get("cellular.apns", [])
    if not records:
        return []
    payload: dict[str, Any] = {"PayloadType": CELLULAR, "APNs": [_access_point(one) for one in records]}
    attach = next((one for one in records if one.get("attach")), None)
    if attach is not None:
        payload["AttachAPN"] = _access_point(attach)
    return [profile("cellular", ["cellular.apns"], "Mobile internet", [payload])]


def _access_point(record: Mapping[str, Any]) -> dict[str, Any]:
    point = {"Name": record["apn"], "AllowedProtocolMask": BOTH_PROTOCOLS}
    for field, name in (("username", "Username"), ("password", "Password")):
        if field in record:
            point[name] = record[field]
    if "authentication" in record:
        point["AuthenticationType"] = record["authentication"].upper()
    return point


def _roaming(settings: Settings) -> Resources:
    if "cellular.roaming" not in settings:
        return []
    items = [{"Item": "DataRoaming", "Enabled": settings["cellular.roaming"]}]
    return [settings_command("roaming", ["cellular.roaming"], items, city=True)]


PARTS = (
    Part(("vpn.ikev2",), _tunnels),
    Part(("dns.encrypted", "dns.servers"), _name_servers),
    Part(("cellular.apns",), _access_points),
    Part(("cellular.roaming",), _roaming),
)
