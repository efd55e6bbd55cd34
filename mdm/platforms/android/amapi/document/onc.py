"""Whether a description of networks is right (Open Network Configuration, the parts that Android's management reads). Pure.

Google's document says of it only that it is an object. What is checked here is what Google's guide to networks of Android
names: networks of the type WiFi with their security, EAP with what each method needs, certificates, and that every
reference leads to something that is there.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mdm.core.errors import N_
from mdm.platforms.android.amapi.document.check import Finding, Severity, joined

MAX_NETWORKS: Final = 500
SECURITIES: Final = ("None", "WEP-PSK", "WPA-PSK", "WPA-EAP", "WEP-8021X", "WPA3-Enterprise_192")
OUTERS: Final = ("EAP-AKA", "EAP-SIM", "EAP-TLS", "EAP-TTLS", "PEAP")
INNERS: Final = ("Automatic", "MSCHAPv2", "PAP")
_TOP: Final = {"Type", "NetworkConfigurations", "Certificates"}
_NETWORK: Final = {"GUID", "Name", "Type", "WiFi", "ProxySettings", "Metered"}
_WIFI: Final = {
    "SSID",
    "HexSSID",
    "HiddenSSID",
    "AutoConnect",
    "Security",
    "Passphrase",
    "EAP",
    "MACAddressRandomizationMode",
}
_EAP: Final = {
    "AnonymousIdentity", "Identity", "Password", "Inner", "Outer", "ServerCARef", "ServerCARefs", "ClientCertType",
    "ClientCertRef", "ClientCertKeyPairAlias", "DomainSuffixMatch", "UseSystemCAs", "SaveCredentials",
}  # fmt: skip
_CERTIFICATE: Final = {"GUID", "Type", "X509", "PKCS12", "TrustBits", "Remove"}
_PEM: Final = re.compile(r"-----(BEGIN|END) CERTIFICATE-----")
_SENTENCES: Final = {
    "onc_choice": N_("%(path)s must be one of: %(allowed)s."),
    "onc_dangling": N_("%(path)s names %(name)s, and there is no such certificate of this kind."),
    "onc_empty": N_("%(path)s is missing."),
    "onc_form": N_("%(path)s does not have the right form."),
    "onc_open": N_("%(path)s: nothing says whom to trust, so any network of this name would be believed."),
    "onc_twice": N_("%(path)s stands here twice."),
    "onc_type": N_("%(path)s must be of the type %(wanted)s."),
    "onc_unknown": N_("%(path)s is not known to Android's management."),
}


def check(configuration: object, path: str) -> list[Finding]:
    """What is wrong with a description of networks at ``path``; empty when nothing is."""
    if not isinstance(configuration, Mapping):
        return [_error(path, "onc_type", wanted="object")]
    return list(_configuration(configuration, path))


def _error(path: str, code: str, **params: str) -> Finding:
    return Finding(Severity.ERROR, path, code, _SENTENCES[code], params)


def _warning(path: str, code: str, **params: str) -> Finding:
    return Finding(Severity.WARNING, path, code, _SENTENCES[code], params)


def _configuration(content: Mapping[str, Any], path: str) -> Iterator[Finding]:
    yield from _strangers(content, _TOP, path)
    if content.get("Type", "UnencryptedConfiguration") != "UnencryptedConfiguration":
        yield _error(f"{path}.Type", "onc_choice", allowed="UnencryptedConfiguration")
    for name in ("NetworkConfigurations", "Certificates"):
        if not isinstance(content.get(name, []), list):
            yield _error(f"{path}.{name}", "onc_type", wanted="array")
            return
    kinds: dict[str, str] = {}
    for number, one in enumerate(content.get("Certificates", ())):
        yield from _certificate(one, f"{path}.Certificates[{number}]", kinds)
    seen: set[object] = set()
    for number, one in enumerate(content.get("NetworkConfigurations", ())[:MAX_NETWORKS]):
        yield from _network(one, f"{path}.NetworkConfigurations[{number}]", kinds, seen)


def _strangers(content: Mapping[str, Any], known: set[str], path: str) -> Iterator[Finding]:
    return (_error(joined(path, key), "onc_unknown") for key in content if key not in known)


def _text(content: Mapping[str, Any], key: str, path: str, *, needed: bool = True) -> Iterator[Finding]:
    value = content.get(key)
    if value is None:
        if needed:
            yield _error(f"{path}.{key}", "onc_empty")
    elif not isinstance(value, str):
        yield _error(f"{path}.{key}", "onc_type", wanted="string")
    elif not value.strip():
        yield _error(f"{path}.{key}", "onc_empty")


def _flags(content: Mapping[str, Any], keys: Sequence[str], path: str) -> Iterator[Finding]:
    for key in keys:
        if key in content and not isinstance(content[key], bool):
            yield _error(f"{path}.{key}", "onc_type", wanted="boolean")


def _chosen(content: Mapping[str, Any], key: str, allowed: Sequence[str], path: str) -> Iterator[Finding]:
    if content.get(key) is None:
        yield _error(f"{path}.{key}", "onc_empty")
    elif content[key] not in allowed:
        yield _error(f"{path}.{key}", "onc_choice", allowed=", ".join(allowed))


def _certificate(one: object, path: str, kinds: dict[str, str]) -> Iterator[Finding]:
    if not isinstance(one, Mapping):
        yield _error(path, "onc_type", wanted="object")
        return
    yield from _strangers(one, _CERTIFICATE, path)
    yield from _text(one, "GUID", path)
    guid, kind = one.get("GUID"), one.get("Type")
    if isinstance(guid, str):
        if guid in kinds:
            yield _error(f"{path}.GUID", "onc_twice")
        kinds[guid] = str(kind)
    yield from _chosen(one, "Type", ("Authority", "Client", "Server"), path)
    key = "PKCS12" if kind == "Client" else "X509"
    value = one.get(key)
    if not isinstance(value, str):
        yield _error(f"{path}.{key}", "onc_empty")
    elif not _base64(_PEM.sub("", value)):
        yield _error(f"{path}.{key}", "onc_form")


def _base64(text: str) -> bool:
    try:
        return bool(base64.b64decode("".join(text.split()), validate=True))
    except (binascii.Error, ValueError):
        return False


def _network(one: object, path: str, kinds: Mapping[str, str], seen: set[object]) -> Iterator[Finding]:
    if not isinstance(one, Mapping):
        yield _error(path, "onc_type", wanted="object")
        return
    yield from _strangers(one, _NETWORK, path)
    for key in ("GUID", "Name"):
        yield from _text(one, key, path)
    if isinstance(one.get("GUID"), str):
        if one["GUID"] in seen:
            yield _error(f"{path}.GUID", "onc_twice")
        seen.add(one["GUID"])
    yield from _chosen(one, "Type", ("WiFi",), path)
    if not isinstance(one.get("WiFi"), Mapping):
        yield _error(f"{path}.WiFi", "onc_empty")
        return
    yield from _wifi(one["WiFi"], f"{path}.WiFi", kinds)


def _wifi(wifi: Mapping[str, Any], path: str, kinds: Mapping[str, str]) -> Iterator[Finding]:
    yield from _strangers(wifi, _WIFI, path)
    yield from _text(wifi, "SSID", path)
    yield from _flags(wifi, ("HiddenSSID", "AutoConnect"), path)
    if isinstance(wifi.get("SSID"), str) and len(wifi["SSID"].encode(errors="replace")) > 32:
        yield _error(f"{path}.SSID", "onc_form")
    yield from _chosen(wifi, "Security", SECURITIES, path)
    security = wifi.get("Security")
    if security in ("WEP-PSK", "WPA-PSK"):
        yield from _text(wifi, "Passphrase", path)
        phrase = wifi.get("Passphrase")
        if security == "WPA-PSK" and isinstance(phrase, str) and phrase and not _passphrase(phrase):
            yield _error(f"{path}.Passphrase", "onc_form")
    elif security in ("WPA-EAP", "WEP-8021X", "WPA3-Enterprise_192"):
        if isinstance(wifi.get("EAP"), Mapping):
            yield from _eap(wifi["EAP"], f"{path}.EAP", kinds)
        else:
            yield _error(f"{path}.EAP", "onc_empty")


def _passphrase(text: str) -> bool:
    """IEEE 802.11i: 8 to 63 printable characters of ASCII, or the key itself as 64 hexadecimal digits."""
    if re.fullmatch(r"[0-9A-Fa-f]{64}", text):
        return True
    return 8 <= len(text) <= 63 and text.isascii() and text.isprintable()


def _eap(eap: Mapping[str, Any], path: str, kinds: Mapping[str, str]) -> Iterator[Finding]:
    yield from _strangers(eap, _EAP, path)
    yield from _chosen(eap, "Outer", OUTERS, path)
    outer = eap.get("Outer")
    for key in ("Identity", "AnonymousIdentity", "Password"):
        yield from _text(eap, key, path, needed=False)
    if "Inner" in eap:
        yield from _chosen(eap, "Inner", INNERS, path)
    refs = eap.get("ServerCARefs", [])
    if "ServerCARef" in eap:
        refs = [eap["ServerCARef"], *(refs if isinstance(refs, list) else ())]
    if not isinstance(refs, list):
        yield _error(f"{path}.ServerCARefs", "onc_type", wanted="array")
        refs = []
    for ref in refs:
        if not isinstance(ref, str) or kinds.get(ref) not in ("Authority", "Server"):
            yield _error(f"{path}.ServerCARefs", "onc_dangling", name=str(ref)[:64])
    names = eap.get("DomainSuffixMatch", [])
    if not isinstance(names, list) or not all(isinstance(one, str) and one.strip() for one in names):
        yield _error(f"{path}.DomainSuffixMatch", "onc_form")
        names = []
    if outer in ("EAP-TLS", "EAP-TTLS", "PEAP") and not (refs or eap.get("UseSystemCAs")):
        # Without anchors and a name, the first stranger with an access point of the same name gets the passwords.
        yield _warning(path, "onc_open")
    elif outer in ("EAP-TLS", "EAP-TTLS", "PEAP") and not names:
        yield _warning(f"{path}.DomainSuffixMatch", "onc_open")
    if outer == "EAP-TLS":
        yield from _client(eap, path, kinds)


def _client(eap: Mapping[str, Any], path: str, kinds: Mapping[str, str]) -> Iterator[Finding]:
    yield from _chosen(eap, "ClientCertType", ("Ref", "KeyPairAlias"), path)
    if eap.get("ClientCertType") == "Ref":
        yield from _text(eap, "ClientCertRef", path)
        name = eap.get("ClientCertRef")
        if isinstance(name, str) and kinds.get(name) != "Client":
            yield _error(f"{path}.ClientCertRef", "onc_dangling", name=name[:64])
    elif eap.get("ClientCertType") == "KeyPairAlias":
        yield from _text(eap, "ClientCertKeyPairAlias", path)
