"""Tunnels, name servers, access points, mailboxes, the home screen and required versions: what a phone is told, word for word,
and that Apple's own facts take it."""

import copy
from typing import Any

import pytest

from mdm.platforms.apple import documents, plist
from mdm.platforms.apple.render import AppleInterpreter
from mdm.platforms.apple.schema.check import check, errors
from mdm.platforms.apple.schema.profile import check_profile
from mdm.platforms.apple.schema.table import COMMAND, DECLARATION, Target
from mdm.policies import catalogue

CITY = Target((18, 1), supervised=True, user_enrollment=False)
OPEN = Target((18, 1), supervised=False, user_enrollment=False)
PRIVATE = Target((18, 1), supervised=False, user_enrollment=True)
OLD = Target((13, 7), supervised=True, user_enrollment=False)

TUNNEL = {"name": "City", "server": "vpn.example.be", "method": "password", "username": "fleet", "secret": "geheim"}
MAILBOX = {
    "name": "Info", "address": "info@example.be", "incoming": "imap.example.be:993", "outgoing": "smtp.example.be:465",
    "username": "info", "password": "geheim", "keep": True,
}  # fmt: skip
SETTINGS: dict[str, Any] = {
    "vpn.ikev2": [{**TUNNEL, "always": True}],
    "dns.encrypted": "https://dns.example.be/dns-query",
    "dns.servers": ["10.0.0.53"],
    "cellular.apns": [
        {"apn": "city.example", "username": "u", "password": "p", "authentication": "chap", "attach": True}
    ],
    "cellular.roaming": False,
    "mail.accounts": [MAILBOX],
    "home_screen.icons": [
        {"item": "ios:com.apple.mobilephone", "place": "dock"},
        {"item": "com.apple.mobilesafari"},
        {"item": "linux:vim"},
        {"item": "https://intranet.example/", "page": 3, "folder": "City"},
        {"item": "be.example.app", "page": 3, "folder": "City"},
    ],
    "notifications.apps": [
        {"app": "ios:be.example.app", "allowed": "unlocked"},
        {"app": "com.chat", "allowed": "none"},
    ],
    "updates.versions": [{"version": "18.4", "day": "2026-12-24", "details": "https://intranet.example/update"}],
}
GOLDEN: dict[str, list[dict[str, Any]]] = {
    "vpn.": [
        {
            "PayloadType": "com.apple.vpn.managed", "VPNType": "IKEv2", "UserDefinedName": "City",
            "IKEv2": {
                "RemoteAddress": "vpn.example.be", "RemoteIdentifier": "vpn.example.be", "LocalIdentifier": "fleet",
                "EnablePFS": 1, "DeadPeerDetectionRate": "Medium", "AuthenticationMethod": "None", "ExtendedAuthEnabled": 1,
                "AuthName": "fleet", "AuthPassword": "geheim", "OnDemandEnabled": 1, "OnDemandRules": [{"Action": "Connect"}],
            },
        }
    ],
    "dns": [
        {
            "PayloadType": "com.apple.dnsSettings.managed",
            "DNSSettings": {
                "DNSProtocol": "HTTPS", "ServerURL": "https://dns.example.be/dns-query", "ServerAddresses": ["10.0.0.53"],
            },
        }
    ],
    "cellular": [
        {
            "PayloadType": "com.apple.cellular",
            "APNs": [
                {"Name": "city.example", "AllowedProtocolMask": 3, "Username": "u", "Password": "p", "AuthenticationType": "CHAP"}
            ],
            "AttachAPN": {
                "Name": "city.example", "AllowedProtocolMask": 3, "Username": "u", "Password": "p", "AuthenticationType": "CHAP",
            },
        }
    ],
    "mail.": [
        {
            "PayloadType": "com.apple.mail.managed", "EmailAccountDescription": "Info", "EmailAccountType": "EmailTypeIMAP",
            "EmailAddress": "info@example.be", "OutgoingPasswordSameAsIncomingPassword": True, "PreventMove": True,
            "IncomingMailServerHostName": "imap.example.be", "IncomingMailServerPortNumber": 993,
            "IncomingMailServerUseSSL": True, "IncomingMailServerAuthentication": "EmailAuthPassword",
            "IncomingMailServerUsername": "info", "IncomingPassword": "geheim",
            "OutgoingMailServerHostName": "smtp.example.be", "OutgoingMailServerPortNumber": 465,
            "OutgoingMailServerUseSSL": True, "OutgoingMailServerAuthentication": "EmailAuthPassword",
            "OutgoingMailServerUsername": "info",
        }
    ],
    "home-screen": [
        {
            "PayloadType": "com.apple.homescreenlayout",
            "Dock": [{"Type": "App", "BundleID": "com.apple.mobilephone"}],
            "Pages": [
                [{"Type": "App", "BundleID": "com.apple.mobilesafari"}],
                [],
                [
                    {
                        "Type": "Folder", "DisplayName": "City",
                        "Pages": [[
                            {"Type": "WebClip", "URL": "https://intranet.example/"},
                            {"Type": "App", "BundleID": "be.example.app"},
                        ]],
                    }
                ],
            ],
        }
    ],
    "notifications": [
        {
            "PayloadType": "com.apple.notificationsettings",
            "NotificationSettings": [
                {
                    "BundleIdentifier": "be.example.app", "NotificationsEnabled": True, "ShowInNotificationCenter": True,
                    "ShowInLockScreen": False, "AlertType": 1, "SoundsEnabled": True, "BadgesEnabled": True, "PreviewType": 1,
                },
                {"BundleIdentifier": "com.chat", "NotificationsEnabled": False},
            ],
        }
    ],
}  # fmt: skip


