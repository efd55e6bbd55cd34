"""Checks 119 and 120: a phone that enrolled by a profile renews its certificate by another one, or was enrolled anew since."""

from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from sqlalchemy import select

from mdm.core.actor import system
from mdm.core.clock import utcnow
from mdm.enrollment import service
from mdm.enrollment.links import Links
from mdm.enrollment.model import Enrollment
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.outbox.model import OutboxMessage
from mdm.platforms.apple import handout, plist, renewing
from mdm.platforms.apple.model import AppleCommand, AppleSession
from mdm.signing.client import SignerClient
from mdm.simulate import scep
from mdm.simulate.iphone import IPhone
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from mdm.storage.seal import load_seal
from tests.platforms.apple.city import ORGANISATION, City
from tests.platforms.apple.papers import key
from tests.signer.neighbour import RunningSigner


@pytest.fixture
def staffed(city: City, shared_signer: RunningSigner) -> City:
    """The city, with the real signer beside its gateway."""
    (city.home / "run").mkdir()
    (city.home / "run" / "signer.sock").symlink_to(shared_signer.socket)
    return city


def own_key(number: int) -> RSAPrivateKey:
    found = key("rsa", number)
    assert isinstance(found, RSAPrivateKey)
    return found


def ask(city: City, path: str, message: bytes) -> bytes:
    answer = city.request("POST", path, message)
    assert answer.status_code == 200
    content: bytes = answer.data
    return content


def profile(city: City, signer: RunningSigner) -> bytes:
    """A signed profile for somebody who was just invited."""
    with transaction(city.engine, write=True) as session:
        if session.scalar(select(ServicePoint.id)) is None:
            session.add(ServicePoint(code="WERKHAVEN", name="Werkhaven", created_at=utcnow()))
            session.flush()
        call = Call(system("tests"), session, utcnow())
        links = Links("http://console", "https://gateway", "0" * 64, 168)
        _, url = service.invite(call, links, email="sarah@example.org", platform="ios", service_point_code="WERKHAVEN")
        client = signer.client
        here = handout.Here.of(ORGANISATION, "https://gateway.example", client.ca().certificate, client.phone_ca())
        made = handout.for_token(call, here, url.split("/e/")[1].split("#")[0])
    return signer.client.sign_profile(made)


def identity(city: City, signer: RunningSigner, signed: bytes, number: int) -> scep.Identity:
    ca = x509.load_pem_x509_certificate(signer.client.phone_ca().encode())
    return scep.install(signed, lambda path, message: ask(city, path, message), ca, own_key(number))


def enrolled(city: City, signer: RunningSigner) -> IPhone:
    """A phone that went the whole way: invitation, profile, SCEP, check-in."""
    one = identity(city, signer, profile(city, signer), 0)
    phone = IPhone(
        send=city.put, checkin_path=one.checkin_path, server_path=one.server_path, topic=one.topic, key=one.key,
        certificate=one.certificate,
    )  # fmt: skip
    phone.enroll()
    phone.run()
    city.deliver()
    phone.run()
    return phone


def prepare(city: City, sign: Callable[[bytes], bytes] | None = None) -> list[bool]:
    """What the worker does with what phones have set going: whether each was put into its queue."""
    client = SignerClient(city.settings.signer_socket)
    here = handout.Here.of(ORGANISATION, city.settings.gateway_base, client.ca().certificate, client.phone_ca())
    with transaction(city.engine) as session:
        rows = session.scalars(
            select(OutboxMessage).where(OutboxMessage.topic == renewing.TOPIC, OutboxMessage.done_at.is_(None))
        ).all()
        for row in rows:
            row.done_at = utcnow()
        payloads = [row.payload for row in rows]
    seal = load_seal(city.home / "keys")
    return [
        renewing.renew(city.call, payload, here=here, sign=sign or client.sign_profile, seal=seal)
        for payload in payloads
    ]


