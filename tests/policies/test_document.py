"""Policies as files."""

import json
from typing import Any

import pytest
from sqlalchemy import func, select

from mdm.core.errors import InvalidError, TooLargeError
from mdm.outbox.model import OutboxMessage
from mdm.policies import queries
from mdm.policies.document import apply_document, as_document, parse_document
from mdm.policies.model import Assignment, Policy, PolicyVersion
from mdm.storage.call import Call
from tests.conftest import Calling
from tests.policies import fleet

FILE = b"""
name = "Zuilen"
description = "Openbare zuilen"
note = "Eerste versie"

[settings]
kiosk.url = "https://zuil.stad.be/"
"passcode.min_length" = 8

[settings.restrictions]
usb_storage = false

[[assignments]]
include = ["service_point:WERKHAVEN", "group:Kiosks"]
exclude = ["ring:pilot"]
priority = 50
"""


def counts(call: Call) -> list[int]:
    call.session.flush()
    return [
        call.session.scalar(select(func.count()).select_from(table)) or 0
        for table in (Policy, PolicyVersion, Assignment, OutboxMessage)
    ]


def test_a_document_makes_a_policy_and_the_same_document_again_makes_nothing(calling: Calling) -> None:
    with calling() as call:
        fleet.build(call)
        first = apply_document(call, parse_document(FILE))
        before = counts(call)

        second = apply_document(call, parse_document(FILE))

        assert (first.done, first.version) == (["created", "assigned"], 1)
        assert (second.done, second.version, second.changed) == ([], 1, False)
        assert counts(call) == before
        view = queries.version(call, first.policy_id)
        assert view.settings == {
            "kiosk.url": "https://zuil.stad.be/",
            "passcode.min_length": 8,
            "restrictions.usb_storage": False,
        }
        line = queries.assignments(call, first.policy_id)[0]
        assert line.include == ("service_point:WERKHAVEN", "group:Kiosks")
        assert line.include_names == ("Werkhaven", "Kiosks")


def test_a_changed_document_changes_only_what_differs(calling: Calling) -> None:
    with calling() as call:
        fleet.build(call)
        applied = apply_document(call, parse_document(FILE))

        changed = parse_document(FILE.replace(b"priority = 50", b"priority = 60").replace(b"= 8", b"= 10"))
        assert apply_document(call, changed).done == ["saved", "reassigned"]
        assert apply_document(call, {"name": "Zuilen"}).done == []
        assert apply_document(call, {"name": "Zuilen", "assignments": []}).done == ["unassigned"]

        assert queries.assignments(call, applied.policy_id) == []
        assert [one.number for one in queries.versions(call, applied.policy_id)] == [2, 1]


def test_what_is_exported_can_be_applied_again_without_change(calling: Calling) -> None:
    with calling() as call:
        fleet.build(call)
        secret = {"wifi.networks": [{"ssid": "stad", "security": "wpa2", "passphrase": "geheim-geheim"}]}
        payload = {
            "platform": "linux",
            "name": "x",
            "content": {"kind": "chromium", "content": {"PrintingEnabled": False}},
        }
        document = {
            "name": "Alles",
            "settings": secret,
            "payloads": [payload],
            "assignments": [{"include": ["all"], "exclude": ["unit:VEEG"]}],
        }
        applied = apply_document(call, document)

        exported = as_document(call, applied.policy_id)

        assert "geheim" not in json.dumps(exported)
        assert apply_document(call, exported).done == []


@pytest.mark.parametrize(
    ("document", "places"),
    [
        ({"settings": {}}, {"name"}),
        ({"name": "x", "colour": 1}, {"colour"}),
        ({"name": "x", "settings": []}, {"settings"}),
        ({"name": "x", "settings": {"passcode": {"min_length": 1}}}, {"passcode.min_length"}),
        (
            {"name": "x", "assignments": [{"include": ["all"]}, {"include": ["unit:NOPE"]}]},
            {"assignments[1].include[0]"},
        ),
        ({"name": "x", "assignments": [{"include": ["all"]}, {"include": ["all"]}]}, {"assignments[1]"}),
        ({"name": "x", "assignments": [{"include": ["all"], "priority": 0}]}, {"assignments[0].priority"}),
        ({"name": "x", "assignments": [{"whom": ["all"]}]}, {"assignments[0]"}),
        ({"name": "x", "payloads": [{"platform": "beos", "name": "x", "content": {}}]}, {"payloads[0].platform"}),
        ({"name": "x", "payloads": 3}, {"payloads"}),
    ],
)
def test_a_wrong_document_is_refused_with_its_places_and_changes_nothing(
    calling: Calling, document: dict[str, Any], places: set[str]
) -> None:
    with calling() as call:
        before = counts(call)
        with pytest.raises(InvalidError) as refused:
            apply_document(call, document)

        assert set(refused.value.fields) == places
        assert counts(call) == before


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"name = ", b'{"name": ', b"[" * 5000, b'{"a":' * 5000])
def test_a_file_that_is_neither_toml_nor_json_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidError):
        parse_document(content)


def test_a_huge_file_is_refused_before_it_is_read() -> None:
    with pytest.raises(TooLargeError):
        parse_document(b" " * (512 * 1024 + 1))


def test_json_is_as_good_as_toml() -> None:
    assert parse_document(b'\xef\xbb\xbf{"name": "x"}') == {"name": "x"}
