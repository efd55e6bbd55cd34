"""Networks: Wi-Fi and certificates as a description (ONC), proxy, VPN, radios."""

from typing import Any, Final

from mdm.platforms.android.amapi.render.draft import Draft, Settings

KEYS: Final = (
    "wifi.networks", "certificates.authorities", "proxy.mode", "proxy.server", "proxy.bypass", "proxy.pac_url",
    "vpn.always_on", "vpn.lockdown", "network.escape_hatch", "restrictions.wifi_changes", "restrictions.tethering",
    "wifi.least_security", "cellular.two_g",
)  # fmt: skip
_SECURITY: Final = {"open": "None", "wpa2": "WPA-PSK", "wpa3": "WPA-PSK", "peap": "WPA-EAP"}
_LEAST: Final = {
    "open": "OPEN_NETWORK_SECURITY",
    "personal": "PERSONAL_NETWORK_SECURITY",
    "enterprise": "ENTERPRISE_NETWORK_SECURITY",
    "enterprise_192": "ENTERPRISE_BIT192_NETWORK_SECURITY",
}


def render(draft: Draft, settings: Settings) -> None:
    """Writes these parts of the policy."""
    _described(draft, settings)
    _vpn(draft, settings)
    if not draft.managed:
        return
    _proxy(draft, settings)
    if "network.escape_hatch" in settings:
        draft.put("networkEscapeHatchEnabled", settings["network.escape_hatch"], "network.escape_hatch")
    if "restrictions.wifi_changes" in settings:
        word = "ALLOW" if settings["restrictions.wifi_changes"] else "DISALLOW"
        draft.put("deviceConnectivityManagement.configureWifi", f"{word}_CONFIGURING_WIFI", "restrictions.wifi_changes")
    if "restrictions.tethering" in settings:
        word = "ALLOW" if settings["restrictions.tethering"] else "DISALLOW"
        draft.put("deviceConnectivityManagement.tetheringSettings", f"{word}_ALL_TETHERING", "restrictions.tethering")
    if "wifi.least_security" in settings:
        least = _LEAST[settings["wifi.least_security"]]
        draft.put("deviceRadioState.minimumWifiSecurityLevel", least, "wifi.least_security")
    if settings.get("cellular.two_g") is False:
        draft.put("deviceRadioState.cellularTwoGState", "CELLULAR_TWO_G_DISABLED", "cellular.two_g")


def _described(draft: Draft, settings: Settings) -> None:
    authorities = [
        {"GUID": f"authority-{number}", "Type": "Authority", "X509": one["certificate"]}
        for number, one in enumerate(settings.get("certificates.authorities", ()), start=1)
    ]
    refs = [one["GUID"] for one in authorities]
    networks = [
        {
            "GUID": f"wifi-{number}",
            "Name": one["ssid"],
            "Type": "WiFi",
            "WiFi": _wifi(one, refs),
        }
        for number, one in enumerate(settings.get("wifi.networks", ()), start=1)
    ]
    if not (authorities or networks):
        return
    draft.put("openNetworkConfiguration.Type", "UnencryptedConfiguration")
    if networks:
        draft.put("openNetworkConfiguration.NetworkConfigurations", networks, "wifi.networks")
    if authorities:
        draft.put("openNetworkConfiguration.Certificates", authorities, "certificates.authorities")


def _wifi(one: Any, authorities: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"SSID": one["ssid"], "Security": _SECURITY[one["security"]]}
    made["AutoConnect"] = one.get("autoconnect", True)
    if one.get("hidden"):
        made["HiddenSSID"] = True
    if one["security"] in ("wpa2", "wpa3"):
        made["Passphrase"] = one["passphrase"]
    elif one["security"] == "peap":
        made["EAP"] = {
            "Outer": "PEAP",
            "Inner": "MSCHAPv2",
            "Identity": one["identity"],
            "Password": one["passphrase"],
            "DomainSuffixMatch": [one["domain"]],
            # The city's own authorities where it has some, else those that the phone came with.
            **({"ServerCARefs": authorities} if authorities else {"UseSystemCAs": True}),
        }
    return made


def _proxy(draft: Draft, settings: Settings) -> None:
    mode = settings.get("proxy.mode")
    if mode == "manual" and settings.get("proxy.server"):
        host, _, port = settings["proxy.server"].rpartition(":")
        draft.put("recommendedGlobalProxy.host", host.strip("[]"), "proxy.mode", "proxy.server")
        draft.put("recommendedGlobalProxy.port", int(port))
        if settings.get("proxy.bypass"):
            draft.put("recommendedGlobalProxy.excludedHosts", list(settings["proxy.bypass"]), "proxy.bypass")
    elif mode == "pac" and settings.get("proxy.pac_url"):
        draft.put("recommendedGlobalProxy.pacUri", settings["proxy.pac_url"], "proxy.mode", "proxy.pac_url")


def _vpn(draft: Draft, settings: Settings) -> None:
    if not settings.get("vpn.always_on"):
        return
    draft.put("alwaysOnVpnPackage.packageName", settings["vpn.always_on"], "vpn.always_on")
    if "vpn.lockdown" in settings:
        draft.put("alwaysOnVpnPackage.lockdownEnabled", settings["vpn.lockdown"], "vpn.lockdown")
