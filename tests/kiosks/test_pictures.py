"""Pictures of kiosks' screens: who may ask and when, what is kept of what a kiosk sends, and who looked."""

import io
import struct
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import func, select

from mdm.audit.model import AuditEntry
from mdm.commands import delivery
from mdm.commands import service as commands
from mdm.commands.model import Command, State, Verb
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.inventory.model import Device, FactSection
from mdm.kiosks import pictures, png
from mdm.kiosks.model import KioskPicture
from mdm.org.model import ServicePoint
from mdm.policies.model import Cohort
from tests.conftest import FLEET_ADMIN, NOW, Calling

ZONE = ZoneInfo("Europe/Brussels")
ALWAYS = {"days": list(pictures.DAYS), "from": "12:01", "to": "12:00"}


def drawn(width: int = 8, height: int = 4, **more: object) -> bytes:
    place = io.BytesIO()
    Image.new("RGB", (width, height), (0, 80, 160)).save(place, "PNG", **more)
    return place.getvalue()


@pytest.fixture
def kiosk(calling: Calling) -> Device:
    """A kiosk with a session, whose maintenance window is open."""
    with calling() as call:
        point = ServicePoint(code="WERKHAVEN", name="Werkhaven", created_at=NOW)
        cohort = Cohort(key="k", platform="linux", assignments=[], settings={"kiosk.maintenance": ALWAYS})
        call.session.add_all([point, cohort])
        call.session.flush()
        device = Device(
            uid=new_uid(),
            name="Zuil",
            platform="linux",
            kind="kiosk",
            service_point_id=point.id,
            cohort_id=cohort.id,
            enrolled_at=NOW,
            created_at=NOW,
        )
        call.session.add(device)
        call.session.flush()
        content = {"browser": "running"}
        call.session.add(FactSection(device_id=device.id, section="kiosk", digest="d", content=content, changed_at=NOW))
        return device


def speaking(device: Device) -> Actor:
    return Actor(ActorKind.DEVICE, device.id, device.label)


def local(role: Role, place: int | None) -> Actor:
    return Actor(ActorKind.OPERATOR, 5, "Marijke", (Grant(role, PlaceKind.SERVICE_POINT, service_point_id=place),))


def asked(calling: Calling, kiosk: Device, why: str = "The page is blank.") -> str:
    """A picture was asked for, and the kiosk has fetched the command."""
    with calling() as call:
        command = pictures.ask(call, kiosk.uid, why, ZONE)
    with calling() as call:
        given = delivery.next_for(call.session, kiosk.id, call.now)
        assert command in {one["id"] for one in given if one["verb"] == "screenshot"}
    return command


def lines(calling: Calling, action: str) -> int:
    with calling() as call:
        return call.session.scalar(select(func.count()).where(AuditEntry.action == action)) or 0


def test_a_picture_is_asked_for_with_a_reason_sent_once_and_each_look_is_in_the_diary(
    calling: Calling, kiosk: Device
) -> None:
    command = asked(calling, kiosk)
    for _ in range(2):
        with calling(speaking(kiosk)) as call:
            pictures.take(call, kiosk.id, command, drawn())
    with calling() as call:
        (shot,) = pictures.shots(call, kiosk)
        assert (shot.width, shot.height) == (8, 4)
    for _ in range(2):
        with calling() as call:
            assert Image.open(io.BytesIO(pictures.look(call, shot.uid))).getpixel((0, 0)) == (0, 80, 160)
    assert lines(calling, "command.screenshot") == 1
    assert lines(calling, "kiosk.picture_taken") == 1
    assert lines(calling, "kiosk.picture_seen") == 2


def test_outside_the_window_and_without_one_nothing_is_asked(calling: Calling, kiosk: Device) -> None:
    night = {"days": ["wed"], "from": "02:00", "to": "02:01"}
    for settings, code in (
        ({"kiosk.maintenance": night, "updates.window": ALWAYS}, "window_closed"),
        ({}, "window_none"),
    ):
        with calling() as call:
            call.session.get_one(Cohort, kiosk.cohort_id).settings = settings
        with pytest.raises(ConflictError) as refused, calling() as call:
            pictures.ask(call, kiosk.uid, "Why", ZONE)
        assert refused.value.code == code
    with calling() as call:
        assert call.session.scalar(select(func.count()).select_from(Command)) == 0
        call.session.get_one(Cohort, kiosk.cohort_id).settings = {"updates.window": ALWAYS}
    asked(calling, kiosk)


