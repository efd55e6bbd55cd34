"""Adding policies up: the same sum in whatever order, with a reason for every word."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdm.policies import catalogue
from mdm.policies.conflicts import conflicts, rules
from mdm.policies.resolve import Candidate, Resolved, Source, resolve


def policy(number: int, values: dict[str, Any], priority: int = 100, assignment: int | None = None) -> Candidate:
    return Candidate(Source(assignment or number, number, f"policy {number}", 1, priority), values)


def linux(*candidates: Candidate, **more: Any) -> Resolved:
    return resolve(candidates, platform="linux", **more)


VALUES = {
    "passcode.min_length": st.integers(4, 64),
    "screen_lock.timeout": st.integers(30, 3600),
    "restrictions.camera": st.booleans(),
    "encryption.required": st.booleans(),
    "browser.home_page": st.sampled_from(["https://a.be/", "https://b.be/", "https://c.be/"]),
    "apps.required": st.lists(st.sampled_from(["a", "b", "linux:c", "ios:d"]), min_size=1, unique=True),
    "ssh.allow_users": st.lists(st.sampled_from(["ann", "bob", "eve"]), min_size=1, unique=True),
    "browser.downloads": st.sampled_from(["all", "safe", "none"]),
    "updates.min_os": st.sampled_from(["11", "12", "12.4", "9"]),
    "web_links.links": st.lists(
        st.fixed_dictionaries(
            {"name": st.sampled_from(["Mia", "A-stad"]), "url": st.sampled_from(["https://x.be/", "https://y.be/"])}
        ),
        min_size=1,
        max_size=2,
        unique_by=lambda record: record["name"],
    ),
}
CANDIDATES = st.lists(
    st.tuples(
        st.fixed_dictionaries({}, optional=VALUES),
        st.sampled_from([10, 100]),
        st.integers(1, 4),
    ),
    max_size=6,
).map(
    lambda drawn: [
        policy(number if number > 4 else owner, values, priority, assignment=number)
        for number, (values, priority, owner) in enumerate(drawn, 1)
    ]
)


@given(CANDIDATES, st.randoms())
@settings(max_examples=150)
def test_the_order_in_which_policies_come_makes_no_difference(candidates: list[Candidate], chance: Any) -> None:
    shuffled = list(candidates)
    chance.shuffle(shuffled)

    assert linux(*shuffled) == linux(*candidates)
    assert conflicts(linux(*shuffled)) == conflicts(linux(*candidates))


@given(CANDIDATES)
def test_saying_everything_twice_is_saying_it_once(candidates: list[Candidate]) -> None:
    assert linux(*candidates, *candidates) == linux(*candidates)


@given(CANDIDATES)
def test_every_word_of_every_policy_is_accounted_for(candidates: list[Candidate]) -> None:
    resolved = linux(*candidates)

    for outcome in resolved.outcomes.values():
        named = [outcome.winner, *(other.source for other in (*outcome.also, *outcome.losers))]
        assert len(named) == len(set(named))
    if candidates:
        assert set(resolved.outcomes) <= {key for one in candidates for key in one.settings}


@pytest.mark.parametrize(
    ("key", "first", "second", "value", "winner", "reason"),
    [
        ("passcode.min_length", 8, 12, 12, 2, "less_strict"),
        ("screen_lock.timeout", 300, 60, 60, 2, "less_strict"),
        ("restrictions.camera", True, False, False, 2, "allows"),
        ("encryption.required", False, True, True, 2, "waives"),
        ("browser.downloads", "all", "none", "none", 2, "less_strict"),
        ("updates.min_os", "9", "12.4", "12.4", 2, "less_strict"),
        ("browser.home_page", "https://a.be/", "https://b.be/", "https://a.be/", 1, "rank"),
        ("passcode.min_length", 12, 12, 12, 1, "same"),
        ("apps.required", ["a"], ["b", "ios:z"], ["a", "b"], 1, "merged"),
        ("ssh.allow_users", ["ann", "bob"], ["bob"], ["bob"], 1, "same"),
    ],
)
def test_each_merge_rule_names_winner_and_reason(
    key: str, first: Any, second: Any, value: Any, winner: int, reason: str
) -> None:
    outcome = linux(policy(1, {key: first}, 10), policy(2, {key: second}, 20)).outcomes[key]

    assert outcome.value == value
    assert outcome.winner.policy_id == winner
    assert [other.why.reason for other in (*outcome.also, *outcome.losers)] == [reason]


def test_records_are_put_together_by_name_and_the_lower_rank_wins_a_name() -> None:
    key = "web_links.links"
    ours = {"name": "Mia", "url": "https://mia.be/"}
    outcome = linux(
        policy(2, {key: [{"name": "Mia", "url": "https://old.be/"}, {"name": "B", "url": "https://b.be/"}]}, 20),
        policy(1, {key: [ours]}, 10),
    ).outcomes[key]

    assert outcome.value == [ours, {"name": "B", "url": "https://b.be/"}]
    assert outcome.losers[0].why.items == ("Mia",)
    assert outcome.clash == ""


def test_policies_of_one_rank_that_contradict_each_other_are_shown_and_the_oldest_assignment_wins() -> None:
    resolved = linux(
        policy(2, {"browser.home_page": "https://b.be/"}), policy(1, {"browser.home_page": "https://a.be/"})
    )

    found = conflicts(resolved)

    assert resolved.settings["browser.home_page"] == "https://a.be/"
    assert [(one.code, one.keys) for one in found] == [("tie", ("browser.home_page",))]
    assert "https://a.be/" in found[0].say("nl")


def test_what_a_platform_cannot_do_is_listed_with_the_reason_and_left_out() -> None:
    everywhere = policy(1, {"restrictions.factory_reset": False, "lock_screen.message": "Stad", "passcode.history": 5})

    assert [one.reason for one in linux(everywhere).unsupported] == ["platform", "platform"]
    old = resolve([everywhere], platform="ios", os_version=(9,), supervised=True)
    assert [(one.key, one.reason, one.min) for one in old.unsupported] == [("lock_screen.message", "version", "9.3")]
    free = resolve([everywhere], platform="ios", os_version=(17,))
    assert {(one.key, one.reason) for one in free.unsupported} == {
        ("lock_screen.message", "supervised"),
        ("restrictions.factory_reset", "supervised"),
    }
    assert set(free.outcomes) == {"passcode.history"}


PRINTERS = [{"name": "Balie", "uri": "ipp://printer.stad.be/ipp/print"}]
SHOWS_A_PAGE = {"kiosk.url": "https://a.be/x"}
SSH_LET_IN = [{"name": "ssh", "protocol": "tcp", "port": 22}]
ICON = [{"page": 1, "place": 1, "item": "com.example.bus"}]
TELLS = [{"app": "com.example.bus", "allowed": True}]
DAY = [{"platform": "ios", "version": "18.2", "by": "2026-12-01"}]
RULES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "app_required_and_blocked": ({"apps.required": ["a", "b"], "apps.blocked": ["b"]}, {"apps.blocked": ["c"]}),
    "app_available_and_blocked": ({"apps.available": ["a"], "apps.blocked": ["a"]}, {"apps.blocked": ["c"]}),
    "app_allowed_and_blocked": ({"apps.allowed": ["a"], "apps.blocked": ["a"]}, {"apps.blocked": ["c"]}),
    "required_app_not_allowed": (
        {"apps.required": ["a"], "apps.allow_only": True, "apps.allowed": ["b"]},
        {"apps.available": ["a"]},
    ),
    "kiosk_app_blocked": ({"kiosk.app": "a", "apps.blocked": ["a"]}, {"apps.blocked": ["c"]}),
    "kiosk_url_blocked": ({**SHOWS_A_PAGE, "browser.url_block": ["*"]}, {"browser.url_allow": ["a.be"]}),
    "home_page_blocked": (
        {"browser.home_page": "https://a.be/", "browser.url_block": ["a.be"]},
        {"browser.url_block": ["b.be"]},
    ),
    "web_link_blocked": (
        {"web_links.links": [{"name": "A", "url": "https://a.be/"}], "browser.url_block": ["a.be"]},
        {"browser.url_block": ["b.be"]},
    ),
    "bookmark_blocked": (
        {"browser.bookmarks": [{"name": "A", "url": "https://a.be/"}], "browser.url_block": ["a.be"]},
        {"browser.url_block": ["b.be"]},
    ),
    "allow_without_block": ({"browser.url_allow": ["a.be"]}, {"browser.url_block": ["*"]}),
    "app_needs_camera": ({"apps.required": ["cheese"], "restrictions.camera": False}, {"restrictions.camera": True}),
    "app_needs_microphone": (
        {"apps.required": ["mumble"], "restrictions.microphone": False},
        {"restrictions.microphone": True},
    ),
    "app_needs_bluetooth": (
        {"apps.required": ["blueman"], "restrictions.bluetooth": False},
        {"restrictions.bluetooth": True},
    ),
    "kiosk_browser_blocked": ({**SHOWS_A_PAGE, "apps.blocked": ["chromium"]}, {"apps.blocked": ["c"]}),
    "kiosk_without_page": ({"kiosk.idle_reset": 60}, {"kiosk.app": "gimp"}),
    "kiosk_browser_open": ({**SHOWS_A_PAGE, "kiosk.app": "firefox-esr"}, {"kiosk.app": "google-chrome"}),
    "printers_without_printing": (
        {"printing.printers": PRINTERS, "restrictions.printing": False},
        {"restrictions.printing": True},
    ),
    "usb_judged": ({"usb.only_allowed": True, "usb.attached": "judge"}, {"usb.attached": "keep"}),
    "usb_list_alone": ({"usb.allowed": [{"name": "x", "kind": "input"}]}, {"usb.only_allowed": True}),
    "kiosk_locks": ({**SHOWS_A_PAGE, "screen_lock.enabled": True}, {"screen_lock.enabled": False}),
    "kiosk_encrypted": ({**SHOWS_A_PAGE, "encryption.required": True}, {"encryption.required": False}),
    "kiosk_sleeps": ({**SHOWS_A_PAGE, "power.sleep_after": 600}, {"power.sleep_after": None}),
    "timeout_without_lock": (
        {"screen_lock.timeout": 300, "screen_lock.enabled": False},
        {"screen_lock.enabled": True},
    ),
    "length_without_passcode": ({"passcode.min_length": 8, "passcode.required": False}, {"passcode.required": True}),
    "deadline_without_updates": ({"updates.deadline": 7, "updates.auto": "off"}, {"updates.auto": "security"}),
    "proxy_without_server": ({"proxy.mode": "manual"}, {"proxy.server": "proxy.stad.be:8080"}),
    "proxy_without_script": ({"proxy.mode": "pac"}, {"proxy.pac_url": "https://proxy.stad.be/pac"}),
    "ssh_behind_firewall": ({"ssh.enabled": True, "firewall.enabled": True}, {"firewall.allow_in": SSH_LET_IN}),
    "ports_without_firewall": ({"firewall.allow_in": SSH_LET_IN}, {"firewall.enabled": True}),
    "kiosk_developer_tools": (
        {**SHOWS_A_PAGE, "restrictions.developer_mode": True},
        {"restrictions.developer_mode": False},
    ),
    "home_screen_app_blocked": (
        {"home_screen.icons": ICON, "apps.blocked": ["com.example.bus"]},
        {"apps.blocked": ["com.example.tram"]},
    ),
    "notifications_of_blocked": (
        {"notifications.apps": TELLS, "apps.blocked": ["com.example.bus"]},
        {"apps.blocked": ["com.example.tram"]},
    ),
    "home_screen_with_kiosk": ({"home_screen.icons": ICON, "kiosk.app": "com.example.bus"}, {"kiosk.app": None}),
    "versions_without_updates": ({"updates.versions": DAY, "updates.auto": "off"}, {"updates.auto": "security"}),
}
"""Each contradiction: settings that are one, and what changed in them makes them none."""


def found_in(values: dict[str, Any], platform: str) -> list[str]:
    """The codes of what contradicts itself in these settings; a value of None is left out."""
    given = {key: value for key, value in values.items() if value is not None}
    return [one.code for one in conflicts(resolve([policy(1, given)], platform=platform, supervised=True))]


@pytest.mark.parametrize("code", RULES)
def test_settings_that_contradict_each_other_are_found_and_those_that_go_together_are_not(code: str) -> None:
    values, mended = RULES[code]
    platform = "ios" if code.startswith(("home_screen", "notifications", "versions")) else "linux"
    assert code in found_in(values, platform)
    assert found_in({**values, **mended}, platform) == []


def test_no_rule_of_the_table_is_without_its_test() -> None:
    assert [rule.code for rule in rules()] == list(RULES)


def test_every_contradiction_can_be_said_in_every_language() -> None:
    everything = linux(policy(1, {"apps.required": ["a"], "apps.blocked": ["a"]}))

    assert {conflicts(everything)[0].say(language)[:12] for language in ("nl", "fr", "en")} == {
        "Verplicht en",
        "Obligatoire ",
        "Required and",
    }


def test_a_secret_never_stands_in_a_contradiction() -> None:
    key = "wifi.networks"
    resolved = linux(
        policy(1, {key: [{"ssid": "stad", "security": "wpa2", "passphrase": "eerste-geheim"}]}),
        policy(2, {key: [{"ssid": "stad", "security": "wpa2", "passphrase": "tweede-geheim"}]}),
    )

    assert conflicts(resolved)[0].code == "tie"
    assert "geheim" not in str(conflicts(resolved))
    assert catalogue.MASK in str(conflicts(resolved)[0].value)
