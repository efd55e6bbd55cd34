"""SCEP against the real signer and both databases: who gets a certificate, what it says, and every trap of the field."""

import hashlib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from asn1crypto import cms as oracle
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from sqlalchemy import func, select

from mdm.core.clock import utcnow
from mdm.core.errors import InvalidError
from mdm.enrollment import service
from mdm.enrollment.model import Enrollment, Invitation
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.platforms.apple import certify, cms, sessions
from mdm.platforms.apple.ber import children, encode
from mdm.platforms.apple.envelope import make_envelope
from mdm.platforms.apple.model import AppleSession, Approval, SessionState
from mdm.platforms.apple.scep import Kind
from mdm.simulate import scep as phone
from mdm.storage.call import Call
from tests.conftest import NOW, Calling
from tests.enrollment.conftest import LINKS, VISITOR
from tests.platforms.apple.papers import holder, key, openssl
from tests.signer.neighbour import RunningSigner


@dataclass
class House:
    """The use case as the gateway calls it, with a clock that can be moved."""

    calling: Calling
    signer: RunningSigner
    ca: x509.Certificate
    by_hand: bool = False
    later: timedelta = timedelta()

    def call(self, *, write: bool = True) -> AbstractContextManager[Call]:
        return self.calling(VISITOR, utcnow() + self.later, write=write)

    def answer(self, message: bytes) -> bytes:
        return certify.answer(self.call, self.signer.client, message, days=365, by_hand=self.by_hand)

    def challenge(self, **more: object) -> str:
        """The challenge of a profile for somebody who was just invited."""
        with self.calling(now=utcnow()) as call:
            if call.session.scalar(select(ServicePoint).where(ServicePoint.code == "WERKHAVEN")) is None:
                call.session.add(ServicePoint(code="WERKHAVEN", name="Werkhaven", created_at=NOW))
                call.session.flush()
            given = {"email": "sarah@example.org", "platform": "ios", "service_point_code": "WERKHAVEN", **more}
            invitation, _ = service.invite(call, LINKS, **given)  # type: ignore[arg-type]
            return sessions.for_invitation(call, invitation)[1]

    def again(self) -> str:
        """The challenge of a second profile for the same invitation."""
        with self.calling(now=utcnow()) as call:
            return sessions.for_invitation(call, call.session.scalars(select(Invitation)).one())[1]


@pytest.fixture
def house(calling: Calling, shared_signer: RunningSigner) -> House:
    return House(calling, shared_signer, x509.load_pem_x509_certificate(shared_signer.client.phone_ca().encode()))


def device_key(number: int = 0) -> RSAPrivateKey:
    found = key("rsa", number)
    assert isinstance(found, RSAPrivateKey)
    return found


def enrol(house: House, challenge: str | None, number: int = 0, transaction: str = "T1", **more: str) -> phone.Told:
    """One try of a phone to get a certificate."""
    mine = device_key(number)
    own = phone.own_certificate(mine)
    inner = phone.request(mine, challenge, **more)
    sent = phone.message(Kind.REQUEST, inner, house.ca, mine, own, transaction=transaction)
    return phone.told(house.answer(sent), house.ca, mine, own)


def issued(told: phone.Told) -> x509.Certificate:
    assert told.status == "0", told
    assert told.certificate is not None
    return told.certificate


def counted(house: House) -> tuple[int, int]:
    """Devices and enrollments."""
    with house.call(write=False) as call:
        found = [call.session.scalar(select(func.count()).select_from(one)) or 0 for one in (Device, Enrollment)]
    return found[0], found[1]


def test_checks_93_97_the_right_challenge_gives_a_certificate_that_says_what_we_say(house: House) -> None:
    certificate = issued(enrol(house, house.challenge(), name="CN of another device"))

    with house.call(write=False) as call:
        device = call.session.scalars(select(Device)).one()
        enrollment = call.session.scalars(select(Enrollment)).one()
        session = call.session.scalars(select(AppleSession)).one()
        assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == device.uid
        assert session.fingerprint == enrollment.fingerprint == certificate.fingerprint(hashes.SHA256()).hex()
        assert session.state == SessionState.CERTIFIED
        assert (device.platform, enrollment.device_id) == ("ios", device.id)
    certificate.verify_directly_issued_by(house.ca)
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(days=365, minutes=10)
    assert utcnow() - certificate.not_valid_before_utc > timedelta(minutes=9)


