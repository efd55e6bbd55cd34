"""Black-box checks 37-60 (authentication), by their numbers."""

import base64
import urllib.parse
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from mdm.core.clock import utcnow
from mdm.inventory.model import Device
from mdm.platforms.apple import cms, plist
from mdm.platforms.apple.model import AppleDevice, SessionKind
from mdm.storage.engine import transaction
from tests.platforms.apple.city import TOPIC, City
from tests.platforms.apple.papers import holder, openssl


def idle(phone) -> bytes:  # type: ignore[no-untyped-def]
    return plist.write({**phone.who, "Status": "Idle"})


def sent(city: City, phone, body: bytes, message: bytes) -> int:  # type: ignore[no-untyped-def]
    return city.put(phone.server_path, body, {"Mdm-Signature": base64.b64encode(message).decode()})[0]


def test_check_37_without_signature_or_certificate_nothing_is_believed_and_nobody_told_to_leave(city: City) -> None:
    phone = city.enrolled()
    before = city.state()
    phone.header = False
    assert phone.idle()[0] == phone.authenticate()[0] == phone.check_in("CheckOut", Topic=TOPIC)[0] == 400
    assert city.state() == before


def test_checks_38_and_39_a_signature_counts_for_its_own_body_only(city: City) -> None:
    phone = city.enrolled()
    body = idle(phone)
    message = cms.sign(body, phone.key, phone.certificate, attached=False)
    assert sent(city, phone, body, message) == 200
    assert sent(city, phone, body.replace(b"Idle", b"Idlf"), message) == 400
    other = plist.write({**phone.who, "MessageType": "CheckOut", "Topic": TOPIC})
    assert sent(city, phone, other, message) == 400


def test_check_40_what_the_signature_carries_is_not_what_counts(city: City) -> None:
    phone = city.enrolled()
    attached = cms.sign(idle(phone), phone.key, phone.certificate, attached=True)
    other = plist.write({**phone.who, "MessageType": "CheckOut", "Topic": TOPIC})
    assert sent(city, phone, other, attached) == 400


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (("-noattr",), 200),  # 41
        (("-md", "sha256", "-indef", "-stream"), 200),  # 42
        (("-nocerts",), 400),  # 43
        (("-md", "sha512"), 200),
        (("-md", "sha1"), 200),  # 50
        (("-md", "md5"), 400),  # 50
        (("-keyopt", "rsa_padding_mode:pss"), 200),  # 49
    ],
)
def test_checks_41_to_50_what_another_maker_of_signatures_makes(  # type: ignore[no-untyped-def]
    city: City, tmp_path, options: tuple[str, ...], status: int
) -> None:
    papers, _ = city.session()
    phone = city.phone(papers=papers)
    phone.enroll()
    certificate, key = papers.files(tmp_path, "phone")
    body = idle(phone)
    (tmp_path / "body").write_bytes(body)
    message = openssl(
        "cms", "-sign", "-binary", "-outform", "DER", "-signer", certificate, "-inkey", key, "-in", tmp_path / "body",
        *(options if "-md" in options else ("-md", "sha256", *options)),
    )  # fmt: skip
    assert sent(city, phone, body, message) == status


def test_check_46_a_certificate_of_the_same_name_is_not_the_same(city: City) -> None:
    phone = city.enrolled()
    impostor = holder("phone-1")
    message = cms.sign(idle(phone), impostor.key, impostor.certificate, attached=False)
    assert sent(city, phone, idle(phone), message) == 400


def test_check_47_another_certificate_of_our_authority_is_not_a_phone(city: City) -> None:
    authority = holder("ca", authority=True)
    other = holder("server", number=1, issuer=authority, client=False)
    phone = city.enrolled()
    for papers in (authority, other):
        message = cms.sign(idle(phone), papers.key, papers.certificate, attached=False)
        assert sent(city, phone, idle(phone), message) == 400


def test_check_48_a_certificate_out_of_its_time_or_revoked_is_refused(city: City) -> None:
    expired = city.session(papers=holder("old", days=1, since=timedelta(days=2)))[0]
    early = city.session(papers=holder("early", number=1, since=timedelta(days=-1)))[0]
    for papers in (expired, early):
        assert city.phone(papers=papers).authenticate()[0] == 400
    phone = city.enrolled()
    with city.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE enrollment SET revoked_at = created_at")
    assert phone.idle()[0] == 400


def test_check_49_an_elliptic_key_is_as_good(city: City) -> None:
    papers, _ = city.session(papers=holder("ec", "ec"))
    phone = city.phone(papers=papers)
    phone.enroll()
    assert phone.idle()[0] == 200


