"""A clerk at the pages of cases: one click locks a lost device, and nothing of another desk or at a distance is touched."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mdm.access import service as access
from mdm.commands.model import Command
from mdm.core.actor import command_line
from mdm.core.clock import utcnow
from mdm.core.permissions import Role
from mdm.desk.cases.model import Case
from mdm.inventory.model import Device
from mdm.orders.model import Order
from mdm.org.model import ServicePoint
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.conftest import alone
from tests.console.visiting import Visitor

CLERK = "lotte@stad.example"
SignedIn = Callable[[str], Visitor]


@contextmanager
def rows(settings: Settings) -> Iterator[Session]:
    engine = make_engine(settings.database)
    with transaction(engine) as session:
        yield session
    engine.dispose()


@pytest.fixture
def clerk(signed_in: SignedIn, settings: Settings) -> Visitor:
    with rows(settings) as session:
        point = session.scalars(select(ServicePoint.id).where(ServicePoint.code == "WERKHAVEN")).one()
        call = Call(command_line("tests"), session, utcnow(), alone())
        made = access.ensure_operator(call, email=CLERK, name="Lotte", language="en")
        access.add_grant(call, made.id, Role.DESK_CLERK, access.Place(point))
    return signed_in(CLERK)


def _enrolled(settings: Settings, place: str = "WERKHAVEN", *, other: bool = False) -> str:
    """A device in somebody's hands, enrolled: at the clerk's place, or at another one."""
    with rows(settings) as session:
        here = session.scalars(select(ServicePoint.id).where(ServicePoint.code == place)).one()
        where = Device.service_point_id != here if other else Device.service_point_id == here
        device = session.scalars(
            select(Device).where(where, Device.state == "handed_out", Device.platform == "ios").limit(1)
        ).one()
        device.enrolled_at, device.key_digest = device.created_at, "a" * 64
        return device.uid


def test_one_click_locks_a_lost_device_and_opens_its_case(clerk: Visitor, settings: Settings) -> None:
    uid = _enrolled(settings)
    assert "Lost: lock it now" in clerk.get(f"/devices/{uid}").text

    answer = clerk.post(f"/desk/lost/{uid}")

    assert answer.status_code == 303
    page = clerk.get(answer.location).text
    assert "It is found" in page
    assert "Where it is: sealed" in page
    with rows(settings) as session:
        asked = select(Command.verb).join(Device).where(Device.uid == uid).order_by(Command.verb)
        verbs = session.scalars(asked).all()
        assert list(verbs) == ["lock", "lost"]
    assert clerk.post(f"/desk/lost/{uid}").location == answer.location
    assert clerk.get(f"/desk/cases/new/lost?device={uid}").location == answer.location


def test_the_flow_of_a_stolen_phone_ends_in_a_paper_and_in_no_wipe_by_the_clerk(
    clerk: Visitor, settings: Settings
) -> None:
    uid = _enrolled(settings)
    clerk.get(f"/desk/cases/new/stolen?device={uid}")
    told = {"device": uid, "account": "Uit de fietstas", "police_report": "PV 4711", "seen_on": "2026-11-20"}
    address = clerk.post("/desk/cases/new/stolen", **told).location
    assert "A clerk cannot wipe at a distance" in clerk.get(address).text

    paper = clerk.post(f"{address}/paper")

    assert paper.mimetype == "application/pdf"
    assert paper.data.startswith(b"%PDF-")
    assert "declaration-L-" in paper.headers["Content-Disposition"]
    for lane in ("ordinary", "stolen"):
        answer = clerk.post(f"/devices/{uid}/wipe", lane=lane, reason="x", typed="x", report="PV 4711")
        assert answer.status_code in (303, 403, 422)
    with rows(settings) as session:
        assert session.scalar(select(func.count()).select_from(Order)) == 0


def test_what_was_written_is_kept_where_a_lost_phone_turns_out_stolen(clerk: Visitor, settings: Settings) -> None:
    address = clerk.post(f"/desk/lost/{_enrolled(settings)}").location
    clerk.post(f"{address}/tell", account="On the tram", police_report="")

    answer = clerk.post(
        f"{address}/stolen", account="Out of my bag", seen_where="Rooseveltplaats", police_report="PV 9"
    )

    assert answer.status_code == 303
    with rows(settings) as session:
        case = session.scalars(select(Case).where(Case.uid == address.rpartition("/")[2])).one()
        assert (case.kind, case.account, case.seen_where, case.police_report) == (
            "stolen",
            "Out of my bag",
            "Rooseveltplaats",
            "PV 9",
        )


def test_who_closes_a_case_without_saying_how_it_ended_is_led_to_that_and_nothing_told_is_lost(
    clerk: Visitor, settings: Settings
) -> None:
    address = clerk.post(f"/desk/lost/{_enrolled(settings)}").location
    clerk.post(f"{address}/tell", account="Under the bench of stop 7")

    page = clerk.post(f"{address}/close")

    assert page.status_code == 422
    (alert,) = re.findall(r'<div class="hm-note hm-bad[^>]*>', page.text)
    assert "autofocus" in alert
    assert 'aria-describedby="outcome-wrong"' in page.text
    assert 'id="outcome-wrong"' in page.text
    assert "Under the bench of stop 7</textarea>" in page.text


def test_nothing_of_another_desk_can_be_opened_by_its_id(clerk: Visitor, settings: Settings) -> None:
    far = _enrolled(settings, other=True)
    before = _count(settings)
    for address in (f"/desk/lost/{far}", "/desk/cases/new/lost", "/desk/cases/new/broken"):
        assert clerk.post(address, device=far).status_code in (404, 422)
    assert clerk.get(f"/desk/cases/new/lost?device={far}").status_code == 404
    assert _count(settings) == before


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"device": "f" * 32}, "not one of yours"),
        ({}, "not one of yours"),
        ({"device": "' or 1=1 --"}, "not one of yours"),
    ],
)
def test_a_wrong_device_is_one_sentence_and_opens_nothing(
    clerk: Visitor, settings: Settings, fields: dict[str, str], said: str
) -> None:
    before = _count(settings)
    answer = clerk.post("/desk/cases/new/lost", **fields)
    assert answer.status_code == 404
    assert said in answer.text
    assert _count(settings) == before


def test_a_wrong_date_is_named_and_what_was_written_stays(clerk: Visitor, settings: Settings) -> None:
    uid = _enrolled(settings)
    before = _count(settings)
    answer = clerk.post("/desk/cases/new/lost", device=uid, seen_on="gisteren", account="Op de tram gebleven")
    assert answer.status_code == 422
    assert "Op de tram gebleven" in answer.text
    assert _count(settings) == before


def test_the_four_buttons_say_what_they_will_do(clerk: Visitor) -> None:
    page = clerk.get("/desk/cases/what-if").text
    for words in ("Lost", "Stolen", "Broken", "Leaver", "Nothing is locked and nothing is wiped.", "sealed"):
        assert words in page


def test_the_steps_of_a_case_are_ticked_and_it_is_closed_and_opened_again(clerk: Visitor, settings: Settings) -> None:
    uid = _enrolled(settings)
    clerk.get(f"/devices/{uid}")
    address = clerk.post(f"/desk/lost/{uid}").location
    clerk.post(f"{address}/step", step="sim", state="done")
    clerk.post(f"{address}/note", text="Proximus gebeld")
    page = clerk.get(address).text
    assert "Proximus gebeld" in page
    assert clerk.post(f"{address}/close", outcome="party").status_code == 422
    assert clerk.post(f"{address}/close", outcome="found").status_code == 303
    assert "Found" in clerk.get(address).text
    assert clerk.post(f"{address}/reopen", text="").status_code == 422
    assert clerk.post(f"{address}/reopen", text="toch niet").status_code == 303
    with rows(settings) as session:
        case = session.scalars(select(Case).where(Case.device_id.is_not(None)).order_by(Case.id.desc())).first()
        assert case is not None
        assert (case.state, case.reopened) == ("open", 1)


def _count(settings: Settings) -> list[int]:
    with rows(settings) as session:
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in (Case, Command, Order)]
