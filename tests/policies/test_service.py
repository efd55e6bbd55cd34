"""Policies from hand to cohort: versions, roll back, assignments, placing."""

from typing import Any

import pytest
from sqlalchemy import func, select

from mdm.audit.model import AuditEntry
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.inventory.model import Device
from mdm.outbox.model import Bell, OutboxMessage
from mdm.policies import assigning, cohorts, service
from mdm.policies.model import Assignment, Cohort, PolicyVersion
from mdm.storage.call import Call
from tests.conftest import Calling
from tests.policies import fleet

CLERK = Actor(ActorKind.OPERATOR, 9, "Clerk", (Grant(Role.DESK_CLERK),), "req-9")
LOCAL_EDITOR = Actor(
    ActorKind.OPERATOR, 8, "Local", (Grant(Role.POLICY_EDITOR, PlaceKind.SERVICE_POINT, service_point_id=1),), "req-8"
)
WIFI = {"ssid": "stad", "security": "wpa2", "passphrase": "geheim-geheim"}


def topics(call: Call) -> list[str]:
    return sorted(call.session.scalars(select(OutboxMessage.topic)))


def count(call: Call, model: type[Any]) -> int:
    return call.session.scalar(select(func.count()).select_from(model)) or 0


def test_saving_makes_a_version_with_author_and_note(calling: Calling) -> None:
    with calling() as call:
        policy = service.create(call, "Kiosks", settings={"passcode.min_length": 8}, note="First")
        service.save(call, policy.id, expected=1, settings={"passcode.min_length": 12}, note="Longer")

        versions = call.session.scalars(select(PolicyVersion).order_by(PolicyVersion.number)).all()

        assert [(one.number, one.author, one.note) for one in versions] == [
            (1, "Mo Admin", "First"),
            (2, "Mo Admin", "Longer"),
        ]
        assert policy.current == 2


def test_saving_the_same_again_makes_no_version_and_tells_nobody(calling: Calling) -> None:
    with calling() as call:
        policy = service.create(call, "Kiosks", settings={"passcode.min_length": 8})
        before = (count(call, PolicyVersion), count(call, AuditEntry), topics(call))

        again = service.save(call, policy.id, expected=1, settings={"passcode.min_length": 8})

        assert again.number == 1
        assert (count(call, PolicyVersion), count(call, AuditEntry), topics(call)) == before


def test_a_save_over_somebody_elses_version_is_refused_and_changes_nothing(calling: Calling) -> None:
    with calling() as call:
        policy = service.create(call, "Kiosks", settings={"passcode.min_length": 8})
        service.save(call, policy.id, expected=1, settings={"passcode.min_length": 10})

        with pytest.raises(ConflictError) as refused:
            service.save(call, policy.id, expected=1, settings={"passcode.min_length": 12})

        assert refused.value.code == "version_conflict"
        assert policy.current == 2


def test_wrong_values_are_refused_with_their_places_and_nothing_is_saved(calling: Calling) -> None:
    with calling() as call:
        with pytest.raises(InvalidError) as refused:
            service.create(call, "Kiosks", settings={"passcode.min_length": 2, "wifi.networks": [{"ssid": "x"}]})

        assert set(refused.value.fields) == {"passcode.min_length", "wifi.networks[0].security"}
        assert count(call, PolicyVersion) == 0


def test_names_are_taken_once(calling: Calling) -> None:
    with calling() as call:
        service.create(call, "Kiosks")
    with pytest.raises(ConflictError), calling() as call:
        service.create(call, "Kiosks")


def test_rolling_back_writes_a_new_version_that_says_what_the_old_one_said(calling: Calling) -> None:
    with calling() as call:
        policy = service.create(call, "Kiosks", settings={"passcode.min_length": 8})
        service.save(call, policy.id, expected=1, settings={"passcode.min_length": 12})

        version = service.roll_back(call, policy.id, 1, expected=2)

        assert (version.number, version.settings) == (3, {"passcode.min_length": 8})
        with pytest.raises(NotFoundError):
            service.roll_back(call, policy.id, 9, expected=3)