def render(**settings: Any) -> list[dict[str, Any]]:
    return AppleInterpreter().render(settings, [])


def ids(target: Target, **settings: Any) -> set[str]:
    return {one["id"].partition(".")[0] for one in documents.chosen(render(**settings), target)}


def test_the_settings_are_ones_that_the_catalogue_takes() -> None:
    assert catalogue.validate(SETTINGS) == {}


@pytest.mark.parametrize("start", sorted(GOLDEN))
def test_a_profile_says_exactly_what_apple_has_a_word_for(start: str) -> None:
    (found,) = [one for one in render(**SETTINGS) if one["id"].startswith(start)]
    assert found["payloads"] == GOLDEN[start]
    (profile,) = documents.profiles([found], "City")
    assert {one.code for one in check_profile(plist.read(profile.content), CITY)} <= {"apn_alone"}


@pytest.mark.parametrize("start", sorted(GOLDEN))
def test_the_facts_would_notice_what_is_wrong(start: str) -> None:
    """The negative twin: each of these documents, with one word of it spoilt, is refused by the same facts."""
    (found,) = [one for one in render(**SETTINGS) if one["id"].startswith(start)]
    spoilt = copy.deepcopy(found)
    payload = spoilt["payloads"][0]
    key = next(
        name for name, value in payload.items() if name != "PayloadType" and isinstance(value, dict | list | bool | str)
    )
    payload[key] = 7
    (profile,) = documents.profiles([spoilt], "City")
    assert "type" in {one.code for one in errors(check_profile(plist.read(profile.content), CITY))}


def test_a_shared_secret_needs_no_name_and_a_tls_server_no_page() -> None:
    (tunnel,) = render(**{"vpn.ikev2": [{"name": "B", "server": "10.0.0.1", "method": "shared_secret", "secret": "s"}]})
    said = tunnel["payloads"][0]["IKEv2"]
    assert (said["AuthenticationMethod"], said["SharedSecret"], said["LocalIdentifier"]) == ("SharedSecret", "s", "B")
    assert not {"AuthName", "OnDemandEnabled", "ExtendedAuthEnabled"} & said.keys()
    (dns,) = render(**{"dns.encrypted": "tls://dns.example.be"})
    assert dns["payloads"][0]["DNSSettings"] == {"DNSProtocol": "TLS", "ServerName": "dns.example.be"}


