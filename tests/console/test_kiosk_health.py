"""The tab of a kiosk: what it says, starting it anew, and the picture of its screen, with its frame of rules."""

import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select

from agent.wire import short_digest
from mdm.commands import delivery
from mdm.commands.model import Command
from mdm.core.actor import Actor, ActorKind, system
from mdm.core.clock import utcnow
from mdm.inventory import reports
from mdm.inventory.model import Device
from mdm.kiosks import pictures
from mdm.org.model import ServicePoint
from mdm.policies.model import Cohort
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.console.conftest import Visitor

SignedIn = Callable[[str], Visitor]
WELL: dict[str, Any] = {
    "browser": "running",
    "restarts": 0,
    "gave_up_at": None,
    "last_use": "2026-11-20T10:15:00Z",
    "temperature_c": 45,
    "printer": {
        "state": "idle",
        "reasons": ["media-low"],
        "paper": "low",
        "supplies": [{"name": "<b>Zwart</b>", "level": 10}],
        "problem": "",
    },
}
ODD: list[Any] = [
    {},
    {"printer": []},
    {"printer": {"supplies": [1], "reasons": 3, "state": []}, "browser": 7},
    {"last_use": "x"},
]


class Kiosk:
    """One enrolled kiosk at Werkhaven, which speaks and obeys as its agent does."""

    def __init__(self, settings: Settings) -> None:
        self.engine = make_engine(settings.database)
        with transaction(self.engine, write=True) as session:
            cohort = Cohort(key="kiosk-health", platform="linux", assignments=[], settings={})
            session.add(cohort)
            session.flush()
            point = session.scalars(select(ServicePoint).where(ServicePoint.code == "WERKHAVEN")).one()
            device = Device(
                uid="c0ffee" * 5 + "00",
                name="Zuil onthaal",
                platform="linux",
                kind="kiosk",
                service_point_id=point.id,
                cohort_id=cohort.id,
                enrolled_at=utcnow(),
                created_at=utcnow(),
            )
            session.add(device)
            session.flush()
            self.id, self.uid, self.cohort = device.id, device.uid, cohort.id
        self.page = f"/devices/{self.uid}?tab=kiosk"
        self.said = 0

    def says(self, content: dict[str, Any]) -> None:
        self.said += 1
        digests = {"kiosk": short_digest([content, self.said])}
        with transaction(self.engine, write=True) as session:
            call = Call(Actor(ActorKind.DEVICE, self.id, "Zuil"), session, utcnow())
            report: Any = {"id": f"r{self.said}", "at": "x", "sections": {"kiosk": content}, "digests": digests}
            reports.take_report(call, session.get_one(Device, self.id), report)

    def opens(self, window: dict[str, Any] | None) -> None:
        with transaction(self.engine, write=True) as session:
            session.get_one(Cohort, self.cohort).settings = {"kiosk.maintenance": window} if window else {}

    def answers(self, content: bytes | None, why: str = "") -> None:
        """Fetches what was asked, and sends a picture or says why not."""
        with transaction(self.engine, write=True) as session:
            call = Call(Actor(ActorKind.DEVICE, self.id, "Zuil"), session, utcnow())
            (command,) = delivery.next_for(session, self.id, call.now)
            if content is not None:
                pictures.take(call, self.id, command["id"], content)
            state = "done" if content is not None else "refused"
            delivery.take_results(call, self.id, [{"id": command["id"], "state": state, "detail": why}])


@pytest.fixture
def kiosk(signed_in: SignedIn, settings: Settings) -> Iterator[Kiosk]:
    made = Kiosk(settings)
    yield made
    made.engine.dispose()


def always() -> dict[str, Any]:
    return {"days": list(pictures.DAYS), "from": "12:01", "to": "12:00"}


def png() -> bytes:
    place = io.BytesIO()
    Image.new("RGB", (4, 4), (9, 9, 9)).save(place, "PNG")
    return place.getvalue()


