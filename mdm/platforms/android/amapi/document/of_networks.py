"""Rules of the prose about networks, messages and the rest. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from mdm.platforms.android.amapi.document.of_applications import Fault, Policy

_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")


def private_dns(policy: Policy) -> Iterator[Fault]:
    dns = policy.get("deviceConnectivityManagement", {}).get("privateDnsSettings")
    if dns is not None and (dns.get("privateDnsMode") == "PRIVATE_DNS_SPECIFIED_HOST") != bool(
        dns.get("privateDnsHost")
    ):
        yield "deviceConnectivityManagement.privateDnsSettings", {}


def ssids(policy: Policy) -> Iterator[Fault]:
    wanted = policy.get("deviceConnectivityManagement", {}).get("wifiSsidPolicy")
    if wanted is None:
        return
    place = "deviceConnectivityManagement.wifiSsidPolicy.wifiSsids"
    if wanted.get("wifiSsidPolicyType") == "WIFI_SSID_ALLOWLIST" and not wanted.get("wifiSsids"):
        yield place, {}
    yield from ((f"{place}[{n}]", {}) for n, one in enumerate(wanted.get("wifiSsids", ())) if not one.get("wifiSsid"))


def roaming(policy: Policy) -> Iterator[Fault]:
    settings = (
        policy.get("deviceConnectivityManagement", {}).get("wifiRoamingPolicy", {}).get("wifiRoamingSettings", ())
    )
    names = [one.get("wifiSsid") for one in settings]
    if None in names or len(names) != len(set(names)) or any("wifiRoamingMode" not in one for one in settings):
        yield "deviceConnectivityManagement.wifiRoamingPolicy.wifiRoamingSettings", {}


def apns(policy: Policy) -> Iterator[Fault]:
    place = "deviceConnectivityManagement.apnPolicy.apnSettings"
    for number, one in enumerate(
        policy.get("deviceConnectivityManagement", {}).get("apnPolicy", {}).get("apnSettings", ())
    ):
        types = one.get("apnTypes", [])
        whole = one.get("apn") and one.get("displayName") and types and "APN_TYPE_UNSPECIFIED" not in types
        if not whole or len(types) != len(set(types)):
            yield f"{place}[{number}]", {}


def messages(policy: Policy) -> Iterator[Fault]:
    for name in ("shortSupportMessage", "longSupportMessage", "deviceOwnerLockScreenInfo"):
        message = policy.get(name)
        if message is not None and message.get("localizedMessages") and not message.get("defaultMessage"):
            yield name, {}


def support_length(policy: Policy) -> Iterator[Fault]:
    for name, most in (("shortSupportMessage", 200), ("longSupportMessage", 4096), ("deviceOwnerLockScreenInfo", 4096)):
        message = policy.get(name, {})
        texts = [message.get("defaultMessage", ""), *message.get("localizedMessages", {}).values()]
        if any(len(one) > most for one in texts):
            yield name, {"most": str(most)}


def accounts(policy: Policy) -> Iterator[Fault]:
    for number, one in enumerate(policy.get("frpAdminEmails", ())):
        if not _EMAIL.match(one):
            yield f"frpAdminEmails[{number}]", {}


def contacts(policy: Policy) -> Iterator[Fault]:
    cross = policy.get("crossProfilePolicies", {})
    said = cross.get("showWorkContactsInPersonalProfile", "")
    if "exemptionsToShowWorkContactsInPersonalProfile" in cross and (not said or said.endswith("_UNSPECIFIED")):
        yield "crossProfilePolicies.exemptionsToShowWorkContactsInPersonalProfile", {}


def proxies(policy: Policy) -> Iterator[Fault]:
    proxy = policy.get("recommendedGlobalProxy")
    if proxy is not None and bool(proxy.get("pacUri")) == bool(proxy.get("host")):
        yield "recommendedGlobalProxy", {}
    if proxy is not None and not 0 <= proxy.get("port", 0) <= 65535:
        yield "recommendedGlobalProxy.port", {}


def flags(policy: Policy) -> Iterator[Fault]:
    flags = policy.get("wipeDataFlags", ())
    if len(flags) != len(set(flags)):
        yield "wipeDataFlags", {}


def brightness(policy: Policy) -> Iterator[Fault]:
    display = policy.get("displaySettings", {})
    bright, out = display.get("screenBrightnessSettings", {}), display.get("screenTimeoutSettings", {})
    if "screenBrightness" in bright and (
        not 0 <= bright["screenBrightness"] <= 255
        or bright.get("screenBrightnessMode") not in ("BRIGHTNESS_AUTOMATIC", "BRIGHTNESS_FIXED")
    ):
        yield "displaySettings.screenBrightnessSettings.screenBrightness", {}
    if "screenTimeout" in out and (
        float(out["screenTimeout"].rstrip("s") or 0) <= 0 or out.get("screenTimeoutMode") != "SCREEN_TIMEOUT_ENFORCED"
    ):
        yield "displaySettings.screenTimeoutSettings.screenTimeout", {}
