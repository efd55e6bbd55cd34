"""Black-box checks 1-11 (transport) and 18-36 (hostile input), by their numbers."""

import base64
import gzip
import time

import pytest

from mdm.platforms.apple import cms, plist
from tests.platforms.apple.city import City

IDLE = b'<plist version="1.0"><dict><key>UDID</key><string>%s</string><key>Status</key><string>Idle</string></dict></plist>'


def signed(phone, body: bytes) -> dict[str, str]:  # type: ignore[no-untyped-def]
    return {"Mdm-Signature": base64.b64encode(cms.sign(body, phone.key, phone.certificate, attached=False)).decode()}


def test_check_1_other_methods_than_put_are_refused(city: City) -> None:
    phone = city.enrolled(quiet=False)
    before = city.state()
    for method in ("GET", "POST", "DELETE"):
        for path in (phone.checkin_path, phone.server_path):
            assert city.request(method, path, b"").status_code == 405
    assert city.state() == before


def test_check_2_a_request_without_a_body_is_refused(city: City) -> None:
    phone = city.enrolled(quiet=False)
    assert city.put(phone.checkin_path, b"", {})[0] == 400
    assert city.put(phone.server_path, b"", signed(phone, b""))[0] == 400


def test_check_3_a_body_over_the_limit_is_refused_before_it_is_read(city: City) -> None:
    phone = city.enrolled(quiet=False)
    assert city.put(phone.checkin_path, b"x" * (1024 * 1024 + 1), {})[0] == 413
    assert city.put(phone.server_path, b"x" * (8 * 1024 * 1024 + 1), {})[0] == 413


def test_check_6_a_packed_body_is_not_opened(city: City) -> None:
    phone = city.enrolled(quiet=False)
    body = gzip.compress(IDLE % phone.udid.encode())
    assert city.put(phone.server_path, body, {"Content-Encoding": "gzip", **signed(phone, body)})[0] == 400


def test_check_7_messages_are_told_apart_by_what_they_say_not_by_their_content_type(city: City) -> None:
    phone = city.enrolled(quiet=False)
    body = plist.write({"MessageType": "TokenUpdate", "UDID": phone.udid, "Topic": phone.topic, "Token": b"t" * 32,
                        "PushMagic": "m"})  # fmt: skip
    assert city.put(phone.server_path, body, signed(phone, body))[0] == 200
    idle = IDLE % phone.udid.encode()
    assert city.put(phone.server_path, idle, {"Content-Type": "text/plain", **signed(phone, idle)})[0] == 200


def test_check_8_a_report_at_the_address_of_the_check_in_is_refused(city: City) -> None:
    phone = city.enrolled(quiet=False)
    idle = IDLE % phone.udid.encode()
    assert city.put(phone.checkin_path, idle, signed(phone, idle))[0] == 400


def test_check_9_a_signature_of_64_kilobytes_is_refused(city: City) -> None:
    phone = city.enrolled(quiet=False)
    assert city.put(phone.server_path, IDLE % phone.udid.encode(), {"Mdm-Signature": "A" * 65536})[0] == 400


DOCTYPE = b'<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">'
BAD = {
    "18 empty dictionary": b"<plist><dict/></plist>",
    "18 garbage": b"\x00\x01garbage",
    "18 truncated": b"<plist><dict><key>UDID</key>",
    "19 entities": b'<!DOCTYPE plist [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><plist><dict><key>&b;</key></dict></plist>',
    "20 external entity": b'<!DOCTYPE plist [<!ENTITY x SYSTEM "file:///etc/passwd">]><plist><string>&x;</string></plist>',
    "22 long comment": b"<plist><!--" + b"-a" * 450_000 + b"--><dict/></plist>",
    "23 deep": b"<plist>" + b"<array>" * 20_000 + b"</array>" * 20_000 + b"</plist>",
    "24 binary": b"bplist00\xd0\x08\x00\x00\x00\x00\x00\x00\x01\x01",
    "28 utf-16": "<plist><dict/></plist>".encode("utf-16"),
    "29 array": b"<plist><array/></plist>",
    "29 string": b"<plist><string>x</string></plist>",
    "30 twice": b"<plist><dict><key>UDID</key><string>AAAAAAAA</string><key>UDID</key><string>BBBBBBBB</string>"
    b"<key>Status</key><string>Idle</string></dict></plist>",
    "32 long integer": b"<plist><dict><key>n</key><integer>" + b"9" * 5000 + b"</integer></dict></plist>",
    "32 date": b"<plist><dict><key>n</key><date>2020-99-99T00:00:00Z</date></dict></plist>",
    "32 data": b"<plist><dict><key>n</key><data>%%%</data></dict></plist>",
    "32 element": b"<plist><dict><key>n</key><set/></dict></plist>",
}