@pytest.mark.parametrize("wrong", [None, "", "guessed", "x" * 5000])
def test_check_94_a_wrong_challenge_is_refused_in_scep_and_nothing_is_recorded(house: House, wrong: str | None) -> None:
    house.challenge()
    told = enrol(house, wrong)
    assert (told.status, told.fail_info, told.certificate) == ("2", "2", None)
    assert counted(house) == (0, 0)


def test_check_94_a_challenge_that_is_used_is_refused_to_another_key_and_repeated_to_its_own(house: House) -> None:
    challenge = house.challenge()
    first = issued(enrol(house, challenge))
    assert enrol(house, challenge, number=1).fail_info == "2"
    assert issued(enrol(house, challenge)) == first
    assert issued(enrol(house, challenge, transaction="T2")) == first
    assert counted(house) == (1, 1)


def test_check_94_an_expired_challenge_is_refused(house: House) -> None:
    challenge = house.challenge()
    house.later = timedelta(minutes=61)
    assert enrol(house, challenge).fail_info == "2"
    assert counted(house) == (0, 0)


def test_of_two_profiles_of_one_invitation_the_first_key_takes_it_all(house: House) -> None:
    first, second = house.challenge(), house.again()
    issued(enrol(house, second))
    assert enrol(house, first, number=1).fail_info == "2"
    assert counted(house) == (1, 1)


def test_an_invitation_that_was_withdrawn_gives_no_certificate(house: House) -> None:
    challenge = house.challenge()
    with house.calling(now=utcnow()) as call:
        service.withdraw(call, call.session.scalars(select(Invitation)).one().uid)
    assert enrol(house, challenge).fail_info == "2"
    assert counted(house) == (0, 0)


def test_check_101_transaction_and_nonce_come_back_byte_for_byte(house: House) -> None:
    mine, transaction, nonce = device_key(), "a+b/c=='\\ <&>", b"\x00\xff" * 8
    own = phone.own_certificate(mine)
    inner = phone.request(mine, house.challenge())
    sent = phone.message(Kind.REQUEST, inner, house.ca, mine, own, transaction=transaction, nonce=nonce)
    told = phone.told(house.answer(sent), house.ca, mine, own)
    assert (told.transaction, told.recipient_nonce) == (transaction, nonce)


def test_answers_name_their_signature_rsa_encryption_because_strongswan_takes_no_other(house: House) -> None:
    mine = device_key()
    own = phone.own_certificate(mine)
    for challenge in (house.challenge(), "wrong"):
        sent = phone.message(Kind.REQUEST, phone.request(mine, challenge), house.ca, mine, own, transaction="T")
        info = oracle.ContentInfo.load(house.answer(sent))["content"]["signer_infos"][0]
        assert info["signature_algorithm"]["algorithm"].dotted == cms.RSA_ENCRYPTION
        assert info["digest_algorithm"]["algorithm"].native == "sha256"


def test_a_refusal_carries_no_envelope(house: House) -> None:
    mine = device_key()
    own = phone.own_certificate(mine)
    sent = phone.message(Kind.REQUEST, phone.request(mine, "wrong"), house.ca, mine, own, transaction="T")
    assert oracle.ContentInfo.load(house.answer(sent))["content"]["encap_content_info"]["content"].native is None


def test_a_signer_with_another_key_than_the_request_is_taken_and_answered_to(house: House) -> None:
    mine, other = device_key(), device_key(1)
    own = phone.own_certificate(other)
    sent = phone.message(Kind.REQUEST, phone.request(mine, house.challenge()), house.ca, other, own, transaction="T")
    certificate = issued(phone.told(house.answer(sent), house.ca, other, own))
    assert certificate.public_key() == mine.public_key()


