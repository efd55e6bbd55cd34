"""Desired state per cohort: computed when intent changed, rung for when it differs, explained on the device's page."""

import pytest
from sqlalchemy import event, func, select

from agent import wire
from mdm.inventory.model import Device, FactSection
from mdm.outbox.model import Bell, OutboxMessage
from mdm.platforms import service as platforms
from mdm.platforms.explain import explain
from mdm.platforms.service import INTERPRETERS
from mdm.policies import assigning, service
from mdm.policies.model import Cohort, DesiredChange
from mdm.storage.call import Call
from tests.conftest import NOW, Calling
from tests.policies import fleet


def settle(call: Call) -> None:
    """What the worker does after a change."""
    service.place_all(call)
    while platforms.prepare_stale(call):
        pass


def rings(call: Call) -> int:
    return call.session.scalar(select(func.count()).select_from(Bell).where(Bell.cohort_id.is_not(None))) or 0


def test_a_policy_reaches_the_cohort_as_resources_with_a_digest(calling: Calling) -> None:
    with calling() as call:
        policy = service.create(call, "All", settings={"browser.home_page": "https://stad.be/"})
        assigning.assign(call, policy.id, include=["all"])
        device = fleet.device(call, "a")

        settle(call)

        cohort = call.session.get_one(Cohort, device.cohort_id)
        resources = cohort.desired["resources"]
        assert cohort.desired_digest == cohort.desired["digest"] == wire.short_digest(resources)
        assert [one["id"] for one in resources] == ["browser.policy"]
        assert resources[0]["content"]["HomepageLocation"] == "https://stad.be/"
        assert call.session.scalars(select(DesiredChange.cause)).all() == ["+ All 1"]


def test_an_edit_that_changes_nothing_on_devices_rings_no_bell(calling: Calling) -> None:
    with calling() as call:
        policy = service.create(call, "All", settings={"browser.home_page": "https://stad.be/"})
        assigning.assign(call, policy.id, include=["all"])
        fleet.device(call, "a")
        settle(call)
        before = rings(call)

        service.save(
            call, policy.id, expected=1, settings={"browser.home_page": "https://stad.be/", "encryption.required": True}
        )
        assert platforms.prepare_stale(call) == 1

        assert rings(call) == before
        assert platforms.prepare_stale(call) == 0
        service.save(call, policy.id, expected=2, settings={"browser.home_page": "https://genk.be/"})
        platforms.prepare_stale(call)
        assert rings(call) == before + 1
        assert call.session.scalars(select(DesiredChange.cause).order_by(DesiredChange.id)).all()[-1] == "All 2 > 3"


def test_preparing_goes_in_small_batches_and_goes_on_by_itself(calling: Calling) -> None:
    with calling() as call:
        policy = service.create(call, "All", settings={"browser.home_page": "https://stad.be/"})
        for number in range(4):
            assigning.assign(call, policy.id, include=[f"ring:r{number}"])
            fleet.device(call, f"d{number}", ring=f"r{number}")
        service.place_all(call)
        call.session.query(OutboxMessage).delete()

        assert platforms.prepare_stale(call, limit=3) == 3
        assert [one.topic for one in call.session.scalars(select(OutboxMessage))] == ["cohorts.prepare"]
        assert platforms.prepare_stale(call, limit=3) == 1


def test_a_secret_is_in_what_is_served_and_nowhere_else(calling: Calling) -> None:
    with calling() as call:
        network = {"ssid": "stad", "security": "wpa2", "passphrase": "geheim-geheim"}
        policy = service.create(call, "Wi-Fi", settings={"wifi.networks": [network]})
        assigning.assign(call, policy.id, include=["all"])
        device = fleet.device(call, "a")

        settle(call)

        cohort = call.session.get_one(Cohort, device.cohort_id)
        assert "geheim-geheim" in str(cohort.desired)
        assert "geheim" not in str(cohort.settings) + str(cohort.explanation)
        assert "geheim" not in str(explain(call, device))


