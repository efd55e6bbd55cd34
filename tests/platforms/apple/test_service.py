"""What people may ask of a phone, what they may not, and what is written down of it."""

import pytest
from sqlalchemy import select

from mdm.audit.model import AuditEntry
from mdm.commands import service as commands
from mdm.commands.model import Verb
from mdm.core.actor import Actor, ActorKind
from mdm.core.clock import utcnow
from mdm.core.errors import (
    ApprovalNeededError,
    ConflictError,
    DeniedError,
    HavenmeesterError,
    InvalidError,
    NotFoundError,
)
from mdm.core.permissions import Grant, Role
from mdm.desk.cases import service as cases
from mdm.desk.cases.model import CaseFix, Outcome
from mdm.enrollment.model import Enrollment
from mdm.outbox.model import OutboxMessage
from mdm.platforms.apple import plist, secrets, service
from mdm.platforms.apple.model import ScopedSecret
from mdm.simulate.iphone import IPhone
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from mdm.storage.seal import load_seal
from tests.conftest import FLEET_ADMIN, alone
from tests.platforms.apple.city import City

AUDITOR = Actor(ActorKind.OPERATOR, 2, "Ann", (Grant(Role.AUDITOR),))


def ask(city: City, phone: IPhone, request_type: str, **args: object) -> str:
    with city.call() as call:
        return service.ask(call, load_seal(city.home / "keys"), city.device(phone).uid, request_type, args).uuid


def diary(city: City) -> list[str]:
    with transaction(city.engine, write=False) as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def pushes(city: City) -> int:
    with transaction(city.engine, write=False) as session:
        return len(session.scalars(select(OutboxMessage.id).where(OutboxMessage.topic == "apple.push")).all())


def test_nobody_asks_a_phone_where_it_is_but_its_case(city: City) -> None:
    phone = city.enrolled()
    with pytest.raises(InvalidError):
        ask(city, phone, "DeviceLocation")
    with city.call() as call, pytest.raises(InvalidError) as refused:
        commands.send(call, [city.device(phone).uid], Verb.LOCATE)
    assert refused.value.code == "only_by_case"
    assert [one for one in city.commands(phone) if one.request_type == "DeviceLocation"] == []


def test_a_lost_phone_is_locked_says_where_it_is_to_its_case_alone_and_is_given_back(city: City) -> None:
    phone = city.enrolled()
    uid, seal = city.device(phone).uid, load_seal(city.home / "keys")
    with pytest.raises(InvalidError):
        ask(city, phone, "EnableLostMode")
    with city.call() as call:
        case = cases.open_lost(call, uid).uid
    city.deliver()
    phone.run()
    city.deliver()
    assert city.apple(phone).lost_mode
    phone.run()
    city.deliver()
    phone.run()
    city.deliver()

    assert city.apple(phone).location is None
    assert all(b"51.2" not in (one.answer or b"") for one in city.commands(phone))
    with transaction(city.engine, write=False) as session:
        (fix,) = session.scalars(select(CaseFix)).all()
        assert b"51.2" not in fix.sealed
    with city.call() as call, pytest.raises(DeniedError):
        cases.show(call, seal, case)
    with city.call() as call:
        cases.look(call.with_permit(alone()), case, "the holder asks")
        place = cases.show(call, seal, case)
        assert round(place.latitude, 1) == 51.2
        cases.close(call, case, Outcome.FOUND)
    city.deliver()
    phone.run()
    city.deliver()
    assert (city.apple(phone).lost_mode, city.apple(phone).location) == (False, None)


def test_every_reveal_is_a_line_in_the_diary_and_needs_the_right(city: City) -> None:
    phone = city.enrolled()
    seal = load_seal(city.home / "keys")
    uid = city.device(phone).uid
    with city.call() as call:
        assert secrets.reveal(call, seal, uid, ScopedSecret.BYPASS_CODE, "phone is locked").startswith("AAAAA-")
        with pytest.raises(NotFoundError):
            secrets.reveal(call, seal, uid, ScopedSecret.LOCATION, "curious")
    with city.call() as call, pytest.raises(DeniedError):
        secrets.reveal(call.by(AUDITOR), seal, uid, ScopedSecret.BYPASS_CODE, "curious")
    assert diary(city).count("secret.revealed") == 1


def test_a_passcode_is_taken_off_with_the_token_that_was_kept_sealed(city: City) -> None:
    phone = city.enrolled()
    with pytest.raises(ConflictError):
        ask(city, phone, "ClearPasscode")
    phone.token_update(UnlockToken=b"unlock" * 50)
    uuid = ask(city, phone, "ClearPasscode")
    (command,) = [one for one in city.commands(phone) if one.uuid == uuid]
    assert b"unlock" not in command.body
    given = plist.read(phone.idle()[1])
    assert given["Command"] == {"RequestType": "ClearPasscode", "UnlockToken": b"unlock" * 50}
    phone.report(uuid, "Acknowledged")
    city.deliver()
    assert service.asked(command) == {}