def test_check_96_a_short_key_gives_no_certificate(house: House) -> None:
    pem = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
    mine = device_key()
    own = phone.own_certificate(mine)
    challenge = house.challenge()
    csr = openssl_csr(pem, challenge)
    sent = phone.message(Kind.REQUEST, csr, house.ca, mine, own, transaction="T")
    told = phone.told(house.answer(sent), house.ca, mine, own)
    assert (told.status, told.fail_info) == ("2", "2")
    assert counted(house) == (0, 0)


def openssl_csr(key_pem: bytes, challenge: str, folder: Path = Path("/dev/shm"), extra: str = "") -> bytes:
    """A request that OpenSSL makes, with whatever extensions are asked for."""
    name = hashlib.sha256(key_pem + challenge.encode() + extra.encode()).hexdigest()[:12]
    config, file = folder / f"hm-{name}.cnf", folder / f"hm-{name}.key"
    config.write_text(
        f"[req]\nprompt=no\ndistinguished_name=dn\nattributes=a\nreq_extensions=e\n[dn]\nCN=x\n"
        f"[a]\nchallengePassword={challenge}\n[e]\nkeyUsage=digitalSignature\n{extra}\n"
    )
    file.write_bytes(key_pem)
    try:
        return openssl("req", "-new", "-key", file, "-config", config, "-outform", "DER")
    finally:
        config.unlink()
        file.unlink()


def test_check_96_extensions_that_are_asked_for_never_reach_the_certificate(house: House) -> None:
    mine = device_key()
    own = phone.own_certificate(mine)
    pem, challenge = holder_key(mine), house.challenge()
    extra = "basicConstraints=CA:TRUE\nsubjectAltName=DNS:console.example\nextendedKeyUsage=serverAuth"
    csr = openssl_csr(pem, challenge, extra=extra)
    assert b"console.example" in csr
    certificate = issued(
        phone.told(
            house.answer(phone.message(Kind.REQUEST, csr, house.ca, mine, own, transaction="T")), house.ca, mine, own
        )
    )
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.CLIENT_AUTH
    ]


def holder_key(mine: RSAPrivateKey) -> bytes:
    return mine.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def in_any_order(csr: bytes, mine: RSAPrivateKey) -> bytes:
    """The request with its attributes the other way round, as some clients send them, and signed so."""
    ((_, whole),) = children(csr)
    (_, info), (_, algorithm), _ = children(whole)
    *rest, (_, attributes) = children(info)
    turned = encode(0xA0, *(encode(*one) for one in reversed(children(attributes))))
    new = encode(0x30, *(encode(*one) for one in rest), turned)
    signature = mine.sign(new, PKCS1v15(), hashes.SHA256())
    return encode(0x30, new, encode(0x30, algorithm), encode(0x03, b"\0" + signature))


def test_attributes_in_any_order_are_read(house: House) -> None:
    mine = device_key()
    own = phone.own_certificate(mine)
    csr = in_any_order(openssl_csr(holder_key(mine), house.challenge()), mine)
    with pytest.raises(ValueError):
        x509.load_der_x509_csr(csr).attributes  # noqa: B018 -- the library's own refusal is why we read by hand
    told = phone.told(
        house.answer(phone.message(Kind.REQUEST, csr, house.ca, mine, own, transaction="T")), house.ca, mine, own
    )
    issued(told)


# Broken messages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("garbage", [b"", b"garbage", b"\x30\x80" * 25_000, encode(0x30, b"\x02\x01\x01")])
def test_check_95_what_is_no_scep_message_gets_no_answer_in_scep(house: House, garbage: bytes) -> None:
    with pytest.raises(InvalidError):
        house.answer(garbage)


def test_check_95_a_message_whose_signature_is_broken_is_refused_as_such(house: House) -> None:
    mine = device_key()
    own = phone.own_certificate(mine)
    sent = bytearray(phone.message(Kind.REQUEST, phone.request(mine, "x"), house.ca, mine, own, transaction="T"))
    sent[-1] ^= 0xFF
    told = phone.told(house.answer(bytes(sent)), house.ca, mine, own)
    assert (told.status, told.fail_info, told.transaction) == ("2", "1", "T")