def test_check_51_a_phone_speaks_for_itself_only(city: City) -> None:
    mine, other = city.enrolled(), city.enrolled()
    mine.udid, own = other.udid, mine.udid
    before = city.state()
    tries = [
        mine.authenticate(SerialNumber="X1"),
        mine.token_update(),
        mine.check_in("CheckOut", Topic=TOPIC),
        mine.idle(),
        mine.report(city.commands(other)[0].uuid, "Acknowledged"),
        mine.declarative("tokens"),
    ]
    assert {status for status, _ in tries} == {400}
    assert city.state() == before
    mine.udid = own
    assert "apple_message_refused" in city.events(mine)
    assert "apple_message_refused" not in city.events(other)


def test_check_52_a_fresh_certificate_of_one_session_does_not_become_another_phone(city: City) -> None:
    victim = city.enrolled()
    attacker = city.phone(udid=victim.udid, serial=victim.serial)
    before = city.state()
    assert attacker.authenticate()[0] == 400
    assert city.state() == before
    assert victim.idle()[0] == 200


def test_check_53_a_certificate_that_never_authenticated_says_nothing_else(city: City) -> None:
    phone = city.phone()
    assert {phone.token_update()[0], phone.idle()[0], phone.check_in("CheckOut")[0]} == {400}
    enrolled = city.enrolled()
    second, _ = city.session(city.apple(enrolled).device_id)
    enrolled.key, enrolled.certificate = second.key, second.certificate
    assert {enrolled.token_update()[0], enrolled.idle()[0]} == {400}


def test_check_54_a_certificate_is_of_one_phone(city: City) -> None:
    phone = city.enrolled()
    phone.udid, phone.serial = "00008110-AAAAAAAAAAAAAAAA", "OTHER1"
    assert phone.authenticate()[0] == 400


def test_checks_55_and_56_the_header_of_a_proxy_counts_from_the_proxy_only(city: City) -> None:
    phone = city.enrolled()
    phone.header = False
    der = phone.certificate.public_bytes(Encoding.DER)  # type: ignore[union-attr]
    city.headers = {"Client-Cert": f":{base64.b64encode(der).decode()}:"}
    assert phone.idle()[0] == 400
    city.gateway.peers._trusted = frozenset({"127.0.0.1"})
    assert phone.idle()[0] == 200
    city.headers = {"X-Client-Cert": urllib.parse.quote(phone.certificate.public_bytes(Encoding.PEM).decode())}  # type: ignore[union-attr]
    assert phone.idle()[0] == 400


def test_check_57_a_private_phone_and_one_of_the_city_are_not_mistaken_for_each_other(city: City) -> None:
    private = city.phone(session={"user_enrollment": True, "kind": SessionKind.ACCOUNT})
    assert private.authenticate()[0] == 400
    private.user_enrollment = True
    private.enroll()
    assert city.apple(private).user_enrollment
    city_phone = city.phone(user_enrollment=True)
    assert city_phone.authenticate()[0] == 400
    both = plist.write({"UDID": "A" * 12, "EnrollmentID": "B" * 12, "Status": "Idle"})
    message = cms.sign(both, private.key, private.certificate, attached=False)
    assert sent(city, private, both, message) == 400


def test_check_58_an_old_token_that_comes_again_does_not_replace_the_newer_one(city: City) -> None:
    moment = utcnow().replace(microsecond=0)
    phone = city.phone()
    phone.clock = lambda: moment
    phone.authenticate()
    body = plist.write(
        {"MessageType": "TokenUpdate", **phone.who, "Topic": TOPIC, "Token": b"old" * 8, "PushMagic": "m"}
    )
    headers = phone.signed(body)
    assert city.put(phone.checkin_path, body, headers)[0] == 200
    phone.clock = lambda: moment + timedelta(hours=1)
    assert phone.token_update()[0] == 200
    newer = city.apple(phone).push
    assert city.put(phone.checkin_path, body, headers)[0] == 200
    assert city.apple(phone).push == newer


def test_check_59_an_answer_that_comes_again_changes_nothing(city: City) -> None:
    phone = city.enrolled(quiet=False)
    _, given = phone.idle()
    command = plist.read(given)
    said, more = phone.carry_out(command["Command"])
    body = plist.write({**phone.who, "Status": said, "CommandUUID": command["CommandUUID"], **more})
    headers = phone.signed(body)
    assert city.put(phone.server_path, body, headers)[0] == 200
    before = [(one.uuid, one.state, one.finished_at) for one in city.commands(phone)]
    assert city.put(phone.server_path, body, headers)[0] == 200
    assert [(one.uuid, one.state, one.finished_at) for one in city.commands(phone)] == before


def test_check_60_only_an_operator_sends_a_phone_away(city: City) -> None:
    phone = city.enrolled()
    with transaction(city.engine) as session:
        device_id = city.apple(phone).device_id
        session.get_one(AppleDevice, device_id).turn_away = True
    assert phone.idle()[0] == 401
    with transaction(city.engine) as session:
        session.get_one(AppleDevice, device_id).turn_away = False
        session.delete(session.get_one(Device, device_id))
    assert phone.idle()[0] == 400
