"""Networks with 802.1X, by cable or wireless: a name and password inside TLS, or a certificate of the device's own."""

import base64
from collections.abc import Mapping
from typing import Any, Final

from mdm.platforms.linux.escape import keyfile, keyfile_bytes
from mdm.platforms.linux.network import connection, network
from mdm.platforms.linux.parts import Part, Resources, Settings

KEYS: Final = ("dot1x.networks",)


def _networks(settings: Settings) -> Resources:
    return [_network(record) for record in settings.get("dot1x.networks", [])]


def _network(record: Mapping[str, Any]) -> dict[str, Any]:
    """nm-settings-keyfile(5). The server is known by its name and the authorities of the system, or it is not spoken to."""
    name, wireless = record["name"], "ssid" in record
    sections = {"connection": connection("dot1x", name, "wifi" if wireless else "ethernet")}
    if wireless:
        sections["wifi"] = {"mode": "infrastructure", "ssid": keyfile_bytes(record["ssid"])}
        sections["wifi-security"] = {"key-mgmt": "wpa-eap"}
    else:
        # Before the connection that a machine makes for every cable by itself.
        sections["connection"]["autoconnect-priority"] = "10"
    sections["802-1x"] = {
        "identity": keyfile(record["identity"]),
        "domain-suffix-match": keyfile(record["domain"]),
        "system-ca-certs": "true",
        **(_certificate(record) if record["method"] == "tls" else _password(record)),
    }
    sections |= {"ipv4": {"method": "auto"}, "ipv6": {"method": "auto"}}
    return network("dot1x", KEYS[0], name, sections)


def _password(record: Mapping[str, Any]) -> dict[str, str]:
    return {"eap": "peap;", "phase2-auth": "mschapv2", "password": keyfile(record["password"])}


def _certificate(record: Mapping[str, Any]) -> dict[str, str]:
    """Certificate and key inside the keyfile, which only root may read: no further file that could stay behind."""
    found = {
        "eap": "tls;",
        "client-cert": _blob(record["certificate"]),
        "private-key": _blob(record["private_key"]),
    }
    secret = record.get("password")
    # 4: no password is needed, and nobody is asked for one.
    return (
        {**found, "private-key-password": keyfile(secret)} if secret else {**found, "private-key-password-flags": "4"}
    )


def _blob(text: str) -> str:
    return f"data:;base64,{base64.b64encode(text.encode()).decode()}"


PARTS = (Part(KEYS, _networks),)
