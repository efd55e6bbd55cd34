"""Checks 12 to 17 of the black-box list, and the profile of 119: what an enrollment profile says, and who gets one."""

import plistlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from sqlalchemy import func, select

from mdm.core.clock import utcnow
from mdm.core.errors import ConflictError, GoneError, NotFoundError
from mdm.enrollment import service
from mdm.enrollment.model import Enrollment, Invitation
from mdm.org.model import ServicePoint
from mdm.platforms.apple import cms, handout, sessions
from mdm.platforms.apple.enrollment_profile import IDENTIFIER
from mdm.platforms.apple.model import ApplePush, AppleSession
from mdm.storage.call import Call
from tests.conftest import NOW, Calling
from tests.enrollment.conftest import LINKS, VISITOR
from tests.platforms.apple.papers import openssl
from tests.platforms.apple.test_scep import House, enrol, issued
from tests.signer.neighbour import RunningSigner

TOPIC = "com.apple.mgmt.External.test"


@pytest.fixture
def house(calling: Calling, shared_signer: RunningSigner) -> House:
    """A city with a push certificate."""
    with calling(now=utcnow()) as call:
        _push_certificate(call)
        call.session.add(ServicePoint(code="WERKHAVEN", name="Werkhaven", created_at=NOW))
    return House(calling, shared_signer, load_pem_x509_certificate(shared_signer.client.phone_ca().encode()))


def _push_certificate(call: Call, topic: str = TOPIC) -> None:
    call.session.add(
        ApplePush(
            topic=topic, certificate="", key=b"", not_after=call.now + timedelta(days=300), created_by="x",
            created_at=call.now,
        )
    )  # fmt: skip


def here(house: House, organisation: str = "Antwerpen") -> handout.Here:
    client = house.signer.client
    return handout.Here.of(organisation, "https://devices.example:8444", client.ca().certificate, client.phone_ca())


def invite(house: House, **more: object) -> str:
    """The token of an invitation for a phone."""
    with house.calling(now=utcnow()) as call:
        given = {"email": "sarah@example.org", "platform": "ios", "service_point_code": "WERKHAVEN", **more}
        return service.invite(call, LINKS, **given)[1].split("/e/")[1].split("#")[0]  # type: ignore[arg-type]


def fetch(house: House, token: str, organisation: str = "Antwerpen") -> bytes:
    with house.calling(VISITOR, utcnow() + house.later) as call:
        return handout.for_token(call, here(house, organisation), token, (("default", "Yes."), ("nl", "Ja.")))


