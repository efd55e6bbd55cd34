"""What a change would do, before it is saved."""

from typing import Any

import pytest
from sqlalchemy import event, func, select

from mdm.core.errors import DeniedError, InvalidError
from mdm.inventory.model import Application, AppSet, AppSetItem, Device
from mdm.outbox.model import OutboxMessage
from mdm.policies import assigning, queries, service
from mdm.policies.effect import effect
from mdm.policies.model import PolicyVersion
from mdm.storage.call import Call
from tests.conftest import NOW, Calling
from tests.policies import fleet
from tests.policies.test_service import CLERK


def installed(call: Call, name: str, *devices: Device) -> None:
    application = Application(platform="linux", identifier=name, name=name)
    app_set = AppSet(digest=name, size=1)
    call.session.add_all([application, app_set])
    call.session.flush()
    call.session.add(AppSetItem(app_set_id=app_set.id, application_id=application.id, version="1"))
    for one in devices:
        one.app_set_id = app_set.id
    call.session.flush()


def test_an_edit_says_how_many_devices_gain_change_and_lose_what_and_which_and_saves_nothing(calling: Calling) -> None:
    with calling() as call:
        policy = service.create(call, "All", settings={"passcode.min_length": 8, "restrictions.camera": False})
        assigning.assign(call, policy.id, include=["persona:unit"])
        for name in "abc":
            fleet.device(call, name, persona="unit")
        fleet.device(call, "d")
        before = [
            call.session.scalar(select(func.count()).select_from(table)) for table in (PolicyVersion, OutboxMessage)
        ]

        told = effect(call, policy.id, {"passcode.min_length": 10, "screen_lock.timeout": 60})

        assert (told.devices, told.gain, told.change, told.lose) == (3, 3, 3, 3)
        assert [(one.key, one.gain, one.change, one.lose) for one in told.keys] == [
            ("passcode.min_length", 0, 3, 0),
            ("screen_lock.timeout", 3, 0, 0),
            ("restrictions.camera", 0, 0, 3),
        ]
        assert told.keys[0].values == {("8 characters", "10 characters"): 3}
        assert [one.label for one in told.listed] == ["a", "b", "c"]
        assert told.more == 0
        assert [one.code for one in told.warnings] == ["passcode"]
        after = [
            call.session.scalar(select(func.count()).select_from(table)) for table in (PolicyVersion, OutboxMessage)
        ]
        assert after == before


def test_an_edit_that_a_stricter_policy_overrules_changes_nobody(calling: Calling) -> None:
    with calling() as call:
        policy = service.create(call, "All", settings={"passcode.min_length": 8})
        strict = service.create(call, "Strict", settings={"passcode.min_length": 20})
        assigning.assign(call, policy.id, include=["all"])
        assigning.assign(call, strict.id, include=["all"])
        fleet.device(call, "a")

        told = effect(call, policy.id, {"passcode.min_length": 12})

        assert (told.devices, told.reached_after, told.warnings) == (0, 1, ())


def test_new_assignments_say_who_gains_and_who_loses_and_groups_count_too(calling: Calling) -> None:
    with calling() as call:
        city = fleet.build(call)
        policy = service.create(call, "All", settings={"passcode.min_length": 8})
        made = assigning.assign(call, policy.id, include=["service_point:WERKHAVEN"])
        gone = fleet.device(call, "gone", service_point_id=city["werkhaven"])
        kept = fleet.device(call, "kept", service_point_id=city["werkhaven"])
        new = fleet.device(call, "new", service_point_id=city["nova"])
        fleet.join(call, city["kiosks"], gone)

        told = effect(
            call,
            policy.id,
            None,
            [
                {
                    "id": made.id,
                    "include": ["service_point:WERKHAVEN", "service_point:NOVA"],
                    "exclude": ["group:Kiosks"],
                }
            ],
        )

        assert (told.gain, told.lose, told.change) == (1, 1, 0)
        assert {one.label for one in told.listed} == {new.label, gone.label}
        assert kept.label not in {one.label for one in told.listed}
        assert (told.reached_before, told.reached_after) == (2, 2)


def test_the_effect_of_a_new_policy_and_of_archiving_one(calling: Calling) -> None:
    with calling() as call:
        fleet.device(call, "a")
        fresh = effect(call, None, {"restrictions.camera": False}, [{"include": ["all"]}])
        policy = service.create(call, "All", settings={"restrictions.camera": False})
        assigning.assign(call, policy.id, include=["all"])

        gone = effect(call, policy.id, archived=True)

        assert (fresh.gain, fresh.lose) == (1, 0)
        assert (gone.gain, gone.lose) == (0, 1)