@pytest.mark.parametrize("name", BAD)
def test_checks_18_to_32_hostile_property_lists_are_refused_quickly(city: City, name: str) -> None:
    phone = city.enrolled(quiet=False)
    before = city.state()
    body = BAD[name]
    for headers in ({}, signed(phone, body)):
        begun = time.process_time()
        status, said = city.put(phone.server_path, body, headers)
        assert status == 400
        assert time.process_time() - begun < 2
        assert b"passwd" not in said
    assert city.state() == before
    assert phone.idle()[0] == 200


def test_check_21_the_document_type_of_apple_is_taken(city: City) -> None:
    phone = city.enrolled(quiet=False)
    body = b'<?xml version="1.0" encoding="UTF-8"?>\n' + DOCTYPE + b"\n" + IDLE % phone.udid.encode()
    assert city.put(phone.server_path, body, signed(phone, body))[0] == 200


@pytest.mark.parametrize(
    "udid", ["", "x" * 10_000, "../../etc", "' OR 1=1 --", "abc\u202edef0", "short", "with space here", 7, b"data", {}]
)
def test_check_31_an_identifier_that_is_none_is_refused(city: City, udid: object) -> None:
    phone = city.enrolled(quiet=False)
    body = plist.write({"UDID": udid, "Status": "Idle"})
    assert city.put(phone.server_path, body, signed(phone, body))[0] == 400


@pytest.mark.parametrize("kind", ["authenticate", "Restart", "", 1, ["Authenticate"]])
def test_check_33_an_unknown_message_is_refused(city: City, kind: object) -> None:
    phone = city.enrolled(quiet=False)
    body = plist.write({"UDID": phone.udid, "MessageType": kind})
    assert city.put(phone.checkin_path, body, signed(phone, body))[0] == 400


def test_check_34_keys_that_nobody_knows_are_let_be(city: City) -> None:
    phone = city.phone()
    assert phone.authenticate(Surprise={"a": [1, 2]})[0] == 200
    assert phone.token_update(More="x")[0] == 200
    assert city.apple(phone).state == "enrolled"


def test_check_35_a_status_that_is_none_changes_nothing(city: City) -> None:
    phone = city.enrolled(quiet=False)
    _, given = phone.idle()
    uuid = str(plist.read(given)["CommandUUID"])
    before = city.state()
    assert phone.report(uuid, "Foo")[0] == 400
    assert phone.put(phone.server_path, {**phone.who, "CommandUUID": uuid}, "")[0] == 400
    assert phone.put(phone.server_path, {**phone.who, "Status": "Acknowledged"}, "")[0] == 400
    assert city.state() == before


def test_check_36_what_a_phone_says_of_an_error_is_kept_short_and_harmless(city: City) -> None:
    phone = city.enrolled(quiet=False)
    _, given = phone.idle()
    text = "<script>alert(1)</script>\u202e" + "x" * 50_000
    chain = [{"ErrorCode": 1, "ErrorDomain": "D", "LocalizedDescription": text}] * 20
    assert phone.report(str(plist.read(given)["CommandUUID"]), "Error", ErrorChain=chain)[0] == 200
    city.deliver()
    (command,) = [one for one in city.commands(phone) if one.state == "error"]
    assert len(command.detail) <= 2000
    assert "\u202e" not in command.detail
    assert command.answer is None
