"""Checks 121 and 124: Apple's list of our devices is read as it is, and only a phone on it enrols by itself."""

import json
import plistlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from pytest_httpserver import HTTPServer
from sqlalchemy import select
from werkzeug.test import Client

from mdm.core.clock import utcnow
from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.inventory.model import Device
from mdm.platforms.apple import cms, plist
from mdm.platforms.apple.automated import reading, sync, ties, token
from mdm.platforms.apple.automated.client import DeviceList
from mdm.platforms.apple.automated.model import AppleAssigned, AppleTie
from mdm.simulate.iphone import IPhone
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from mdm.storage.seal import Seal
from tests.conftest import FLEET_ADMIN
from tests.platforms.apple.city import City
from tests.platforms.apple.papers import Holder, holder, openssl
from tests.platforms.apple.test_checks_j_renewal import identity
from tests.signer.neighbour import RunningSigner
from tests.sim.device_list import CREDENTIALS, DeviceListServer
from web.gateway.app import make_gateway

SEAL = Seal(b"k" * 32)
PROFILE = sync.enrollment_profile("Antwerpen", "https://gateway.example", "/apple/v1/automated", ())


@pytest.fixture
def apple(httpserver: HTTPServer) -> DeviceListServer:
    return DeviceListServer(httpserver)


def file_for(certificate: str, folder: Path, content: str | None = None, *, form: str = "SMIME") -> bytes:
    """What Apple's portal gives for a certificate, made by OpenSSL."""
    pem = folder / "uploaded.pem"
    pem.write_text(certificate)
    message = json.dumps(CREDENTIALS) if content is None else content
    inner = f"Content-Type: text/plain;charset=UTF-8\n\n-----BEGIN MESSAGE-----\n{message}\n-----END MESSAGE-----\n"
    return openssl("cms", "-encrypt", "-outform", form, "-aes256", "-recip", pem, given=inner.encode())


@contextmanager
def calling(city: City) -> Iterator[Call]:
    with transaction(city.engine, write=True) as session:
        yield Call(FLEET_ADMIN, session, utcnow())


def tied(city: City, folder: Path) -> int:
    """A tie with a token."""
    with calling(city) as call:
        tie = token.begin(call, SEAL, "Antwerpen")
        token.bring_in(call, SEAL, tie.uid, file_for(tie.certificate, folder))
        return tie.id


def read(city: City, apple: DeviceListServer, tie_id: int) -> int:
    with calling(city) as call:
        opened = token.opened(call.session.get_one(AppleTie, tie_id), SEAL)
    assert opened is not None
    with DeviceList(opened, apple.address) as client:
        return sync.synchronise(lambda: calling(city), client, tie_id, PROFILE)


def listed(city: City) -> dict[str, bool]:
    with transaction(city.engine, write=False) as session:
        return {one.serial: one.listed for one in session.scalars(select(AppleAssigned))}


def line(serial: str, **more: Any) -> dict[str, Any]:
    return {"serial_number": serial, "model": "iPhone 15", "description": "IPHONE", "profile_status": "empty", **more}


# The token -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["SMIME", "DER"])
def test_a_token_is_brought_in_and_kept_sealed(city: City, tmp_path: Path, form: str) -> None:
    with calling(city) as call:
        tie = token.begin(call, SEAL, "Antwerpen")
        token.bring_in(call, SEAL, tie.uid, file_for(tie.certificate, tmp_path, form=form))
        assert tie.token is not None
        assert b"CS & 1" not in tie.token
        found = token.opened(tie, SEAL)
        assert found is not None
        assert found.consumer_secret == "CS & 1"