def test_a_secret_is_kept_when_its_mask_comes_back_and_never_reaches_the_diary(calling: Calling) -> None:
    with calling() as call:
        policy = service.create(call, "Wi-Fi", settings={"wifi.networks": [WIFI]})
        shown = [{**WIFI, "passphrase": "••••••••", "hidden": True}]

        version = service.save(call, policy.id, expected=1, settings={"wifi.networks": shown})

        assert version.settings["wifi.networks"][0]["passphrase"] == "geheim-geheim"
        assert "geheim" not in str([entry.details for entry in call.session.scalars(select(AuditEntry))])


@pytest.mark.parametrize("actor", [CLERK, LOCAL_EDITOR])
def test_who_may_not_edit_the_citys_policies_changes_nothing(calling: Calling, actor: Actor) -> None:
    with calling() as call:
        policy = service.create(call, "Kiosks", settings={"passcode.min_length": 8})
        assignment = assigning.assign(call, policy.id, include=["all"])
        before = (count(call, PolicyVersion), count(call, AuditEntry))
        other = call.by(actor)

        for act in (
            lambda: service.create(other, "Mine"),
            lambda: service.save(other, policy.id, expected=1, settings={}),
            lambda: service.roll_back(other, policy.id, 1, expected=1),
            lambda: service.archive(other, policy.id, confirmed=True),
            lambda: assigning.assign(other, policy.id, include=["all"]),
            lambda: assigning.edit_assignment(other, assignment.id, include=["all"]),
            lambda: assigning.unassign(other, assignment.id, confirmed=True),
        ):
            with pytest.raises(DeniedError):
                act()

        assert (count(call, PolicyVersion), count(call, AuditEntry)) == before


def test_a_code_is_known_in_small_letters_too_and_the_name_of_a_group_is_not(calling: Calling) -> None:
    with calling() as call:
        city = fleet.build(call)
        policy = service.create(call, "Kiosks")

        made = assigning.assign(call, policy.id, include=["service_point:werkhaven"])

        assert made.include == [{"kind": "service_point", "id": city["werkhaven"]}]
        with pytest.raises(InvalidError):
            assigning.assign(call, policy.id, include=["group:kiosks"])


def test_targets_are_written_as_people_write_them_and_wrong_ones_are_named(calling: Calling) -> None:
    with calling() as call:
        city = fleet.build(call)
        policy = service.create(call, "Kiosks")

        made = assigning.assign(
            call, policy.id, include=["service_point:WERKHAVEN", "persona:unit"], exclude=["group:Kiosks"]
        )

        assert made.include == [
            {"kind": "service_point", "id": city["werkhaven"]},
            {"kind": "persona", "id": "unit"},
        ]
        with pytest.raises(InvalidError) as refused:
            assigning.assign(
                call, policy.id, include=["unit:NOPE", "persona:king", "all:1", {"kind": "unit", "id": 999}]
            )
        assert set(refused.value.fields) == {"include[0]", "include[1]", "include[2]", "include[3]"}
        with pytest.raises(InvalidError) as empty:
            assigning.assign(call, policy.id, include=[])
        assert set(empty.value.fields) == {"include"}


def test_devices_that_match_the_same_assignments_share_one_cohort_and_exclude_wins(calling: Calling) -> None:
    with calling() as call:
        city = fleet.build(call)
        policy = service.create(call, "Sweepers", settings={"passcode.min_length": 8})
        made = assigning.assign(call, policy.id, include=["unit:SB"], exclude=["group:Kiosks"])
        first = fleet.device(call, "a", unit_id=city["veeg"])
        second = fleet.device(call, "b", unit_id=city["sb"], persona="unit")
        stranger = fleet.device(call, "c")
        excluded = fleet.device(call, "d", unit_id=city["veeg"])
        retired = fleet.device(call, "e", unit_id=city["veeg"], state="retired")
        fleet.join(call, city["kiosks"], excluded)

        assert service.place_all(call) == 4

        assert first.cohort_id == second.cohort_id is not None
        assert stranger.cohort_id == excluded.cohort_id != first.cohort_id
        assert retired.cohort_id is None
        assert call.session.get_one(Cohort, first.cohort_id).assignments == [made.id]
        assert service.place_all(call) == 0