def test_check_95_an_unknown_cipher_is_refused_as_such_and_all_that_does_not_open_as_one(
    house: House, tmp_path: Path
) -> None:
    mine, stranger = device_key(), holder("stranger", number=1)
    own = phone.own_certificate(mine)
    ca = tmp_path / "ca.pem"
    ca.write_bytes(house.ca.public_bytes(Encoding.PEM))
    inner = phone.request(mine, "x")
    strange = openssl("cms", "-encrypt", "-binary", "-outform", "DER", "-camellia128", "-recip", ca, given=inner)
    good = make_envelope(inner, house.ca)
    cases = {
        strange: "0",
        make_envelope(inner, stranger.certificate): "1",
        good[:-1] + bytes((good[-1] ^ 0xFF,)): "1",
        good[:200] + bytes((good[200] ^ 0xFF,)) + good[201:]: "1",
        b"no envelope": "1",
    }
    for envelope, expected in cases.items():
        sent = phone.sealed(Kind.REQUEST, envelope, mine, own, transaction="T")
        told = phone.told(house.answer(sent), house.ca, mine, own)
        assert (told.status, told.fail_info) == ("2", expected)


def test_check_96_a_request_that_does_not_prove_its_key_is_refused(house: House) -> None:
    mine = device_key()
    own = phone.own_certificate(mine)
    csr = bytearray(phone.request(mine, house.challenge()))
    csr[-1] ^= 0xFF
    told = phone.told(
        house.answer(phone.message(Kind.REQUEST, bytes(csr), house.ca, mine, own, transaction="T")), house.ca, mine, own
    )
    assert (told.status, told.fail_info) == ("2", "1")
    assert counted(house) == (0, 0)


@pytest.mark.parametrize("kind", [3, 21, 22, 99])
def test_other_kinds_of_messages_are_refused(house: House, kind: int) -> None:
    mine = device_key()
    own = phone.own_certificate(mine)
    sent = phone.sealed(kind, make_envelope(b"x", house.ca), mine, own, transaction="T")
    assert phone.told(house.answer(sent), house.ca, mine, own).fail_info == "2"


# Renewal ---------------------------------------------------------------------------------------------------------------


def renew(house: House, with_key: int, certificate: x509.Certificate, new: int) -> phone.Told:
    """A renewal in SCEP: signed by the certificate in use, for a new key."""
    mine = device_key(with_key)
    inner = phone.request(device_key(new), None)
    sent = phone.message(Kind.RENEWAL, inner, house.ca, mine, certificate, transaction="R1")
    return phone.told(house.answer(sent), house.ca, mine, certificate)


def test_check_98_a_renewal_is_signed_by_the_certificate_in_use_and_needs_no_challenge(house: House) -> None:
    first = issued(enrol(house, house.challenge()))
    second = issued(renew(house, 0, first, 1))
    assert second.subject == first.subject
    assert second.public_key() == device_key(1).public_key()
    assert issued(renew(house, 0, first, 1)) == second
    assert counted(house) == (1, 2)


def test_check_98_a_renewal_under_a_revoked_certificate_is_refused(house: House) -> None:
    first = issued(enrol(house, house.challenge()))
    with house.calling(now=utcnow()) as call:
        service.revoke(call, call.session.scalars(select(Device)).one().uid, "lost")
    told = renew(house, 0, first, 1)
    assert (told.status, told.certificate) == ("2", None)
    assert counted(house) == (1, 1)


def test_check_98_a_renewal_under_an_expired_or_a_foreign_certificate_is_refused(house: House) -> None:
    first = issued(enrol(house, house.challenge()))
    assert renew(house, 0, holder("foreign", number=0).certificate, 1).status == "2"
    house.later = timedelta(days=366)
    assert renew(house, 0, first, 1).status == "2"
    assert counted(house) == (1, 1)


def test_a_profile_for_renewal_gives_the_next_certificate_of_the_same_device(house: House) -> None:
    first = issued(enrol(house, house.challenge()))
    with house.calling(now=utcnow()) as call:
        enrollment = call.session.scalars(select(Enrollment)).one()
        before = call.session.scalars(select(AppleSession)).one()
        session, challenge = sessions.for_renewal(call, enrollment, before)
        assert session.place == before.place
    second = issued(enrol(house, challenge, number=1, transaction="T9"))
    assert second.subject == first.subject
    assert counted(house) == (1, 2)
    assert enrol(house, challenge, number=0).fail_info == "2"