def test_a_kiosk_s_page_says_what_it_says_and_no_device_can_break_it(signed_in: SignedIn, kiosk: Kiosk) -> None:
    boss = signed_in("mo@stad.example")
    assert "This device reports no kiosk" in boss.get(kiosk.page).text
    kiosk.says(WELL)
    page = boss.get(kiosk.page).text
    for words in ("Answers", "45 °C", "media-low", "&lt;b&gt;Zwart&lt;/b&gt;", "No maintenance window is set"):
        assert words in page
    kiosk.says({**WELL, "browser": "stopped", "restarts": 3, "gave_up_at": "2026-11-20T10:15:00Z"})
    assert "The browser was given up." in boss.get(kiosk.page).text
    for odd in ODD:
        kiosk.says(odd)
        assert boss.get(kiosk.page).status_code == 200
        assert boss.get("/desk/kiosks").status_code == 200


def test_the_list_has_what_the_printer_says_beside_what_was_seen(signed_in: SignedIn, kiosk: Kiosk) -> None:
    kiosk.says({**WELL, "printer": {**WELL["printer"], "paper": "empty"}})
    boss = signed_in("mo@stad.example")
    shown = boss.get("/desk/kiosks?paper_told=empty&alive=running").text
    assert "Zuil onthaal" in shown
    assert "Zuil onthaal" not in boss.get("/desk/kiosks?paper_told=ok").text


def test_a_kiosk_is_started_anew_by_who_may_send(signed_in: SignedIn, kiosk: Kiosk) -> None:
    kiosk.says(WELL)
    assert signed_in("auditor@stad.example").post(f"/devices/{kiosk.uid}/kiosk/restart").status_code == 403
    boss = signed_in("mo@stad.example")
    boss.get(kiosk.page)
    assert boss.post(f"/devices/{kiosk.uid}/kiosk/restart").status_code == 303
    with transaction(kiosk.engine) as session:
        assert list(session.scalars(select(Command.verb).where(Command.device_id == kiosk.id))) == ["kiosk_restart"]


def test_a_picture_is_asked_for_shown_as_nothing_but_a_picture_and_gone_after_a_day(
    signed_in: SignedIn, kiosk: Kiosk
) -> None:
    kiosk.says(WELL)
    boss, ask = signed_in("mo@stad.example"), f"/devices/{kiosk.uid}/kiosk/picture"
    assert "Ask for a picture" not in boss.get(kiosk.page).text
    closed = boss.post(ask, reason="Blank page")
    assert (closed.status_code, "No maintenance window is set" in closed.text) == (409, True)
    kiosk.opens(always())
    assert "Ask for a picture" in boss.get(kiosk.page).text
    assert boss.post(ask, reason=" ").status_code == 422
    assert boss.post(ask, reason="Blank page").status_code == 303
    assert "asked for" in boss.get(kiosk.page).text
    kiosk.answers(png())
    page = boss.get(kiosk.page).text
    address = page.split('href="/kiosk-pictures/')[1].split('"')[0]
    shown = boss.get(f"/kiosk-pictures/{address}")
    assert (shown.status_code, shown.mimetype) == (200, "image/png")
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert "no-store" in shown.headers["Cache-Control"]
    assert signed_in("auditor@stad.example").get(f"/kiosk-pictures/{address}").status_code == 403
    with transaction(kiosk.engine, write=True) as session:
        later = Call(system("test"), session, utcnow() + timedelta(hours=25))
        assert pictures.forget(session, later.now - pictures.KEPT) == 1
    assert boss.get(f"/kiosk-pictures/{address}").status_code == 404


def test_why_a_kiosk_took_no_picture_stands_on_its_page(signed_in: SignedIn, kiosk: Kiosk) -> None:
    kiosk.says(WELL)
    kiosk.opens(always())
    boss = signed_in("mo@stad.example")
    boss.get(kiosk.page)
    boss.post(f"/devices/{kiosk.uid}/kiosk/picture", reason="Blank page")
    kiosk.answers(None, "A citizen used this kiosk in the last ten minutes. <b>")
    assert "A citizen used this kiosk in the last ten minutes. &lt;b&gt;" in boss.get(kiosk.page).text
