"""The judgement: what is good, what is not, and what is not known, rule by rule."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.compliance import rules
from mdm.compliance.evaluate import CHECKS, InForce, State, Subject, evaluate, verdict
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


def test_every_rule_has_a_check_and_every_check_a_rule() -> None:
    assert CHECKS.keys() == rules.RULES.keys()


@pytest.mark.parametrize("rule", rules.RULES)
def test_a_laptop_that_is_in_order_meets_every_rule(rule: str) -> None:
    assert one(rule, laptop())[0] is State.OK


@pytest.mark.parametrize("rule", rules.RULES)
def test_no_rule_is_for_a_device_that_is_not_enrolled_or_retired(rule: str) -> None:
    assert one(rule, laptop(enrolled=False))[0] is State.NOT_FOR_IT
    assert one(rule, laptop(state="retired"))[0] is State.NOT_FOR_IT


SILENT = laptop(
    facts={}, installed=None, os_version="", last_seen_at=None,
    settings={"apps.allow_only": True, "apps.blocked": ["x"], "apps.required": ["y"]},
)  # fmt: skip


@pytest.mark.parametrize("rule", sorted(rules.RULES.keys() - {"desired_applied"}))
def test_what_was_never_said_is_unknown_and_not_good(rule: str) -> None:
    assert one(rule, SILENT)[0] is State.UNKNOWN


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
]  # fmt: skip


@pytest.mark.parametrize(("rule", "subject", "details"), BAD)
def test_what_is_wrong_is_a_finding_that_says_what(rule: str, subject: Subject, details: dict[str, Any]) -> None:
    assert one(rule, subject) == (State.FINDING, details)


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
    evaluate(subject, [InForce(n, rule, "", {}, 0) for n, rule in enumerate(rules.RULES)], NOW)


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
