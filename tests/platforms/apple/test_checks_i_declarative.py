"""Black-box checks 111-120 (declarative management and renewal), by their numbers; and what policies become on a phone."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from agent.wire import short_digest
from mdm.inventory.model import Device, FactSection
from mdm.platforms.apple import applied
from mdm.platforms.apple.model import AppleDevice, AppleProfile, SessionKind
from mdm.platforms.apple.render import AppleInterpreter
from mdm.policies.model import Cohort
from mdm.simulate.iphone import IPhone
from mdm.storage.engine import transaction
from tests.platforms.apple.city import City

PASSCODE: dict[str, Any] = {"passcode.required": True, "passcode.min_length": 6}
CLIP = {"web_links.links": [{"name": "Intranet", "url": "https://intranet.example/"}]}


def shall_have(city: City, phone: IPhone, **settings: Any) -> None:
    """A policy says something else for this phone from now on."""
    resources = AppleInterpreter().render(settings, [])
    with transaction(city.engine) as session:
        device = session.get_one(Device, city.apple(phone).device_id)
        cohort = session.get(Cohort, device.cohort_id) if device.cohort_id else None
        if cohort is None:
            cohort = Cohort(key=device.uid, platform="ios", os_version="18", assignments=[])
            session.add(cohort)
            session.flush()
            device.cohort_id = cohort.id
        cohort.settings = settings
        cohort.desired_digest = short_digest(resources)
        cohort.desired = {"digest": cohort.desired_digest, "resources": resources}


def settle(city: City, phone: IPhone) -> None:
    for _ in range(4):
        phone.run()
        city.deliver()


def asked(phone: IPhone, endpoint: str) -> Any:
    status, body = phone.declarative(endpoint)
    return json.loads(body) if status == 200 and body else status


def desired(city: City, phone: IPhone) -> dict[str, str]:
    """State by resource, as the device's page shows it."""
    with transaction(city.engine, write=False) as session:
        section = session.get(FactSection, (city.apple(phone).device_id, "desired"))
        return {key: one["state"] for key, one in section.content["resources"].items()} if section else {}


@pytest.fixture
def phone(city: City) -> IPhone:
    """A phone that manages itself by declarations."""
    made = city.enrolled()
    shall_have(city, made, **PASSCODE)
    settle(city, made)
    return made


def test_check_111_tokens_and_items_tell_the_same_and_no_list_is_missing(city: City, phone: IPhone) -> None:
    tokens, items = asked(phone, "tokens")["SyncTokens"], asked(phone, "declaration-items")
    assert tokens["DeclarationsToken"] == items["DeclarationsToken"]
    assert set(items["Declarations"]) == {"Activations", "Assets", "Configurations", "Management"}
    assert all(isinstance(one, list) for one in items["Declarations"].values())
    assert len(tokens["DeclarationsToken"]) <= 256
    assert city.apple(phone).declarative


def test_check_112_a_token_changes_with_its_content_and_with_nothing_else(city: City, phone: IPhone) -> None:
    before = asked(phone, "declaration-items")
    city.restart()
    assert asked(phone, "declaration-items") == before
    shall_have(city, phone, **{**PASSCODE, "passcode.min_length": 8})
    settle(city, phone)
    after = asked(phone, "declaration-items")
    assert after["DeclarationsToken"] != before["DeclarationsToken"]
    old, new = (
        {one["Identifier"]: one["ServerToken"] for one in items["Declarations"]["Configurations"]}
        for items in (before, after)
    )
    assert [key for key in new if new[key] != old.get(key)] == ["havenmeester.passcode"]


@pytest.mark.parametrize(
    ("endpoint", "status"),
    [
        ("declaration/configuration/havenmeester.other", 404),
        ("declaration/asset/havenmeester.passcode", 404),
        ("declaration/configuration/../../etc", 400),
        ("declaration/configuration/a/b", 400),
        ("https://example.org/x", 400),
        ("declaration/configuration/%", 400),
        ("", 400),
        ("Tokens", 400),
    ],
)
def test_check_113_only_what_is_there_is_served(phone: IPhone, endpoint: str, status: int) -> None:
    assert phone.declarative(endpoint)[0] == status