@pytest.mark.parametrize("name", ["EraseDevice", "DeviceConfigured", "MakeCoffee", "DeclarativeManagement"])
def test_what_is_no_question_of_people_is_not_asked(city: City, name: str) -> None:
    phone = city.enrolled()
    with pytest.raises(InvalidError):
        ask(city, phone, name)


def test_without_the_right_nothing_is_asked(city: City) -> None:
    phone = city.enrolled()
    with city.call() as call, pytest.raises(DeniedError):
        service.ask(call.by(AUDITOR), load_seal(city.home / "keys"), city.device(phone).uid, "RestartDevice")
    assert phone.idle() == (200, b"")


def test_the_management_itself_is_not_taken_away_by_a_command(city: City) -> None:
    phone = city.enrolled()
    for identifier in ("org.havenmeester.enrollment", "havenmeester.wifi.x"):
        with pytest.raises(DeniedError):
            ask(city, phone, "RemoveProfile", Identifier=identifier)


def test_settings_and_applications_are_judged_before_they_are_asked(city: City) -> None:
    phone = city.enrolled()
    with pytest.raises(HavenmeesterError):
        ask(city, phone, "Settings", Settings=[{"Item": "Wallpaper", "Image": b"", "Where": 9}])
    with pytest.raises(HavenmeesterError):
        ask(city, phone, "InstallApplication", iTunesStoreID="not a number")
    ask(city, phone, "Settings", Settings=[{"Item": "DeviceName", "DeviceName": "Loket 4"}])
    ask(city, phone, "InstallApplication", iTunesStoreID=361309726)
    phone.run()
    assert phone.name == "Loket 4"
    assert "361309726" in phone.applications


def test_a_command_is_taken_back_once(city: City) -> None:
    phone = city.enrolled()
    uuid = ask(city, phone, "RestartDevice")
    with city.call() as call:
        service.cancel(call, uuid)
        service.cancel(call, uuid)
    assert phone.idle() == (200, b"")
    assert city.device(phone).waiting == 0
    assert diary(city).count("command.cancelled") == 1


def test_a_phone_that_is_turned_away_leaves_and_the_diary_says_who_said_so(city: City) -> None:
    phone = city.enrolled()
    before = pushes(city)
    with city.call() as call:
        service.turn_away(call.with_permit(alone()), city.device(phone).uid, "sold")
        service.turn_away(call.with_permit(alone()), city.device(phone).uid, "sold")
    assert pushes(city) == before + 1, "it is woken, so that this is soon, and once"
    assert [phone.idle()[0] for _ in range(2)] == [401, 401], "it may have missed the first answer"
    told = diary(city)
    assert [told.count(f"device.{one}") for one in ("turning_away", "turned_away")] == [1, 1]
    assert city.apple(phone).state == "gone"
    assert {one.state for one in city.commands(phone)} <= {"acknowledged", "cancelled"}
    with transaction(city.engine, write=False) as session:
        ended = select(Enrollment.revoked_why).where(Enrollment.device_id == city.device(phone).id)
        assert set(session.scalars(ended)) == {"told to leave"}
    for late in (service.turn_away, service.let_stay):
        with city.call() as call, pytest.raises(ConflictError, match="has left"):
            late(call, city.device(phone).uid, *(["again"] if late is service.turn_away else []))


def test_a_phone_that_was_sent_away_and_is_invited_anew_comes_back(city: City) -> None:
    phone = city.enrolled(serial="F2LX0009")
    with city.call() as call:
        service.turn_away(call.with_permit(alone()), city.device(phone).uid, "lent out")
    assert phone.idle()[0] == 401
    papers, _ = city.session(city.device(phone).id)
    again = city.phone(papers=papers, serial="F2LX0009", udid=phone.udid)
    assert again.idle()[0] == 401, "before it says that it begins anew it is the one that shall leave"
    again.enroll()
    assert (city.apple(again).state, city.apple(again).turn_away) == ("enrolled", False)
    assert again.idle()[0] == 200
    assert phone.idle()[0] == 400


def test_a_phone_that_may_stay_after_all_notices_nothing(city: City) -> None:
    phone = city.enrolled()
    uid = city.device(phone).uid
    with city.call() as call:
        service.turn_away(call.with_permit(alone()), uid, "sold")
        service.let_stay(call, uid)
        service.let_stay(call, uid)
    assert phone.idle() == (200, b"")
    assert diary(city).count("device.may_stay") == 1


def test_nobody_sends_a_phone_away_alone_without_a_reason_or_without_the_right(city: City) -> None:
    phone = city.enrolled()
    uid = city.device(phone).uid
    with city.call() as call, pytest.raises(InvalidError, match="Say why"):
        service.turn_away(call, uid, "  ")
    with transaction(city.engine) as session:
        with pytest.raises(ApprovalNeededError):
            service.turn_away(Call(FLEET_ADMIN, session, utcnow()), uid, "sold")
        for verb in (lambda call: service.turn_away(call, uid, "sold"), lambda call: service.let_stay(call, uid)):
            with pytest.raises(DeniedError):
                verb(Call(AUDITOR, session, utcnow(), alone()))
    assert phone.idle() == (200, b"")
    assert not {"device.turning_away", "device.turned_away"} & set(diary(city))