def test_a_profile_for_renewal_is_worth_nothing_once_the_certificate_before_is_revoked(house: House) -> None:
    issued(enrol(house, house.challenge()))
    with house.calling(now=utcnow()) as call:
        enrollment = call.session.scalars(select(Enrollment)).one()
        _, challenge = sessions.for_renewal(call, enrollment, call.session.scalars(select(AppleSession)).one())
        service.revoke(call, call.session.scalars(select(Device)).one().uid, "lost")
    assert enrol(house, challenge, number=1).fail_info == "2"
    assert counted(house) == (1, 1)


# By hand ---------------------------------------------------------------------------------------------------------------


def test_checks_99_100_given_by_hand_a_request_waits_and_is_fetched_by_its_owner_alone(
    house: House,
) -> None:
    house.by_hand = True
    challenge, mine = house.challenge(), device_key()
    own = phone.own_certificate(mine)
    assert enrol(house, challenge).status == "3"
    assert enrol(house, challenge).status == "3"
    assert counted(house) == (0, 0)

    def asked(by: int = 0, transaction: str = "T1") -> phone.Told:
        who = device_key(by)
        certificate = own if by == 0 else phone.own_certificate(who)
        sent = phone.poll(house.ca, who, certificate, transaction=transaction)
        return phone.told(house.answer(sent), house.ca, who, certificate)

    assert asked().status == "3"
    assert asked(by=1).fail_info == "4"
    assert asked(transaction="T2").fail_info == "4"
    with house.calling(now=utcnow()) as call:
        sessions.decide(call, call.session.scalars(select(AppleSession)).one().uid, Approval.APPROVED)
    assert asked(by=1).fail_info == "4"
    certificate = issued(asked())
    assert issued(enrol(house, challenge)) == certificate
    assert issued(asked()) == certificate
    assert counted(house) == (1, 1)


def test_what_was_refused_by_hand_stays_refused(house: House) -> None:
    house.by_hand = True
    challenge = house.challenge()
    assert enrol(house, challenge).status == "3"
    with house.calling(now=utcnow()) as call:
        sessions.decide(call, call.session.scalars(select(AppleSession)).one().uid, Approval.REFUSED)
    house.by_hand = False
    assert enrol(house, challenge).fail_info == "2"
    assert counted(house) == (0, 0)


def test_a_device_that_enrols_by_itself_gets_a_certificate_under_its_session(house: House) -> None:
    issued(enrol(house, house.challenge()))
    with house.calling(now=utcnow()) as call:
        _, challenge = sessions.for_device(call, call.session.scalars(select(Device)).one())
    second = issued(enrol(house, challenge, number=1))
    with house.call(write=False) as call:
        held = call.session.scalars(select(Enrollment).order_by(Enrollment.id)).all()
        assert [one.revoked_at is None for one in held] == [False, True]
        assert held[1].fingerprint == second.fingerprint(hashes.SHA256()).hex()


def test_nothing_is_lost_when_the_signers_answer_never_arrived(house: House) -> None:
    challenge, mine = house.challenge(), device_key()
    own = phone.own_certificate(mine)
    sent = phone.message(Kind.REQUEST, phone.request(mine, challenge), house.ca, mine, own, transaction="T")

    class Cut:
        """A signer that issues, and whose answer is lost."""

        def scep_open(self, message: bytes) -> object:
            return house.signer.client.scep_open(message)

        def scep_answer(self, message: bytes, **more: object) -> object:
            house.signer.client.scep_answer(message, **more)  # type: ignore[arg-type]
            raise ConnectionError

    with pytest.raises(ConnectionError):
        certify.answer(house.call, Cut(), sent, days=365, by_hand=False)  # type: ignore[arg-type]
    assert counted(house) == (1, 0)
    certificate = issued(phone.told(house.answer(sent), house.ca, mine, own))
    assert counted(house) == (1, 1)
    with house.call(write=False) as call:
        assert (
            call.session.scalars(select(Enrollment.fingerprint)).one() == certificate.fingerprint(hashes.SHA256()).hex()
        )