def test_a_window_is_in_the_city_s_time_and_may_go_over_midnight() -> None:
    night = {"days": ["fri"], "from": "22:00", "to": "02:00"}
    friday, saturday = datetime(2026, 11, 20, 23, 0, tzinfo=ZONE), datetime(2026, 11, 21, 1, 59, tzinfo=ZONE)
    assert pictures.holds(night, friday)
    assert pictures.holds(night, saturday)
    assert not pictures.holds(night, saturday + timedelta(minutes=1))
    assert not pictures.holds(night, friday - timedelta(days=1))


def _without_reason(calling: Calling, kiosk: Device) -> None:
    with calling() as call:
        pictures.ask(call, kiosk.uid, " \u202e\n", ZONE)


def _an_auditor(calling: Calling, kiosk: Device) -> None:
    with calling(local(Role.AUDITOR, kiosk.service_point_id)) as call:
        pictures.ask(call, kiosk.uid, "Why", ZONE)


def _a_clerk_elsewhere(calling: Calling, kiosk: Device) -> None:
    with calling(local(Role.DESK_CLERK, 99_999)) as call:
        pictures.ask(call, kiosk.uid, "Why", ZONE)


def _a_laptop(calling: Calling, kiosk: Device) -> None:
    with calling() as call:
        call.session.delete(call.session.get_one(FactSection, (kiosk.id, "kiosk")))
    with calling() as call:
        pictures.ask(call, kiosk.uid, "Why", ZONE)


def _twice(calling: Calling, kiosk: Device) -> None:
    asked(calling, kiosk)
    with calling() as call:
        pictures.ask(call, kiosk.uid, "Why", ZONE)


def _past_the_room(calling: Calling, kiosk: Device) -> None:
    with calling() as call:
        commands.send(call, [kiosk.uid], Verb.SCREENSHOT, reason="Why")


@pytest.mark.parametrize(
    ("attempt", "error", "kept"),
    [
        (_without_reason, InvalidError, 0),
        (_an_auditor, DeniedError, 0),
        (_a_clerk_elsewhere, NotFoundError, 0),
        (_a_laptop, ConflictError, 0),
        (_twice, ConflictError, 1),
        (_past_the_room, InvalidError, 0),
    ],
)
def test_what_is_refused_asks_nothing(
    calling: Calling,
    kiosk: Device,
    attempt: Callable[[Calling, Device], None],
    error: type[Exception],
    kept: int,
) -> None:
    with pytest.raises(error):
        attempt(calling, kiosk)
    with calling() as call:
        assert call.session.scalar(select(func.count()).select_from(Command)) == kept


def test_a_kiosk_sends_only_what_it_was_asked_for(calling: Calling, kiosk: Device) -> None:
    with calling() as call:
        other = commands.send(call, [kiosk.uid], Verb.REFRESH).commands[0]
        delivery.next_for(call.session, kiosk.id, call.now)
    for command in (other, "no-such-command"):
        with pytest.raises(NotFoundError), calling(speaking(kiosk)) as call:
            pictures.take(call, kiosk.id, command, drawn())
    command = asked(calling, kiosk)
    with pytest.raises(DeniedError), calling(Actor(ActorKind.DEVICE, kiosk.id + 1, "other")) as call:
        pictures.take(call, kiosk.id, command, drawn())
    with calling(speaking(kiosk)) as call:
        delivery.take_results(call, kiosk.id, [{"id": command, "state": "refused", "detail": "A citizen is there."}])
    with pytest.raises(NotFoundError), calling(speaking(kiosk)) as call:
        pictures.take(call, kiosk.id, command, drawn())
    with calling() as call:
        assert call.session.scalar(select(func.count()).select_from(KioskPicture)) == 0
        answer = pictures.last_answer(call, kiosk)
        assert answer is not None
        assert (answer.state, answer.detail) == (State.REFUSED, "A citizen is there.")


