"""The unmodified agent at a running gateway, by its wire: from the QR code to the report."""

import json

import pytest
from sqlalchemy import select

from mdm.core.errors import ConflictError
from mdm.enrollment import service as enrollment
from mdm.enrollment.queries import by_token
from mdm.inventory.model import DeviceEvent, FactSection
from mdm.platforms.android.model import AndroidPhone
from mdm.simulate import androids as handsets
from mdm.simulate.androids import Androids
from mdm.simulate.figures import Figures
from mdm.simulate.handset import EXTRA, Handset, RefusedError, signature
from tests.platforms.android.conftest import BOTH, VENDOR, City


@BOTH
def test_a_phone_enrols_by_its_code_alone_and_becomes_a_device_with_facts(city: City) -> None:
    phone = city.handset()
    assert Handset.right(phone.checksum, VENDOR.certificate)
    assert phone.set_up() == VENDOR.apk("com.hmdm.launcher", "6.36", 16360) or len(phone.set_up()) > 1000
    phone.enroll()

    device = city.device(phone)
    assert (device.platform, device.os_name, device.os_version) == ("android", "Android", "16")
    assert (device.serial, device.imei, device.state) == (phone.serial, phone.imei, "handed_out")
    assert device.key_digest
    with city.call(write=False) as call:
        said = {row.section: row.content for row in call.session.scalars(
            select(FactSection).where(FactSection.device_id == device.id))}  # fmt: skip
    assert said["agent"]["version"] == "6.36"
    assert "lat" not in json.dumps(said)
    assert "+3247" not in json.dumps(said)


def test_the_code_holds_a_number_of_128_bits_and_it_is_kept_nowhere(city: City) -> None:
    token = city.gateway.invite(platform="android", email="code@example.org")
    code = json.loads(city.code_of(token))
    number = code[f"{EXTRA}ADMIN_EXTRAS_BUNDLE"]["com.hmdm.DEVICE_ID"]
    assert len(number) == 26
    assert json.loads(city.code_of(token)) == code
    assert number not in json.dumps(str(city.row(city.handset(json.dumps(code))).__dict__))


def test_before_it_has_said_who_it_is_a_phone_gets_nothing_of_the_city(city: City) -> None:
    phone = city.handset()
    given = phone.fetch(first=True)
    assert (given["applications"], given["restrictions"], given["applicationSettings"]) == ([], "", [])


def test_a_wrong_signature_is_refused_and_a_right_one_opens_nothing(city: City) -> None:
    phone = city.enrolled()
    for path, text in (
        (f"/rest/public/sync/configuration/{phone.number}", phone.number),
        (f"/rest/notification/polling/{phone.number}", f"/rest/notification/polling/{phone.number}"),
        (f"/rest/notifications/device/{phone.number}", f"/rest/notifications/device/{phone.number}"),
    ):
        for wrong in ("", "0" * 40, signature(text, "another secret"), "é" * 40):
            status, _, body = city.ask(
                "GET", path, b"", {"X-Request-Signature": wrong.encode("latin-1", "replace").decode("latin-1")}
            )
            assert (status, json.loads(body)["message"]) == (200, "error.permission.denied")
            assert json.loads(body)["data"] is None
    stranger = Handset(city.ask, phone.code, number="a" * 26)
    with pytest.raises(RefusedError, match="notfound"):
        stranger.fetch()
    with pytest.raises(RefusedError, match="notfound"):
        stranger.fetch(first=True)
    with pytest.raises(RefusedError, match="notfound"):
        stranger.poll()


@pytest.mark.parametrize("number", ["", "x", "%00", "../../etc", "A" * 26, "' OR 1=1 --", "a" * 4000])
def test_what_is_no_number_is_no_number(city: City, number: str) -> None:
    status, _, body = city.ask(
        "GET", f"/rest/public/sync/configuration/{number.replace(' ', '%20')}", b"", {"X-Request-Signature": "0" * 40}
    )
    assert status in (200, 308, 400, 404)
    assert b"applications" not in body


def test_a_second_phone_with_the_same_number_is_refused_and_the_first_goes_on(city: City) -> None:
    phone = city.enrolled()
    second = city.handset(phone.code)
    with pytest.raises(RefusedError, match="duplicate"):
        second.fetch(first=True)
    with pytest.raises(RefusedError, match="duplicate"):
        second.report()
    phone.visit()
    device = city.device(phone)
    assert device.serial == phone.serial
    with city.call(write=False) as call:
        kinds = list(call.session.scalars(select(DeviceEvent.kind).where(DeviceEvent.device_id == device.id)))
    assert kinds.count("android_contested") == 1


