"""What may be sent is checked against Apple's own facts, and what locks people out is told beforehand."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from mdm.platforms.apple.schema.check import Severity, check, errors
from mdm.platforms.apple.schema.lint import locks_out
from mdm.platforms.apple.schema.profile import check_profile
from mdm.platforms.apple.schema.table import (
    COMMAND,
    DECLARATION,
    PROFILE,
    Node,
    Target,
    answer_keys,
    names,
    table,
    version,
)

PHONE = Target((27, 0), supervised=True, user_enrollment=False, automated=True)
UNSUPERVISED = Target((27, 0), supervised=False, user_enrollment=False, automated=False)
PRIVATE = Target((27, 0), supervised=False, user_enrollment=True, automated=False)
ALL = [(kind, name) for kind in (COMMAND, DECLARATION, PROFILE) for name in names(kind)]


def codes(findings: list[Any]) -> set[str]:
    return {finding.code for finding in findings}


def sample(node: Node) -> Any:
    """The least value that the node allows."""
    if "e" in node:
        return node["e"][0]
    if "w" in node:
        return next(iter(node["w"]))
    letter = node["t"]
    if letter == "o":
        return minimal(node.get("s", ()))
    if letter == "a":
        few = (node.get("c") or [0])[0] or 0
        return [sample(node["s"][0]) for _ in range(few)]
    if letter in "ir":
        least, most = node.get("n", [1, None])
        return least if least is not None else most
    if letter == "s" and "f" in node:
        return "A" * 6 if "6}" in node["f"] else "2A7B9C1D-1111-2222-3333-444455556666"
    return {"s": "x", "b": True, "d": b"x", "t": datetime(2026, 1, 1, tzinfo=UTC), "*": "x"}[letter]


def minimal(nodes: Any) -> dict[str, Any]:
    return {node["k"]: sample(node) for node in nodes if node.get("q")}


def places(nodes: Any, value: Mapping[str, Any]) -> Iterator[tuple[Node, dict[str, Any]]]:
    """Every node that is present in ``value``, with the dictionary it stands in."""
    for node in nodes:
        if node["k"] in value:
            yield node, dict(value)


def test_the_table_names_the_releases_it_was_made_from() -> None:
    assert table()["releases"]["base"] == "18.1"
    assert "27.0" in table()["releases"]["with"]


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_the_least_value_of_every_entry_passes_and_breaking_one_rule_of_it_does_not(kind: str, name: str) -> None:
    entries = table()[kind][name]
    if len(entries) > 1:
        pytest.skip("published in variants: what one refuses, another may allow")
    (entry,) = entries
    value = minimal(entry["s"])
    strange = codes(errors(check(kind, name, value, Target()))) - {"format"}
    assert not strange
    if entry.get("v"):
        assert "unchecked" in codes(check(kind, name, {"anything": 1}, Target()))
        return
    for node, changed in places(entry["s"], value):
        del changed[node["k"]]
        assert "missing" in codes(errors(check(kind, name, changed, Target())))
        if node["t"] != "*":
            wrong = {**changed, node["k"]: object()}
            assert "type" in codes(errors(check(kind, name, wrong, Target())))
        if "n" in node and node["n"][1] is not None:
            assert "range" in codes(errors(check(kind, name, {**changed, node["k"]: node["n"][1] + 1}, Target())))
        if "e" in node and node["t"] == "s":
            assert "not_allowed" in codes(errors(check(kind, name, {**changed, node["k"]: "no such"}, Target())))
    extra = check(kind, name, {**value, "NoSuchKeyAnywhere": 1}, Target())
    if not any(node.get("v") for node in entry["s"]):
        assert [one.severity for one in extra if one.code == "unknown_key"] == [Severity.WARNING]


def test_true_is_no_number_and_one_is_no_truth() -> None:
    assert "type" in codes(check(COMMAND, "EraseDevice", {"PreserveDataPlan": 1}, PHONE))
    assert "type" in codes(
        check(DECLARATION, "com.apple.configuration.passcode.settings", {"MinimumLength": True}, PHONE)
    )


def test_a_private_phone_is_never_sent_what_its_enrollment_forbids() -> None:
    for name in ("EraseDevice", "ClearPasscode", "Restrictions", "RestartDevice"):
        assert "enrollment_forbidden" in codes(errors(check(COMMAND, name, {"UnlockToken": b"x"}, PRIVATE)))
    assert errors(check(COMMAND, "DeviceLock", {}, PRIVATE)) == []


def test_a_command_that_needs_supervision_is_refused_for_a_phone_without() -> None:
    assert "supervision" in codes(errors(check(COMMAND, "RestartDevice", {}, UNSUPERVISED)))
    assert errors(check(COMMAND, "RestartDevice", {}, PHONE)) == []


def test_a_command_that_apple_removed_is_refused_from_that_version_on() -> None:
    updates = {"Updates": []}
    assert "removed" in codes(errors(check(COMMAND, "ScheduleOSUpdate", updates, PHONE)))
    before = Target((26, 1), supervised=True, user_enrollment=False)
    assert "removed" not in codes(check(COMMAND, "ScheduleOSUpdate", updates, before))


def test_the_allowed_applications_of_27_are_refused_by_nobody_but_told_to_be_too_new_before() -> None:
    name, value = "com.apple.configuration.app.settings", {"Allowed": {"AllowedApps": ["com.apple.mobilesafari"]}}
    assert check(DECLARATION, name, value, PHONE) == []
    assert "too_new" in codes(check(DECLARATION, name, value, Target((26, 4))))


def test_an_unknown_command_is_an_error_and_an_unknown_payload_a_warning() -> None:
    assert errors(check(COMMAND, "MakeCoffee", {}, PHONE))
    assert check(PROFILE, "com.vendor.app", {}, PHONE)[0].severity is Severity.WARNING


def test_a_setting_is_known_by_its_item() -> None:
    wrong = {"Settings": [{"Item": "Wallpaper", "Image": b"", "Where": 9}, {"Item": "Colour"}]}
    found = errors(check(COMMAND, "Settings", wrong, PHONE))
    assert [finding.path for finding in found] == ["Settings[0].Where", "Settings[1].Item"]


def test_a_folder_within_a_folder_within_a_folder_is_followed_and_comes_to_an_end() -> None:
    layout: dict[str, Any] = {"Type": "Nonsense"}
    for _ in range(5):
        layout = {"Type": "Folder", "DisplayName": "f", "Pages": [[layout]]}
    found = errors(check(PROFILE, "com.apple.homescreenlayout", {"Pages": [[layout]]}, PHONE))
    assert codes(found) == {"not_allowed"}
    for _ in range(60):
        layout = {"Type": "Folder", "DisplayName": "f", "Pages": [[layout]]}
    assert len(check(PROFILE, "com.apple.homescreenlayout", {"Pages": [[layout]]}, PHONE)) == 1


def test_what_an_answer_may_carry_is_known_per_command() -> None:
    assert answer_keys("DeviceInformation") == {"QueryResponses"}
    assert "SecurityInfo" in answer_keys("SecurityInfo")
    assert answer_keys("MakeCoffee") == frozenset()


def test_a_version_is_compared_as_numbers() -> None:
    assert version("9.3.2") == (9, 3, 2)
    assert version("9.10") > version("9.9")  # type: ignore[operator]
    assert version("beta") is None


def payload(kind: str, number: int = 1, **content: Any) -> dict[str, Any]:
    return {
        "PayloadType": kind,
        "PayloadVersion": 1,
        "PayloadIdentifier": f"be.antwerpen.{kind}.{number}",
        "PayloadUUID": f"2A7B9C1D-1111-2222-3333-44445555{number:04d}",
        **content,
    }


def profile(*payloads: dict[str, Any]) -> dict[str, Any]:
    return {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": "be.antwerpen.profile",
        "PayloadUUID": "2A7B9C1D-1111-2222-3333-444455550000",
        "PayloadDisplayName": "Test",
        "PayloadContent": list(payloads),
    }


WEB_CLIP = {"Label": "Intranet", "URL": "https://intranet.example", "IsRemovable": False}


def test_a_profile_in_order_passes() -> None:
    assert check_profile(profile(payload("com.apple.webClip.managed", **WEB_CLIP)), PHONE) == []


def test_a_profile_that_would_hand_the_phone_to_another_management_is_refused() -> None:
    foreign = payload("com.apple.mdm", AccessRights=8191)
    assert "management" in codes(errors(check_profile(profile(foreign), PHONE)))


def test_payloads_that_collide_or_stand_twice_are_refused() -> None:
    one = payload("com.apple.webClip.managed", **WEB_CLIP)
    assert "collides" in codes(errors(check_profile(profile(one, dict(one)), PHONE)))
    layouts = [payload("com.apple.homescreenlayout", number, Pages=[]) for number in (1, 2)]
    assert "once" in codes(errors(check_profile(profile(*layouts), PHONE)))


def test_a_profile_without_payloads_or_of_another_kind_is_refused() -> None:
    assert "repetition" in codes(errors(check_profile(profile(), PHONE)))
    assert "not_allowed" in codes(errors(check_profile({**profile(), "PayloadType": "Other"}, PHONE)))


@pytest.mark.parametrize(
    ("payloads", "code", "severity"),
    [
        ([payload("com.apple.applicationaccess", forceWiFiToAllowedNetworksOnly=True)], "no_network", Severity.ERROR),
        ([payload("com.apple.mobiledevice.passwordpolicy", maxFailedAttempts=6)], "erases", Severity.WARNING),
        (
            [payload("com.apple.applicationaccess", allowListedAppBundleIDs=["a"], blockedAppBundleIDs=["b"])],
            "two_lists",
            Severity.ERROR,
        ),
        ([payload("com.apple.applicationaccess", allowListedAppBundleIDs=["a"])], "needed_app", Severity.WARNING),
        (
            [
                payload("com.apple.applicationaccess", blockedAppBundleIDs=["com.kiosk"]),
                payload("com.apple.app.lock", App={"Identifier": "com.kiosk"}),
            ],
            "locked_app",
            Severity.ERROR,
        ),
        ([payload("com.apple.applicationaccess", allowHostPairing=False)], "pairing", Severity.WARNING),
        ([payload("com.apple.proxy.http.global", ProxyType="Auto")], "proxy_alone", Severity.WARNING),
        ([payload("com.apple.vpn.managed", AlwaysOn={})], "captive", Severity.WARNING),
        ([payload("com.apple.vpn.managed", IKEv2={"OnDemandEnabled": 1})], "missing", Severity.ERROR),
        (
            [payload("com.apple.vpn.managed", IKEv2={"IncludeAllNetworks": 1, "ExcludeAPNs": 0})],
            "tunnel_push",
            Severity.WARNING,
        ),
        (
            [
                payload(
                    "com.apple.vpn.managed",
                    IKEv2={"OnDemandEnabled": 1, "OnDemandRules": [{}], "OnDemandUserOverrideDisabled": 1},
                )
            ],
            "tunnel_fixed",
            Severity.WARNING,
        ),
        (
            [payload("com.apple.dnsSettings.managed", DNSSettings={"DNSProtocol": "TLS"}, ProhibitDisablement=True)],
            "dns_fixed",
            Severity.WARNING,
        ),
        ([payload("com.apple.dnsSettings.managed", DNSSettings={"DNSProtocol": "HTTPS"})], "missing", Severity.ERROR),
        ([payload("com.apple.cellular", APNs=[{"Name": "x"}])], "apn_alone", Severity.WARNING),
        (
            [
                payload(
                    "com.apple.notificationsettings",
                    NotificationSettings=[{"BundleIdentifier": "com.apple.mobilephone", "NotificationsEnabled": False}],
                )
            ],
            "calls",
            Severity.WARNING,
        ),
        (
            [
                payload("com.apple.configuration.app.settings", Allowed={"AllowedApps": ["com.a"]}),
                payload("com.apple.homescreenlayout", Pages=[[{"Type": "Folder", "Pages": [[{"BundleID": "com.b"}]]}]]),
            ],
            "hidden",
            Severity.WARNING,
        ),
        (
            [payload("com.apple.configuration.app.settings", Allowed={"AllowedApps": ["com.a"]})],
            "needed_app",
            Severity.WARNING,
        ),
    ],
)
def test_what_locks_people_out_is_told(payloads: list[dict[str, Any]], code: str, severity: Severity) -> None:
    assert (code, severity) in {(finding.code, finding.severity) for finding in locks_out(payloads)}


def test_what_locks_nobody_out_is_not_complained_about() -> None:
    calm = [
        payload("com.apple.applicationaccess", forceWiFiToAllowedNetworksOnly=True),
        payload("com.apple.wifi.managed", SSID_STR="City"),
        payload("com.apple.mobiledevice.passwordpolicy", maxFailedAttempts=6),
        payload("com.apple.vpn.managed", IKEv2={"OnDemandEnabled": 1, "OnDemandRules": [{"Action": "Connect"}]}),
        payload("com.apple.dnsSettings.managed", DNSSettings={"DNSProtocol": "TLS", "ServerName": "dns.example"}),
        payload("com.apple.cellular", APNs=[{"Name": "x"}]),
        payload("com.apple.homescreenlayout", Dock=[{"Type": "App", "BundleID": "com.b"}], Pages=["", [7]]),
        payload(
            "com.apple.notificationsettings", NotificationSettings=[7, {"BundleIdentifier": "com.apple.mobilephone"}]
        ),
    ]
    assert locks_out(calm, passcode_escrowed=True) == []


def test_every_finding_is_a_whole_sentence() -> None:
    found = check(COMMAND, "EraseDevice", {"PreserveDataPlan": 1}, PRIVATE)
    assert [finding.text for finding in found] == [
        "EraseDevice is not allowed on private devices.",
        "PreserveDataPlan must be of the type boolean.",
    ]
