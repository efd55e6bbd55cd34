"""One Android phone on the console: its tab with what it said, and another passcode after a fresh proof."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from mdm.access.model import WebSession
from mdm.audit.model import AuditEntry
from mdm.core.actor import system
from mdm.enrollment.model import Invitation
from mdm.inventory.model import Device, Platform
from mdm.org.queries import service_points
from mdm.people.model import Person
from mdm.platforms.android.model import AndroidNumber, AndroidPhone
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.conftest import FLEET_ADMIN
from tests.console.conftest import Visitor

SignedIn = Callable[[str], Visitor]
Inside = Callable[[Callable[[Call], object]], object]
MO = "mo@stad.example"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def inside(settings: Settings) -> Inside:
    """``inside(act)`` runs in one transaction behind the console's back."""

    def one(act: Callable[[Call], object]) -> object:
        engine = make_engine(settings.database)
        with transaction(engine, write=True) as session:
            found = act(Call(system("tests"), session, datetime.now(UTC)))
        engine.dispose()
        return found

    return one


def spoken(call: Call) -> str:
    """The public id of a phone with the free agent that has said something."""
    point = service_points(Call(FLEET_ADMIN, call.session, call.now))[0]
    device = Device(
        uid="ac" * 16, platform="android", kind="phone", name="Pixel of Sarah", created_at=call.now,
        state="handed_out", enrolled_at=call.now, key_digest="c" * 64, service_point_id=point.id,
    )  # fmt: skip
    invitation = Invitation(
        uid="ac" * 16, token_digest="ac" * 32, person_id=call.session.scalars(select(Person.id)).first() or 0,
        platform="android", service_point_id=point.id, created_by="Mo", created_at=call.now,
        expires_at=call.now + timedelta(days=1), used_at=call.now,
    )  # fmt: skip
    call.session.add_all([device, invitation])
    call.session.flush()
    lines = [{"at": 1_790_000_000_000, "level": "error", "package": "", "text": EVIL}]
    call.session.add_all(
        [
            AndroidPhone(device_id=device.id, way="headwind", created_at=call.now, details={"log": lines}),
            AndroidNumber(
                digest="a" * 64, invitation_id=invitation.id, token_digest="b" * 64, device_id=device.id,
                bound_at=call.now, created_at=call.now,
            ),
        ]
    )  # fmt: skip
    return device.uid


@pytest.fixture
def phone(inside: Inside) -> str:
    """A phone with the free agent."""
    return str(inside(spoken))


def _row(call: Call) -> AndroidNumber:
    return call.session.scalars(select(AndroidNumber).where(AndroidNumber.digest == "a" * 64)).one()


def test_the_tab_shows_the_phone_and_its_last_lines_and_passes_no_markup_on(signed_in: SignedIn, phone: str) -> None:
    page = signed_in(MO).get(f"/devices/{phone}?tab=phone").text
    assert "The free agent" in page
    assert "&lt;script&gt;alert(1)" in page
    assert EVIL not in page
    assert f"/devices/{phone}/phone/passcode" in page


def test_another_passcode_is_sealed_told_in_the_diary_and_shown_nowhere(
    signed_in: SignedIn, phone: str, inside: Inside
) -> None:
    mo, address = signed_in(MO), f"/devices/{phone}/phone/passcode"
    mo.get(address)
    wrong = mo.post(address, passcode="has a space", reason="forgotten")
    assert (wrong.status_code, "has a space" in wrong.text) == (422, False)
    assert inside(lambda call: _row(call).passcode) is None
    assert mo.post(address, passcode="Haven-2741", reason="forgotten").status_code == 303
    page = mo.get(f"/devices/{phone}?tab=phone").text
    assert "another one waits for it" in page
    assert "2741" not in page + mo.get(address).text

    def kept(call: Call) -> None:
        assert b"2741" not in (_row(call).passcode or b"2741")
        line = call.session.scalars(select(AuditEntry).where(AuditEntry.action == "phone.passcode_asked")).one()
        assert line.details == {"reason": "forgotten"}

    inside(kept)


def test_who_did_not_prove_it_lately_proves_it_first_and_nothing_is_asked(
    signed_in: SignedIn, phone: str, inside: Inside
) -> None:
    mo, address = signed_in(MO), f"/devices/{phone}/phone/passcode"

    def long_ago(call: Call) -> None:
        for one in call.session.scalars(select(WebSession)):
            one.fresh_at = call.now - timedelta(minutes=10)

    inside(long_ago)
    assert 'name="passcode"' not in mo.get(address).text
    answer = mo.post(address, passcode="Haven-2741")
    assert (answer.status_code, answer.headers["Location"].startswith("/prove")) == (303, True)
    assert inside(lambda call: _row(call).passcode) is None


def test_a_phone_that_is_google_managed_or_not_a_phone_is_given_none(
    signed_in: SignedIn, phone: str, inside: Inside
) -> None:
    mo, address = signed_in(MO), f"/devices/{phone}/phone/passcode"

    def google(call: Call) -> str:
        call.session.get_one(AndroidPhone, _row(call).device_id).way = "amapi"
        return call.session.scalars(select(Device.uid).where(Device.platform == Platform.LINUX)).first() or ""

    linux = inside(google)
    shown = mo.get(address).text
    assert "Only a phone with the free agent" in shown
    assert 'name="passcode"' not in shown
    assert mo.post(address, passcode="Haven-2741").status_code == 409
    assert mo.get(f"/devices/{linux}/phone/passcode").status_code == 404
    assert inside(lambda call: _row(call).passcode) is None
