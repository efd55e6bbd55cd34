"""Networks, what a phone trusts, and what it may reach. Wi-Fi comes first: whatever forbids may need it."""

from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from mdm.platforms.apple.documents import stable_uuid
from mdm.platforms.apple.render.parts import Part, Resources, Settings, data, given, profile
from mdm.platforms.linux.escape import slug

WIFI = "com.apple.wifi.managed"
PROXY = ("proxy.mode", "proxy.server", "proxy.pac_url")
FILTER = ("browser.url_allow", "browser.url_block")
PEAP = 25
_SECURITY = {"open": "None", "wpa2": "WPA2", "wpa3": "WPA3", "peap": "WPA2"}


def _wifi(settings: Settings) -> Resources:
    return [_network(record, settings) for record in settings.get("wifi.networks", [])]


def _network(record: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "PayloadType": WIFI,
        "SSID_STR": record["ssid"],
        "EncryptionType": _SECURITY[record["security"]],
        "HIDDEN_NETWORK": bool(record.get("hidden")),
        "AutoJoin": record.get("autoconnect", True),
    }
    if record["security"] in ("wpa2", "wpa3"):
        payload["Password"] = record["passphrase"]
    anchors = []
    if record["security"] == "peap":
        anchors = [_anchor(one) for one in settings.get("certificates.authorities", [])]
        payload["EAPClientConfiguration"] = {
            "AcceptEAPTypes": [PEAP],
            "UserName": record.get("identity", ""),
            "UserPassword": record.get("passphrase", ""),
            # Without the name of the server any access point could ask for the password.
            "TLSTrustedServerNames": [record["domain"]] if record.get("domain") else [],
            "PayloadCertificateAnchorUUID": [one["PayloadUUID"] for one in anchors],
        }
    return profile(f"wifi.{slug(record['ssid'])}", ["wifi.networks"], f"Wi-Fi {record['ssid']}", [*anchors, payload])


def _anchor(record: Mapping[str, Any]) -> dict[str, Any]:
    certificate = x509.load_pem_x509_certificate(record["certificate"].encode())
    der = certificate.public_bytes(Encoding.DER)
    return {
        "PayloadType": "com.apple.security.root",
        "PayloadUUID": stable_uuid(f"anchor {der.hex()}"),
        "PayloadDisplayName": record["name"],
        "PayloadContent": data(der),
    }


def _certificates(settings: Settings) -> Resources:
    return [
        profile(
            f"certificate.{slug(one['name'])}",
            ["certificates.authorities"],
            f"Certificate {one['name']}",
            [_anchor(one)],
        )
        for one in settings.get("certificates.authorities", [])
    ]


def _proxy(settings: Settings) -> Resources:
    mode = settings.get("proxy.mode")
    payload: dict[str, Any] = {"PayloadType": "com.apple.proxy.http.global", "ProxyCaptiveLoginAllowed": True}
    if mode == "manual" and settings.get("proxy.server"):
        host, _, port = settings["proxy.server"].rpartition(":")
        payload |= {"ProxyType": "Manual", "ProxyServer": host.strip("[]"), "ProxyServerPort": int(port)}
    elif mode == "pac" and settings.get("proxy.pac_url"):
        payload |= {"ProxyType": "Auto", "ProxyPACURL": settings["proxy.pac_url"], "ProxyPACFallbackAllowed": True}
    else:
        return []
    return [profile("proxy", given(settings, PROXY), "Proxy", [payload])]


def _filter(settings: Settings) -> Resources:
    """Apple's own filter: either only the pages that are listed, or all but those that are."""
    blocked, allowed = settings.get("browser.url_block", []), settings.get("browser.url_allow", [])
    if not blocked:
        return []
    payload: dict[str, Any] = {"PayloadType": "com.apple.webcontent-filter", "FilterType": "BuiltIn"}
    if "*" in blocked:
        payload["AllowListBookmarks"] = [{"URL": _page(url), "Title": _page(url)} for url in allowed]
    else:
        payload |= {"DenyListURLs": [_page(url) for url in blocked], "PermittedURLs": [_page(url) for url in allowed]}
    limits = {"supervised": True, "city": True, "from": "14.5"}
    return [profile("content-filter", given(settings, FILTER), "Web content", [payload], **limits)]


def _page(url: str) -> str:
    return url if "://" in url else f"https://{url}"


PARTS = (
    Part(("wifi.networks",), _wifi),
    Part(("certificates.authorities",), _certificates),
    Part(PROXY, _proxy),
    Part(FILTER, _filter),
)
