"""What settings of the catalogue become on a phone: declarations and profiles that Apple's own facts allow."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from mdm.platforms import service
from mdm.platforms.apple import cms, documents, plist, upload
from mdm.platforms.apple.render import SUPPORTED, AppleInterpreter
from mdm.platforms.apple.schema.check import check, errors
from mdm.platforms.apple.schema.profile import check_profile
from mdm.platforms.apple.schema.table import COMMAND, DECLARATION, Target
from mdm.policies import catalogue, payloads
from tests.platforms.apple.papers import holder

PHONE = Target((18, 1), supervised=True, user_enrollment=False)
NEW = Target((27, 0), supervised=True, user_enrollment=False)
PRIVATE = Target((18, 1), supervised=False, user_enrollment=True)
EVERYTHING: dict[str, Any] = {
    "passcode.required": True, "passcode.min_length": 8, "passcode.complexity": "mixed", "passcode.max_age": 90,
    "passcode.history": 5, "passcode.max_failed": 30, "screen_lock.enabled": True, "screen_lock.timeout": 120,
    "screen_lock.grace": 60, "lock_screen.message": "Stad Antwerpen", "lock_screen.notifications": False,
    "restrictions.camera": False, "restrictions.usb_storage": False, "restrictions.bluetooth": False,
    "restrictions.screenshots": False, "restrictions.cloud_backup": False, "browser.popups": False,
    "apps.allow_only": True, "apps.allowed": ["ios:com.apple.mobilesafari", "ios:com.apple.Preferences", "linux:vim",
    "ios:com.apple.mobilephone"], "apps.required": ["ios:be.antwerpen.app"],
    "web_links.links": [{"name": "Intranet", "url": "https://intranet.example/"}],
    "wifi.networks": [
        {"ssid": "City", "security": "wpa2", "passphrase": "geheim-geheim"},
        {"ssid": "Staff", "security": "peap", "identity": "u", "passphrase": "p", "domain": "radius.example"},
    ],
    "certificates.authorities": [
        {"name": "City root", "certificate": holder("root").certificate.public_bytes(Encoding.PEM).decode()}
    ],
    "proxy.mode": "pac", "proxy.pac_url": "https://pac.example/p.pac", "browser.url_block": ["bad.example"],
    "browser.url_allow": ["bad.example/good"], "kiosk.app": "ios:com.apple.mobilesafari", "updates.auto": "all",
    "time.zone": "Europe/Brussels",
}  # fmt: skip


def render(**settings: Any) -> list[dict[str, Any]]:
    return AppleInterpreter().render(settings, [])


def of(resources: list[dict[str, Any]], target: Target) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in documents.chosen(resources, target)}


@pytest.mark.parametrize("target", [PHONE, NEW, PRIVATE])
def test_everything_that_is_rendered_is_what_apple_allows(target: Target) -> None:
    chosen = documents.chosen(render(**EVERYTHING), target)
    for one in documents.declarations(chosen):
        assert errors(check(DECLARATION, one["type"], one["payload"], target)) == []
    for profile in documents.profiles(chosen, "Antwerpen"):
        request, args = profile.command
        assert errors(check(COMMAND, request, args, target)) == []
        if not profile.items:
            assert errors(check_profile(plist.read(profile.content), target)) == []


def test_the_same_settings_give_the_same_bytes() -> None:
    one, two = (documents.profiles(render(**EVERYTHING), "Antwerpen") for _ in "12")
    assert [(p.identifier, p.digest, p.content) for p in one] == [(p.identifier, p.digest, p.content) for p in two]


def test_resources_can_be_stored_as_json_and_have_ids_of_their_own() -> None:
    resources = render(**EVERYTHING)
    assert json.loads(json.dumps(resources)) == resources
    ids = [one["id"] for one in resources]
    assert len(set(ids)) == len(ids)


def test_every_supported_key_is_one_of_the_catalogue_for_phones() -> None:
    for key in SUPPORTED:
        setting = catalogue.find(key)
        assert setting is not None
        assert "ios" in setting.platforms


def test_a_passcode_is_asked_for_within_what_apple_knows() -> None:
    (one,) = render(**{"passcode.min_length": 64, "passcode.max_failed": 30, "screen_lock.timeout": 3600})
    assert one["payload"] == {"MinimumLength": 16, "MaximumFailedAttempts": 11, "MaximumInactivityInMinutes": 15}


def test_allowed_applications_are_a_restriction_before_27_and_a_declaration_since() -> None:
    resources = render(**{"apps.allow_only": True, "apps.allowed": ["ios:com.a", "com.b", "linux:vim"]})
    assert set(of(resources, PHONE)) == {"apps.list"}
    assert set(of(resources, NEW)) == {"apps.settings"}
    assert of(resources, NEW)["apps.settings"]["payload"] == {"Allowed": {"AllowedApps": ["com.a", "com.b"]}}
    assert of(resources, PRIVATE) == {}


def test_allowed_and_blocked_never_meet_on_one_phone() -> None:
    (old, _) = render(**{"apps.allow_only": True, "apps.allowed": ["com.a", "com.b"], "apps.blocked": ["com.b"]})
    assert old["payloads"][0] == {"PayloadType": "com.apple.applicationaccess", "allowListedAppBundleIDs": ["com.a"]}


def test_what_needs_supervision_is_apart_from_what_does_not() -> None:
    resources = render(**{"restrictions.camera": False, "restrictions.screenshots": False})
    assert set(of(resources, PHONE)) == {"restrictions", "restrictions.supervised"}
    assert set(of(resources, PRIVATE)) == {"restrictions"}


def test_wifi_comes_before_everything_that_may_need_it() -> None:
    assert render(**EVERYTHING)[0]["id"].startswith("wifi.")


MOBILECONFIG = plist.write(
    {
        "PayloadType": "Configuration", "PayloadVersion": 1, "PayloadIdentifier": "be.antwerpen.clip",
        "PayloadUUID": "2A7B9C1D-1111-2222-3333-444455550000", "PayloadDisplayName": "Clip",
        "PayloadContent": [
            {"PayloadType": "com.apple.webClip.managed", "PayloadVersion": 1, "PayloadIdentifier": "be.antwerpen.clip.1",
             "PayloadUUID": "2A7B9C1D-1111-2222-3333-444455550001", "Label": "x", "URL": "https://x.example"}
        ],
    }
)  # fmt: skip


def uploaded(file: bytes) -> dict[str, Any]:
    return {"kind": "profile", "mobileconfig": base64.b64encode(file).decode()}


def test_an_uploaded_profile_is_kept_byte_for_byte_also_when_it_is_signed() -> None:
    maker = holder("maker")
    signed = cms.sign(MOBILECONFIG, maker.key, maker.certificate)
    for file in (MOBILECONFIG, signed):
        assert upload.fault(uploaded(file)) == ""
        resources = AppleInterpreter().render({}, [{"name": "Clip", "content": uploaded(file)}])
        (profile,) = documents.profiles(resources, "Antwerpen")
        assert (profile.identifier, profile.content) == ("be.antwerpen.clip", file)


@pytest.mark.parametrize(
    "file",
    [
        b"nothing",
        b"",
        plist.write({"PayloadType": "Configuration"}),
        MOBILECONFIG.replace(b"com.apple.webClip.managed", b"com.apple.mdm"),
        MOBILECONFIG.replace(b"be.antwerpen.clip<", b"org.havenmeester.enrollment<"),
        MOBILECONFIG.replace(b"<string>https://x.example</string>", b"<integer>7</integer>"),
    ],
)
def test_an_uploaded_profile_that_a_phone_would_refuse_is_not_saved(file: bytes) -> None:
    assert service.INTERPRETERS["ios"].platform == "ios"
    wrong: dict[str, str] = {}
    assert upload.fault(uploaded(file))
    payloads.checked([{"platform": "ios", "name": "x", "content": uploaded(file)}], wrong)
    assert list(wrong) == ["payloads[0].content"]
