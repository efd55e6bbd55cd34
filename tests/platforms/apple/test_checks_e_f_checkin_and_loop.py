"""Black-box checks 61-72 (check-in) and 72-91 (command loop), by their numbers."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from mdm.commands import service
from mdm.commands.model import Command, Verb
from mdm.core.errors import HavenmeesterError
from mdm.inventory.model import Device
from mdm.outbox.model import OutboxMessage
from mdm.platforms.apple import asking, plist
from mdm.platforms.apple.model import AppleCommand, AppleDevice, CommandState
from mdm.simulate.iphone import IPhone
from mdm.storage.engine import transaction
from tests.platforms.apple.city import TOPIC, City


def ask(city: City, phone: IPhone, request_type: str, args: dict[str, Any] | None = None, **more: Any) -> str:
    """Asks something of a phone; the UUID of the command."""
    with city.call() as call:
        apple = call.session.scalars(select(AppleDevice).where(AppleDevice.udid == phone.udid)).one()
        return asking.queue(call, apple, request_type, args, **more).uuid


def uuid_of(body: bytes) -> str:
    return str(plist.read(body)["CommandUUID"]) if body else ""


def states(city: City, phone: IPhone) -> dict[str, str]:
    return {one.uuid: one.state for one in city.commands(phone)}


def pushes(city: City) -> int:
    with transaction(city.engine, write=False) as session:
        query = select(OutboxMessage).where(OutboxMessage.topic == "apple.push")
        return len(session.scalars(query).all())


def test_check_61_authenticate_is_not_yet_enrolled(city: City) -> None:
    phone = city.phone()
    assert phone.authenticate() == (200, b"")
    assert city.apple(phone).state == "authenticated"
    assert pushes(city) == 0
    assert phone.idle()[0] == 400


def test_checks_62_and_63_the_first_token_enrols_once_and_a_later_one_replaces_it(city: City) -> None:
    phone = city.phone()
    phone.enroll()
    first = city.apple(phone).push
    assert phone.token_update() == (200, b"")
    assert city.apple(phone).push != first
    assert city.events(phone).count("apple_enrolled") == 1
    assert pushes(city) == 1


def test_check_64_an_unlock_token_is_kept_sealed_and_not_lost(city: City) -> None:
    phone = city.phone()
    phone.authenticate()
    phone.token_update(UnlockToken=b"unlock-me" * 100)
    kept = city.apple(phone).unlock_token
    phone.token_update()
    assert city.apple(phone).unlock_token == kept
    assert kept is not None
    assert b"unlock-me" not in kept


def test_check_65_a_token_before_authenticate_is_refused(city: City) -> None:
    assert city.phone().token_update()[0] == 400


def test_check_66_another_topic_is_refused(city: City) -> None:
    phone = city.phone()
    assert phone.authenticate(Topic="com.apple.mgmt.External.other")[0] == 400
    phone.enroll()
    before = city.apple(phone).push
    assert phone.token_update(Topic="com.apple.mgmt.External.other")[0] == 400
    assert city.apple(phone).push == before


def test_check_67_a_phone_that_waits_in_its_setup_is_released_at_the_end(city: City) -> None:
    phone = city.phone(awaiting=True)
    phone.authenticate()
    phone.token_update()
    told = {"Topic": TOPIC, "Token": b"t" * 32, "PushMagic": "m"}
    assert phone.check_in("TokenUpdate", **told)[0] == 200
    assert city.apple(phone).awaiting
    phone.run()
    city.deliver()
    assert phone.done[-1] == "DeviceConfigured"
    assert not city.apple(phone).awaiting


def test_check_68_a_phone_that_checks_out_is_gone(city: City) -> None:
    phone = city.enrolled(quiet=False)
    assert phone.check_in("CheckOut", Topic=TOPIC) == (200, b"")
    apple = city.apple(phone)
    assert (apple.state, apple.push) == ("gone", None)
    assert set(states(city, phone).values()) == {"cancelled"}
    assert {phone.idle()[0], phone.token_update()[0]} == {400}
    assert city.device(phone).waiting == 0


def test_check_69_what_is_not_offered_is_refused_in_the_way_it_must(city: City) -> None:
    phone = city.enrolled(quiet=False)
    assert phone.check_in("UserAuthenticate", UserID="U")[0] == 410
    assert phone.check_in("GetBootstrapToken") == (200, b"")
    assert phone.check_in("SetBootstrapToken") == (200, b"")
    assert phone.check_in("SetBootstrapToken", BootstrapToken=b"t")[0] == 400
    assert phone.check_in("GetToken", TokenServiceType="com.apple.maid")[0] == 400
    assert phone.check_in("ReturnToService")[0] == 400


def test_check_70_of_two_certificates_for_one_phone_the_first_one_wins(city: City) -> None:
    _, device_id = city.session()
    one, two = (
        city.phone(papers=city.session(device_id)[0], udid="00008110-00000000000000AA", serial="S1") for _ in "12"
    )
    assert [phone.authenticate()[0] for phone in (one, two, one)] == [200, 400, 200]
    works = [phone for phone in (one, two) if phone.token_update()[0] == 200]
    assert len(works) == 1
    assert works[0].idle()[0] == 200


def test_check_71_nothing_between_authenticate_and_token_is_kept_in_a_process(city: City) -> None:
    phone = city.phone()
    phone.authenticate()
    city.gateway.database.dispose()
    city.restart()
    assert phone.token_update()[0] == 200


def test_checks_72_and_73_commands_come_one_after_the_other_and_then_nothing(city: City) -> None:
    phone = city.enrolled()
    assert phone.idle() == (200, b"")
    first, second = ask(city, phone, "RestartDevice"), ask(city, phone, "ShutDownDevice")
    assert uuid_of(phone.idle()[1]) == first
    assert uuid_of(phone.report(first, "Acknowledged")[1]) == second
    assert phone.report(second, "Acknowledged") == (200, b"")


@pytest.mark.parametrize(("status", "state"), [("Error", "error"), ("CommandFormatError", "format_error")])
def test_check_74_an_error_ends_a_command_and_the_next_one_comes(city: City, status: str, state: str) -> None:
    phone = city.enrolled()
    first, second = ask(city, phone, "RestartDevice"), ask(city, phone, "ShutDownDevice")
    phone.idle()
    chain = [{"ErrorCode": 12021, "ErrorDomain": "MCMDMErrorDomain", "USEnglishDescription": "unknown command"}]
    assert uuid_of(phone.report(first, status, ErrorChain=chain)[1]) == second
    city.deliver()
    ended = {one.uuid: one for one in city.commands(phone)}[first]
    assert (ended.state, ended.detail) == (state, "MCMDMErrorDomain 12021: unknown command")


def test_checks_75_and_76_what_is_put_off_comes_again_at_the_next_connection(city: City) -> None:
    phone = city.enrolled()
    first, second = ask(city, phone, "RestartDevice"), ask(city, phone, "ShutDownDevice")
    phone.idle()
    assert uuid_of(phone.report(first, "NotNow")[1]) == second
    assert phone.report(second, "Acknowledged") == (200, b"")
    assert uuid_of(phone.idle()[1]) == first
    assert phone.report(first, "NotNow") == (200, b"")
    assert uuid_of(phone.idle()[1]) == first
    assert phone.report(first, "Acknowledged") == (200, b"")
    assert (states(city, phone)[first], city.device(phone).waiting) == ("acknowledged", 0)


def test_check_77_a_command_that_was_not_answered_is_given_again_under_the_same_uuid(city: City) -> None:
    phone = city.enrolled()
    uuid = ask(city, phone, "RestartDevice")
    assert uuid_of(phone.idle()[1]) == uuid_of(phone.idle()[1]) == uuid


def test_checks_78_and_79_an_answer_is_final(city: City) -> None:
    phone = city.enrolled()
    first, second = ask(city, phone, "RestartDevice"), ask(city, phone, "ShutDownDevice")
    phone.idle()
    phone.report(first, "Acknowledged")
    for again in ("Acknowledged", "NotNow", "Error"):
        assert uuid_of(phone.report(first, again)[1]) == second
    assert states(city, phone)[first] == "acknowledged"
    assert city.device(phone).waiting == 1


def test_check_80_an_answer_to_an_unknown_command_changes_nothing_and_the_next_one_comes(city: City) -> None:
    phone = city.enrolled()
    uuid = ask(city, phone, "RestartDevice")
    assert uuid_of(phone.report("5B4F4E33-0000-0000-0000-000000000000", "Acknowledged")[1]) == uuid
    assert "apple_result_refused" in city.events(phone)


def test_check_81_an_answer_to_somebody_elses_command_changes_nothing_there(city: City) -> None:
    mine, other = city.enrolled(), city.enrolled()
    uuid = ask(city, other, "SecurityInfo")
    assert uuid_of(other.idle()[1]) == uuid
    forged = {"SecurityInfo": {"PasscodePresent": False, "HardwareEncryptionCaps": 0}}
    assert mine.report(uuid, "Acknowledged", **forged)[0] == 200
    city.deliver()
    assert states(city, other)[uuid] == "sent"
    assert "apple_result_refused" in city.events(mine)


def test_check_82_an_answer_that_does_not_fit_its_question_is_no_fact(city: City) -> None:
    phone = city.enrolled()
    uuid = ask(city, phone, "DeviceInformation", {"Queries": ["DeviceName", "OSVersion"]})
    phone.idle()
    phone.report(uuid, "Acknowledged", SecurityInfo={"PasscodePresent": False})
    city.deliver()
    assert "apple_answer_odd" in city.events(phone)
    assert states(city, phone)[uuid] == "acknowledged"


def test_check_83_a_phone_that_says_it_is_another_is_not_believed(city: City) -> None:
    phone = city.enrolled()
    uuid = ask(city, phone, "DeviceInformation", {"Queries": ["SerialNumber", "DeviceName"]})
    phone.idle()
    phone.report(uuid, "Acknowledged", QueryResponses={"SerialNumber": "STOLEN1", "DeviceName": "Evil"})
    city.deliver()
    device = city.device(phone)
    assert (device.serial, device.name == "Evil") == (phone.serial, False)
    assert "apple_identity_differs" in city.events(phone)


def test_check_84_a_phone_that_enrols_again_begins_anew(city: City) -> None:
    phone = city.enrolled()
    uuids = [ask(city, phone, kind) for kind in ("RestartDevice", "ShutDownDevice", "SecurityInfo")]
    again = city.phone(
        papers=city.session(city.apple(phone).device_id)[0], udid=phone.udid, serial=phone.serial, supervised=True
    )
    again.enroll()
    assert {states(city, phone)[uuid] for uuid in uuids} == {"cancelled"}
    assert city.apple(phone).generation == 2
    assert phone.idle()[0] == 400
    again.report(uuids[0], "Acknowledged")
    assert states(city, phone)[uuids[0]] == "cancelled"


def test_check_85_a_command_is_judged_again_before_it_is_given(city: City) -> None:
    phone = city.enrolled()
    uuid = ask(city, phone, "ShutDownDevice")
    with transaction(city.engine) as session:
        session.scalars(select(AppleDevice).where(AppleDevice.udid == phone.udid)).one().supervised = False
    assert phone.idle() == (200, b"")
    assert states(city, phone)[uuid] == "withheld"
    assert "apple_command_withheld" in city.events(phone)


def test_check_86_a_command_whose_time_has_passed_is_not_given(city: City) -> None:
    phone = city.enrolled()
    uuid = ask(city, phone, "RestartDevice", lifetime=timedelta(seconds=-1))
    assert phone.idle() == (200, b"")
    with city.call() as call:
        asking.expire_due(call)
    assert (states(city, phone)[uuid], city.device(phone).waiting) == ("expired", 0)


def test_check_86_an_erase_is_given_only_with_its_order(city: City) -> None:
    phone = city.enrolled()
    uuid = ask(city, phone, "EraseDevice", {"PreserveDataPlan": True}, order_id="0" * 32)
    assert phone.idle() == (200, b"")
    assert states(city, phone)[uuid] == "withheld"
    assert not phone.erased


def test_check_87_a_command_taken_back_too_late_is_not_given_again_but_its_answer_is_noted(city: City) -> None:
    phone = city.enrolled()
    uuid = ask(city, phone, "RestartDevice")
    phone.idle()
    with city.call() as call:
        command = call.session.scalars(select(AppleCommand).where(AppleCommand.uuid == uuid)).one()
        asking.close(call, command, CommandState.CANCELLED, "taken back")
    assert phone.idle() == (200, b"")
    assert phone.report(uuid, "Acknowledged") == (200, b"")
    command = {one.uuid: one for one in city.commands(phone)}[uuid]
    assert (command.state, command.details) == ("cancelled", {"late": "Acknowledged"})


def test_check_88_a_profile_arrives_byte_for_byte(city: City) -> None:
    phone = city.enrolled()
    content = (
        b"<?xml version='1.0'?><plist version='1.0'><dict><key>PayloadIdentifier</key><string>x</string></dict></plist>"
    )
    ask(city, phone, "InstallProfile", {"Payload": content + b"\n  "})
    command = plist.read(phone.idle()[1])["Command"]
    assert hashlib.sha256(command["Payload"]).digest() == hashlib.sha256(content + b"\n  ").digest()  # type: ignore[call-overload, index]


def test_check_89_what_a_private_phone_may_not_be_asked_is_not_queued(city: City) -> None:
    private = city.enrolled(session={"user_enrollment": True}, user_enrollment=True, supervised=False)
    for kind, args in (("EraseDevice", {}), ("ClearPasscode", {"UnlockToken": b"x"}), ("RestartDevice", {})):
        with pytest.raises(HavenmeesterError):
            ask(city, private, kind, args)
    assert not {one.request_type for one in city.commands(private)} & {"EraseDevice", "ClearPasscode"}


def test_check_90_ten_thousand_waiting_commands_cost_no_more_than_one(city: City) -> None:
    phone = city.enrolled()
    first = ask(city, phone, "InstallApplication", {"iTunesStoreID": 1})
    with transaction(city.engine) as session:
        like = session.scalars(select(AppleCommand).where(AppleCommand.uuid == first)).one()
        values = {
            name: getattr(like, name)
            for name in (
                "device_id",
                "generation",
                "request_type",
                "body",
                "created_at",
                "expires_at",
                "priority",
                "state",
            )
        }
        session.execute(AppleCommand.__table__.insert(), [  # type: ignore[attr-defined]
            {**values, "uuid": f"U{number}", "open": True, "guarded": False, "sealed": False, "target": "",
             "asked_by": "", "reason": "", "not_now": 0, "detail": "", "details": {}}
            for number in range(10_000)
        ])  # fmt: skip
    import time

    phone.idle()
    begun = time.process_time()
    for _ in range(10):
        assert uuid_of(phone.idle()[1]) == first
    assert (time.process_time() - begun) / 10 < 0.05


def test_check_91_two_connections_at_once_lose_nothing(city: City) -> None:
    phone = city.enrolled()
    wanted = {ask(city, phone, "InstallApplication", {"iTunesStoreID": number}) for number in range(4)}
    one, two = uuid_of(phone.idle()[1]), uuid_of(phone.idle()[1])
    assert one == two
    next_of_one = uuid_of(phone.report(one, "Acknowledged")[1])
    assert uuid_of(phone.report(two, "Acknowledged")[1]) == next_of_one
    phone.run()
    assert {states(city, phone)[uuid] for uuid in wanted} == {"acknowledged"}


def test_a_lock_of_the_house_becomes_a_lock_of_the_phone_and_its_answer_comes_back(city: City) -> None:
    phone = city.enrolled()
    with city.call() as call:
        device = call.session.get_one(Device, city.apple(phone).device_id)
        sent = service.send(call, [device.uid], Verb.LOCK, reason="lost in a tram")
    city.deliver()
    assert phone.run() == 1
    city.deliver()
    assert phone.done[-1] == "DeviceLock"
    with transaction(city.engine, write=False) as session:
        assert session.get_one(Command, sent.commands[0]).state == "done"
    assert city.device(phone).waiting == 0


def test_what_a_phone_cannot_do_is_refused_with_a_sentence(city: City) -> None:
    phone = city.enrolled()
    with city.call() as call:
        device = call.session.get_one(Device, city.apple(phone).device_id)
        sent = service.send(call, [device.uid], Verb.MESSAGE, {"text": "hello"})
    city.deliver()
    with transaction(city.engine, write=False) as session:
        command = session.get_one(Command, sent.commands[0])
        assert command.state == "refused"
        assert command.detail
    assert phone.idle() == (200, b"")


def test_a_refresh_asks_for_everything_once(city: City) -> None:
    phone = city.enrolled()
    with city.call() as call:
        device = call.session.get_one(Device, city.apple(phone).device_id)
        sent = service.send(call, [device.uid], Verb.REFRESH)
    city.deliver()
    assert phone.run() == 6
    city.deliver()
    with transaction(city.engine, write=False) as session:
        assert session.get_one(Command, sent.commands[0]).state == "done"
