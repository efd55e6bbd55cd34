"""Invitations: made for a person, used once, by whoever proves a key, and for nothing but what they were made for."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from sqlalchemy import func, select

from agent.wire import EnrollRequest
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ConflictError, DeniedError, GoneError, InvalidError, NotFoundError, UnavailableError
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.enrollment import queries, renewal, service
from mdm.enrollment.model import Enrollment, Invitation
from mdm.enrollment.progress import Step
from mdm.enrollment.redeem import first_report
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, LifeCycle
from mdm.org.model import ServicePoint
from mdm.people.model import Person
from mdm.storage.call import Call
from tests.conftest import NOW, Calling
from tests.enrollment.conftest import LINKS, VISITOR, Authority, Using, new_csr, request_with


def invite(calling: Calling, **more: object) -> str:
    with calling() as call:
        given = {"email": "sarah@example.org", "platform": "linux", "service_point_code": "WERKHAVEN", **more}
        return service.invite(call, LINKS, **given)[1]  # type: ignore[arg-type]


def count(call: Call, model: type) -> int:
    return call.session.scalar(select(func.count()).select_from(model)) or 0


def token_of(url: str) -> str:
    return url.split("/e/")[1].split("#")[0]


def test_the_address_names_our_ca_and_the_gateway_and_its_token_is_not_stored(calling: Calling, point: str) -> None:
    url = invite(calling)

    parts = urlsplit(url)
    fragment = parse_qs(parts.fragment)
    token = parts.path.removeprefix("/e/")
    assert fragment == {"ca": ["ab" * 32], "gateway": ["https://devices.example:8444"]}
    assert len(token) >= 22
    with calling(write=False) as call:
        kept = call.session.scalars(select(Invitation)).one()
        assert token not in str({column.name: getattr(kept, column.name) for column in Invitation.__table__.columns})


def test_the_person_is_made_where_unknown_and_found_where_known(calling: Calling, point: str) -> None:
    invite(calling)
    invite(calling, email="SARAH@example.org")

    with calling(write=False) as call:
        assert count(call, Person) == 1
        assert count(call, Invitation) == 2


@pytest.mark.parametrize("wrong", [{"platform": "amiga"}, {"kind": "toaster"}, {"ownership": "mine"}])
def test_an_unknown_word_invites_nobody(calling: Calling, point: str, wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidError) as refused:
        invite(calling, **wrong)

    assert set(refused.value.fields) == set(wrong)
    with calling(write=False) as call:
        assert count(call, Person) == 0


def test_a_clerk_invites_at_the_own_service_point_only(calling: Calling, point: str) -> None:
    with calling() as call:
        nova = ServicePoint(code="NOVA", name="NOVA", created_at=NOW)
        call.session.add(nova)
        call.session.flush()
        grant = Grant(Role.DESK_CLERK, PlaceKind.SERVICE_POINT, service_point_id=nova.id)
    clerk = Actor(ActorKind.OPERATOR, 2, "Marijke", (grant,))

    with calling(clerk) as call:
        service.invite(call, LINKS, email="a@example.org", platform="linux", service_point_code="NOVA")
    with pytest.raises(NotFoundError), calling(clerk) as call:
        service.invite(call, LINKS, email="b@example.org", platform="linux", service_point_code="WERKHAVEN")


def test_an_invited_device_is_handed_out_at_the_place_of_the_invitation(
    calling: Calling, point: str, using: Using
) -> None:
    answer = using(request_with(invite(calling, kind="kiosk"), new_csr(), serial="SN1"))

    with calling(write=False) as call:
        device = call.session.scalars(select(Device)).one()
        person = call.session.scalars(select(Person)).one()
        assert answer["device"] == device.uid
        assert (device.state, device.person_id, device.kind) == (LifeCycle.HANDED_OUT, person.id, "kiosk")
        assert (device.serial, device.name) == ("SN1", "zuil-7")
        assert device.service_point_id is not None
        assert "sarah@example.org" in device.search


def test_the_subject_comes_from_the_invitation_and_never_from_the_request(
    calling: Calling, point: str, using: Using
) -> None:
    answer = using(request_with(invite(calling), new_csr(name="admin")))

    certificate = x509.load_pem_x509_certificate(answer["certificate"].encode())
    assert certificate.subject.rfc4514_string() == f"CN={answer['device']}"


def test_the_same_key_again_gets_the_same_answer_and_nothing_is_issued_twice(
    calling: Calling, point: str, using: Using, authority: Authority
) -> None:
    request = request_with(invite(calling), new_csr())

    assert using(request) == using(request)

    assert len(authority.issued) == 1
    with calling(write=False) as call:
        assert (count(call, Device), count(call, Enrollment)) == (1, 1)


def test_another_key_finds_the_invitation_used(calling: Calling, point: str, using: Using) -> None:
    url = invite(calling)
    using(request_with(url, new_csr()))

    with pytest.raises(GoneError) as refused:
        using(request_with(url, new_csr()))

    assert refused.value.code == "invitation_used"
    with calling(write=False) as call:
        assert (count(call, Device), count(call, Enrollment)) == (1, 1)


def test_an_expired_and_a_withdrawn_and_an_unknown_one_are_refused(calling: Calling, point: str, using: Using) -> None:
    url = invite(calling)
    with pytest.raises(GoneError) as expired:
        using(request_with(url, new_csr()), NOW + timedelta(hours=169))
    with calling() as call:
        uid = call.session.scalars(select(Invitation.uid)).one()
        service.withdraw(call, uid)
        service.withdraw(call, uid)
    with pytest.raises(NotFoundError) as withdrawn:
        using(request_with(url, new_csr()))
    with pytest.raises(NotFoundError) as unknown:
        using(request_with("https://x/e/nonsense#", new_csr()))

    assert expired.value.code == "invitation_expired"
    assert (withdrawn.value.code, str(withdrawn.value)) == (unknown.value.code, str(unknown.value))
    with calling(write=False) as call:
        assert count(call, Device) == 0


def test_the_wrong_platform_is_refused_and_the_page_says_why(calling: Calling, point: str, using: Using) -> None:
    url = invite(calling, platform="android")

    with pytest.raises(InvalidError):
        using(request_with(url, new_csr()))

    with calling(write=False) as call:
        assert "android" in queries.progress(call.session, token_of(url), NOW).failure


def test_a_key_that_proves_nothing_is_refused(calling: Calling, point: str, using: Using) -> None:
    url = invite(calling)
    weak = new_csr(rsa.generate_private_key(65537, 1024))  # type: ignore[arg-type]
    curve = new_csr(ec.generate_private_key(ec.SECP384R1()))
    for csr in ("", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----", weak, curve):
        with pytest.raises(InvalidError) as refused:
            using(request_with(url, csr))
        assert refused.value.code == "csr_wrong"

    using(request_with(url, new_csr()))


def test_while_the_signer_is_away_nothing_is_lost_and_the_same_key_goes_on(
    calling: Calling, point: str, using: Using, authority: Authority
) -> None:
    request = request_with(invite(calling), new_csr())
    authority.away = True
    with pytest.raises(UnavailableError):
        using(request)
    authority.away = False

    answer = using(request)

    with calling(write=False) as call:
        assert call.session.scalars(select(Device.uid)).all() == [answer["device"]]


def test_a_recorded_device_is_found_by_its_serial_number(calling: Calling, point: str, using: Using) -> None:
    with calling() as call:
        uid = inventory.create(call, {"platform": "linux", "kind": "laptop", "serial": "SN1", "tag": "A-1"}).uid

    assert using(request_with(invite(calling), new_csr(), serial="SN1"))["device"] == uid


def test_somebody_elses_device_is_not_taken_over_by_telling_its_serial_number(
    calling: Calling, point: str, using: Using
) -> None:
    mine = using(request_with(invite(calling, email="mo@example.org"), new_csr(), serial="SN1"))

    with pytest.raises(ConflictError) as refused:
        using(request_with(invite(calling), new_csr(), serial="SN1"))

    assert refused.value.code == "device_taken"
    with calling(write=False) as call:
        device = call.session.scalars(select(Device)).one()
        assert (device.uid, count(call, Enrollment)) == (mine["device"], 1)


def test_enrolling_the_own_device_again_ends_the_certificate_before(calling: Calling, point: str, using: Using) -> None:
    first = using(request_with(invite(calling), new_csr(), serial="SN1"))
    second = using(request_with(invite(calling), new_csr(), serial="SN1"))

    assert first["device"] == second["device"]
    with calling(write=False) as call:
        (live,) = queries.live(call.session, 1, NOW)
        assert live.certificate == second["certificate"]


def test_the_progress_is_told_step_by_step(calling: Calling, point: str, using: Using) -> None:
    url = invite(calling)

    def done() -> list[Step]:
        with calling(write=False) as call:
            return list(queries.progress(call.session, token_of(url), NOW).done)

    assert done() == [Step.INVITED]
    with calling(VISITOR) as call:
        service.opened(call, token_of(url))
    assert done() == [Step.INVITED, Step.OPENED]
    using(request_with(url, new_csr()))
    assert done()[-1] is Step.CERTIFIED
    with calling() as call:
        device = call.session.scalars(select(Device)).one()
        first_report(call, device.id)
    assert done()[-1] is Step.REPORTED


def test_only_those_who_may_revoke_do_and_twice_is_like_once(calling: Calling, point: str, using: Using) -> None:
    uid = using(request_with(invite(calling), new_csr()))["device"]
    with calling(write=False) as call:
        place = call.session.scalars(select(Device)).one().service_point_id
    grant = Grant(Role.DESK_CLERK, PlaceKind.SERVICE_POINT, service_point_id=place)

    with pytest.raises(DeniedError), calling(Actor(ActorKind.OPERATOR, 3, "clerk", (grant,))) as call:
        service.revoke(call, uid, "no")
    with calling() as call:
        assert service.revoke(call, uid, "lost") == 1
        assert service.revoke(call, uid, "lost") == 0


def test_a_renewed_certificate_ends_the_old_one_when_it_is_used_and_not_before(
    calling: Calling, point: str, using: Using, authority: Authority
) -> None:
    request: EnrollRequest = request_with(invite(calling), new_csr())
    uid = using(request)["device"]

    def transact(*, write: bool = True) -> object:
        return calling(VISITOR, write=write)

    with pytest.raises(ConflictError):
        renewal.renew(transact, lambda _old, csr: authority.issue(uid, csr), 1, request["csr"])  # type: ignore[arg-type]
    csr = new_csr()
    chain = renewal.renew(transact, lambda _old, csr: authority.issue(uid, csr), 1, csr)  # type: ignore[arg-type]
    again = renewal.renew(transact, lambda _old, csr: authority.issue(uid, csr), 1, csr)  # type: ignore[arg-type]

    assert chain == again
    with calling() as call:
        assert len(queries.live(call.session, 1, NOW)) == 2
        renewal.first_use(call, 2)
        assert [one.id for one in queries.live(call.session, 1, NOW)] == [2]
        first = call.session.get_one(Enrollment, 1).key_digest
        assert queries.former_keys(call.session, 2) == [first]
