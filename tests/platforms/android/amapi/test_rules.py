"""A policy is judged by Google's own document, and by a table of what that says only in its prose."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdm.platforms.android.amapi.document.check import check, check_value, errors, warnings
from mdm.platforms.android.amapi.document.rules import RULES, check_policy
from mdm.platforms.android.amapi.document.table import method, methods, revision, schema
from mdm.platforms.android.interpreter import fault

GOOD = json.loads((Path(__file__).parent / "policies" / "field.json").read_text("utf-8"))
WIFI = {
    "GUID": "w",
    "Name": "City",
    "Type": "WiFi",
    "WiFi": {"SSID": "City", "Security": "WPA-PSK", "Passphrase": "12345678"},
}
EAP = {"Outer": "PEAP", "Identity": "me", "Password": "secret"}


def onc(**wifi: Any) -> dict[str, Any]:
    return {"openNetworkConfiguration": {"NetworkConfigurations": [{**WIFI, "WiFi": {**WIFI["WiFi"], **wifi}}]}}  # type: ignore[dict-item]


def app(**fields: Any) -> dict[str, Any]:
    return {"applications": [{"packageName": "org.example.one", "installType": "FORCE_INSTALLED", **fields}]}


def freeze(*periods: tuple[int, int, int, int]) -> dict[str, Any]:
    return {
        "systemUpdate": {
            "type": "AUTOMATIC",
            "freezePeriods": [
                {"startDate": {"month": a, "day": b}, "endDate": {"month": c, "day": d}} for a, b, c, d in periods
            ],
        }
    }


def rule(block: int | None, wipe: int | None, name: str = "applications") -> dict[str, Any]:
    made: dict[str, Any] = {"settingName": name}
    if block is not None:
        made["blockAction"] = {"blockAfterDays": block}
    if wipe is not None:
        made["wipeAction"] = {"wipeAfterDays": wipe}
    return {"policyEnforcementRules": [made]}


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("unknown_field", {"passwordPolicy": {}}),
    ("unknown_field", app(pakageName="x")),
    ("not_allowed", app(installType="FORCED")),
    ("type", {"applications": {}}),
    ("type", {"cameraDisabled": "true"}),
    ("type", {"minimumApiLevel": True}),
    ("type", {"minimumApiLevel": None}),
    ("format", {"maximumTimeToLock": "abc"}),
    ("format", {"maximumTimeToLock": str(2**63)}),
    ("format", {"minimumApiLevel": 2**31}),
    ("format", {"passwordPolicies": [{"passwordExpirationTimeout": "90d"}]}),
    ("many_apps", {"applications": [{"packageName": f"org.example.a{n}"} for n in range(3001)]}),
    ("package", app(packageName="not a package")),
    ("app_twice", {"applications": app()["applications"] * 2}),
    ("one_kiosk", {"applications": [
        {"packageName": f"org.example.a{n}", "installType": "FORCE_INSTALLED", "roles": [{"roleType": "KIOSK"}]} for n in (1, 2)
    ]}),
    ("kiosk_not_installed", app(installType="AVAILABLE", roles=[{"roleType": "KIOSK"}])),
    ("two_kiosks", {**app(roles=[{"roleType": "KIOSK"}]), "kioskCustomLauncherEnabled": True}),
    ("roles", app(roles=[{"roleType": "COMPANION_APP"}, {"roleType": "COMPANION_APP"}])),
    ("constraints", app(installConstraint=[{}, {}])),
    ("priority", app(installPriority=10_001)),
    ("versions", {"applications": [{"packageName": f"org.example.a{n}", "minimumVersionCode": 1} for n in range(21)]}),
    ("custom", app(installType="CUSTOM")),
    ("setup_actions", {"setupActions": [{}, {}]}),
    ("setup_app", {"setupActions": [{"launchApp": {"packageName": "org.example.none"}}]}),
    ("vpn_missing", {"alwaysOnVpnPackage": {"packageName": "org.example.vpn", "lockdownEnabled": True}}),
    ("lock_scope", {"passwordPolicies": [
        {"passwordScope": "SCOPE_DEVICE", "unifiedLockSettings": "REQUIRE_SEPARATE_WORK_LOCK"}
    ]}),
    ("scope_twice", {"passwordPolicies": [{"passwordScope": "SCOPE_DEVICE"}] * 2}),
    ("old_password", {"passwordRequirements": {"passwordQuality": "COMPLEXITY_LOW"}}),
    ("negative", {"passwordPolicies": [{"passwordHistoryLength": -1}]}),
    ("minutes", {"systemUpdate": {"type": "WINDOWED", "startMinutes": 1440}}),
    ("freeze_day", freeze((2, 30, 3, 5))),
    ("freeze_long", freeze((1, 1, 4, 2))),
    ("freeze_apart", freeze((1, 1, 1, 31), (3, 1, 3, 10))),
    ("freeze_apart", freeze((1, 10, 1, 20), (12, 1, 12, 20))),
    ("both_actions", rule(1, None)),
    ("both_actions", rule(None, 5)),
    ("block_first", rule(5, 5)),
    ("rule_name", rule(1, 5, "passwords")),
    ("days_off", {"personalUsagePolicies": {"maxDaysWithWorkOff": 2}}),
    ("private_dns", {"deviceConnectivityManagement": {"privateDnsSettings": {"privateDnsMode": "PRIVATE_DNS_SPECIFIED_HOST"}}}),
    ("ssids", {"deviceConnectivityManagement": {"wifiSsidPolicy": {"wifiSsidPolicyType": "WIFI_SSID_ALLOWLIST"}}}),
    ("roaming", {"deviceConnectivityManagement": {"wifiRoamingPolicy": {"wifiRoamingSettings": [{"wifiSsid": "a"}]}}}),
    ("apns", {"deviceConnectivityManagement": {"apnPolicy": {"apnSettings": [{"apn": "internet"}]}}}),
    ("default_message", {"shortSupportMessage": {"localizedMessages": {"fr": "Bonjour"}}}),
    ("email", {"frpAdminEmails": ["nobody"]}),
    ("proxy", {"recommendedGlobalProxy": {"host": "a.example", "pacUri": "https://a.example/p"}}),
    ("wipe_flags", {"wipeDataFlags": ["WIPE_ESIMS", "WIPE_ESIMS"]}),
    ("contacts", {"crossProfilePolicies": {"exemptionsToShowWorkContactsInPersonalProfile": {}}}),
    ("display", {"displaySettings": {"screenBrightnessSettings": {"screenBrightness": 300}}}),
    ("onc_type", {"openNetworkConfiguration": {"NetworkConfigurations": {}}}),
    ("onc_unknown", onc(Colour="blue")),
    ("onc_choice", onc(Security="WPA9")),
    ("onc_form", onc(Passphrase="short")),
    ("onc_form", onc(SSID="x" * 33)),
    ("onc_empty", onc(Passphrase=None)),
    ("onc_empty", onc(Security="WPA-EAP")),
    ("onc_dangling", onc(Security="WPA-EAP", EAP={**EAP, "ServerCARefs": ["nowhere"]})),
    ("onc_dangling", onc(Security="WPA-EAP", EAP={"Outer": "EAP-TLS", "ClientCertType": "Ref", "ClientCertRef": "none"})),
    ("onc_twice", {"openNetworkConfiguration": {"NetworkConfigurations": [WIFI, WIFI]}}),
]  # fmt: skip


def codes(policy: object) -> set[str]:
    return {one.code for one in errors(check_policy(policy))}


@pytest.mark.parametrize(("code", "policy"), WRONG, ids=[f"{n}-{code}" for n, (code, _policy) in enumerate(WRONG)])
def test_what_google_refuses_is_refused_before_it_is_saved(code: str, policy: dict[str, Any]) -> None:
    assert code in codes(policy)
    # The same as a part that somebody wrote: refused with a sentence, unless only the whole can tell.
    assert bool(fault({"kind": "amapi", "content": policy})) == (code not in ("vpn_missing", "setup_app"))


def test_every_rule_of_the_table_has_a_policy_that_breaks_it() -> None:
    known = {code for severity, code, _sentence, _rule in RULES if severity == "error"}
    assert known <= {code for code, _policy in WRONG}


def test_what_is_right_is_taken() -> None:
    assert codes(GOOD) == set()
    assert codes(freeze((12, 20, 1, 5), (4, 1, 5, 1))) == set()
    assert codes(rule(0, 1)) == set()
    assert (
        codes(onc(Security="WPA-EAP", EAP={**EAP, "UseSystemCAs": True, "DomainSuffixMatch": ["city.example"]}))
        == set()
    )


def test_fields_and_words_that_google_gives_up_are_warned_of_and_still_taken() -> None:
    found = check_policy({"cameraDisabled": True, **app(installType="KIOSK")})
    assert {one.code for one in warnings(found)} >= {"deprecated", "deprecated_word"}
    assert errors(found) == []


def test_a_network_that_trusts_anybody_is_warned_of() -> None:
    assert "onc_open" in {one.code for one in warnings(check_policy(onc(Security="WPA-EAP", EAP=EAP)))}


def test_what_google_does_by_itself_is_warned_of() -> None:
    assert {one.path for one in warnings(check_policy({"minimumApiLevel": 30})) if one.code == "wiped_by_default"} == {
        "minimumApiLevel"
    }


def test_the_document_is_googles_own_with_its_day() -> None:
    assert len(revision()) == 8
    assert len(methods()) == 36
    assert method("enterprises.policies.patch").body == "Policy"
    assert len(schema("Policy")) > 90


def test_query_parameters_are_judged_like_fields() -> None:
    mask = method("enterprises.devices.patch").query["updateMask"]
    assert check_value(mask, "policyName,state", "updateMask") == []
    assert check_value(mask, "policy name", "updateMask") != []


_KEYS = st.sampled_from(sorted(schema("Policy"))) | st.text(max_size=5)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(_JSON)
def test_nothing_that_a_stranger_writes_breaks_the_check(value: object) -> None:
    for one in check_policy(value):
        assert one.text


def test_what_is_nested_without_end_is_refused() -> None:
    deep: Any = {}
    for _ in range(200):
        deep = {"a": deep}
    assert "too_deep" in {one.code for one in check("Policy", app(managedConfiguration=deep))}