def parts(profile: bytes) -> dict[str, list[dict[str, Any]]]:
    """The payloads of a profile by type."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in plistlib.loads(profile)["PayloadContent"]:
        found.setdefault(one["PayloadType"], []).append(one)
    return found


def challenge_of(profile: bytes) -> str:
    return str(parts(profile)["com.apple.security.scep"][0]["PayloadContent"]["Challenge"])


def count(house: House) -> int:
    with house.call(write=False) as call:
        return call.session.scalar(select(func.count()).select_from(AppleSession)) or 0


@pytest.mark.parametrize("ownership", ["city", "loan_pool", "private"])
def test_012_a_profile_has_one_management_payload_that_fits_its_identity(house: House, ownership: str) -> None:
    profile = fetch(house, invite(house, ownership=ownership))

    found = parts(profile)
    (management,), (identity,) = found["com.apple.mdm"], found["com.apple.security.scep"]
    assert management["IdentityCertificateUUID"] == identity["PayloadUUID"]
    rights = management["AccessRights"]
    assert 0 < rights <= 8191
    assert not rights & 2 or rights & 1
    assert not rights & 128 or rights & 64
    assert bool(rights & 8) == (ownership != "private")
    assert identity["PayloadContent"]["Keysize"] >= 2048
    assert identity["PayloadContent"]["Key Usage"] == 5
    assert management["Topic"] == TOPIC
    assert management["SignMessage"] is True
    place = management["ServerURL"].rsplit("/", 1)[1]
    assert len(place) >= 22
    assert management["CheckInURL"].endswith(place)
    assert management["ServerURL"].startswith("https://devices.example:8444/apple/v1/")
    anchors = {one["PayloadContent"] for one in found["com.apple.security.root"]}
    assert house.ca.public_bytes(Encoding.DER) in anchors
    order = [one["PayloadType"] for one in plistlib.loads(profile)["PayloadContent"]]
    assert (
        order.index("com.apple.security.root") < order.index("com.apple.security.scep") < order.index("com.apple.mdm")
    )
    assert plistlib.loads(profile)["ConsentText"] == {"default": "Yes.", "nl": "Ja."}


def test_013_a_signed_profile_is_proved_by_openssl_under_our_ca_and_says_the_same(house: House, tmp_path: Path) -> None:
    profile = fetch(house, invite(house))
    signed = house.signer.client.sign_profile(profile)

    file, ca = tmp_path / "p.mobileconfig", tmp_path / "ca.pem"
    file.write_bytes(signed)
    ca.write_text(house.signer.client.ca().certificate)
    assert openssl("cms", "-verify", "-inform", "DER", "-in", file, "-binary", "-CAfile", ca) == profile
    assert cms.verify(signed).content == profile


def test_014_a_second_download_differs_in_all_that_is_secret_and_in_nothing_that_is_the_name(house: House) -> None:
    token = invite(house)
    first, second = fetch(house, token), fetch(house, token)

    assert challenge_of(first) != challenge_of(second)
    one, other = plistlib.loads(first), plistlib.loads(second)
    assert one["PayloadIdentifier"] == other["PayloadIdentifier"] == IDENTIFIER
    assert one["PayloadUUID"] != other["PayloadUUID"]
    for mine, theirs in zip(one["PayloadContent"], other["PayloadContent"], strict=True):
        assert mine["PayloadIdentifier"] == theirs["PayloadIdentifier"]
        assert mine["PayloadUUID"] != theirs["PayloadUUID"]
    assert parts(first)["com.apple.mdm"][0]["ServerURL"] != parts(second)["com.apple.mdm"][0]["ServerURL"]


def test_015_a_link_that_is_unknown_withdrawn_expired_used_or_for_a_computer_gives_no_profile(house: House) -> None:
    with pytest.raises(NotFoundError):
        fetch(house, "guessed")
    with pytest.raises(NotFoundError):
        fetch(house, invite(house, platform="linux"))
    withdrawn = invite(house)
    with house.calling(now=utcnow()) as call:
        service.withdraw(call, call.session.scalars(select(Invitation).order_by(Invitation.id.desc())).first().uid)  # type: ignore[union-attr]
    with pytest.raises(NotFoundError):
        fetch(house, withdrawn)
    token = invite(house)
    before = count(house)
    house.later = timedelta(hours=169)
    with pytest.raises(GoneError):
        fetch(house, token)
    house.later = timedelta()
    assert count(house) == before
    issued(enrol(house, challenge_of(fetch(house, token))))
    with pytest.raises(GoneError):
        fetch(house, token)
    assert count(house) == before + 1


def test_016_a_name_with_markup_is_kept_as_it_is(house: House) -> None:
    name = "Stad </string><key>x</key> & 🌊"
    profile = plistlib.loads(fetch(house, invite(house), name))
    assert profile["PayloadDisplayName"] == profile["PayloadOrganization"] == name
    assert "x" not in profile


def test_017_without_a_push_certificate_there_is_no_profile_and_the_reason_is_told(house: House) -> None:
    with house.calling(now=utcnow()) as call:
        call.session.scalars(select(ApplePush)).one().not_after = utcnow()
    token = invite(house)
    with pytest.raises(ConflictError) as refused:
        fetch(house, token)
    assert refused.value.code == "push_certificate"
    assert count(house) == 0


def test_119_a_profile_for_renewal_has_the_same_names_addresses_topic_and_rights(house: House) -> None:
    first = fetch(house, invite(house))
    certificate = issued(enrol(house, challenge_of(first)))
    with house.calling(now=utcnow()) as call:
        enrollment = call.session.scalars(select(Enrollment)).one()
        enrollment.first_used_at = call.now
        second = handout.for_renewal(call, here(house), enrollment.device_id)

    assert plistlib.loads(second)["PayloadIdentifier"] == IDENTIFIER
    old, new = parts(first)["com.apple.mdm"][0], parts(second)["com.apple.mdm"][0]
    for key in ("PayloadIdentifier", "ServerURL", "CheckInURL", "Topic", "AccessRights"):
        assert old[key] == new[key]
    assert challenge_of(first) != challenge_of(second)
    renewed = issued(enrol(house, challenge_of(second), number=1, transaction="T2"))
    assert renewed.subject == certificate.subject
    with house.call(write=False) as call:
        assert [one.revoked_at for one in call.session.scalars(select(Enrollment))] == [None, None]


def test_a_device_without_a_certificate_in_force_is_not_renewed(house: House) -> None:
    issued(enrol(house, challenge_of(fetch(house, invite(house)))))
    with house.calling(now=utcnow()) as call:
        enrollment = call.session.scalars(select(Enrollment)).one()
        device_id = enrollment.device_id
        enrollment.revoked_at = call.now
        call.session.flush()
        with pytest.raises(NotFoundError):
            handout.for_renewal(call, here(house), device_id)


def test_the_challenge_is_not_stored(house: House) -> None:
    challenge = challenge_of(fetch(house, invite(house)))
    with house.call(write=False) as call:
        kept = call.session.scalars(select(AppleSession)).one()
        assert challenge not in str({one.name: getattr(kept, one.name) for one in AppleSession.__table__.columns})
        assert sessions.by_challenge(call.session, challenge) is not None
