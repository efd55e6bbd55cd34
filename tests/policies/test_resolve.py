"""Adding policies up: the same sum in whatever order, with a reason for every word."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdm.policies import catalogue
from mdm.policies.conflicts import conflicts
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


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"apps.required": ["a", "b"], "apps.blocked": ["b"]}, "app_required_and_blocked"),
        ({"apps.required": ["a"], "apps.allow_only": True, "apps.allowed": ["b"]}, "required_app_not_allowed"),
        ({"apps.required": ["cheese"], "restrictions.camera": False}, "app_needs_camera"),
        ({"kiosk.url": "https://a.be/x", "browser.url_block": ["*"]}, "kiosk_url_blocked"),
        ({"browser.home_page": "https://a.be/", "browser.url_block": ["a.be"]}, "home_page_blocked"),
        ({"kiosk.url": "https://a.be/", "encryption.required": True}, "kiosk_encrypted"),
        ({"proxy.mode": "manual"}, "proxy_without_server"),
        ({"ssh.enabled": True, "firewall.enabled": True}, "ssh_behind_firewall"),
    ],
)
def test_settings_that_contradict_each_other_are_found(values: dict[str, Any], code: str) -> None:
    assert code in [one.code for one in conflicts(linux(policy(1, values)))]


@pytest.mark.parametrize(
    "values",
    [
        {"apps.required": ["a"], "apps.blocked": ["b"]},
        {"apps.required": ["a"], "apps.allow_only": True, "apps.available": ["a"]},
        {"apps.required": ["cheese"], "restrictions.camera": True},
        {"kiosk.url": "https://x.a.be/p", "browser.url_block": ["*"], "browser.url_allow": ["a.be"]},
        {"proxy.mode": "manual", "proxy.server": "proxy.stad.be:8080"},
        {
            "ssh.enabled": True,
            "firewall.enabled": True,
            "firewall.allow_in": [{"name": "ssh", "protocol": "tcp", "port": 22}],
        },
    ],
)
def test_settings_that_go_together_raise_no_alarm(values: dict[str, Any]) -> None:
    assert conflicts(linux(policy(1, values))) == ()


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
