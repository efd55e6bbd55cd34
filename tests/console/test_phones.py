"""Phones on the console: what Apple's side needs, one phone with what it has and may be asked, and its secrets."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask
from sqlalchemy import select

from mdm.alarms.looking import look_at_diary
from mdm.alarms.model import Alarm
from mdm.audit.model import AuditEntry
from mdm.core.actor import system
from mdm.inventory.model import Device
from mdm.org.queries import service_points
from mdm.platforms.apple import secrets
from mdm.platforms.apple.automated.model import AppleAssigned, AppleTie
from mdm.platforms.apple.declarations import compose, declaration, set_token
from mdm.platforms.apple.listed import keep_certificates, keep_profiles
from mdm.platforms.apple.model import AppleCommand, AppleDevice, ApplePush, AppleSet, DeviceState, ScopedSecret
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from mdm.storage.seal import load_seal
from tests.conftest import FLEET_ADMIN
from tests.console.conftest import Visitor
from tests.platforms.apple.papers import holder
from tests.platforms.apple.test_checks_h_push import pem, push_papers
from tests.platforms.apple.test_papers import apple_signs

SignedIn = Callable[[str], Visitor]
TOPIC = "com.apple.mgmt.External.test"
MO, SARAH = "mo@stad.example", "sarah@stad.example"


@pytest.fixture
def inside(settings: Settings) -> Callable[..., object]:
    """``inside(act)`` runs in one transaction behind the console's back."""

    def one(act: Callable[[Call], object]) -> object:
        engine = make_engine(settings.database)
        with transaction(engine, write=True) as session:
            found = act(Call(system("tests"), session, datetime.now(UTC)))
        engine.dispose()
        return found

    return one


def supervised(call: Call, home: Path) -> str:
    """The public id of a supervised iPhone with a bypass code, declarations, profiles and certificates."""
    point = service_points(Call(FLEET_ADMIN, call.session, call.now))[0]
    device = Device(
        uid="ab" * 16, platform="ios", kind="phone", name="Telefoon van Sarah", created_at=call.now,
        enrolled_at=call.now, key_digest="0" * 64, service_point_id=point.id, os_version="18.1",
    )  # fmt: skip
    call.session.add(device)
    call.session.flush()
    apple = AppleDevice(
        device_id=device.id, udid="U-1", state=DeviceState.ENROLLED.value, supervised=True, topic=TOPIC,
        push=b"x", push_at=call.now, created_at=call.now,
    )  # fmt: skip
    call.session.add(apple)
    call.session.flush()
    secrets.keep(load_seal(home / "keys"), apple, ScopedSecret.BYPASS_CODE, b"AAAAA-BBBBB-CCCCC")
    wanted = declaration("configuration", "havenmeester.passcode", "com.apple.configuration.passcode.settings", {})
    content = compose([wanted], "Antwerpen", None, user_enrollment=False)
    held = AppleSet(token=set_token(content), content=content, created_at=call.now)
    call.session.add(held)
    apple.advertised_token = held.token
    apple.declared = {
        wanted["identifier"]: {
            "token": wanted["token"], "active": False, "valid": "invalid", "reasons": ["Error.X <b>not</b> possible"]
        }
    }  # fmt: skip
    keep_profiles(call, apple, {"ProfileList": [{"PayloadIdentifier": "com.evil", "PayloadDisplayName": "School VPN"}]})
    data = holder("Old VPN").certificate.public_bytes(Encoding.DER)
    keep_certificates(call, apple, {"CertificateList": [{"CommonName": "Old VPN", "Data": data}, {"Data": b"garbage"}]})
    busy = AppleCommand(
        uuid="U-U", device_id=device.id, generation=1, request_type="InstallProfile", body=b"", state="not_now",
        not_now=3, created_at=call.now, expires_at=call.now + timedelta(days=1), asked_by="policy",
    )  # fmt: skip
    call.session.add(busy)
    return device.uid


@pytest.fixture
def phone(console: Flask, settings: Settings, inside: Callable[..., object]) -> str:
    """A supervised iPhone."""
    return str(inside(lambda call: supervised(call, settings.home)))


def push(call: Call, days: int = 300) -> ApplePush:
    made = ApplePush(
        topic=TOPIC, certificate="", key=b"", account="it@stad.example", created_by="x", created_at=call.now,
        not_after=call.now + timedelta(days=days),
    )  # fmt: skip
    call.session.add(made)
    call.session.flush()
    return made


# Apple's side -----------------------------------------------------------------------------------------------------------


def test_a_push_certificate_is_asked_for_signed_and_brought_in_on_one_page(
    signed_in: SignedIn, inside: Callable[..., object]
) -> None:
    mo = signed_in(MO)
    assert "Without one no phone can enrol" in mo.get("/settings/phones").text
    assert mo.post("/settings/phones/push-certificate", step="request").status_code == 303
    address = re.search(r'href="(/settings/phones/push-certificate/\w+/request)"', mo.get("/settings/phones").text)
    assert address is not None
    csr = mo.get(address[1])
    assert csr.headers["Content-Disposition"] == 'attachment; filename="push-request.csr"'
    given = io.BytesIO(apple_signs(csr.text).encode())
    mo.get("/settings/phones")
    done = mo.post(
        "/settings/phones/push-certificate", step="bring", account="it@stad.example", certificate=(given, "push.pem")
    )
    assert done.status_code == 303
    page = mo.get("/settings/phones").text
    assert TOPIC in page
    assert "it@stad.example" in page
    assert "days left" in page