def test_placing_one_device_and_placing_all_agree(calling: Calling) -> None:
    with calling() as call:
        city = fleet.build(call)
        policy = service.create(call, "Sweepers")
        assigning.assign(call, policy.id, include=["unit:SB", "group:Kiosks"])
        devices = [fleet.device(call, name, unit_id=city["veeg"]) for name in "ab"] + [fleet.device(call, "c")]
        fleet.join(call, city["kiosks"], devices[2])

        assert [service.place_device(call, one.id) for one in devices] == [True, True, True]

        assert service.place_all(call) == 0
        assert service.place_device(call, devices[0].id) is False
        assert service.place_device(call, 999_999) is False


def test_a_moved_device_changes_its_cohort_and_its_bell_is_rung(calling: Calling) -> None:
    with calling() as call:
        city = fleet.build(call)
        policy = service.create(call, "Sweepers")
        assigning.assign(call, policy.id, include=["service_point:NOVA"])
        device = fleet.device(call, "a", service_point_id=city["werkhaven"])
        service.place_device(call, device.id)
        before = device.cohort_id

        device.service_point_id = city["nova"]
        assert service.place_device(call, device.id) is True

        assert device.cohort_id != before
        assert call.session.scalars(select(Bell.device_id)).all() == [device.id, device.id]


def test_a_settings_edit_marks_the_cohorts_it_reaches_and_no_other(calling: Calling) -> None:
    with calling() as call:
        city = fleet.build(call)
        here = service.create(call, "Here", settings={"passcode.min_length": 8})
        there = service.create(call, "There", settings={"passcode.min_length": 8})
        assigning.assign(call, here.id, include=["service_point:WERKHAVEN"])
        assigning.assign(call, there.id, include=["service_point:NOVA"])
        one = fleet.device(call, "a", service_point_id=city["werkhaven"])
        two = fleet.device(call, "b", service_point_id=city["nova"])
        service.place_all(call)
        for cohort in call.session.scalars(select(Cohort)):
            cohort.computed_at = call.now
        call.session.flush()
        call.session.query(OutboxMessage).delete()

        service.save(call, here.id, expected=1, settings={"passcode.min_length": 9})

        call.session.expire_all()
        assert call.session.get_one(Cohort, one.cohort_id).computed_at is None
        assert call.session.get_one(Cohort, two.cohort_id).computed_at is not None
        assert topics(call) == ["cohorts.prepare"]


def test_withdrawing_what_reaches_devices_asks_for_confirmation_first(calling: Calling) -> None:
    with calling() as call:
        policy = service.create(call, "Everybody", settings={"passcode.min_length": 8})
        made = assigning.assign(call, policy.id, include=["all"])
        device = fleet.device(call, "a")
        service.place_all(call)

        with pytest.raises(ConflictError) as refused:
            assigning.unassign(call, made.id)
        assert (refused.value.code, refused.value.params["devices"]) == ("confirm", 1)
        with pytest.raises(ConflictError):
            service.archive(call, policy.id)
        assert count(call, Assignment) == 1
        assert policy.archived_at is None

        service.archive(call, policy.id, confirmed=True)
        service.place_all(call)

        assert call.session.get_one(Cohort, device.cohort_id).assignments == []
        service.restore(call, policy.id)
        service.place_all(call)
        assert cohorts.reach(call.session, [made.id]) == 1
        assigning.unassign(call, made.id, confirmed=True)
        service.place_all(call)
        assert cohorts.reach(call.session, [made.id]) == 0