def test_a_file_that_is_no_token_of_ours_changes_nothing(city: City, tmp_path: Path) -> None:
    ended = json.dumps(CREDENTIALS | {"access_token_expiry": "2020-01-01T00:00:00Z"})
    with calling(city) as call:
        tie = token.begin(call, SEAL, "Antwerpen")
        other = holder("other", number=1).certificate.public_bytes(Encoding.PEM).decode()
        for file in (
            b"", b"garbage", b"x" * 70_000, file_for(other, tmp_path), file_for(tie.certificate, tmp_path, "{}"),
            file_for(tie.certificate, tmp_path, "[" * 20_000), file_for(tie.certificate, tmp_path, ended),
        ):  # fmt: skip
            with pytest.raises(InvalidError):
                token.bring_in(call, SEAL, tie.uid, file)
        assert tie.token is None


def test_only_who_runs_the_installation_ties_it_to_apple(city: City) -> None:
    from mdm.core.actor import Actor, ActorKind
    from mdm.core.permissions import Grant, Role

    with calling(city) as call, pytest.raises(DeniedError):
        token.begin(call.by(Actor(ActorKind.OPERATOR, 2, "x", (Grant(Role.DESK_CLERK),))), SEAL, "x")


# The list --------------------------------------------------------------------------------------------------------------


def test_124_the_whole_list_is_read_once_and_then_what_changed(
    city: City, apple: DeviceListServer, tmp_path: Path
) -> None:
    tie = tied(city, tmp_path)
    apple.devices = [line(f"S{number}") for number in range(5)]
    assert read(city, apple, tie) == 5
    assert listed(city) == {f"S{number}": True for number in range(5)}
    apple.operations = [
        line("S9", op_type="added", op_date="2026-11-01T00:00:00Z"),
        line("S0", op_type="deleted", op_date="2026-11-01T00:00:00Z"),
    ]
    apple.asked.clear()
    assert read(city, apple, tie) == 2
    assert "/server/devices" not in apple.asked
    assert listed(city)["S9"]
    assert not listed(city)["S0"]
    assert read(city, apple, tie) == 0


def test_124_of_two_words_about_a_device_the_later_one_counts_in_whatever_order_they_come(
    city: City, apple: DeviceListServer, tmp_path: Path
) -> None:
    tie = tied(city, tmp_path)
    apple.devices = [line("S1")]
    read(city, apple, tie)
    apple.operations = [
        line("S1", op_type="deleted", op_date="2026-11-03T00:00:00Z"),
        line("S1", op_type="added", op_date="2026-11-02T00:00:00Z"),
        line("S1", op_type="modified", op_date="2026-11-01T00:00:00Z"),
    ]
    read(city, apple, tie)
    assert listed(city) == {"S1": False}


def test_124_a_cursor_that_has_ended_means_that_all_is_read_anew(
    city: City, apple: DeviceListServer, tmp_path: Path
) -> None:
    tie = tied(city, tmp_path)
    apple.devices = [line("S1"), line("S2"), line("S3")]
    read(city, apple, tie)
    apple.devices = [line("S2"), line("S3"), line("S4")]
    apple.cursor_ended = True
    assert read(city, apple, tie) == 3
    assert listed(city) == {"S1": False, "S2": True, "S3": True, "S4": True}


def test_124_a_session_that_is_never_good_is_begun_anew_once_and_not_for_ever(
    city: City, apple: DeviceListServer, tmp_path: Path
) -> None:
    tie = tied(city, tmp_path)
    apple.never_good = True
    with pytest.raises(ConflictError) as refused:
        read(city, apple, tie)
    assert refused.value.code == "apple_token"
    assert apple.sessions == 2


def test_124_terms_that_nobody_accepted_are_told_to_an_administrator(
    city: City, apple: DeviceListServer, tmp_path: Path
) -> None:
    tie = tied(city, tmp_path)
    apple.terms = True
    with pytest.raises(ConflictError) as refused:
        read(city, apple, tie)
    assert refused.value.code == "apple_terms"
    assert apple.sessions == 1
    with calling(city) as call:
        assert "Accept them at Apple's portal" in call.session.get_one(AppleTie, tie).problem
    apple.terms = False
    read(city, apple, tie)
    with calling(city) as call:
        assert call.session.get_one(AppleTie, tie).problem == ""