def test_a_changed_imei_or_serial_number_is_an_alarm_and_changes_nothing(city: City) -> None:
    phone = city.enrolled()
    for other in ({"imei": "990000000000001"}, {"serial": "OTHER1"}, {"serial": "", "imei": ""}):
        changed = city.handset(phone.code, serial=phone.serial, imei=phone.imei)
        for key, value in other.items():
            setattr(changed, key, value)
        with pytest.raises(RefusedError, match="duplicate"):
            changed.report()
    assert city.row(phone).contested_at is not None
    assert city.device(phone).imei == phone.imei


def test_a_lost_answer_at_the_first_start_is_no_harm(city: City) -> None:
    phone = city.handset()
    phone.fetch(first=True)
    first = city.row(phone)
    phone.fetch(first=True)
    phone.enroll()
    assert city.row(phone).device_id == first.device_id
    assert city.row(phone).enrollment_id == first.enrollment_id


def test_a_code_of_an_invitation_that_was_withdrawn_enrols_nobody(city: City) -> None:

    token = city.gateway.invite(platform="android", email="gone@example.org")
    code = city.code_of(token)
    with city.call() as call:
        invitation = by_token(call.session, token)
        assert invitation is not None
        enrollment.withdraw(call, invitation.uid)
    with pytest.raises(RefusedError, match="notfound"):
        city.handset(code).enroll()


def test_a_code_ends_when_the_invitation_gets_another_token(city: City) -> None:

    token = city.gateway.invite(platform="android", email="anew@example.org")
    code = city.code_of(token)
    with city.call() as call:
        invitation = by_token(call.session, token)
        assert invitation is not None
        again = enrollment.new_token(call, invitation.uid)
    with pytest.raises(RefusedError, match="notfound"):
        city.handset(code).enroll()
    city.handset(city.code_of(again)).enroll()


def test_a_private_phone_is_not_set_up_this_way(city: City) -> None:
    with pytest.raises(ConflictError, match="work profile") as refused:
        city.code(ownership="private")
    assert refused.value.code == "android_private"


def test_hostile_reports_are_refused_or_cleaned_and_never_break_anything(city: City) -> None:
    phone = city.enrolled()
    for body in (b"", b"[]", b"{", b'{"deviceId":1}', b"[" * 100_000, b'{"deviceId":NaN}', b"\xff\xfe"):
        status, _, answer = city.ask("POST", "/rest/public/sync/info", body, {})
        assert status in (200, 400)
        assert b'"OK"' not in answer
    status, _, _ = city.ask("POST", "/rest/public/sync/info", b"x" * 2_000_000, {})
    assert status == 413
    said = phone.info()
    said["applications"] = [{"name": "<script>\u202e\x00", "pkg": "com.\u0000evil\u202e", "version": ["1"]}, 7, None]
    said["model"] = "Pixel\u202e\x1b[31m 9" * 50
    said["permissions"] = "yes"
    assert city.ask("POST", "/rest/public/sync/info", json.dumps(said).encode(), {})[0] == 200
    with city.call(write=False) as call:
        system = call.session.get_one(FactSection, (city.device(phone).id, "system"))
        assert "\u202e" not in json.dumps(system.content, ensure_ascii=False)
        assert len(system.content["model"]) <= 128


def test_lines_of_the_log_are_kept_and_only_the_last(city: City) -> None:

    phone = city.enrolled()
    phone.log(*(f"line {n}" for n in range(70)))
    with city.call(write=False) as call:
        kept = call.session.get_one(AndroidPhone, city.device(phone).id).details["log"]
    assert [one["text"] for one in kept] == [f"line {n}" for n in range(20, 70)]


def test_a_simulated_fleet_enrols_and_lives_over_the_wire(city: City) -> None:
    codes = {number: json.loads(city.code()) for number in range(3)}
    numbers = {n: code[f"{EXTRA}ADMIN_EXTRAS_BUNDLE"]["com.hmdm.DEVICE_ID"] for n, code in codes.items()}
    figures = Figures()
    authority = city.gateway.signer.client.ca()
    register = handsets.register(city.gateway.home, authority.fingerprint)
    fleet = Androids(city.base, authority.certificate, figures, 0.2)
    known = fleet.enroll(list(numbers), lambda number: numbers[number], register)
    fleet.run(list(known.values()), 2, 100)
    assert not figures.errors
    assert figures.enrolled == 3
    assert figures.exchanges >= 3
    assert set(register.read()) == {0, 1, 2}
    again = fleet.enroll([0], lambda number: numbers[number], register)
    assert again == {}
    assert figures.errors == {"error.duplicate.device": 1}