def test_a_new_certificate_instead_of_a_renewed_one_is_refused_on_the_page_and_the_old_one_stays(
    signed_in: SignedIn, inside: Callable[..., object], phone: str
) -> None:
    inside(push)
    mo = signed_in(MO)
    mo.get("/settings/phones")
    certificate, key = pem(push_papers("com.apple.mgmt.External.other"))
    answer = mo.post(
        "/settings/phones/push-certificate",
        step="bring",
        certificate=(io.BytesIO(certificate.encode()), "c.pem"),
        key=(io.BytesIO(key.encode()), "k.pem"),
    )
    assert answer.status_code == 409
    assert "instead of creating a new one" in answer.text
    assert TOPIC in answer.text
    assert len(inside(lambda call: call.session.scalars(select(ApplePush)).all())) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("days", "words"), [(45, "Renew it in time"), (5, "Renew it now"), (-3, "ended on"), (200, "days left")]
)
def test_the_page_warns_of_a_certificate_that_ends(
    signed_in: SignedIn, inside: Callable[..., object], days: int, words: str
) -> None:
    inside(lambda call: push(call, days))
    mo = signed_in(MO)
    assert words in mo.get("/settings/phones").text
    assert (words in mo.get("/").text) is (days < 60)
    assert "push certificate" not in signed_in("marijke@stad.example").get("/").text


def test_an_auditor_sees_it_all_and_is_offered_nothing(signed_in: SignedIn, inside: Callable[..., object]) -> None:
    inside(push)
    sarah = signed_in(SARAH)
    page = sarah.get("/settings/phones").text
    assert TOPIC in page
    assert 'action="/settings/phones' not in page
    assert sarah.post("/settings/phones/push-certificate", step="request").status_code == 403
    assert sarah.post("/settings/phones/ties").status_code == 403


def test_a_tie_shows_what_apple_says_and_takes_no_wrong_token(
    signed_in: SignedIn, inside: Callable[..., object]
) -> None:
    mo = signed_in(MO)
    begun = mo.post("/settings/phones/ties")
    address = begun.headers["Location"]
    assert "BEGIN CERTIFICATE" in mo.get(f"{address}/certificate.pem").text

    def listed(call: Call) -> None:
        (tie,) = call.session.scalars(select(AppleTie))
        tie.problem = "Apple has new terms for its device list. Nothing was read. Accept them at Apple's portal."
        call.session.add(AppleAssigned(serial="F2LX", tie_id=tie.id, model="iPhone 15", problem="NOT_ACCESSIBLE"))

    inside(listed)
    page = mo.get(address).text
    assert "Accept them at Apple" in page
    assert "does not belong to the server of this token" in page
    wrong = mo.post(f"{address}/change", step="token", file=(io.BytesIO(b"nonsense"), "t.p7m"))
    assert wrong.status_code == 422
    assert "not a token that Apple" in wrong.text
    assert mo.post(f"{address}/change", step="demand", least_version="newest").status_code == 422
    assert mo.post(f"{address}/change", step="demand", least_version="18.1").status_code == 303
    assert 'value="18.1"' in mo.get(address).text
    assert mo.post(f"{address}/change", step="remove").status_code == 303
    assert mo.get(address).status_code == 404


# One phone --------------------------------------------------------------------------------------------------------------


def test_the_page_of_a_phone_tells_what_it_has_in_words(signed_in: SignedIn, phone: str) -> None:
    page = signed_in(MO).get(f"/devices/{phone}?tab=phone").text
    for words in (
        "The phone is busy, it asks again", "put off: 3 ×", "School VPN", "not from here", "Old VPN",
        "Refused by the phone", "Error.X &lt;b&gt;not&lt;/b&gt; possible", "no push certificate",
        "Only while the phone is in lost mode",
    ):  # fmt: skip
        assert words in page, words
    assert "AAAAA" not in page
    assert 'value="message"' not in page