def test_a_required_version_is_a_declaration_until_the_phone_has_it() -> None:
    (found,) = render(**{"updates.versions": SETTINGS["updates.versions"]})
    (said,) = documents.declarations([found])
    assert (said["type"], said["payload"]) == (
        "com.apple.configuration.softwareupdate.enforcement.specific",
        {
            "TargetOSVersion": "18.4",
            "TargetLocalDateTime": "2026-12-24T02:00:00",
            "DetailsURL": "https://intranet.example/update",
        },
    )
    assert check(DECLARATION, said["type"], said["payload"], CITY) == []
    assert documents.fits(found, CITY)
    for system in ((18, 4), (18, 4, 1), (26, 0)):
        there = Target(system, supervised=True, user_enrollment=False)
        assert documents.fulfilled(found, there)
        assert not documents.fits(found, there)
    assert not documents.fits(found, Target((16, 7), supervised=True, user_enrollment=False))
    assert not documents.fits(found, PRIVATE)


def test_who_gets_what_follows_supervision_enrollment_and_version() -> None:
    everything = {"vpn", "dns", "cellular", "roaming", "mail", "home-screen", "notifications", "updates"}
    assert ids(CITY, **SETTINGS) == everything
    assert ids(OPEN, **SETTINGS) == everything - {"home-screen", "notifications", "updates"}
    assert ids(PRIVATE, **SETTINGS) == {"mail"}
    assert ids(OLD, **SETTINGS) == everything - {"dns", "updates"}


def test_roaming_is_set_by_a_command_that_apple_knows() -> None:
    (one,) = documents.profiles(render(**{"cellular.roaming": False}), "City")
    request, values = one.command
    assert (request, values) == ("Settings", {"Settings": [{"Item": "DataRoaming", "Enabled": False}]})
    assert check(COMMAND, request, values, CITY) == []


def test_plain_name_servers_alone_and_other_platforms_applications_become_nothing() -> None:
    assert render(**{"dns.servers": ["10.0.0.53"]}) == []
    assert render(**{"home_screen.icons": [{"item": "linux:vim"}]}) == []
    assert render(**{"notifications.apps": [{"app": "android:com.chat", "allowed": "none"}]}) == []


def test_what_is_installed_stays_allowed_where_only_a_list_may_run() -> None:
    (old, new, _) = render(**{"apps.allow_only": True, "apps.allowed": ["com.a"], "apps.required": ["com.b"]})
    assert old["payloads"][0]["allowListedAppBundleIDs"] == ["com.a", "com.b"]
    assert new["payload"] == {"Allowed": {"AllowedApps": ["com.a", "com.b"]}}


def test_secrets_of_tunnels_mailboxes_and_access_points_are_never_shown() -> None:
    shown = str(catalogue.mask(SETTINGS))
    assert "geheim" not in shown
    assert "'password': 'p'" not in shown
    assert catalogue.keep_secrets(catalogue.mask(SETTINGS), SETTINGS) == SETTINGS


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"vpn.ikev2": [{**TUNNEL, "username": ""}]}, "vpn.ikev2[0].username"),
        ({"vpn.ikev2": [{**TUNNEL, "server": "a b"}]}, "vpn.ikev2[0].server"),
        ({"dns.encrypted": "http://dns.example.be"}, "dns.encrypted"),
        ({"mail.accounts": [{**MAILBOX, "address": "info"}]}, "mail.accounts[0].address"),
        ({"mail.accounts": [{**MAILBOX, "incoming": "imap.example.be"}]}, "mail.accounts[0].incoming"),
        ({"home_screen.icons": [{"item": "a b"}]}, "home_screen.icons[0].item"),
        ({"updates.versions": [{"version": "18.4", "day": "2026-02-30"}]}, "updates.versions[0].day"),
        ({"updates.versions": [{"version": "18.4", "day": "20260230"}]}, "updates.versions[0].day"),
    ],
)
def test_what_no_device_could_use_is_refused_with_its_place(settings: dict[str, Any], place: str) -> None:
    assert list(catalogue.validate(settings)) == [place]