def test_a_picture_is_gone_after_a_day_whenever_it_is_deleted(calling: Calling, kiosk: Device) -> None:
    command = asked(calling, kiosk)
    with calling(speaking(kiosk)) as call:
        pictures.take(call, kiosk.id, command, drawn())
    with calling() as call:
        row = call.session.scalars(select(KioskPicture)).one()
        uid, row.taken_at = row.uid, call.now - pictures.KEPT
    with calling() as call:
        assert pictures.shots(call, kiosk) == []
        with pytest.raises(NotFoundError):
            pictures.look(call, uid)
        assert pictures.forget(call.session, call.now - pictures.KEPT) == 0
        assert pictures.forget(call.session, call.now) == 1
        assert pictures.forget(call.session, call.now) == 0


def test_who_may_not_look_sees_no_picture(calling: Calling, kiosk: Device) -> None:
    command = asked(calling, kiosk)
    with calling(speaking(kiosk)) as call:
        pictures.take(call, kiosk.id, command, drawn())
    with calling() as call:
        uid = call.session.scalars(select(KioskPicture.uid)).one()
    with calling(local(Role.AUDITOR, kiosk.service_point_id)) as call:
        assert pictures.shots(call, kiosk) == []
        with pytest.raises(DeniedError):
            pictures.look(call, uid)
    with pytest.raises(NotFoundError), calling(local(Role.DESK_CLERK, 99_999)) as call:
        pictures.look(call, uid)
    assert lines(calling, "kiosk.picture_seen") == 0
    with calling(local(Role.DESK_CLERK, kiosk.service_point_id)) as call:
        assert pictures.look(call, uid).startswith(png.SIGNATURE)
    with calling(FLEET_ADMIN) as call:
        assert len(pictures.shots(call, kiosk)) == 1


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content), name) + content + struct.pack(">I", zlib.crc32(name + content))


def head(width: int = 8, height: int = 4, depth: int = 8, kind: int = 2, interlaced: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced))


PIXELS = chunk(b"IDAT", zlib.compress(bytes(4 * (8 * 3 + 1))))
END = chunk(b"IEND", b"")
GOOD = png.SIGNATURE + head() + PIXELS + END


def test_nothing_but_the_picture_is_kept_of_a_png() -> None:
    text = chunk(b"tEXt", b"Comment\0<script>alert(1)</script>")
    assert png.bare(png.SIGNATURE + head() + text + PIXELS + chunk(b"eXIf", b"MM") + END).content == GOOD
    assert png.bare(drawn(640, 480)).width == 640
    assert png.bare(drawn(64, 48, optimize=True)).height == 48


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>",
        png.SIGNATURE,
        GOOD[:-1],
        GOOD + b"<script>",
        GOOD.replace(b"IDAT", b"IDAS", 1),
        png.SIGNATURE + head() + END,
        png.SIGNATURE + head() + chunk(b"IDAT", zlib.compress(bytes(99))) + END,
        png.SIGNATURE + head() + chunk(b"IDAT", zlib.compress(bytes(10_000_000))) + END,
        png.SIGNATURE + head(width=0) + PIXELS + END,
        png.SIGNATURE + head(width=100_000) + PIXELS + END,
        png.SIGNATURE + head(8000, 8000) + PIXELS + END,
        png.SIGNATURE + head(interlaced=1) + PIXELS + END,
        png.SIGNATURE + head(depth=3) + PIXELS + END,
        png.SIGNATURE + head() + chunk(b"SCRP", b"x") + PIXELS + END,
        png.SIGNATURE + head() + head() + PIXELS + END,
        png.SIGNATURE + head() + chunk(b"tEXt", b"x") * 30_000 + PIXELS + END,
        png.SIGNATURE + PIXELS + head() + END,
        b"\xff\xd8\xff\xe0" + GOOD,
    ],
)
def test_what_is_no_whole_png_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidError) as refused:
        png.bare(raw)
    assert refused.value.code == "picture_wrong"


@given(place=st.integers(0, len(GOOD) - 1), value=st.integers(0, 255))
def test_one_wrong_byte_is_refused(place: int, value: int) -> None:
    raw = GOOD[:place] + bytes([value]) + GOOD[place + 1 :]
    if raw == GOOD:
        assert png.bare(raw).content == GOOD
        return
    with pytest.raises(InvalidError) as refused:
        png.bare(raw)
    assert refused.value.code == "picture_wrong"