def test_a_phone_is_asked_once_and_what_it_cannot_do_is_refused_with_a_sentence(
    signed_in: SignedIn, phone: str, inside: Callable[..., object]
) -> None:
    mo = signed_in(MO)
    mo.get(f"/devices/{phone}/phone/ask/name")
    assert mo.post(f"/devices/{phone}/phone/ask/name", name="").status_code == 422
    assert mo.post(f"/devices/{phone}/phone/ask/lost_mode").status_code == 422
    assert mo.post(f"/devices/{phone}/phone/ask/name", name="Balie 3", reason="balie").status_code == 303
    assert mo.post(f"/devices/{phone}/phone/ask/wallpaper", picture=(io.BytesIO(b"GIF89a"), "x.gif")).status_code == 422
    picture = (io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"0" * 99), "x.png")
    assert mo.post(f"/devices/{phone}/phone/ask/wallpaper", picture=picture, where="lock").status_code == 303
    assert mo.post(f"/devices/{phone}/phone/ask/sound").status_code == 409
    assert mo.get(f"/devices/{phone}/phone/ask/coffee").status_code == 404
    page = mo.get(f"/devices/{phone}?tab=phone").text
    assert page.count("Change settings") == 2
    assert "balie" in page

    def unsupervised(call: Call) -> None:
        call.session.scalars(select(AppleDevice)).one().supervised = False

    inside(unsupervised)
    assert "Only a supervised phone does this" in mo.get(f"/devices/{phone}/phone/ask/restart").text
    for what in ("restart", "shut_down", "lost_mode", "name"):
        refused = mo.post(f"/devices/{phone}/phone/ask/{what}", name="x", message="x")
        assert (what, refused.status_code) == (what, 422)
        assert "supervised" in refused.text
    assert mo.post(f"/devices/{phone}/phone/commands/U-U/cancel").status_code == 303
    assert "Taken back" in mo.get(f"/devices/{phone}?tab=phone").text


def actions_of(inside: Callable[..., object]) -> list[str]:
    """What the diary tells, the oldest first."""
    query = select(AuditEntry.action).order_by(AuditEntry.id)
    return inside(lambda call: list(call.session.scalars(query)))  # type: ignore[return-value]


def test_a_phone_is_told_to_leave_with_a_reason_after_its_page_said_what_then_happens_and_may_stay_after_all(
    signed_in: SignedIn, phone: str, inside: Callable[..., object]
) -> None:
    mo, tab, address = signed_in(MO), f"/devices/{phone}?tab=phone", f"/devices/{phone}/phone/turn-away"
    assert address in mo.get(tab).text
    assert "It then removes the management by itself" in mo.get(address).text
    refused = mo.post(address, reason=" ")
    assert refused.status_code == 422
    assert "Say why the phone shall leave" in refused.text
    assert "device.turning_away" not in actions_of(inside)

    assert mo.post(address, reason="sold").status_code == 303
    assert "is told to leave at its next request" in mo.get(tab).text
    mo.post(f"/devices/{phone}/phone/let-stay")
    assert address in mo.get(tab).text
    assert [one for one in actions_of(inside) if one in ("device.turning_away", "device.may_stay")] == [
        "device.turning_away", "device.may_stay",
    ]  # fmt: skip

    marijke = signed_in("marijke@stad.example")
    assert address not in marijke.get(tab).text
    assert [marijke.get(address).status_code, marijke.post(address, reason="x").status_code] == [403, 403]


def test_a_secret_is_shown_with_a_reason_to_who_proved_who_they_are_and_everybody_is_told(
    signed_in: SignedIn, phone: str, inside: Callable[..., object]
) -> None:
    mo, address = signed_in(MO), f"/devices/{phone}/phone/secrets/bypass_code"
    assert "AAAAA" not in mo.get(address).text
    assert mo.post(address, reason="").status_code == 422
    shown = mo.post(address, reason="locked after repair")
    assert "AAAAA-BBBBB-CCCCC" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert mo.post(f"/devices/{phone}/phone/secrets/unlock_token", reason="x").status_code == 404
    assert mo.post(f"/devices/{phone}/phone/secrets/location", reason="x").status_code == 404
    assert signed_in(SARAH).post(address, reason="curious").status_code == 403

    def told(call: Call) -> list[str]:
        look_at_diary(call, 0)
        lines = call.session.scalars(select(AuditEntry).where(AuditEntry.action == "secret.revealed")).all()
        assert [one.details["reason"] for one in lines] == ["locked after repair"]
        return list(call.session.scalars(select(Alarm.kind).where(Alarm.kind == "secret_revealed")))

    assert inside(told) == ["secret_revealed"]


def test_who_did_not_prove_it_lately_proves_it_first(
    signed_in: SignedIn, phone: str, inside: Callable[..., object]
) -> None:
    from mdm.access.model import WebSession

    mo = signed_in(MO)

    def long_ago(call: Call) -> None:
        for one in call.session.scalars(select(WebSession)):
            one.fresh_at = call.now - timedelta(minutes=10)

    inside(long_ago)
    for address, fields in (
        (f"/devices/{phone}/phone/secrets/bypass_code", {"reason": "x"}),
        (f"/devices/{phone}/phone/ask/clear_passcode", {}),
        ("/settings/phones/push-certificate", {"step": "bring"}),
    ):
        answer = mo.post(address, **fields)
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/prove")


def test_a_device_that_is_no_phone_has_no_such_page(signed_in: SignedIn, inside: Callable[..., object]) -> None:
    uid = inside(lambda call: call.session.scalar(select(Device.uid).where(Device.platform == "linux").limit(1)))
    mo = signed_in(MO)
    assert "tab=phone" not in mo.get(f"/devices/{uid}").text
    assert "never enrolled as a phone" in mo.get(f"/devices/{uid}?tab=phone").text
    assert mo.get(f"/devices/{uid}/phone/ask/restart").status_code == 404
    assert mo.post(f"/devices/{uid}/phone/ask/restart").status_code == 404
