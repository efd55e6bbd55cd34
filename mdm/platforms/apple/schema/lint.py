"""What locks people out of a phone, or the phone out of our reach, although each setting is right in itself. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mdm.platforms.apple.schema.check import Finding, Severity

_WIFI: Final = "com.apple.wifi.managed"
_RESTRICTIONS: Final = "com.apple.applicationaccess"
_SETTINGS: Final = "com.apple.configuration.app.settings"
_NEEDED: Final = ("com.apple.Preferences", "com.apple.mobilephone")
"""Settings and Phone: without them nobody mends a phone or calls for help with it."""
ERASES_AT: Final = 11
"""Failed passcodes after which a phone never erases itself, as Apple counts."""


def locks_out(payloads: Sequence[Mapping[str, Any]], *, passcode_escrowed: bool = False) -> list[Finding]:
    """What these payloads do together to whoever holds the phone; empty where nothing is to fear.

    ``passcode_escrowed``: the device's unlock token is kept, so that a forgotten passcode can be taken off.
    """
    by_type: dict[str, list[Mapping[str, Any]]] = {}
    for payload in payloads:
        by_type.setdefault(str(payload.get("PayloadType")), []).append(payload)
    return [
        *_network(by_type),
        *_tunnels(by_type),
        *_passcode(by_type, passcode_escrowed=passcode_escrowed),
        *_applications(by_type),
        *_home(by_type),
        *_pairing(by_type),
    ]


def _network(by_type: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Finding]:
    only_allowed = any(one.get("forceWiFiToAllowedNetworksOnly") is True for one in by_type.get(_RESTRICTIONS, ()))
    if only_allowed and not by_type.get(_WIFI):
        yield Finding(Severity.ERROR, "forceWiFiToAllowedNetworksOnly", "no_network")
    for proxy in by_type.get("com.apple.proxy.http.global", ()):
        if proxy.get("ProxyType") == "Auto" and proxy.get("ProxyPACFallbackAllowed") is not True:
            yield Finding(Severity.WARNING, "ProxyPACFallbackAllowed", "proxy_alone")
        if proxy.get("ProxyCaptiveLoginAllowed") is not True:
            yield Finding(Severity.WARNING, "ProxyCaptiveLoginAllowed", "captive")
    for tunnel in by_type.get("com.apple.vpn.managed", ()):
        always = tunnel.get("AlwaysOn")
        if isinstance(always, Mapping) and not always.get("AllowCaptiveWebSheet"):
            yield Finding(Severity.WARNING, "AlwaysOn.AllowCaptiveWebSheet", "captive")


def _tunnels(by_type: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Finding]:
    """Tunnels, name servers and access points through which alone the phone would reach anything."""
    for payload in by_type.get("com.apple.vpn.managed", ()):
        tunnel = payload.get("IKEv2")
        if not isinstance(tunnel, Mapping):
            continue
        if tunnel.get("IncludeAllNetworks") == 1 and tunnel.get("ExcludeAPNs") == 0:
            yield Finding(Severity.WARNING, "IKEv2.ExcludeAPNs", "tunnel_push")
        if tunnel.get("OnDemandEnabled") == 1 and tunnel.get("OnDemandUserOverrideDisabled") == 1:
            yield Finding(Severity.WARNING, "IKEv2.OnDemandUserOverrideDisabled", "tunnel_fixed")
        if tunnel.get("OnDemandEnabled") == 1 and not tunnel.get("OnDemandRules"):
            yield Finding(Severity.ERROR, "IKEv2.OnDemandRules", "missing")
    for payload in by_type.get("com.apple.dnsSettings.managed", ()):
        if payload.get("ProhibitDisablement") is True:
            yield Finding(Severity.WARNING, "ProhibitDisablement", "dns_fixed")
        dns = payload.get("DNSSettings")
        if isinstance(dns, Mapping):
            needed = "ServerURL" if dns.get("DNSProtocol") == "HTTPS" else "ServerName"
            if not dns.get(needed):
                yield Finding(Severity.ERROR, f"DNSSettings.{needed}", "missing")
    for payload in by_type.get("com.apple.cellular", ()):
        if not by_type.get(_WIFI) and (payload.get("APNs") or payload.get("AttachAPN")):
            yield Finding(Severity.WARNING, "APNs", "apn_alone")


def _home(by_type: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Finding]:
    """Calls that nobody hears, and icons of what may not run."""
    for payload in by_type.get("com.apple.notificationsettings", ()):
        for one in _dictionaries(payload.get("NotificationSettings")):
            if one.get("BundleIdentifier") == "com.apple.mobilephone" and one.get("NotificationsEnabled") is False:
                yield Finding(Severity.WARNING, "NotificationSettings", "calls")
    lists = [*_allowed(by_type)]
    for payload in by_type.get("com.apple.homescreenlayout", ()):
        pages = payload.get("Pages")
        rows = [payload.get("Dock"), *(pages if isinstance(pages, list) else ())]
        shown = {str(icon["BundleID"]) for row in rows for icon in _icons(row, 0) if "BundleID" in icon}
        hidden = sorted(app for app in shown if any(app not in apps for apps in lists))
        if hidden:
            yield Finding(Severity.WARNING, "Pages", "hidden", {"apps": ", ".join(hidden[:20])})


def _icons(row: object, depth: int) -> Iterator[Mapping[str, Any]]:
    for icon in _dictionaries(row):
        yield icon
        pages = icon.get("Pages")
        # Apple knows folders, and none within another.
        if isinstance(pages, list) and depth == 0:
            for page in pages:
                yield from _icons(page, depth + 1)


def _dictionaries(value: object) -> Iterator[Mapping[str, Any]]:
    for one in value if isinstance(value, list) else ():
        if isinstance(one, Mapping):
            yield one


def _allowed(by_type: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[set[str]]:
    """The applications that may run: by restriction before version 27, by declaration since."""
    for one in by_type.get(_RESTRICTIONS, ()):
        if _texts(one, "allowListedAppBundleIDs"):
            yield set(one["allowListedAppBundleIDs"])
    for one in by_type.get(_SETTINGS, ()):
        listed = one.get("Allowed")
        if isinstance(listed, Mapping) and _texts(listed, "AllowedApps"):
            yield set(listed["AllowedApps"])


def _passcode(by_type: Mapping[str, Sequence[Mapping[str, Any]]], *, passcode_escrowed: bool) -> Iterator[Finding]:
    for kind, key in (
        ("com.apple.mobiledevice.passwordpolicy", "maxFailedAttempts"),
        ("com.apple.configuration.passcode.settings", "MaximumFailedAttempts"),
    ):
        for payload in by_type.get(kind, ()):
            attempts = payload.get(key)
            if isinstance(attempts, int) and attempts < ERASES_AT and not passcode_escrowed:
                yield Finding(Severity.WARNING, key, "erases", {"attempts": str(attempts)})


def _applications(by_type: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Finding]:
    restrictions = by_type.get(_RESTRICTIONS, ())
    allowed = [*_allowed(by_type)]
    blocked = {app for one in restrictions if _texts(one, "blockedAppBundleIDs") for app in one["blockedAppBundleIDs"]}
    if allowed and blocked:
        yield Finding(Severity.ERROR, "blockedAppBundleIDs", "two_lists")
    for apps in allowed:
        if missing := [app for app in _NEEDED if app not in apps]:
            yield Finding(Severity.WARNING, "allowListedAppBundleIDs", "needed_app", {"apps": ", ".join(missing)})
        if by_type.get("com.apple.webClip.managed") and "com.apple.webapp" not in apps:
            yield Finding(Severity.WARNING, "allowListedAppBundleIDs", "web_clips")
    for lock in by_type.get("com.apple.app.lock", ()):
        app = lock.get("App")
        name = app.get("Identifier") if isinstance(app, Mapping) else None
        if name in blocked or any(name not in apps for apps in allowed):
            yield Finding(Severity.ERROR, "App.Identifier", "locked_app", {"app": str(name)})


def _pairing(by_type: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Finding]:
    if any(one.get("allowHostPairing") is False for one in by_type.get(_RESTRICTIONS, ())):
        yield Finding(Severity.WARNING, "allowHostPairing", "pairing")
    for lock in by_type.get("com.apple.mdm", ()):
        if lock.get("AccessRights") == 0:
            yield Finding(Severity.ERROR, "AccessRights", "rights")


def _texts(payload: Mapping[str, Any], key: str) -> bool:
    value = payload.get(key)
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
