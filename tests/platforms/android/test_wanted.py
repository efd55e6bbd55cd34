"""What a phone shall be, read from the catalogue, is the same however it travelled."""

import hashlib
import json

import pytest

from mdm.platforms.android.headwind import config, raw, wire
from mdm.platforms.android.interpreter import AndroidInterpreter, fault
from mdm.platforms.android.wanted import SUPPORTED, Passcode, Raw, read, resources, wanted
from mdm.policies import catalogue

SETTINGS = {
    "passcode.required": True,
    "passcode.min_length": 8,
    "restrictions.camera": False,
    "restrictions.bluetooth": True,
    "apps.required": ["org.example.forms"],
    "apps.settings": [{"item": "org.example.forms/server", "value": "https://forms.example"}],
    "apps.permissions": [{"app": "org.example.forms", "answer": "grant"}],
    "updates.window": {"days": ["mon"], "from": "22:30", "to": "05:00"},
}


def test_every_key_of_the_catalogue_for_android_is_read_and_no_other() -> None:
    known = {key for key, setting in catalogue.known().items() if "android" in setting.platforms}
    assert known == SUPPORTED


def test_what_was_kept_as_resources_reads_like_the_settings_it_came_from() -> None:
    kept = json.loads(json.dumps(resources(SETTINGS)))
    assert wanted(kept) == read(SETTINGS)
    assert {one["id"] for one in kept} == set(SETTINGS)


def test_what_nothing_was_said_about_stays_as_it_is() -> None:
    assert read({}).passcode is None
    assert read({}).screen.lock is None
    assert not read({}).kiosk.on


def test_words_of_the_catalogue_become_words_of_phones() -> None:
    found = read(SETTINGS)
    assert found.passcode == Passcode(required=True, min_length=8)
    assert found.forbidden == frozenset({"camera"})
    assert found.permitted == frozenset({"bluetooth"})
    assert [(one.app, one.name) for one in found.apps.settings] == [("org.example.forms", "server")]
    assert found.updates.window is not None
    assert found.updates.window.minutes == (22 * 60 + 30, 5 * 60)


def test_what_the_free_agent_cannot_do_is_said_before_saving_and_what_it_can_is_not() -> None:
    interpreter = AndroidInterpreter()
    said = interpreter.foresee(interpreter.render({"proxy.mode": "direct", "restrictions.bluetooth": False}, ()))
    mine = [one for one in said if one.code == "headwind_cannot"]
    assert [one.keys for one in mine] == [("proxy.mode",)]
    assert "sets no proxy" in mine[0].sentence % mine[0].params


def test_a_raw_part_of_no_way_is_refused() -> None:
    assert fault({"kind": "firmware", "content": {}})
    assert fault("text")


EVERYTHING = {
    **SETTINGS,
    "apps.blocked": ["com.example.game"],
    "apps.at_boot": ["org.example.forms"],
    "apps.allowed": ["com.hmdm.launcher"],
    "apps.settings": [{"item": "org.example.forms/newServerUrl", "value": "runCommand", "kind": "text"}],
    "kiosk.app": "org.example.forms",
    "lock_screen.message": "intent",
    "updates.auto": "all",
    "web_links.links": [{"name": "intent", "url": "https://example.org/"}],
    "time.zone": "Europe/Brussels",
}
KNOWN = {
    "appPermissions", "applicationSettings", "applications", "backgroundColor", "bluetooth", "disableScreenshots",
    "displayStatus", "factoryReset", "files", "iconSize", "keepaliveTime", "kioskMode", "lock", "lockMessage",
    "manageTimeout", "orientation", "password", "passwordMode", "passwordReset", "pushOptions", "reboot", "requestUpdates",
    "restrictions", "systemUpdateFrom", "systemUpdateTo", "systemUpdateType", "textColor", "timeZone", "timeout", "title",
    "usbStorage",
}  # fmt: skip
"""Every key that a configuration may have: whatever is new here is looked at by somebody first."""


def _keys(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for one in value.values() for key in _keys(one)}
    return {key for one in value for key in _keys(one)} if isinstance(value, list) else set()


def test_what_the_agent_would_do_for_whoever_speaks_for_a_server_is_never_said() -> None:
    evil = Raw("evil", "headwind", {"newServerUrl": "https://evil", "runCommand": "sh", "intent": "x", "mqtt": 1})
    shelf = config.Shelf({wire.AGENT: config.Package("Agent", wire.AGENT, "6.36", 1, "https://x/agent.apk")})
    once = config.Once(wipe=True, restart=True, lock_message="x", passcode="1234")
    for settings in ({}, EVERYTHING, *({key: value} for key, value in EVERYTHING.items())):
        made = config.configuration(read(settings, [evil]), shelf, config.About("City", "A" * 32, 1), once)
        assert set(made) <= KNOWN
        assert not _keys(made) & wire.NEVER
        assert {one["type"] for one in made["applications"]} <= {"app", "web"}
        assert made["pushOptions"] == "polling"
    assert wire.message() == {"messageType": "configUpdated", "payload": None}
    for name in sorted(wire.NEVER):
        assert raw.fault({name: "x"}), name


def test_a_raw_part_for_the_agent_places_only_what_was_uploaded_and_nowhere_else() -> None:
    good = {"path": "/Pictures/wall.png", "digest": "0" * 64}
    assert raw.fault({"files": [good], "iconSize": "LARGE", "textColor": "#ffffff"}) == ""
    for wrong in (
        {"path": "/../../data/data/x", "digest": "0" * 64},
        {"path": "relative", "digest": "0" * 64},
        {"path": "/x", "digest": "short"},
        {"path": "/x", "digest": "0" * 64, "url": "https://evil"},
        {"path": "/x\u0000", "digest": "0" * 64},
    ):
        assert raw.fault({"files": [wrong]}), wrong
    assert raw.fault({"iconSize": "HUGE"})
    assert raw.fault({"orientation": True})


@pytest.mark.parametrize(
    ("wanted_", "mode"),
    [
        (None, ""),
        (Passcode(), ""),
        (Passcode(required=True), "present"),
        (Passcode(required=True, min_length=4), "present"),
        (Passcode(min_length=6), "easy"),
        (Passcode(min_length=8), "moderate"),
        (Passcode(complexity="letters_digits"), "moderate"),
        (Passcode(min_length=4, complexity="mixed"), "strong"),
        (Passcode(min_length=12), "strong"),
    ],
)
def test_the_kind_of_passcode_is_never_weaker_than_what_is_asked(wanted_: Passcode | None, mode: str) -> None:
    assert config.mode(wanted_) == mode


def test_a_message_is_signed_over_its_own_characters_without_spaces() -> None:
    body, signed = wire.envelope(wire.SECRET, {"a": "b c"})
    assert body == b'{"status":"OK","message":null,"data":{"a":"b c"}}'
    assert signed == hashlib.sha1(b'changeme-C3z9vi54{"a":"bc"}').hexdigest().upper()