def test_what_uninstalls_disconnects_or_touches_private_devices_is_said_first(calling: Calling) -> None:
    with calling() as call:
        network = {"ssid": "stad", "security": "open"}
        policy = service.create(call, "All", settings={"wifi.networks": [network]})
        assigning.assign(call, policy.id, include=["all"])
        one, two = fleet.device(call, "a"), fleet.device(call, "b", ownership="private")
        fleet.device(call, "c")
        installed(call, "steam", one, two)

        told = effect(call, policy.id, {"apps.blocked": ["steam", "minetest"], "apps.required": ["steam"]})

        assert [(warning.code, warning.devices) for warning in told.warnings] == [
            ("uninstall", 2),
            ("network_lost", 3),
            ("private", 1),
        ]
        assert "steam" in told.warnings[0].text
        assert [(severity, count) for severity, _text, count in told.conflicts] == [("error", 3)]


def test_wrong_values_and_strangers_are_refused(calling: Calling) -> None:
    with calling() as call:
        policy = service.create(call, "All")
        with pytest.raises(InvalidError) as refused:
            effect(call, policy.id, {"passcode.min_length": 1})
        assert set(refused.value.fields) == {"passcode.min_length"}
        with pytest.raises(InvalidError) as scope:
            effect(call, policy.id, {}, [{"include": ["unit:NOPE"]}])
        assert set(scope.value.fields) == {"assignments[0].include[0]"}
        with pytest.raises(DeniedError):
            effect(call.by(CLERK), policy.id, {})


def test_ten_thousand_devices_are_counted_in_a_few_statements_and_fifty_are_named(calling: Calling) -> None:
    with calling() as call:
        city = fleet.build(call)
        policy = service.create(call, "All", settings={"passcode.min_length": 8})
        assigning.assign(call, policy.id, include=["unit:SB"])
        rows: list[dict[str, Any]] = [
            {
                "uid": f"{n:032x}",
                "name": f"d{n}",
                "platform": "linux",
                "kind": "laptop",
                "ring": f"r{n % 40}",
                "unit_id": city["veeg"],
                "created_at": NOW,
            }
            for n in range(10_000)
        ]
        call.session.bulk_insert_mappings(Device.__mapper__, rows)
        statements: list[str] = []
        event.listen(call.session.get_bind(), "before_cursor_execute", lambda *args: statements.append(args[2]))

        told = effect(call, policy.id, {"passcode.min_length": 9})

        assert len(statements) < 20
        assert (told.devices, len(told.listed), told.more) == (10_000, 50, 9_950)


def test_the_list_of_policies_counts_devices_and_the_difference_is_readable(calling: Calling) -> None:
    with calling() as call:
        secret = {"ssid": "stad", "security": "wpa2", "passphrase": "geheim-geheim"}
        policy = service.create(call, "All", settings={"wifi.networks": [secret], "passcode.min_length": 8})
        assigning.assign(call, policy.id, include=["all"])
        fleet.device(call, "a")
        service.place_all(call)
        other = {**secret, "passphrase": "ander-geheim"}
        service.save(call, policy.id, expected=1, settings={"wifi.networks": [other], "passcode.min_length": 10})

        line = queries.policies(call)[0]
        changes = queries.changes(call, policy.id, 1, 2)

        assert (line.policy.name, line.devices, line.assignments, line.author) == ("All", 1, 1, "Mo Admin")
        assert [(one.label, one.before, one.after) for one in changes] == [
            ("Minimum length", "8 characters", "10 characters"),
            ("Wireless networks", "stad", "stad"),
        ]
        assert changes[1].other == ("stad",)
        assert "geheim" not in str(changes) + str(queries.version(call, policy.id))
        assert queries.policies(call, words="nothing") == []
        with pytest.raises(DeniedError):
            queries.policies(call.by(CLERK))


def test_a_changed_payload_changes_devices_too(calling: Calling) -> None:
    with calling() as call:
        policy = service.create(call, "All", settings={"passcode.min_length": 8})
        assigning.assign(call, policy.id, include=["all"])
        fleet.device(call, "a")
        payload = {
            "platform": "linux",
            "name": "x",
            "content": {"kind": "chromium", "content": {"PrintingEnabled": False}},
        }

        told = effect(call, policy.id, raw_payloads=[payload])

        assert (told.devices, told.change, told.payload_devices, told.keys) == (1, 1, 1, ())
        with pytest.raises(InvalidError):
            effect(call, policy.id, raw_payloads=[{"platform": "linux"}])