def test_the_page_says_value_winner_losers_reason_and_what_the_device_says(calling: Calling) -> None:
    with calling() as call:
        fleet.build(call)
        city = service.create(call, "City", settings={"screen_lock.timeout": 600, "restrictions.factory_reset": False})
        strict = service.create(
            call,
            "Strict",
            settings={"screen_lock.timeout": 60, "encryption.required": True, "time.zone": "Europe/Brussels"},
        )
        assigning.assign(call, city.id, include=["all"])
        assigning.assign(call, strict.id, include=["ring:pilot"])
        device = fleet.device(call, "a", ring="pilot")
        settle(call)
        cohort = call.session.get_one(Cohort, device.cohort_id)
        states = {one["id"]: {"state": "applied", "detail": ""} for one in cohort.desired["resources"]}
        states["time.zone"] = {"state": "failed", "detail": "timedatectl is not there"}

        fresh = {one.key: one for one in explain(call, device).settings}
        call.session.add(
            FactSection(
                device_id=device.id,
                section="desired",
                digest="x",
                content={"digest": cohort.desired_digest, "resources": states},
                changed_at=NOW,
            )
        )
        call.session.flush()
        explained = explain(call, device)
        told = {one.key: one for one in explained.settings}

        assert fresh["screen_lock.timeout"].state == "pending"
        timeout = told["screen_lock.timeout"]
        assert (timeout.value, timeout.state, timeout.winner.name) == ("60 seconds", "applied", "Strict")
        assert timeout.winner.assigned_by == ("ring:pilot",)
        assert timeout.winner.since == NOW
        assert [(one.name, one.value, one.reason) for one in timeout.losers] == [
            ("City", "600 seconds", "is less strict")
        ]
        assert (told["time.zone"].state, told["time.zone"].detail) == ("failed", "timedatectl is not there")
        assert told["encryption.required"].state == "checked"
        assert [(one.key, one.reason) for one in explained.not_here] == [
            ("restrictions.factory_reset", "not for this platform")
        ]


def test_a_platform_without_interpreter_gets_nothing_and_says_so(
    calling: Calling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(INTERPRETERS, "android")
    with calling() as call:
        policy = service.create(call, "All", settings={"passcode.min_length": 8})
        assigning.assign(call, policy.id, include=["all"])
        phone = fleet.device(call, "a", platform="android", kind="phone", os_version="14")

        settle(call)

        explained = explain(call, phone)
        assert explained.settings == ()
        assert [one.reason for one in explained.not_here] == ["not for this platform"]


def test_an_edit_for_ten_thousand_devices_costs_cohorts_not_devices(calling: Calling) -> None:
    with calling() as call:
        city = fleet.build(call)
        policy = service.create(call, "All", settings={"browser.home_page": "https://stad.be/"})
        assigning.assign(call, policy.id, include=["all"])
        for ring in range(10):
            extra = service.create(call, f"Ring {ring}", settings={"passcode.min_length": 8 + ring})
            assigning.assign(call, extra.id, include=[f"ring:r{ring}"])
        rows = [
            {
                "uid": f"{n:032x}",
                "name": f"d{n}",
                "platform": "linux",
                "kind": "laptop",
                "ownership": "city",
                "state": "handed_out",
                "ring": f"r{n % 10}",
                "unit_id": city["veeg"] if n % 3 else city["sb"],
                "created_at": NOW,
            }
            for n in range(10_000)
        ]
        call.session.bulk_insert_mappings(Device.__mapper__, rows)
        settle(call)
        statements: list[str] = []
        engine = call.session.get_bind()
        event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

        service.save(call, policy.id, expected=1, settings={"browser.home_page": "https://genk.be/"})
        saved = len(statements)
        while platforms.prepare_stale(call):
            pass

        assert not [one for one in statements if one.lstrip().upper().startswith("UPDATE DEVICE")]
        assert saved < 40
        assert len(statements) < 40 + 10 * 12
        digests = call.session.scalars(select(Cohort.desired_digest).distinct()).all()
        assert len(digests) == 10