def test_our_profile_is_defined_once_and_given_to_every_device_that_apple_lists(
    city: City, apple: DeviceListServer, tmp_path: Path
) -> None:
    tie = tied(city, tmp_path)
    apple.devices = [line("S1"), line("S2")]
    apple.not_accessible = {"S2"}
    read(city, apple, tie)
    read(city, apple, tie)
    ((number, defined),) = apple.profiles.items()
    assert apple.assigned == {"S1": number}
    assert defined["is_supervised"] is True
    assert defined["is_mdm_removable"] is False
    assert defined["url"] == "https://gateway.example/apple/v1/automated"
    with calling(city) as call:
        uid = call.session.get_one(AppleTie, tie).uid
        assert [(one.serial, one.given, one.problem) for one in ties.entries(call, uid)] == [
            ("S1", True, ""), ("S2", False, "NOT_ACCESSIBLE")
        ]  # fmt: skip
        assert ties.line(call, uid).refused == 1
    apple.not_accessible = set()
    read(city, apple, tie)
    assert apple.assigned == {"S1": number, "S2": number}
    with calling(city) as call:
        (counted,) = ties.lines(call)
        assert (counted.listed, counted.given, counted.refused) == (2, 2, 0)


def test_a_profile_is_given_anew_when_somebody_says_so_and_a_tie_that_ends_takes_its_list_along(
    city: City, apple: DeviceListServer, tmp_path: Path
) -> None:
    tie = tied(city, tmp_path)
    apple.devices = [line("S1")]
    read(city, apple, tie)
    with calling(city) as call:
        uid = call.session.get_one(AppleTie, tie).uid
        ties.assign_anew(call, uid)
    read(city, apple, tie)
    assert len(apple.profiles) == 2
    assert apple.assigned == {"S1": list(apple.profiles)[-1]}
    with calling(city) as call:
        ties.remove(call, uid)
    assert listed(city) == {}
    with calling(city) as call, pytest.raises(NotFoundError):
        ties.read_now(call, uid)


def test_the_clock_reads_the_list_of_every_tie_that_has_a_good_token(
    city: City, apple: DeviceListServer, tmp_path: Path
) -> None:
    apple.devices = [line("S1")]

    def read_them() -> int:
        return reading.read_all(
            lambda: calling(city),
            lambda: SEAL,
            apple.address,
            organisation="A",
            gateway="https://g",
            anchors=lambda: ("x",),
        )

    with calling(city) as call:
        token.begin(call, SEAL, "Antwerpen")
    assert read_them() == 0
    assert apple.asked == []
    tied(city, tmp_path)
    assert read_them() == 1
    assert next(iter(apple.profiles.values()))["anchor_certs"] == ["x"]
    apple.terms = True
    assert read_them() == 0


# A phone that is set up ------------------------------------------------------------------------------------------------


@pytest.fixture
def maker() -> Holder:
    """Who signs what phones say of themselves; ended long ago, as one of Apple's has."""
    return holder("Apple iPhone Device CA", number=1, authority=True, client=False, since=timedelta(days=900), days=300)


@pytest.fixture
def staffed(city: City, shared_signer: RunningSigner, maker: Holder, tmp_path: Path) -> City:
    """The city with a signer, the makers' authority, and one phone on Apple's list."""
    (city.home / "run").mkdir()
    (city.home / "run" / "signer.sock").symlink_to(shared_signer.socket)
    anchors = tmp_path / "anchors.pem"
    anchors.write_bytes(maker.certificate.public_bytes(Encoding.PEM))
    city.settings = city.settings.model_copy(update={"apple_device_anchors": str(anchors)})
    city.gateway = make_gateway(city.settings)
    with calling(city) as call:
        tie = token.begin(call, SEAL, "Antwerpen")
        call.session.add(AppleAssigned(serial="C0FFEE1", tie_id=tie.id, model="iPhone 15"))
    return city


def machine(maker: Holder, serial: str = "C0FFEE1", **more: Any) -> bytes:
    phone = holder("phone", issuer=maker)
    said = {"UDID": "00008110-001A", "SERIAL": serial, "PRODUCT": "iPhone15,4", "VERSION": "22B83", **more}
    return cms.sign(plist.write(said), phone.key, phone.certificate)


