"""A city and Google, from the key of a service account to a phone that is wiped: by real calls, whatever goes wrong."""

import json
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from mdm.commands import service as commands
from mdm.commands.model import Command, Verb
from mdm.core.errors import ConflictError, InvalidError
from mdm.enrollment import service as enrollments
from mdm.enrollment.model import Enrollment, Invitation
from mdm.inventory.model import Application, AppSetItem, FactSection
from mdm.orders import service as orders
from mdm.orders.model import Order, OrderState
from mdm.orders.release import release
from mdm.platforms import explain
from mdm.platforms.android.amapi import account, notes, operations
from mdm.platforms.android.amapi.model import (
    AndroidGooglePhone,
    AndroidNote,
    AndroidOperation,
    AndroidPolicy,
    OperationState,
    Step,
)
from mdm.platforms.android.amapi.quota import Bucket
from mdm.platforms.android.model import AndroidPhone, Way
from mdm.policies import assigning
from mdm.policies import service as policies
from mdm.simulate.google_api import Fault
from mdm.simulate.google_phones import GooglePhone
from mdm.storage.seal import load_seal
from tests.orders.conftest import ADAS, EVAS, sign
from tests.platforms.android.amapi.conftest import City

EVERYBODY = [{"kind": "everything", "id": 0}]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Nothing here differs between databases but what the first test of each kind shows; see ``test_databases``."""
    return sqlite_url


def policy(city: City, settings: dict[str, Any], name: str = "Phones") -> int:
    with city.calling() as call:
        made = policies.create(call, name, settings=settings)
        assigning.assign(call, made.id, include=["platform:android"], exclude=[], priority=100)
        return made.id


def edit(city: City, policy_id: int, settings: dict[str, Any]) -> None:
    with city.calling() as call:
        version = policies.save(
            call, policy_id, expected=call.session.get_one(policies.Policy, policy_id).current, settings=settings
        )
        assert version.number > 1
    city.settle()


def command(city: City, device_id: int, verb: Verb) -> str:
    uid = city.device(device_id).uid
    with city.calling(now=city.moment[0]) as call:
        return commands.send(call, [uid], verb).commands[0]


def state_of(city: City, command_id: str) -> tuple[str, str]:
    with city.calling(write=False) as call:
        found = call.session.get_one(Command, command_id)
        return found.state, found.detail


def operation(city: City) -> AndroidOperation:
    with city.calling(write=False) as call:
        found = call.session.scalars(select(AndroidOperation).order_by(AndroidOperation.id.desc()).limit(1)).one()
        call.session.expunge(found)
        return found


def count(city: City, table: Any) -> int:
    with city.calling(write=False) as call:
        return call.session.scalar(select(func.count()).select_from(table)) or 0


def wiped(city: City, engine: Engine, device_id: int) -> str:
    uid = city.device(device_id).uid
    with city.calling(now=city.moment[0]) as call:
        order_id = orders.request_wipe(call, uid, "Stolen from the van on Tuesday.").id
    assert sign(city.calling, order_id, ADAS, EVAS, now=city.moment[0]) == 0
    assert release(engine, city.client, order_id, clock=lambda: city.moment[0]) is OrderState.RELEASED
    return order_id


def order_state(city: City, order_id: str) -> str:
    with city.calling(write=False) as call:
        return call.session.get_one(Order, order_id).state


def test_from_the_key_of_a_service_account_to_an_enterprise(city: City) -> None:
    city.tie()
    with city.calling(write=False) as call:
        tie = account.tie(call)
        assert tie is not None
        assert (tie.step, tie.problem, tie.state) == (Step.READY, "", "")
        assert f"enterprises/{tie.enterprise}" in city.server.api.enterprises
        assert tie.returned_token is None
        assert b"PRIVATE KEY" not in tie.key
    made = next(iter(city.server.api.enterprises.values()))
    assert made["enterpriseDisplayName"] == "Antwerpen"
    assert "COMMAND" in made["enabledNotificationTypes"]


def test_an_administrator_who_comes_back_uninvited_changes_nothing(city: City) -> None:
    city.bring_key()
    seal = load_seal(city.home / "keys")
    with city.calling() as call:
        account.sign_up(call, "https://city.example/settings/google/return")
    city.turn()
    with city.calling() as call, pytest.raises(InvalidError):
        account.returned(call, seal, "somebody-elses", "token")
    with city.calling(write=False) as call:
        assert account.present(call).step == Step.SIGN_UP  # type: ignore[union-attr]


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"type":"authorized_user"}', b"\xff" * 20, b"x" * 20_000])
def test_what_is_no_key_file_is_refused_and_nothing_is_kept(city: City, raw: bytes) -> None:
    with city.calling() as call, pytest.raises(InvalidError):
        account.bring(call, load_seal(city.home / "keys"), raw)
    with city.calling(write=False) as call:
        assert account.present(call) is None


def test_a_phone_enrols_gets_its_policy_and_says_what_it_is(city: City) -> None:
    city.tie()
    policy(city, {"passcode.required": True, "apps.required": ["org.example.forms"]})
    phone, device_id = city.enrolled()
    device = city.device(device_id)
    assert (device.serial, device.platform, device.os_name) == ("SN0001", "android", "Android")
    assert device.person_id is not None
    assert len(device.key_digest) == 64
    applied = city.server.api.policies[phone.device["policyName"]]
    assert applied["name"].endswith(f"cohort-{device.cohort_id}-managed")
    assert applied["passwordPolicies"][0]["passwordScope"] == "SCOPE_DEVICE"
    with city.calling(write=False) as call:
        facts = {
            one.section: one.content
            for one in call.session.scalars(select(FactSection).where(FactSection.device_id == device_id))
        }
        assert facts["encryption"]["root_encrypted"] is True
        identifiers = select(Application.identifier).join(AppSetItem, AppSetItem.application_id == Application.id)
        assert "org.example.forms" in call.session.scalars(identifiers).all()
        why = {one.key: one.state for one in explain.explain(call, device).settings}
        assert why == {"passcode.required": "applied", "apps.required": "applied"}
        assert call.session.get_one(AndroidPhone, device_id).way == Way.AMAPI
    assert device.applied_digest != "-"


def test_the_code_is_googles_own_good_once_and_joins_the_wifi(city: City) -> None:
    city.tie()
    uid = city.invite()
    city.turn()
    shown = city.code(uid)
    content = json.loads(shown.qr)
    extras = content["android.app.extra.PROVISIONING_ADMIN_EXTRAS_BUNDLE"]
    assert shown.value in extras.values()
    (token,) = city.server.api.enrollment_tokens.values()
    assert token["oneTimeOnly"] is True
    assert token["duration"] == f"{48 * 3600}s"
    city.turn(3)
    assert city.server.api.count("enterprises.enrollmentTokens.create") == 1


@pytest.mark.parametrize(
    ("ownership", "kind", "usage"),
    [
        ("city", "phone", "PERSONAL_USAGE_DISALLOWED"),
        ("city", "kiosk", "PERSONAL_USAGE_DISALLOWED_USERLESS"),
        ("private", "phone", "PERSONAL_USAGE_ALLOWED"),
    ],
)
def test_each_kind_of_phone_enrols_in_its_own_way(city: City, ownership: str, kind: str, usage: str) -> None:
    city.tie()
    city.invite(ownership, kind)
    city.turn()
    (token,) = city.server.api.enrollment_tokens.values()
    assert token["allowPersonalUsage"] == usage


def test_calls_for_an_edit_do_not_grow_with_the_number_of_phones(city: City) -> None:
    city.tie()
    made = policy(city, {"passcode.required": True})
    city.enrolled()
    city.turn(2)

    def calls_of_an_edit(minutes: int) -> tuple[int, int]:
        edit(city, made, {"passcode.required": True, "screen_lock.timeout": minutes * 60})
        before = len(city.server.api.calls)
        patches = city.server.api.count("enterprises.policies.patch")
        city.turn(3)
        pulls = sum(one.startswith("pubsub.") for one in city.server.api.calls[before:])
        return len(city.server.api.calls) - before - pulls, city.server.api.count(
            "enterprises.policies.patch"
        ) - patches

    few = calls_of_an_edit(2)
    for _ in range(6):
        city.enrolled()
    city.turn(2)
    assert calls_of_an_edit(3) == few == (1, 1)
    assert count(city, AndroidGooglePhone) == 7


def test_the_same_policy_is_not_sent_twice_and_one_that_google_would_refuse_not_at_all(city: City) -> None:
    city.tie()
    made = policy(city, {"passcode.required": True})
    _phone, device_id = city.enrolled()
    sent = city.server.api.count("enterprises.policies.patch")
    edit(city, made, {"passcode.required": True, "kiosk.url": "https://city.example/"})
    city.turn(2)
    assert city.server.api.count("enterprises.policies.patch") == sent
    edit(city, made, {"updates.freeze": [{"name": "long", "from": "01-01", "to": "06-01"}]})
    city.turn(2)
    assert city.server.api.count("enterprises.policies.patch") == sent
    with city.calling(write=False) as call:
        row = call.session.scalars(select(AndroidPolicy).where(AndroidPolicy.cohort_id.is_not(None))).one()
        assert "longer than 90 days" in row.problem
    edit(city, made, {"passcode.required": True, "restrictions.camera": False})
    city.turn(2)
    assert city.server.api.count("enterprises.policies.patch") == sent + 1
    assert city.device(device_id).cohort_id is not None


def test_a_field_that_a_phone_does_not_meet_is_shown_at_its_setting(city: City) -> None:
    city.tie()
    policy(city, {"passcode.required": True, "restrictions.camera": False, "time.zone": "Europe/Brussels"})
    _phone, device_id = city.enrolled(passcode=False)
    with city.calling(write=False) as call:
        why = {one.key: (one.state, one.detail) for one in explain.explain(call, city.device(device_id)).settings}
    assert why["passcode.required"] == ("failed", "USER_ACTION")
    assert why["restrictions.camera"][0] == "applied"
    assert why["time.zone"][0] == "unsupported"


def test_a_lock_stands_as_long_as_the_house_says_and_is_followed_to_its_end(city: City) -> None:
    city.tie()
    phone, device_id = city.enrolled()
    asked = command(city, device_id, Verb.LOCK)
    city.turn()
    (made,) = city.server.api.operations.values()
    assert made["metadata"]["type"] == "LOCK"
    assert made["metadata"]["duration"] == f"{30 * 86_400}s"
    assert state_of(city, asked)[0] == "fetched"
    city.turn(3)
    assert city.server.api.count("enterprises.devices.issueCommand") == 1
    assert phone.obey() == ["LOCK"]
    city.turn()
    assert state_of(city, asked)[0] == "done"
    assert city.device(device_id).waiting == 0


def test_an_operation_of_which_nothing_is_heard_is_asked_for(city: City) -> None:
    city.tie()
    phone, device_id = city.enrolled()
    asked = command(city, device_id, Verb.RESTART)
    city.turn()
    phone.obey()
    city.server.api.messages.clear()
    city.turn()
    assert state_of(city, asked)[0] == "fetched"
    city.later(minutes=11)
    city.turn()
    assert state_of(city, asked)[0] == "done"


def test_what_a_phone_cannot_do_is_told_to_whoever_asked(city: City) -> None:
    city.tie()
    phone, device_id = city.enrolled()
    refused = command(city, device_id, Verb.UNLOCK)
    failed = command(city, device_id, Verb.LOCK)
    city.turn()
    phone.obey(error="UNSUPPORTED")
    city.turn()
    assert state_of(city, refused)[0] == "refused"
    assert state_of(city, failed) == ("failed", "UNSUPPORTED")


def test_a_command_that_google_cancelled_or_that_nobody_took_in_time_has_failed(city: City) -> None:
    city.tie()
    _phone, device_id = city.enrolled()
    cancelled = command(city, device_id, Verb.LOCK)
    city.turn()
    (name,) = city.server.api.operations
    city.server.api.operations[name].update(done=True, error={"code": 1, "message": "cancelled"})
    city.later(minutes=11)
    city.turn()
    assert operation(city).state == OperationState.CANCELLED
    assert state_of(city, cancelled)[0] == "failed"
    late = command(city, device_id, Verb.RESTART)
    city.turn()
    city.later(days=1, hours=2)
    city.turn()
    assert operation(city).state == OperationState.EXPIRED
    assert state_of(city, late)[0] == "failed"


@pytest.mark.parametrize("lost", [False, True])
def test_a_command_is_said_once_whatever_breaks_the_line(city: City, lost: bool) -> None:
    city.tie()
    phone, device_id = city.enrolled()
    asked = command(city, device_id, Verb.LOCK)
    city.server.api.faults.append(Fault(503, method="enterprises.devices.issueCommand", lost=lost))
    city.turn(2)
    assert len(city.server.api.operations) == 1
    assert phone.obey() == ["LOCK"]
    city.turn()
    assert state_of(city, asked)[0] == "done"


@pytest.mark.parametrize("status", [429, 409, 503, 500, 403])
def test_an_error_of_googles_loses_nothing(city: City, status: int) -> None:
    city.tie()
    made = policy(city, {"passcode.required": True})
    _phone, device_id = city.enrolled()
    edit(city, made, {"restrictions.camera": False})
    city.server.api.faults.append(Fault(status, times=1))
    city.turn()
    with city.calling(write=False) as call:
        tie = account.present(call)
        assert tie is not None
        assert bool(tie.problem) == (status in (409, 403))
    city.allow(Bucket(lambda: 0.0, burst=100_000))
    city.turn(2)
    wanted = f"cohort-{city.device(device_id).cohort_id}-managed"
    (policy_,) = [one for name, one in city.server.api.policies.items() if name.endswith(wanted)]
    assert policy_["cameraAccess"] == "CAMERA_ACCESS_DISABLED"
    with city.calling(write=False) as call:
        assert account.present(call).problem == ""  # type: ignore[union-attr]


def test_a_quota_that_is_used_up_only_makes_it_slower(city: City) -> None:
    city.tie()
    policy(city, {"passcode.required": True})
    hour = [0.0]
    city.allow(Bucket(lambda: hour[0], rate=1.0, burst=2))
    phone = city.invite()
    for _ in range(20):
        before = len(city.server.api.calls)
        city.turn()
        assert len(city.server.api.calls) - before <= 2
        hour[0] += 2.0
    assert city.code(phone).value


def test_googles_own_word_that_it_is_enough_is_heeded(city: City) -> None:
    city.tie()
    hour = [0.0]
    city.allow(Bucket(lambda: hour[0]))
    city.server.api.quota = 0
    city.invite()
    city.turn()
    asked = len(city.server.api.calls)
    city.turn(5)
    assert len(city.server.api.calls) == asked
    city.server.api.quota = None
    hour[0] += 8
    city.turn()
    assert len(city.server.api.calls) > asked


def test_a_token_that_google_forgot_is_asked_for_anew(city: City) -> None:
    city.tie()
    city.invite()
    city.server.refused_tokens = 1
    city.turn()
    assert city.server.api.count("enterprises.enrollmentTokens.create") == 1


def test_notifications_that_come_twice_and_backwards_change_nothing(city: City) -> None:
    city.tie()
    city.server.twice = city.server.backwards = True
    policy(city, {"passcode.required": True})
    phone, device_id = city.enrolled()
    city.later(minutes=1)
    phone.passcode = False
    phone.report()
    city.later(minutes=1)
    phone.passcode = True
    phone.report()
    city.turn()
    with city.calling(write=False) as call:
        fact = call.session.get_one(FactSection, (device_id, "screenlock"))
        assert fact.content["enabled"] is True
        assert call.session.scalar(select(func.count()).select_from(Enrollment)) == 1
    assert not city.server.api.messages
    kept = count(city, AndroidNote)
    city.turn(2)
    assert count(city, AndroidNote) == kept


def test_a_notification_is_kept_before_it_is_acknowledged(city: City) -> None:
    city.tie()
    phone = city.phone()
    city.client.down = True
    city.turn()
    assert not city.server.api.messages
    with city.calling(write=False) as call:
        assert call.session.scalars(select(AndroidNote.problem).where(AndroidNote.read_at.is_(None))).all()
    city.client.down = False
    city.turn()
    assert city.device(city.device_id(phone)).enrolled_at is not None


def test_notifications_that_make_no_sense_hold_up_nothing(city: City) -> None:
    city.tie()
    api = city.server.api
    api.messages += [
        {"id": "1", "kind": "STATUS_REPORT", "content": {"name": "enterprises/x/devices/stranger", "state": "ACTIVE"}},
        {"id": "2", "kind": "STATUS_REPORT", "content": {}},
        {"id": "3", "kind": "COMMAND", "content": {"name": "nobody's", "done": True}},
        {"id": "4", "kind": "USAGE_LOGS", "content": {"device": "x"}},
        {"id": "5", "kind": "ENROLLMENT", "content": {"name": "enterprises/x/devices/y", "enrollmentTokenName": "\x00" * 9}},
        {"id": "6", "kind": "TEST", "content": None},
    ]  # fmt: skip
    phone = city.phone()
    city.turn()
    assert city.device_id(phone)
    assert count(city, AndroidGooglePhone) == 1


def test_what_no_notification_brought_the_list_does(city: City) -> None:
    city.tie()
    phone = city.phone()
    city.server.api.messages.clear()
    city.turn()
    assert count(city, AndroidGooglePhone) == 0
    city.later(hours=13)
    city.turn()
    assert city.device_id(phone)


def test_a_long_list_is_read_some_pages_at_a_turn_and_begins_where_it_stopped(city: City) -> None:
    city.tie()
    phone, _device_id = city.enrolled()
    api = city.server.api
    for number in range(1150):
        name = f"{phone.name}x{number}"
        api.devices[name] = {"name": name, "state": "DELETED"}
    city.later(hours=13)
    before = api.count("enterprises.devices.list")
    city.turn()
    assert api.count("enterprises.devices.list") == before + 10
    city.turn()
    assert api.count("enterprises.devices.list") == before + 12
    city.turn()
    assert api.count("enterprises.devices.list") == before + 12


def test_phones_that_take_their_time_do_not_keep_others_waiting(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    city.tie()
    monkeypatch.setattr(operations, "AT_ONCE", 1)
    _slow, first = city.enrolled()
    _quick, second = city.enrolled()
    for device_id in (first, second):
        command(city, device_id, Verb.LOCK)
    city.turn(2)
    assert len(city.server.api.operations) == 2


def test_a_work_profile_that_cannot_be_removed_is_asked_for_again_and_not_at_every_turn(city: City) -> None:
    city.tie()
    phone, device_id = city.enrolled(private=True)
    with city.calling(now=city.moment[0]) as call:
        enrollments.revoke(call, city.device(device_id).uid, "left the city")
    city.turn()
    phone.obey(error="UNSUPPORTED")
    city.turn(3)
    assert len(city.server.api.operations) == 1
    city.later(days=1, hours=1)
    city.turn(2)
    assert len(city.server.api.operations) == 2


def test_a_signer_that_is_away_for_long_loses_no_phone(city: City) -> None:
    city.tie()
    phone = city.phone()
    city.client.down = True
    city.turn(notes.TRIES + 2)
    city.client.down = False
    city.turn()
    assert city.device_id(phone)


def test_a_wipe_is_made_of_a_released_order_and_ends_with_the_phones_word(city: City, engine: Engine) -> None:
    city.tie()
    phone, device_id = city.enrolled()
    city.turn(2)
    assert not city.server.api.operations
    order_id = wiped(city, engine, device_id)
    city.turn()
    (made,) = city.server.api.operations.values()
    assert made["metadata"]["type"] == "WIPE"
    assert made["metadata"]["wipeParams"] == {}
    assert made["metadata"]["duration"] == f"{30 * 86_400}s"
    assert order_state(city, order_id) == OrderState.FETCHED
    assert phone.obey() == ["WIPE"]
    city.turn(2)
    assert order_state(city, order_id) == OrderState.DONE
    assert city.device(device_id).state == "wiped"
    city.turn(3)
    assert len(city.server.api.operations) == 1


def test_a_phone_that_refuses_to_be_wiped_says_so_in_its_receipt(city: City, engine: Engine) -> None:
    city.tie()
    phone, device_id = city.enrolled()
    order_id = wiped(city, engine, device_id)
    city.turn()
    phone.obey(error="MANAGEMENT_MODE")
    city.turn()
    assert order_state(city, order_id) == OrderState.FAILED
    assert city.device(device_id).state != "wiped"


def test_a_phone_that_is_enrolled_again_after_its_wipe_is_not_wiped_again(city: City, engine: Engine) -> None:
    city.tie()
    phone, device_id = city.enrolled()
    wiped(city, engine, device_id)
    city.turn()
    phone.obey()
    city.turn(2)
    uid = city.invite(device=city.device(device_id).uid)
    city.turn()
    again = GooglePhone(city.server.api, "SN0001")
    again.enroll(city.code(uid).value)
    city.turn(3)
    assert city.device_id(again) == device_id
    assert again.obey() == []


def test_a_private_phone_is_never_wiped_in_full_and_nobody_can_ask_for_it(city: City) -> None:
    city.tie()
    _phone, device_id = city.enrolled(private=True)
    device = city.device(device_id)
    assert device.ownership == "private"
    with city.calling(now=city.moment[0]) as call, pytest.raises(ConflictError) as refused:
        orders.request_wipe(call, device.uid, "Stolen from the van on Tuesday.")
    assert refused.value.code == "device_private"
    restart = command(city, device_id, Verb.RESTART)
    city.turn()
    assert state_of(city, restart)[0] == "refused"
    assert not city.server.api.operations
    assert not city.server.api.wiped


def test_ending_the_management_of_a_private_phone_takes_its_work_profile_and_nothing_else(city: City) -> None:
    city.tie()
    phone, device_id = city.enrolled(private=True)
    with city.calling(now=city.moment[0]) as call:
        enrollments.revoke(call, city.device(device_id).uid, "left the city")
    city.turn(2)
    (made,) = city.server.api.operations.values()
    assert made["metadata"]["type"] == "WIPE"
    assert phone.device["ownership"] == "PERSONALLY_OWNED"
    phone.obey()
    city.turn(3)
    assert len(city.server.api.operations) == 1
    assert not city.server.api.wiped


def test_ending_the_management_of_a_phone_of_the_city_wipes_nothing(city: City) -> None:
    city.tie()
    _phone, device_id = city.enrolled()
    with city.calling(now=city.moment[0]) as call:
        enrollments.revoke(call, city.device(device_id).uid, "certificates ended")
    city.turn(3)
    assert not city.server.api.operations


@pytest.mark.parametrize(("private", "ownership"), [(True, "COMPANY_OWNED"), (False, "PERSONALLY_OWNED")])
def test_a_phone_that_was_set_up_in_the_wrong_way_is_left_alone_and_its_invitation_says_why(
    city: City, private: bool, ownership: str
) -> None:
    city.tie()
    city.phone(private=private, ownership=ownership)
    city.turn(2)
    assert count(city, AndroidGooglePhone) == 0
    with city.calling(write=False) as call:
        invitation = call.session.scalars(select(Invitation)).one()
        assert invitation.used_at is None
        assert "set" in invitation.failure


def test_an_owner_who_takes_the_work_profile_away_is_managed_no_longer(city: City) -> None:
    city.tie()
    phone, device_id = city.enrolled(private=True)
    phone.leave()
    city.turn()
    assert city.device(device_id).key_digest == ""
    city.turn(2)
    assert not city.server.api.operations


def test_a_used_code_brings_no_second_phone(city: City) -> None:
    city.tie()
    first = city.phone()
    city.turn()
    second = GooglePhone(city.server.api, "SN9999")
    token = next(iter(city.server.api.enrollment_tokens.values()))
    token["used"] = False
    second.enroll(token["value"])
    city.turn(2)
    assert count(city, AndroidGooglePhone) == 1
    assert city.device_id(first)


def test_the_certificate_that_stands_for_a_phone_is_followed_before_it_ends(city: City, engine: Engine) -> None:
    city.tie()
    phone, device_id = city.enrolled()
    before = city.device(device_id).key_digest
    city.later(days=61)
    city.turn()
    assert city.device(device_id).key_digest not in ("", before)
    city.later(days=40)
    order_id = wiped(city, engine, device_id)
    city.turn()
    assert phone.obey() == ["WIPE"]
    city.turn()
    assert order_state(city, order_id) == OrderState.DONE


def test_a_tie_with_phones_is_not_taken_away_and_one_of_another_project_not_mixed_in(city: City) -> None:
    city.tie()
    city.enrolled()
    with city.calling() as call, pytest.raises(ConflictError):
        account.remove(call)
    other = json.loads(city.server.key_file()) | {"project_id": "another"}
    with city.calling() as call, pytest.raises(ConflictError):
        account.bring(call, load_seal(city.home / "keys"), json.dumps(other).encode())
