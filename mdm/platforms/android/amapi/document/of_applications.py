"""Rules of the prose about the applications of a policy. Each gives the places that break it. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

Policy = Mapping[str, Any]
Fault = tuple[str, Mapping[str, str]]
"""A place, and what fills the sentence."""

MAX_APPLICATIONS: Final = 3000
MAX_MINIMUM_VERSIONS: Final = 20
MAX_PRIORITY: Final = 10_000
_PACKAGE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+\Z", re.ASCII)


def _apps(policy: Policy) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, app in enumerate(policy.get("applications", ())):
        yield f"applications[{number}]", app


def many_apps(policy: Policy) -> Iterator[Fault]:
    if len(policy.get("applications", ())) > MAX_APPLICATIONS:
        yield "applications", {"most": str(MAX_APPLICATIONS)}


def packages(policy: Policy) -> Iterator[Fault]:
    for place, app in _apps(policy):
        name = app.get("packageName")
        if name is None or not _PACKAGE.match(name):
            yield f"{place}.packageName", {}
    personal = policy.get("personalUsagePolicies", {}).get("personalApplications", ())
    for number, app in enumerate(personal):
        if not _PACKAGE.match(app.get("packageName", "")):
            yield f"personalUsagePolicies.personalApplications[{number}].packageName", {}
    vpn = policy.get("alwaysOnVpnPackage")
    if vpn is not None and not _PACKAGE.match(vpn.get("packageName", "")):
        yield "alwaysOnVpnPackage.packageName", {}


def twice(policy: Policy) -> Iterator[Fault]:
    seen = set()
    for place, app in _apps(policy):
        name = app.get("packageName")
        if name in seen:
            yield f"{place}.packageName", {"package": str(name)[:255]}
        seen.add(name)


def one_kiosk(policy: Policy) -> Iterator[Fault]:
    kiosks = [place for place, app in _apps(policy) if _is_kiosk(app)]
    for place in kiosks[1:]:
        yield place, {}


def _is_kiosk(app: Mapping[str, Any]) -> bool:
    roles = {one.get("roleType") for one in app.get("roles", ())}
    return app.get("installType") == "KIOSK" or "KIOSK" in roles


def kiosk_installed(policy: Policy) -> Iterator[Fault]:
    for place, app in _apps(policy):
        there = app.get("installType") in ("FORCE_INSTALLED", "REQUIRED_FOR_SETUP", "PREINSTALLED", "CUSTOM", "KIOSK")
        if _is_kiosk(app) and not there:
            yield f"{place}.installType", {}


def two_kiosks(policy: Policy) -> Iterator[Fault]:
    if policy.get("kioskCustomLauncherEnabled") and any(_is_kiosk(app) for _place, app in _apps(policy)):
        yield "kioskCustomLauncherEnabled", {}


def roles(policy: Policy) -> Iterator[Fault]:
    for place, app in _apps(policy):
        types = [one.get("roleType") for one in app.get("roles", ())]
        if None in types or len(types) != len(set(types)):
            yield f"{place}.roles", {}


def constraints(policy: Policy) -> Iterator[Fault]:
    return (
        (f"{place}.installConstraint", {}) for place, app in _apps(policy) if len(app.get("installConstraint", ())) > 1
    )


def priority(policy: Policy) -> Iterator[Fault]:
    for place, app in _apps(policy):
        if not 0 <= app.get("installPriority", 0) <= MAX_PRIORITY:
            yield f"{place}.installPriority", {"most": str(MAX_PRIORITY)}


def versions(policy: Policy) -> Iterator[Fault]:
    asked = [place for place, app in _apps(policy) if "minimumVersionCode" in app]
    if len(asked) > MAX_MINIMUM_VERSIONS:
        yield "applications", {"most": str(MAX_MINIMUM_VERSIONS)}


def custom(policy: Policy) -> Iterator[Fault]:
    for place, app in _apps(policy):
        if "customAppConfig" in app and app.get("installType") != "CUSTOM":
            yield f"{place}.customAppConfig", {}
        if app.get("installType") == "CUSTOM" and not app.get("signingKeyCerts"):
            yield f"{place}.signingKeyCerts", {}


def templates(policy: Policy) -> Iterator[Fault]:
    for place, app in _apps(policy):
        if "managedConfiguration" in app and "managedConfigurationTemplate" in app:
            yield f"{place}.managedConfigurationTemplate", {}


def setup_actions(policy: Policy) -> Iterator[Fault]:
    if len(policy.get("setupActions", ())) > 1:
        yield "setupActions", {}


def setup_apps(policy: Policy) -> Iterator[Fault]:
    ready = {app.get("packageName") for _place, app in _apps(policy) if app.get("installType") == "REQUIRED_FOR_SETUP"}
    for number, action in enumerate(policy.get("setupActions", ())):
        name = action.get("launchApp", {}).get("packageName")
        if name is not None and name not in ready:
            yield f"setupActions[{number}].launchApp.packageName", {"package": name[:255]}


def always_on(policy: Policy) -> Iterator[Fault]:
    vpn = policy.get("alwaysOnVpnPackage")
    if vpn is None or not vpn.get("lockdownEnabled"):
        return
    there = {
        app.get("packageName")
        for _place, app in _apps(policy)
        if app.get("installType") in ("FORCE_INSTALLED", "REQUIRED_FOR_SETUP", "PREINSTALLED", "CUSTOM")
    }
    if vpn.get("packageName") not in there:
        yield "alwaysOnVpnPackage.packageName", {"package": str(vpn.get("packageName"))[:255]}