def test_check_114_exactly_what_was_advertised_is_served(city: City, phone: IPhone) -> None:
    asked(phone, "declaration-items")
    before = asked(phone, "declaration/configuration/havenmeester.passcode")
    shall_have(city, phone, **CLIP)
    phone.idle()
    assert asked(phone, "declaration/configuration/havenmeester.passcode") == before
    asked(phone, "declaration-items")
    assert asked(phone, "declaration/configuration/havenmeester.passcode") == 404


def test_check_115_status_is_merged_entry_by_entry(city: City, phone: IPhone) -> None:
    def report(items: dict[str, Any], **more: Any) -> int:
        return phone.declarative("status", json.dumps({"StatusItems": items, **more}).encode())[0]

    certificates = [{"identifier": "a", "x": 1}, {"identifier": "b", "x": 2}]
    assert report({"security": {"certificate": {"list": certificates}}}) == 200
    assert report({"security": {"certificate": {"list": [{"identifier": "a", "_removed": True}]}}}) == 200
    kept = city.apple(phone).status["items"]
    assert kept["security"]["certificate"]["list"] == [{"identifier": "b", "x": 2}]
    assert kept["passcode"]["is-present"] is True
    assert report({"device": {"model": {"family": "iPhone"}}}, FullReport=True) == 200
    assert city.apple(phone).status["items"] == {"device": {"model": {"family": "iPhone"}}}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b'{"StatusItems": 7}',
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b'{"StatusItems":{},"StatusItems":{}}',
    ],
)
def test_check_115_a_report_that_is_none_changes_nothing(city: City, phone: IPhone, data: bytes) -> None:
    before = city.state()
    assert phone.declarative("status", data)[0] == 400
    assert city.state() == before


def test_check_116_a_phone_speaks_of_its_own_declarations(city: City, phone: IPhone) -> None:
    other = city.enrolled()
    before = city.apple(other).declared
    phone.tell()
    assert city.apple(other).declared == before


def test_check_118_a_phone_that_enrols_again_is_told_anew(city: City, phone: IPhone) -> None:
    again = city.phone(papers=city.session(city.apple(phone).device_id)[0], udid=phone.udid, serial=phone.serial)
    again.enroll()
    apple = city.apple(again)
    assert (apple.declarative, apple.set_token, apple.status) == (False, None, {})
    assert again.declarative("tokens")[0] == 404
    settle(city, again)
    assert city.apple(again).declarative
    assert again.declarative("tokens")[0] == 200


def test_what_a_policy_says_is_on_the_phone_and_shown_as_applied(city: City, phone: IPhone) -> None:
    shall_have(city, phone, **PASSCODE, **CLIP)
    settle(city, phone)
    assert "havenmeester.passcode" in phone.declarations
    assert list(phone.profiles) == ["havenmeester.web-clip.intranet-2fa51f8d"]
    assert desired(city, phone) == {"passcode": "applied", "web-clip.intranet-2fa51f8d": "applied"}
    assert city.device(phone).applied_digest != "-"


def test_what_a_policy_says_no_longer_is_taken_away(city: City, phone: IPhone) -> None:
    shall_have(city, phone, **PASSCODE, **CLIP)
    settle(city, phone)
    shall_have(city, phone, **PASSCODE)
    settle(city, phone)
    assert phone.profiles == {}
    with transaction(city.engine, write=False) as session:
        assert session.scalars(select(AppleProfile)).all() == []


def test_what_a_phone_refuses_is_shown_and_not_sent_again(city: City, phone: IPhone) -> None:
    phone.errors["InstallProfile"] = "no space on the home screen"
    shall_have(city, phone, **CLIP)
    settle(city, phone)
    assert desired(city, phone) == {"web-clip.intranet-2fa51f8d": "failed"}
    assert phone.run() == 0


def test_a_declaration_that_a_phone_cannot_apply_is_shown_with_its_reason(city: City, phone: IPhone) -> None:
    phone.errors["com.apple.configuration.passcode.settings"] = "not now"
    shall_have(city, phone, **{"passcode.min_length": 9})
    settle(city, phone)
    assert desired(city, phone) == {"passcode": "failed"}