def post(city: City, body: bytes) -> Any:
    return Client(city.gateway).post("/apple/v1/automated", data=body)


def test_121_a_phone_on_the_list_gets_a_profile_of_its_own_and_enrols(
    staffed: City, shared_signer: RunningSigner, maker: Holder
) -> None:
    answer = post(staffed, machine(maker))
    assert (answer.status_code, answer.mimetype) == (200, "application/x-apple-aspen-config")
    assert plistlib.loads(cms.verify(answer.data).content or b"")["PayloadType"] == "Configuration"
    one = identity(staffed, shared_signer, answer.data, 0)
    phone = IPhone(
        send=staffed.put, checkin_path=one.checkin_path, server_path=one.server_path, topic=one.topic, key=one.key,
        certificate=one.certificate, serial="C0FFEE1",
    )  # fmt: skip
    phone.enroll()
    with transaction(staffed.engine, write=False) as session:
        device = session.scalars(select(Device)).one()
        assert (device.serial, device.ownership, device.platform) == ("C0FFEE1", "city", "ios")
    assert post(staffed, machine(maker)).status_code == 200
    with transaction(staffed.engine, write=False) as session:
        assert len(session.scalars(select(Device)).all()) == 1


def test_121_signed_by_another_authority_altered_unsigned_or_of_a_strange_device_it_gets_none(
    staffed: City, maker: Holder
) -> None:
    stranger = holder("Apple iPhone Device CA", number=0, authority=True, client=False)
    assert post(staffed, machine(stranger)).status_code == 400
    assert post(staffed, machine(maker).replace(b"C0FFEE1", b"C0FFEE2")).status_code == 400
    assert post(staffed, b"garbage").status_code == 400
    assert post(staffed, machine(maker, "STRANGE1")).status_code == 403
    with calling(staffed) as call:
        call.session.get_one(AppleAssigned, "C0FFEE1").listed = False
    assert post(staffed, machine(maker)).status_code == 403
    with transaction(staffed.engine, write=False) as session:
        assert session.scalars(select(Device)).all() == []


def test_121_a_phone_whose_system_is_too_old_and_that_can_update_itself_does_so_first(
    staffed: City, maker: Holder
) -> None:
    with calling(staffed) as call:
        (tie,) = call.session.scalars(select(AppleTie))
        ties.demand(call, tie.uid, "18.1")
    old: dict[str, Any] = {"OS_VERSION": "17.6.1", "MDM_CAN_REQUEST_SOFTWARE_UPDATE": True}
    answer = post(staffed, machine(maker, **old))
    assert (answer.status_code, answer.mimetype) == (403, "application/json")
    assert answer.json == {"code": "com.apple.softwareupdate.required", "details": {"OSVersion": "18.1"}}
    with transaction(staffed.engine, write=False) as session:
        assert session.scalars(select(Device)).all() == []
    for new in (
        {**old, "OS_VERSION": "18.1"},
        {**old, "OS_VERSION": "26.0"},
        {**old, "MDM_CAN_REQUEST_SOFTWARE_UPDATE": False},
        {"OS_VERSION": "17.6.1"},
        {"MDM_CAN_REQUEST_SOFTWARE_UPDATE": True},
    ):
        assert post(staffed, machine(maker, **new)).status_code == 200
    # Who is no phone of ours is not told which system we want.
    assert post(staffed, machine(maker, "STRANGE1", **old)).json is None
    with calling(staffed) as call:
        for wrong in ("newest", "18.", "1.2.3.4"):
            with pytest.raises(InvalidError):
                ties.demand(call, tie.uid, wrong)


def test_121_without_apples_authorities_no_phone_enrols_by_itself(staffed: City, maker: Holder) -> None:
    staffed.settings = staffed.settings.model_copy(update={"apple_device_anchors": ""})
    staffed.gateway = make_gateway(staffed.settings)
    assert post(staffed, machine(maker)).status_code == 400
