"""Before a save: what each platform of the fleet makes of settings. Nothing is dropped without a word."""

from typing import Any

import pytest
from sqlalchemy import select

from mdm.platforms import service as platforms
from mdm.platforms.before import before_saving
from mdm.platforms.service import INTERPRETERS
from mdm.policies import assigning, catalogue, service
from mdm.policies.model import Cohort
from mdm.policies.resolve import Candidate, Source, resolve
from tests.conftest import Calling
from tests.policies import fleet


def told(calling: Calling, *platforms_: str, **settings: Any) -> dict[tuple[str, str], str]:
    with calling() as call:
        return {(one.platform, one.key): one.code for one in before_saving(call, settings, platforms_).limits}


def test_what_needs_supervision_reaches_the_cohort_and_each_phone_decides(calling: Calling) -> None:
    with calling() as call:
        settings = {"kiosk.app": "be.example.kiosk", "restrictions.camera": False, "proxy.mode": "direct"}
        policy = service.create(call, "Phones", settings=settings)
        assigning.assign(call, policy.id, include=["platform:ios"])
        fleet.device(call, "a", platform="ios", os_version="18.1")
        service.place_all(call)
        while platforms.prepare_stale(call):
            pass
        cohort = call.session.scalars(select(Cohort).where(Cohort.platform == "ios")).one()
        assert {"kiosk", "restrictions.supervised"} <= {one["id"] for one in cohort.desired["resources"]}
        assert cohort.explanation["unsupported"] == []


@pytest.mark.parametrize("platform", sorted(INTERPRETERS))
def test_what_the_catalogue_promises_for_a_platform_its_interpreter_keeps(platform: str) -> None:
    for key, setting in catalogue.known().items():
        support = setting.platforms.get(platform)
        if support is None or not support.checked:
            assert INTERPRETERS[platform].supports(key) == (support is not None), key


def test_a_platform_that_cannot_says_so_and_what_to_use_in_its_place(calling: Calling) -> None:
    tunnels = [{"name": "x", "server": "vpn.example", "method": "shared_secret", "secret": "s"}]
    with calling() as call:
        limits = before_saving(call, {"vpn.ikev2": tunnels, "system.language": "nl_BE"}).limits
    found = {(one.platform, one.key): one for one in limits}
    assert {where: one.code for where, one in found.items()} == {
        ("linux", "vpn.ikev2"): "platform",
        ("android", "vpn.ikev2"): "platform",
        ("ios", "vpn.ikev2"): "city",
        ("ios", "system.language"): "platform",
        ("android", "system.language"): "platform",
    }
    assert found["linux", "vpn.ikev2"].lost
    assert found["linux", "vpn.ikev2"].note == "Linux uses VPN connections (WireGuard)."
    assert found["ios", "system.language"].text == "iOS cannot do this."


def test_only_platforms_of_the_fleet_are_told_of_with_their_numbers(calling: Calling) -> None:
    with calling() as call:
        fleet.device(call, "old", platform="ios", os_version="16.7")
        fleet.device(call, "new", platform="ios", os_version="18.1")
        fleet.device(call, "unknown", platform="ios", os_version="")
        settings = {"updates.versions": [{"version": "18.4", "day": "2026-12-24"}], "restrictions.printing": False}
        limits = before_saving(call, settings).limits
    assert {(one.platform, one.key, one.code, one.devices) for one in limits} == {
        ("ios", "updates.versions", "version", 1),
        ("ios", "updates.versions", "supervised", 3),
        ("ios", "restrictions.printing", "platform", 3),
    }


def test_a_setting_that_says_nothing_as_it_stands_is_not_passed_over(calling: Calling) -> None:
    assert told(calling, "ios", **{"dns.servers": ["10.0.0.53"]}) == {("ios", "dns.servers"): "silent"}
    both = {"dns.servers": ["10.0.0.53"], "dns.encrypted": "tls://dns.example"}
    assert "silent" not in told(calling, "ios", **both).values()


def test_a_switch_that_allows_what_is_allowed_anyway_is_no_matter(calling: Calling) -> None:
    assert told(calling, "linux", "ios", **{"screen_lock.enabled": False, "apps.required": ["linux:vim"]}) == {}


def test_a_platform_without_an_interpreter_is_not_passed_over(
    calling: Calling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(INTERPRETERS, "android")
    assert told(calling, "android", **{"restrictions.camera": False}) == {("android", "restrictions.camera"): "none"}


def test_what_would_lock_people_out_of_a_phone_is_told_with_the_settings_it_comes_from(calling: Calling) -> None:
    settings = {
        "apps.allow_only": True,
        "apps.allowed": ["com.a"],
        "kiosk.app": "com.b",
        "notifications.apps": [{"app": "com.apple.mobilephone", "allowed": "none"}],
    }
    with calling() as call:
        foreseen = before_saving(call, settings, ["ios"]).foreseen
    assert [(one.code, one.grave, set(one.keys)) for _, one in foreseen] == [
        ("locked_app", True, {"kiosk.app"}),
        ("needed_app", False, {"apps.allow_only", "apps.allowed"}),
        ("calls", False, {"notifications.apps"}),
    ]
    for _, one in foreseen:
        assert one.sentence % one.params


def test_settings_that_lock_nobody_out_are_not_complained_about(calling: Calling) -> None:
    settings = {
        "wifi.networks": [{"ssid": "City", "security": "wpa2", "passphrase": catalogue.MASK}],
        "browser.popups": False,
    }
    with calling() as call:
        assert before_saving(call, settings, ["ios", "linux"]).foreseen == ()


def candidate(number: int, priority: int, **settings: Any) -> Candidate:
    return Candidate(Source(number, number, f"policy {number}", 1, priority), settings)


def test_records_of_two_policies_come_together_and_of_one_name_the_rank_decides() -> None:
    first = {"name": "City", "server": "one.example", "method": "shared_secret", "secret": "a"}
    second = {**first, "server": "two.example"}
    other = {**first, "name": "Works"}
    apart = resolve(
        [candidate(1, 10, **{"vpn.ikev2": [first]}), candidate(2, 20, **{"vpn.ikev2": [second, other]})], platform="ios"
    )
    assert apart.outcomes["vpn.ikev2"].value == [first, other]
    assert apart.outcomes["vpn.ikev2"].clash == ""
    tied = resolve(
        [candidate(1, 10, **{"vpn.ikev2": [first]}), candidate(2, 10, **{"vpn.ikev2": [second]})], platform="ios"
    )
    assert (tied.outcomes["vpn.ikev2"].value, tied.outcomes["vpn.ikev2"].clash) == ([first], "tie")


def test_one_policy_that_forbids_roaming_is_enough() -> None:
    both = [candidate(1, 10, **{"cellular.roaming": True}), candidate(2, 20, **{"cellular.roaming": False})]
    assert resolve(both, platform="ios").outcomes["cellular.roaming"].value is False