def test_what_only_supervised_phones_can_is_explained_for_others(city: City) -> None:
    phone = city.enrolled(supervised=False)
    shall_have(city, phone, **{"kiosk.app": "ios:com.apple.mobilesafari"})
    settle(city, phone)
    assert desired(city, phone) == {"kiosk": "unsupported"}
    assert phone.profiles == {}


def test_what_a_phone_cannot_have_holds_up_nothing_else(city: City) -> None:
    phone = city.enrolled(supervised=False)
    shall_have(city, phone, **PASSCODE, **{"kiosk.app": "ios:com.apple.mobilesafari"})
    settle(city, phone)
    assert desired(city, phone) == {"kiosk": "unsupported", "passcode": "applied"}
    with transaction(city.engine, write=False) as session:
        device = session.get_one(Device, city.apple(phone).device_id)
        assert device.applied_digest == session.get_one(Cohort, device.cohort_id).desired_digest


def test_until_a_phone_has_said_whether_it_is_supervised_it_is_not_called_ready(city: City) -> None:
    phone = city.enrolled(supervised=True)
    shall_have(city, phone, **PASSCODE, **{"kiosk.app": "ios:com.apple.mobilesafari"})
    settle(city, phone)
    with city.call() as call:
        apple = call.session.get_one(AppleDevice, city.apple(phone).device_id)
        apple.supervised = None
        applied.tell(call, apple)
    assert desired(city, phone)["kiosk"] == "pending"
    assert city.device(phone).applied_digest == "-"


def test_a_phone_that_is_too_old_for_declarations_gets_everything_else(city: City) -> None:
    phone = city.enrolled(os_version="12.5.7")
    shall_have(city, phone, **CLIP)
    settle(city, phone)
    assert desired(city, phone) == {"web-clip.intranet-2fa51f8d": "applied"}
    assert phone.declarations == {}


def test_status_items_become_facts(city: City, phone: IPhone) -> None:
    phone.os_version, phone.passcode = "18.2", False
    phone.tell()
    city.deliver()
    with transaction(city.engine, write=False) as session:
        lock = session.get_one(FactSection, (city.apple(phone).device_id, "screenlock"))
        assert lock.content["enabled"] is False
    assert city.device(phone).os_version == "18.2"


def test_a_phone_is_asked_to_report_what_it_can_tell(city: City, phone: IPhone) -> None:
    items = phone.declarations["havenmeester.status"]["Payload"]["StatusItems"]
    names = [one["Name"] for one in items]
    assert "device.power.battery-health" in names
    assert "test.string-value" not in names


def test_check_119_a_renewal_keeps_what_was_and_ends_the_certificate_before(city: City, phone: IPhone) -> None:
    shall_have(city, phone, **CLIP)
    settle(city, phone)
    before = city.apple(phone)
    renewed, _ = city.session(before.device_id, kind=SessionKind.RENEWAL)
    old = (phone.key, phone.certificate)
    phone.key, phone.certificate = renewed.key, renewed.certificate
    assert phone.authenticate()[0] == 200
    phone.key, phone.certificate = old
    assert phone.idle()[0] == 200
    phone.key, phone.certificate = renewed.key, renewed.certificate
    assert phone.token_update()[0] == 200
    after = city.apple(phone)
    assert (after.generation, after.set_token, after.declarative) == (before.generation, before.set_token, True)
    assert phone.idle()[0] == 200
    phone.key, phone.certificate = old
    assert phone.idle()[0] == 400


def test_check_120_a_phone_that_enrols_again_while_a_renewal_is_open_begins_anew(city: City, phone: IPhone) -> None:
    device_id = city.apple(phone).device_id
    city.session(device_id, kind=SessionKind.RENEWAL)
    again = city.phone(papers=city.session(device_id)[0], udid=phone.udid, serial=phone.serial)
    again.enroll()
    assert city.apple(again).generation == 2


def test_a_certificate_renewed_by_scep_counts_from_its_first_request(city: City, phone: IPhone) -> None:
    renewed, _ = city.session(city.apple(phone).device_id, scep=True)
    old = (phone.key, phone.certificate)
    phone.key, phone.certificate = renewed.key, renewed.certificate
    assert phone.idle()[0] == 200
    assert phone.idle() == (200, b"")
    phone.key, phone.certificate = old
    assert phone.idle()[0] == 400
    assert city.apple(phone).generation == 1
