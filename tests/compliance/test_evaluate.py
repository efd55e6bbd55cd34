"""The judgement: what is good, what is not, and what is not known, rule by rule."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.compliance import rules
from mdm.compliance.evaluate import CHECKS, InForce, Outcome, State, Subject, evaluate, verdict
from mdm.core.errors import InvalidError
from mdm.inventory.model import Verdict
from tests.conftest import NOW

GOOD: dict[str, dict[str, Any]] = {
    "encryption": {"root_encrypted": True},
    "screenlock": {"enabled": True, "timeout_seconds": 300},
    "agent": {"tampered": []},
    "patch": {"pending_security": 0, "last_update": "2026-11-01T00:00:00Z"},
    "firewall": {"active": True},
    "desired": {"packages_extra": []},
    "disks": {"filesystems": [{"mount": "/", "size_mb": 100_000, "free_mb": 40_960}]},
    "kiosk": {
        "browser": "running",
        "gave_up_at": None,
        "temperature_c": 45,
        "printer": {"state": "idle", "reasons": [], "paper": "ok", "supplies": [], "problem": ""},
    },
}


def laptop(**known: Any) -> Subject:
    """A laptop about which everything is known and good, but for what is given."""
    values: dict[str, Any] = {
        "platform": "linux",
        "kind": "laptop",
        "state": "handed_out",
        "enrolled": True,
        "last_seen_at": NOW - timedelta(hours=1),
        "os_name": "Debian GNU/Linux",
        "os_version": "12",
        "facts": GOOD,
        "installed": frozenset({"bash", "firefox-esr"}),
    }
    return Subject(**(values | known))


def fact(section: str, **values: object) -> dict[str, dict[str, Any]]:
    return GOOD | {section: values}


def one(rule: str, subject: Subject, now: datetime = NOW, **params: object) -> tuple[State, dict[str, Any]]:
    outcome = evaluate(subject, [InForce(7, rule, "", params, 24)], now)[7]
    return outcome.state, outcome.details


KIOSK_RULES = ("kiosk_browser", "kiosk_paper", "kiosk_printer", "kiosk_warmth")


def kiosk(**said: object) -> Subject:
    return laptop(kind="kiosk", facts=fact("kiosk", **{**GOOD["kiosk"], **said}))


def printing(**said: object) -> Subject:
    return kiosk(printer={**GOOD["kiosk"]["printer"], **said})


def test_every_rule_has_a_check_and_every_check_a_rule() -> None:
    assert CHECKS.keys() == rules.RULES.keys()


@pytest.mark.parametrize("rule", rules.RULES)
def test_a_device_that_is_in_order_meets_every_rule(rule: str) -> None:
    assert one(rule, laptop(), **({"kinds": []} if rule == "disk_room" else {}))[0] is State.OK


@pytest.mark.parametrize("rule", rules.RULES)
def test_no_rule_is_for_a_device_that_is_not_enrolled_or_retired(rule: str) -> None:
    assert one(rule, laptop(enrolled=False))[0] is State.NOT_FOR_IT
    assert one(rule, laptop(state="retired"))[0] is State.NOT_FOR_IT


SILENT = laptop(
    facts={}, installed=None, os_version="", last_seen_at=None,
    settings={"apps.allow_only": True, "apps.blocked": ["x"], "apps.required": ["y"]},
)  # fmt: skip


@pytest.mark.parametrize("rule", [rule for rule in rules.RULES if rule not in (*KIOSK_RULES, "desired_applied")])
def test_what_was_never_said_is_unknown_and_not_good(rule: str) -> None:
    assert one(rule, SILENT, **({"kinds": []} if rule == "disk_room" else {}))[0] is State.UNKNOWN


NULLS = {section: dict.fromkeys(content) for section, content in GOOD.items()}


@pytest.mark.parametrize("rule", ["encryption", "screen_lock", "agent_untouched", "security_updates", "firewall"])
def test_a_null_is_unknown_too(rule: str) -> None:
    assert one(rule, laptop(facts=NULLS))[0] is State.UNKNOWN


BAD: list[tuple[str, Subject, dict[str, Any]]] = [
    ("os_minimum", laptop(os_version="11.9"), {"os": "Debian GNU/Linux", "version": "11.9", "minimum": "12"}),
    ("encryption", laptop(facts=fact("encryption", root_encrypted=False)), {}),
    ("screen_lock", laptop(facts=fact("screenlock", enabled=False, timeout_seconds=None)), {"minutes": 10, "seconds": None}),
    ("screen_lock", laptop(facts=fact("screenlock", enabled=True, timeout_seconds=601)), {"minutes": 10, "seconds": 601}),
    ("apps_allowed", laptop(settings={"apps.allow_only": True}, facts=fact("desired", packages_extra=["steam"])),
     {"names": ["steam"], "count": 1}),
    ("apps_blocked", laptop(settings={"apps.blocked": ["linux:fire*", "ios:bash"]}), {"names": ["firefox-esr"], "count": 1}),
    ("apps_required", laptop(settings={"apps.required": ["linux:vlc", "bash"]}), {"names": ["vlc"], "count": 1}),
    ("last_seen", laptop(last_seen_at=NOW - timedelta(days=14)), {"seen": "2026-11-09", "days": 14}),
    ("agent_untouched", laptop(facts=fact("agent", tampered=["/etc/motd"])), {"names": ["/etc/motd"], "count": 1}),
    ("desired_applied", laptop(desired_digest="b", applied_digest="a",
                               facts=fact("desired", resources={"wifi": {"state": "failed"}, "web": {"state": "applied"}})),
     {"names": ["wifi"], "count": 1, "wanted": "b", "has": "a"}),
    ("security_updates", laptop(facts=fact("patch", pending_security=3, last_update="2026-11-01T00:00:00Z")),
     {"pending": 3, "last_update": "2026-11-01T00:00:00Z", "days": 14}),
    ("firewall", laptop(facts=fact("firewall", active=False)), {}),
    ("kiosk_browser", kiosk(browser="silent", gave_up_at="2026-11-20T10:00:00Z"),
     {"state": "silent", "gave_up_at": "2026-11-20T10:00:00Z"}),
    ("kiosk_paper", printing(paper="empty"), {}),
    ("kiosk_printer", printing(state="stopped", reasons=["media-jam"]), {"state": "stopped", "problem": "media-jam"}),
    ("kiosk_warmth", kiosk(temperature_c=90), {"degrees": 90, "limit": 85}),
    ("disk_room", laptop(kind="kiosk", facts=fact("disks", filesystems=[{"mount": "/", "size_mb": 9000, "free_mb": 0}])),
     {"names": ["/"], "count": 1, "percent": 5}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "subject", "details"), BAD)
def test_what_is_wrong_is_a_finding_that_says_what(rule: str, subject: Subject, details: dict[str, Any]) -> None:
    assert one(rule, subject) == (State.FINDING, details)


IPHONE = laptop(
    platform="ios", kind="phone", os_name="iOS", os_version="18.1",
    settings={"screen_lock.timeout": 300}, desired_digest="b", applied_digest="b",
    facts={
        "encryption": {"root_encrypted": True},
        "screenlock": {"enabled": True, "method": "passcode", "compliant": True, "compliant_with_profiles": True},
    },
)  # fmt: skip
"""All that an iPhone in order can tell: no agent, no minutes of its screen, no updates that wait."""


def test_an_iphone_that_is_in_order_is_compliant_by_what_iphones_can_tell() -> None:
    in_force = [InForce(number, rule, "", {}, 24) for number, rule in enumerate(rules.RULES)]
    states = {one.state for one in evaluate(IPHONE, in_force, NOW).values()}
    assert states == {State.OK, State.NOT_FOR_IT}


@pytest.mark.parametrize(
    ("said", "settings", "state"),
    [
        ({"enabled": False, "compliant_with_profiles": True}, {"screen_lock.timeout": 300}, State.FINDING),
        ({"enabled": True, "compliant_with_profiles": True}, {"screen_lock.timeout": 1200}, State.FINDING),
        ({"enabled": True, "compliant_with_profiles": False}, {"screen_lock.timeout": 300}, State.UNKNOWN),
        ({"enabled": True, "compliant_with_profiles": True}, {}, State.UNKNOWN),
    ],
)
def test_the_minutes_of_an_iphone_are_those_that_were_set_while_it_keeps_to_them(
    said: dict[str, Any], settings: dict[str, Any], state: State
) -> None:
    assert one("screen_lock", replace(IPHONE, facts={"screenlock": said}, settings=settings))[0] is state
    computer = laptop(facts={"screenlock": said}, settings=settings)
    assert one("screen_lock", computer)[0] is not State.OK


def test_settings_that_a_phone_cannot_have_are_no_finding_and_those_that_it_lacks_are() -> None:
    resources = {"apps.list": {"state": "unsupported"}, "wifi": {"state": "failed"}}
    behind = replace(IPHONE, applied_digest="-", facts={"desired": {"resources": resources}})
    assert one("desired_applied", behind)[1]["names"] == ["wifi"]


def test_every_rule_has_a_bad_case_here() -> None:
    assert {rule for rule, _subject, _details in BAD} == rules.RULES.keys()


@pytest.mark.parametrize(("rule", "subject", "details"), BAD)
def test_every_mend_sentence_is_filled_by_its_finding(rule: str, subject: Subject, details: dict[str, Any]) -> None:
    filled = rules.RULES[rule].mend % (details | {"names": ", ".join(details.get("names", []))})
    assert "%" not in filled


def test_a_kiosk_needs_no_screen_lock_unless_asked_for() -> None:
    open_kiosk = laptop(kind="kiosk", facts=fact("screenlock", enabled=False))
    assert one("screen_lock", open_kiosk)[0] is State.NOT_FOR_IT
    assert one("screen_lock", open_kiosk, kinds=["kiosk"])[0] is State.FINDING


def test_a_rule_for_another_platform_is_not_for_this_device() -> None:
    rule = InForce(1, "encryption", "ios", {}, 0)
    assert evaluate(laptop(facts={}), [rule], NOW)[1].state is State.NOT_FOR_IT


def test_silence_counts_only_for_devices_in_somebodys_hands() -> None:
    assert one("last_seen", laptop(last_seen_at=NOW - timedelta(days=99), state="in_stock"))[0] is State.NOT_FOR_IT


def test_the_moment_of_silence_is_known_beforehand() -> None:
    seen = NOW - timedelta(days=3)
    outcome = evaluate(laptop(last_seen_at=seen), [InForce(1, "last_seen", "", {"days": 5}, 0)], NOW)[1]
    assert outcome.again == NOW + timedelta(days=2)
    assert (
        evaluate(laptop(last_seen_at=seen), [InForce(1, "last_seen", "", {"days": 5}, 0)], outcome.again)[1].state
        is State.FINDING
    )


def test_a_long_list_of_applications_is_cut_but_counted() -> None:
    extra = [f"app{n:03}" for n in range(100)]
    details = one(
        "apps_allowed", laptop(settings={"apps.allow_only": True}, facts=fact("desired", packages_extra=extra))
    )
    assert (len(details[1]["names"]), details[1]["count"]) == (20, 100)


def test_a_clock_of_a_device_that_runs_ahead_buys_no_time() -> None:
    ahead = fact("patch", pending_security=1, last_update="2030-01-01T00:00:00Z")
    outcome = evaluate(laptop(facts=ahead), [InForce(1, "security_updates", "", {"days": 14}, 0)], NOW)[1]
    assert outcome.again == NOW + timedelta(days=14)


GRACE = NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("findings", "judged", "expected"),
    [
        ([], True, Verdict.COMPLIANT),
        ([], False, Verdict.UNKNOWN),
        ([(True, NOW)], True, Verdict.UNKNOWN),
        ([(False, GRACE)], True, Verdict.IN_GRACE),
        ([(False, GRACE), (True, NOW)], True, Verdict.IN_GRACE),
        ([(False, NOW), (False, GRACE), (True, NOW)], True, Verdict.NONCOMPLIANT),
    ],
)
def test_the_worst_makes_the_verdict(findings: list[tuple[bool, datetime]], judged: bool, expected: Verdict) -> None:
    assert verdict(findings, NOW, judged=judged) is expected


SAID = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(SAID)
def test_whatever_a_device_says_no_rule_breaks(said: object) -> None:
    facts = {section: dict.fromkeys(content, said) for section, content in GOOD.items()}
    facts["desired"]["resources"] = said
    settings = {"apps.allow_only": True, "apps.blocked": said, "apps.required": said}
    subject = laptop(facts=facts, settings=settings, os_version=str(said), desired_digest="x")
    in_force = [InForce(n, rule, "", {}, 0) for n, rule in enumerate(rules.RULES)]
    outcomes = evaluate(subject, in_force, NOW)
    assert [*outcomes] == [one.id for one in in_force]
    assert {type(one) for one in outcomes.values()} == {Outcome}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12", (12,)), ("22.04.3 LTS", (22, 4, 3)), ("13~rc1", (13,)), ("trixie", None), ("", None), ("9" * 12, None)],
)
def test_versions_are_read_by_their_leading_numbers(text: str, expected: tuple[int, ...] | None) -> None:
    assert rules.version(text) == expected


@pytest.mark.parametrize(
    ("rule", "given_params", "place"),
    [
        ("last_seen", {"days": 0}, "days"),
        ("last_seen", {"days": "soon"}, "days"),
        ("last_seen", {"days": True}, "days"),
        ("last_seen", {"hours": 5}, "hours"),
        ("os_minimum", {"minimum": "debian"}, "minimum"),
        ("os_minimum", {"minimum": ""}, "minimum"),
        ("screen_lock", {"kinds": ["toaster"]}, "kinds"),
    ],
)
def test_a_wrong_parameter_is_refused_by_its_name(rule: str, given_params: dict[str, object], place: str) -> None:
    with pytest.raises(InvalidError) as refused:
        rules.checked(rules.rule(rule), given_params)
    assert list(refused.value.fields) == [place]


def test_numbers_may_come_as_text_as_from_a_form() -> None:
    assert rules.checked(rules.rule("last_seen"), {"days": "30"}) == {"days": 30, "kinds": []}


def test_a_device_without_a_kiosk_s_session_or_printer_or_sensor_is_not_asked_for_one() -> None:
    plain = laptop(facts={name: said for name, said in GOOD.items() if name != "kiosk"})
    assert {one(rule, plain)[0] for rule in KIOSK_RULES} == {State.NOT_FOR_IT}
    assert one("kiosk_paper", kiosk(printer=None))[0] is State.NOT_FOR_IT
    assert one("kiosk_printer", kiosk(printer=None))[0] is State.NOT_FOR_IT
    assert one("kiosk_warmth", kiosk(temperature_c=None))[0] is State.NOT_FOR_IT


def test_a_browser_that_was_given_up_is_found_and_one_that_is_started_anew_is_not() -> None:
    at = "2026-11-20T10:00:00Z"
    assert one("kiosk_browser", kiosk(browser="stopped", gave_up_at=at)) == (
        State.FINDING,
        {"state": "stopped", "gave_up_at": at},
    )
    assert one("kiosk_browser", kiosk(browser="silent"))[0] is State.OK
    assert one("kiosk_browser", kiosk(browser="running", gave_up_at=at))[0] is State.OK
    assert one("kiosk_browser", kiosk(browser="off", gave_up_at=at))[0] is State.OK
    assert one("kiosk_browser", kiosk(browser=None))[0] is State.UNKNOWN


def test_paper_that_is_gone_is_found_and_low_is_not() -> None:
    assert one("kiosk_paper", printing(paper="empty"))[0] is State.FINDING
    assert one("kiosk_paper", printing(paper="low"))[0] is State.OK
    assert one("kiosk_paper", printing(paper="unknown"))[0] is State.UNKNOWN
    assert one("kiosk_paper", printing(paper=["ok"]))[0] is State.UNKNOWN


def test_a_printer_that_stopped_or_does_not_answer_is_found_with_its_reason() -> None:
    assert one("kiosk_printer", printing(state="stopped", reasons=["media-jam"]))[1]["problem"] == "media-jam"
    assert one("kiosk_printer", printing(state="unreachable"))[1]["problem"] == "unreachable"
    assert one("kiosk_printer", printing(state="unknown"))[0] is State.UNKNOWN


def test_a_kiosk_is_too_hot_from_the_degrees_on_that_the_rule_says() -> None:
    assert one("kiosk_warmth", kiosk(temperature_c=85))[1] == {"degrees": 85, "limit": 85}
    assert one("kiosk_warmth", kiosk(temperature_c=80))[0] is State.OK
    assert one("kiosk_warmth", kiosk(temperature_c=60), degrees=55)[0] is State.FINDING


def test_a_disk_without_room_is_found_on_a_kiosk_and_by_name() -> None:
    def disks(*rows: object) -> Subject:
        return laptop(kind="kiosk", facts=fact("disks", filesystems=list(rows)))

    full = {"mount": "/var", "size_mb": 10_240, "free_mb": 0}
    half = {"mount": "/", "size_mb": 10_240, "free_mb": 5_120}
    assert one("disk_room", disks(half, full)) == (State.FINDING, {"names": ["/var"], "count": 1, "percent": 5})
    assert one("disk_room", disks(half))[0] is State.OK
    assert one("disk_room", disks({"mount": "/", "size_mb": None, "free_mb": None}))[0] is State.UNKNOWN
    assert one("disk_room", laptop(facts=fact("disks", filesystems=[full])))[0] is State.NOT_FOR_IT


def test_a_rule_says_of_which_platforms_it_says_something() -> None:
    assert rules.RULES["os_minimum"].judged_on("") == ()
    assert rules.RULES["os_minimum"].judged_on("ios") == ("ios",)
    assert rules.RULES["firewall"].judged_on("") == ("linux",)
