"""The push certificate as people look after it: asked for, signed by a vendor, brought in, and told of before it ends."""

import base64
import plistlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from sqlalchemy import select

from mdm.alarms.model import Alarm
from mdm.audit import service as audit
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ConfigurationError, ConflictError, DeniedError, InvalidError
from mdm.core.permissions import Grant, Role
from mdm.platforms.apple import papers, push_request, pushing
from mdm.platforms.apple.automated import token
from mdm.platforms.apple.model import ApplePush, ApplePushRequest
from mdm.storage.call import Call
from mdm.storage.seal import load_seal
from tests.platforms.apple.city import TOPIC, City
from tests.platforms.apple.papers import key as some_key
from tests.platforms.apple.test_checks_h_push import pem, push_papers

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""One kind of database: nothing here is SQL that differs."""
UID = x509.ObjectIdentifier("0.9.2342.19200300.100.1.1")


def apple_signs(csr: str, topic: str = TOPIC, days: int = 365) -> str:
    """What Apple's portal makes of a request: our key, its own subject."""
    asked = x509.load_pem_x509_csr(csr.encode())
    assert asked.is_signature_valid
    name = x509.Name([x509.NameAttribute(UID, topic), x509.NameAttribute(NameOID.COMMON_NAME, "APSP")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(asked.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=days))
        .sign(some_key("rsa", 1), hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


def test_a_certificate_finds_the_key_of_the_request_that_was_made_here(city: City) -> None:
    seal = load_seal(city.home / "keys")
    with city.call() as call:
        asked = push_request.begin(call, seal, "Antwerpen")
        assert asked.renews == TOPIC
        assert b"PRIVATE" not in asked.key
        assert [one.uid for one in push_request.waiting(call.session)] == [asked.uid]
        held = pushing.bring(call, seal, apple_signs(asked.csr), "", "it@example.org")
        assert b"PRIVATE KEY" in pushing.private_key(seal, held)
        assert push_request.waiting(call.session) == []
        assert pushing.standing(call).level is pushing.Level.GOOD


def test_a_certificate_that_nobody_asked_for_here_needs_its_key_and_changes_nothing_without(city: City) -> None:
    seal = load_seal(city.home / "keys")
    with city.call() as call:
        before = call.session.scalars(select(ApplePush.id)).all()
        for certificate in (pem(push_papers())[0], "no certificate"):
            with pytest.raises(InvalidError):
                pushing.bring(call, seal, certificate, "", "")
        asked = push_request.begin(call, seal, "Antwerpen")
        city_listens = apple_signs(asked.csr, "com.apple.mgmt.External.other")
        assert call.session.scalars(select(ApplePush.id)).all() == before
    phone = city.enrolled(quiet=False)
    with city.call() as call, pytest.raises(ConflictError) as refused:
        pushing.bring(call, seal, city_listens, "", "")
    assert refused.value.code == "push_topic"
    with city.call() as call:
        # What was refused uses up no request: the right certificate can still come.
        assert call.session.scalars(select(ApplePushRequest.used_at)).all() == [None]
        assert pushing.standing(call).listening == 1
    assert city.apple(phone).topic == TOPIC


def test_one_that_ends_before_the_one_in_use_is_refused(city: City) -> None:
    seal = load_seal(city.home / "keys")
    with city.call() as call, pytest.raises(ConflictError) as refused:
        pushing.bring(call, seal, *pem(push_papers(days=100)), "")
    assert refused.value.code == "push_older"


def test_a_vendor_signs_the_request_as_apples_portal_reads_it(city: City, tmp_path: Path) -> None:
    vendor, above = push_papers(number=0), push_papers(number=1)
    file = tmp_path / "vendor.pem"
    file.write_text(pem(vendor)[0] + pem(above)[0] + pem(vendor)[1])
    with city.call() as call:
        asked = push_request.begin(call, load_seal(city.home / "keys"), "Antwerpen")
        document = plistlib.loads(base64.b64decode(push_request.signed(asked, file)))
    csr = base64.b64decode(document["PushCertRequestCSR"])
    assert x509.load_der_x509_csr(csr) == x509.load_pem_x509_csr(asked.csr.encode())
    chain = x509.load_pem_x509_certificates(document["PushCertCertificateChain"].encode())
    assert chain == [vendor.certificate, above.certificate]
    public = vendor.certificate.public_key()
    assert isinstance(public, RSAPublicKey)
    public.verify(base64.b64decode(document["PushCertSignature"]), csr, PKCS1v15(), hashes.SHA256())
    file.write_text(pem(vendor)[0] + pem(above)[1])
    with pytest.raises(ConfigurationError):
        push_request.signed(asked, file)
    with pytest.raises(ConfigurationError):
        push_request.signed(asked, tmp_path / "nothing.pem")


@pytest.mark.parametrize("role", [Role.DESK_CLERK, Role.AUDITOR, Role.POLICY_EDITOR])
def test_only_a_fleet_admin_asks_for_a_push_certificate_or_brings_one_in(city: City, role: Role) -> None:
    seal = load_seal(city.home / "keys")
    with city.call() as call:
        other = call.by(Actor(ActorKind.OPERATOR, 2, "x", (Grant(role),)))
        with pytest.raises(DeniedError):
            push_request.begin(other, seal, "x")
        with pytest.raises(DeniedError):
            pushing.bring(other, seal, *pem(push_papers()), "")


def told(call: Call, end: datetime, *days: int) -> list[int]:
    """How many alarms each look raises, so many days before the end."""
    return [papers.watch(Call(call.actor, call.session, end - timedelta(days=one))) for one in days]


def test_people_are_told_at_60_30_and_7_days_and_at_the_end_and_never_twice(city: City) -> None:
    with city.call() as call:
        held = pushing.in_use(call.session)
        assert held is not None
        assert told(call, held.not_after, 61, 60, 59, 31, 30, 8, 7, 1, 0, -1, -20) == [0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0]
        sentences = [one.text % one.params for one in call.session.scalars(select(Alarm).order_by(Alarm.id))]
    assert "in 60 days" in sentences[0]
    assert all("Renew" in one for one in sentences[:3])
    assert "No phone is woken" in sentences[3]


def test_who_comes_late_is_told_the_last_step_only_and_a_renewed_one_is_quiet(city: City) -> None:
    seal = load_seal(city.home / "keys")
    with city.call() as call:
        held = pushing.in_use(call.session)
        assert held is not None
        assert told(call, held.not_after, 5, 5) == [1, 0]
        renewed = pushing.bring(call, seal, *pem(push_papers(days=365)), "")
        assert told(call, renewed.not_after, 65) == [0]


def test_people_are_told_before_the_token_of_a_device_list_ends(city: City) -> None:
    seal = load_seal(city.home / "keys")
    with city.call() as call:
        tie = token.begin(call, seal, "Antwerpen")
        tie.token_ends_at = call.now + timedelta(days=29)
        push = pushing.in_use(call.session)
        assert push is not None
        push.not_after = call.now + timedelta(days=1000)
        assert papers.watch(call) == 1
        assert papers.watch(call) == 0
        assert tie.warned == 30


def test_a_refused_certificate_is_said_on_the_page_and_rings(city: City) -> None:
    from mdm.alarms.kinds import Kind
    from mdm.alarms.looking import look_at_diary

    with city.call() as call:
        held = pushing.in_use(call.session)
        assert held is not None
        held.refused_at, held.refused_why = call.now, "BadCertificate"
        audit.record(call, "push_certificate.refused", ("push_certificate", held.id), details={"why": "BadCertificate"})
        call.session.flush()
        assert pushing.standing(call).level is pushing.Level.REFUSED
        look_at_diary(call, 0)
        assert [one.kind for one in call.session.scalars(select(Alarm))] == [Kind.APPLE_REFUSED]