def renewal(city: City, phone: IPhone) -> bytes:
    """The profile with which the phone is asked to renew."""
    with transaction(city.engine, write=True) as session:
        session.get_one(Device, city.apple(phone).device_id).renew_asked = True
    assert phone.idle() == (200, b"")
    assert prepare(city) == [True]
    status, body = phone.idle()
    assert status == 200
    command = plist.read(body, plist.RESULT)["Command"]
    assert isinstance(command, dict)
    assert command["RequestType"] == "InstallProfile"
    given = command["Payload"]
    assert isinstance(given, bytes)
    return given


def test_119_a_phone_renews_by_a_new_profile_and_keeps_everything_but_its_certificate(
    staffed: City, shared_signer: RunningSigner
) -> None:
    phone = enrolled(staffed, shared_signer)
    before = staffed.apple(phone)
    old_key, old = phone.key, phone.certificate
    one = identity(staffed, shared_signer, renewal(staffed, phone), 1)
    assert (one.checkin_path, one.server_path, one.topic) == (phone.checkin_path, phone.server_path, phone.topic)
    phone.key, phone.certificate = one.key, one.certificate
    phone.enroll()

    after = staffed.apple(phone)
    assert after.device_id == before.device_id
    assert after.generation == before.generation
    assert phone.run() >= 1
    phone.key, phone.certificate = old_key, old
    assert phone.idle()[0] == 400
    with transaction(staffed.engine, write=False) as session:
        held = session.scalars(select(Enrollment).order_by(Enrollment.id)).all()
        assert [one.revoked_at is None for one in held] == [False, True]
        assert held[1].fingerprint == one.certificate.fingerprint(hashes.SHA256()).hex()
        assert session.get_one(Device, after.device_id).renew_asked is False


def test_119_the_challenge_of_a_renewal_is_not_readable_in_the_database(
    staffed: City, shared_signer: RunningSigner
) -> None:
    phone = enrolled(staffed, shared_signer)
    given = renewal(staffed, phone)
    with transaction(staffed.engine, write=False) as session:
        stored = session.scalars(select(AppleCommand).where(AppleCommand.target == "enrollment")).one()
        assert stored.sealed
        assert given[200:300] not in stored.body


def test_119_while_the_signer_signs_nothing_of_ours_is_open_and_a_second_turn_sets_nothing_going(
    staffed: City, shared_signer: RunningSigner
) -> None:
    phone = enrolled(staffed, shared_signer)
    with transaction(staffed.engine, write=True) as session:
        session.get_one(Device, staffed.apple(phone).device_id).renew_asked = True
    for _ in range(3):
        assert phone.idle() == (200, b"")

    def slow(profile: bytes) -> bytes:
        # Another process writes, and the phone comes, while the signature is made: neither waits for it.
        with transaction(staffed.engine, write=True) as session:
            session.get_one(Device, staffed.apple(phone).device_id).note = "written meanwhile"
        assert phone.idle() == (200, b"")
        return shared_signer.client.sign_profile(profile)

    assert prepare(staffed, slow) == [True]
    assert staffed.device(phone).note == "written meanwhile"
    assert b"InstallProfile" in phone.idle()[1]


def test_120_a_phone_that_was_wiped_while_a_renewal_waited_enrols_anew(
    staffed: City, shared_signer: RunningSigner
) -> None:
    phone = enrolled(staffed, shared_signer)
    before = staffed.apple(phone).generation
    renewal(staffed, phone)
    one = identity(staffed, shared_signer, profile(staffed, shared_signer), 1)
    phone.key, phone.certificate = one.key, one.certificate
    phone.enroll()

    assert staffed.apple(phone).generation == before + 1
    with transaction(staffed.engine, write=False) as session:
        waiting = session.scalars(select(AppleCommand).where(AppleCommand.target == "enrollment")).one()
        assert not waiting.open
        kinds = session.scalars(select(AppleSession.kind).order_by(AppleSession.id)).all()
        assert kinds == ["invitation", "renewal", "invitation"]
