"""The catalogue: complete, in three languages, and strict about what it is given."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.policies import catalogue, templates
from mdm.policies.catalogue.keys import version_of
from mdm.policies.catalogue.load import CatalogueError, load_folder

WIFI = {"ssid": "stad", "security": "wpa2", "passphrase": "geheim-geheim"}
BROKEN = """
[category]
key = "x"
order = 1
label = { nl = "x", fr = "x", en = "x" }
help = { nl = "x", fr = "x", en = "x" }
[[setting]]
key = "x.y"
type = "bool"
merge = "%s"
label = { nl = "x", fr = "x" %s }
help = { nl = "x", fr = "x", en = "x" }
platforms = { linux = {} }
"""


def test_there_are_settings_enough_and_every_one_speaks_three_languages() -> None:
    assert len(catalogue.known()) >= 45
    for language in ("nl", "fr", "en"):
        for category in catalogue.form(language):
            assert category["label"]
            for setting in category["settings"]:
                assert setting["label"]
                assert setting["help"]
                assert setting["merge_text"]
    assert catalogue.label("restrictions.camera", "nl") != catalogue.label("restrictions.camera", "fr")


@pytest.mark.parametrize(("merge", "english"), [("union", ', en = "x"'), ("true_wins", "")])
def test_a_catalogue_with_a_mistake_is_refused_when_it_is_loaded(tmp_path: Path, merge: str, english: str) -> None:
    (tmp_path / "bad.toml").write_text(BROKEN % (merge, english))

    with pytest.raises(CatalogueError, match=r"bad\.toml"):
        load_folder(tmp_path)


def test_a_catalogue_without_the_mistake_is_taken(tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text(BROKEN % ("true_wins", ', en = "x"'))

    assert load_folder(tmp_path)[0].settings[0].key == "x.y"


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"no.such": 1}, "no.such"),
        ({"passcode.min_length": 3}, "passcode.min_length"),
        ({"passcode.min_length": True}, "passcode.min_length"),
        ({"passcode.min_length": "8"}, "passcode.min_length"),
        ({"restrictions.camera": 1}, "restrictions.camera"),
        ({"passcode.complexity": "hard"}, "passcode.complexity"),
        ({"wifi.networks": [WIFI, {**WIFI, "ssid": "x" * 33}]}, "wifi.networks[1].ssid"),
        ({"wifi.networks": [WIFI, WIFI]}, "wifi.networks[1].ssid"),
        ({"wifi.networks": [{**WIFI, "passphrase": "short"}]}, "wifi.networks[0].passphrase"),
        ({"wifi.networks": [{**WIFI, "security": "open"}]}, "wifi.networks[0].passphrase"),
        ({"wifi.networks": [{**WIFI, "security": "peap", "identity": "kiosk"}]}, "wifi.networks[0].domain"),
        ({"wifi.networks": [{**WIFI, "pasphrase": "x"}]}, "wifi.networks[0].pasphrase"),
        ({"wifi.networks": [{**WIFI, "passphrase": catalogue.MASK}]}, "wifi.networks[0].passphrase"),
        ({"wifi.networks": WIFI}, "wifi.networks"),
        ({"apps.required": ["chromium", "a b"]}, "apps.required[1]"),
        ({"apps.required": ["libreoffice-*"]}, "apps.required[0]"),
        ({"apps.required": ["chromium", "chromium"]}, "apps.required[1]"),
        ({"apps.required": []}, "apps.required"),
        ({"apps.required": ["a"] * 501}, "apps.required"),
        ({"browser.home_page": "javascript:alert(1)"}, "browser.home_page"),
        ({"browser.home_page": "https://user:pw@stad.be"}, "browser.home_page"),
        ({"browser.home_page": "https://stad.be/\nx"}, "browser.home_page"),
        ({"browser.home_page": "file:///etc/passwd"}, "browser.home_page"),
        ({"lock_screen.message": "a\x1b[2Jb"}, "lock_screen.message"),
        ({"lock_screen.message": "a\u202eb"}, "lock_screen.message"),
        ({"time.zone": "Europe/Antwerp"}, "time.zone"),
        ({"updates.window": {"days": ["mon"], "from": "22:00", "to": "25:00"}}, "updates.window.to"),
        (
            {"certificates.authorities": [{"name": "x", "certificate": "nope"}]},
            "certificates.authorities[0].certificate",
        ),
        ({"dns.servers": ["10.0.0.1", "10.0.0.256"]}, "dns.servers[1]"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(settings: dict[str, Any], place: str) -> None:
    assert list(catalogue.validate(settings)) == [place]


def test_a_refusal_speaks_the_language_of_the_reader() -> None:
    assert "geheel getal van 4 tot 64" in catalogue.validate({"passcode.min_length": 1}, "nl")["passcode.min_length"]


def test_what_is_right_is_kept_and_cleaned() -> None:
    checked = catalogue.check(
        {
            "wifi.networks": [WIFI],
            "apps.allowed": ["libreoffice-calc", "linux:chromium"],
            "browser.home_page": " https://stad.be/ ",
            "browser.url_block": ["*", "https://stad.be:8443/pad?x=1", ".stad.be"],
            "lock_screen.message": "Van de stad\r\nBel 03 22 11 333",
            "updates.window": {"days": ["sun", "mon"], "from": "22:00", "to": "05:00"},
        }
    )

    assert checked.errors == {}
    assert checked.settings["browser.home_page"] == "https://stad.be/"
    assert checked.settings["lock_screen.message"] == "Van de stad\nBel 03 22 11 333"
    assert checked.settings["updates.window"]["days"] == ["mon", "sun"]


def test_a_secret_is_masked_where_it_is_read_and_kept_when_the_mask_comes_back() -> None:
    masked = catalogue.mask({"wifi.networks": [WIFI]})
    assert "geheim" not in str(masked)

    again = catalogue.keep_secrets(masked, {"wifi.networks": [WIFI]})
    stranger = catalogue.keep_secrets({"wifi.networks": [{**masked["wifi.networks"][0], "ssid": "other"}]}, {})

    assert again == {"wifi.networks": [WIFI]}
    assert catalogue.validate(again) == {}
    assert "wifi.networks[0].passphrase" in catalogue.validate(stranger)


@given(
    st.dictionaries(
        st.sampled_from(sorted(catalogue.known())) | st.text(max_size=20),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.floats(),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
            max_leaves=12,
        ),
        max_size=5,
    )
)
def test_nothing_that_a_stranger_sends_breaks_the_check(settings: dict[str, Any]) -> None:
    checked = catalogue.check(catalogue.keep_secrets(settings, {}))

    assert catalogue.validate(checked.settings) == {}
    assert set(checked.settings) <= set(catalogue.known())


def test_a_form_field_is_read_as_the_type_of_its_setting() -> None:
    assert catalogue.from_form("passcode.min_length", " 12 ") == 12
    assert catalogue.from_form("passcode.min_length", "twelve") == "twelve"
    assert catalogue.from_form("restrictions.camera", "off") is False
    assert catalogue.from_form("apps.required", "a\n\n b \r\n") == ["a", "b"]


def test_values_are_shown_in_words() -> None:
    assert catalogue.show("passcode.min_length", 12, "nl") == "12 tekens"
    assert catalogue.show("restrictions.camera", False, "fr") == "Non"
    assert catalogue.show("power.lid", "lock", "en") == "Lock"
    assert catalogue.show("wifi.networks", [WIFI], "en") == "stad"


@pytest.mark.parametrize(
    ("text", "version"), [("12", (12,)), ("12.0", (12,)), ("12.4rc1", (12, 4)), ("sid", ()), ("", ())]
)
def test_versions_are_compared_as_numbers(text: str, version: tuple[int, ...]) -> None:
    assert version_of(text) == version


def test_every_template_is_something_that_the_catalogue_takes_and_its_chapter_is_there() -> None:
    chapters = {category.key for category in catalogue.categories()}
    for key, one in templates.known().items():
        assert key == one.key
        assert one.settings
        assert catalogue.validate(dict(one.settings)) == {}
        assert one.chapter in chapters