def test_a_unit_that_moves_on_a_date_takes_its_devices_along_on_that_date(calling: Calling) -> None:
    from datetime import timedelta

    from mdm.org.model import UnitParent

    with calling() as call:
        city = fleet.build(call)
        policy = service.create(call, "Sweepers")
        assigning.assign(call, policy.id, include=["unit:SB"])
        fleet.device(call, "a", unit_id=city["veeg"])
        service.place_all(call)
        day = (call.now + timedelta(days=3)).date()
        call.session.add(UnitParent(unit_id=city["veeg"], parent_id=None, from_date=day))
        call.session.flush()

        assert service.place_all(call) == 0
        later = Call(call.actor, call.session, call.now + timedelta(days=3))
        assert service.place_all(later) == 1


def test_many_moved_devices_ring_their_former_cohort_once(calling: Calling) -> None:
    with calling() as call:
        policy = service.create(call, "Everybody")
        call.session.add_all(
            Device(uid=f"{n:032x}", name=f"d{n}", platform="linux", kind="laptop", created_at=call.now)
            for n in range(250)
        )
        call.session.flush()
        service.place_all(call)
        call.session.query(Bell).delete()

        assigning.assign(call, policy.id, include=["all"])
        assert service.place_all(call) == 250

        assert count(call, Bell) == 1


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ({"kind": "file", "path": "/etc/sudoers.d/x", "content": ""}, True),
        ({"kind": "file", "path": "/etc/../root/x", "content": ""}, True),
        ({"kind": "file", "path": "/home/x", "content": ""}, True),
        ({"kind": "file", "path": "/etc/sysctl.d/x.conf", "content": "a=1", "mode": "4755"}, True),
        ({"kind": "file", "path": "/etc/sysctl.d/x.conf", "content": "a=1", "more": 1}, True),
        ({"kind": "packages", "required": []}, True),
        ({"kind": "unit", "name": "../x.service", "content": "[Unit]\n"}, True),
        ({"kind": "unit", "name": "x.service", "content": "no section"}, True),
        ({"kind": "file", "path": "/etc/sysctl.d/x.conf", "content": "a=1", "after": ["sysctl-reload"]}, False),
        ({"kind": "chromium", "content": {"BookmarkBarEnabled": True}}, False),
        ({"kind": "unit", "name": "x.service", "content": "[Unit]\nDescription=x\n"}, False),
        ('{"kind": "chromium", "content": {"BookmarkBarEnabled": true}}', False),
        ("{", True),
        ({"kind": "chromium", "content": {"A": "a\x00b"}}, True),
        ('{"kind": "chromium", "content": {"A": "\\ud800"}}', True),
        ('{"kind": "chromium", "content": {"A": 1e999}}', True),
        ("[" * 50_000, True),
        ({"kind": "chromium", "content": {"A": "x" * 140_000}}, True),
        (float("nan"), True),
        (None, True),
    ],
)
def test_raw_payloads_are_checked_when_they_are_saved(calling: Calling, content: Any, fault: bool) -> None:
    with calling() as call:
        payload = {"platform": "linux", "name": "x", "content": content}
        if fault:
            with pytest.raises(InvalidError) as refused:
                service.create(call, "Raw", raw_payloads=[payload])
            assert set(refused.value.fields) == {"payloads[0].content"}
        else:
            service.create(call, "Raw", raw_payloads=[payload])
            assert count(call, PolicyVersion) == 1


def test_a_group_that_an_assignment_names_stays_and_one_that_none_names_goes(calling: Calling) -> None:
    with calling() as call:
        city = fleet.build(call)
        policy = service.create(call, "Sweepers")
        made = assigning.assign(call, policy.id, include=["all"], exclude=["group:Kiosks"])
        fleet.join(call, city["kiosks"], fleet.device(call, "a"))

        with pytest.raises(ConflictError) as refused:
            assigning.delete_group(call, city["kiosks"])
        assert (refused.value.code, refused.value.params["policies"]) == ("in_use", "Sweepers")

        assigning.edit_assignment(call, made.id, include=["all"])
        assigning.delete_group(call, city["kiosks"])
        with pytest.raises(NotFoundError):
            assigning.delete_group(call, city["kiosks"])
