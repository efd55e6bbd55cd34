"""What is made of settings beside the three policies: nothing wipes by itself, and nothing of another platform is sent."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from mdm.platforms.android.amapi.able import foresee, why_not
from mdm.platforms.android.amapi.document.check import errors
from mdm.platforms.android.amapi.document.of_locks import BY_DEFAULT
from mdm.platforms.android.amapi.render import Mode, fault, render
from mdm.platforms.android.amapi.render.locks import NEVER, api_level
from mdm.platforms.android.wanted import SUPPORTED, read


def rules(settings: dict[str, Any], mode: Mode = Mode.MANAGED, raw: tuple[dict[str, Any], ...] = ()) -> dict[str, int]:
    policy = render(settings, raw, mode).policy
    return {one["settingName"]: one["wipeAction"]["wipeAfterDays"] for one in policy.get("policyEnforcementRules", ())}


WATCHED = {"passcode.required": True, "encryption.required": True, "updates.min_os": "12", "kiosk.app": "org.example.k"}


@pytest.mark.parametrize("mode", list(Mode))
def test_no_policy_wipes_unless_a_person_chose_it(mode: Mode) -> None:
    said = rules(WATCHED, mode)
    policy = render(WATCHED, (), mode).policy
    assert {name for name in BY_DEFAULT if policy.get(name)} == set(said)
    assert set(said.values()) == {NEVER}


def test_a_person_who_says_when_is_heard_and_the_rest_still_never_wipes() -> None:
    said = rules({**WATCHED, "enforcement.rules": [{"about": "passcode", "wipe_after": 30}]})
    assert said["passwordPolicies"] == 30
    assert said["encryptionPolicy"] == NEVER


def test_blocking_alone_never_becomes_a_wipe() -> None:
    assert (
        rules({**WATCHED, "enforcement.rules": [{"about": "os_version", "block_after": 7}]})["minimumApiLevel"] == NEVER
    )


def test_a_part_in_googles_words_with_a_passcode_is_kept_from_wiping_too() -> None:
    part = {"passwordPolicies": [{"passwordScope": "SCOPE_DEVICE", "passwordQuality": "COMPLEXITY_LOW"}]}
    assert rules({}, Mode.MANAGED, (part,)) == {"passwordPolicies": NEVER}


def test_wrong_passcodes_of_a_private_phone_wipe_its_work_profile_alone() -> None:
    policy = render({"passcode.required": True, "passcode.max_failed": 5}, (), Mode.WORK_PROFILE).policy
    by_scope = {one["passwordScope"]: one for one in policy["passwordPolicies"]}
    assert by_scope["SCOPE_PROFILE"]["maximumFailedPasswordsForWipe"] == 5
    assert "maximumFailedPasswordsForWipe" not in by_scope["SCOPE_DEVICE"]


def test_a_private_phone_is_told_nothing_about_itself_as_a_whole() -> None:
    everything = {
        "restrictions.factory_reset": False, "restrictions.usb_storage": False, "kiosk.app": "org.example.k",
        "location.mode": "on", "factory_reset.accounts": ["a@city.example"], "updates.auto": "all",
        "restrictions.bluetooth": False, "proxy.mode": "pac", "proxy.pac_url": "https://p.example/", "power.stay_on": True,
        "lock_screen.message": "City", "restrictions.wifi_changes": False,
    }  # fmt: skip
    policy = render(everything, (), Mode.WORK_PROFILE).policy
    assert set(policy) == {"statusReportingSettings"}
    assert len(render(everything, (), Mode.MANAGED).policy) > 10


def test_applications_of_other_platforms_are_not_sent_and_an_impossible_one_is_said() -> None:
    made = render({"apps.required": ["chromium", "linux:vim", "ios:com.apple.x", "org.example.one"]}, (), Mode.MANAGED)
    assert [one["packageName"] for one in made.policy["applications"]] == ["org.example.one"]
    assert errors(render({"apps.required": ["android:chromium"]}, (), Mode.MANAGED).findings)


def test_only_who_asks_for_it_has_applications_taken_away() -> None:
    assert render({"apps.required": ["org.example.a"]}, (), Mode.MANAGED).policy["playStoreMode"] == "BLACKLIST"


@pytest.mark.parametrize(
    ("length", "complexity", "quality"),
    [(None, "any", "LOW"), (4, "any", "MEDIUM"), (None, "letters_digits", "MEDIUM"), (6, "any", "HIGH"), (None, "mixed", "HIGH")],
)  # fmt: skip
def test_a_passcode_is_never_weaker_than_asked(length: int | None, complexity: str, quality: str) -> None:
    said: dict[str, Any] = {"passcode.required": True, "passcode.complexity": complexity}
    if length:
        said["passcode.min_length"] = length
    (one,) = render(said, (), Mode.MANAGED).policy["passwordPolicies"]
    assert one["passwordQuality"] == f"COMPLEXITY_{quality}"


def test_a_length_beyond_every_band_is_said_as_a_length() -> None:
    (one,) = render({"passcode.min_length": 12}, (), Mode.MANAGED).policy["passwordPolicies"]
    assert (one["passwordQuality"], one["passwordMinimumLength"]) == ("NUMERIC_COMPLEX", 12)


@pytest.mark.parametrize(
    ("version", "level"), [("11", 30), ("12", 31), ("8.1", 27), ("16", 36), ("18", 38), ("", 0), ("12.1", 32)]
)
def test_versions_of_android_have_their_levels(version: str, level: int) -> None:
    assert api_level(version) == level


def test_a_part_may_not_speak_for_us_and_must_be_right() -> None:
    assert fault({"statusReportingSettings": {"hardwareStatusEnabled": True}})
    assert fault({"name": "enterprises/x/policies/y"})
    assert fault({})
    assert fault({"cameraAcess": "x"})
    assert fault({"cameraAccess": "CAMERA_ACCESS_DISABLED"}) == ""


def test_a_part_is_put_together_with_the_settings_and_wins_where_both_speak() -> None:
    part = {
        "applications": [{"packageName": "org.example.one", "autoUpdateMode": "AUTO_UPDATE_POSTPONED"}],
        "deviceRadioState": {"wifiState": "WIFI_ENABLED"},
    }
    policy = render({"apps.required": ["org.example.one"], "cellular.two_g": False}, (part,), Mode.MANAGED).policy
    assert policy["applications"] == [
        {"packageName": "org.example.one", "installType": "FORCE_INSTALLED", "autoUpdateMode": "AUTO_UPDATE_POSTPONED"}
    ]
    assert policy["deviceRadioState"] == {"cellularTwoGState": "CELLULAR_TWO_G_DISABLED", "wifiState": "WIFI_ENABLED"}


def test_what_would_be_refused_is_said_before_saving_with_its_setting() -> None:
    freeze = [{"name": "long", "from": "01-01", "to": "06-01"}]
    said = foresee(read({"updates.freeze": freeze, "kiosk.url": "https://city.example/"}))
    grave = [one for one in said if one.grave]
    assert [(one.code, one.keys) for one in grave] == [("amapi_freeze_long", ("updates.freeze",))]
    assert [one.keys for one in said if one.code == "amapi_cannot"] == [("kiosk.url",)]
    assert all(one.sentence % one.params for one in said)


def test_every_setting_that_is_read_is_done_or_has_a_reason() -> None:
    assert all(isinstance(why_not(key), str) for key in SUPPORTED)
    assert why_not("kiosk.url")
    assert why_not("kiosk.app") == ""


@profile(max_examples=100, deadline=None)
@given(st.sets(st.sampled_from(sorted(WATCHED))), st.sampled_from(list(Mode)))
def test_whatever_is_chosen_the_same_settings_give_the_same_right_policy(keys: set[str], mode: Mode) -> None:
    chosen = {key: WATCHED[key] for key in sorted(keys)}
    one, two = render(chosen, (), mode), render(dict(reversed(chosen.items())), (), mode)
    assert one.policy == two.policy
    assert errors(one.findings) == []
