"""What a phone shall be, read from the catalogue, is the same however it travelled."""

import json

from mdm.platforms.android.interpreter import AndroidInterpreter, fault
from mdm.platforms.android.wanted import SUPPORTED, Passcode, read, resources, wanted
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
