"""One's own devices: how they are, reporting one lost or broken, saying goodbye, what the city sees."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from mdm.commands.model import Command
from mdm.desk.cases.model import Case
from mdm.inventory.model import Device, LifeCycle, Verdict
from mdm.portal.own import Light, light_of
from mdm.settings import Settings
from mdm.storage.engine import make_engine, transaction
from tests.portal.conftest import Employee
from web.portal.language import LANGUAGES

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def _read(settings: Settings, query):
    engine = make_engine(settings.database)
    with transaction(engine, write=False) as session:
        found = session.execute(query).all()
    engine.dispose()
    return found


def _mine(employee: Employee, settings: Settings) -> str:
    rows = _read(settings, select(Device.uid).where(Device.person_id == employee.person).order_by(Device.name))
    return rows[0][0]


def _accounts(settings: Settings, employee: Employee):
    mine = (Case.kind == "broken", Case.person_id == employee.person)
    return _read(settings, select(Case.account).where(*mine))


@pytest.mark.parametrize(
    ("verdict", "enrolled", "days", "light"),
    [
        (Verdict.COMPLIANT, True, 0, Light.GREEN),
        (Verdict.IN_GRACE, True, 0, Light.AMBER),
        (Verdict.NONCOMPLIANT, True, 0, Light.RED),
        (Verdict.UNKNOWN, True, 0, Light.GREY),
        (Verdict.COMPLIANT, True, 15, Light.GREY),
        (Verdict.COMPLIANT, False, 0, Light.GREY),
    ],
)
def test_the_light_is_grey_where_nobody_knows(verdict: Verdict, enrolled: bool, days: int, light: Light) -> None:
    device = Device(
        verdict=verdict.value, enrolled_at=NOW if enrolled else None, last_seen_at=NOW - timedelta(days=days)
    )

    assert light_of(device, NOW) is light


def _state(settings: Settings, uid: str, **values: object) -> None:
    engine = make_engine(settings.database)
    with transaction(engine, write=True) as session:
        session.execute(update(Device).where(Device.uid == uid).values(**values))
    engine.dispose()


def test_a_light_that_nobody_knows_says_why_and_nothing_that_is_not_so(employee: Employee, settings: Settings) -> None:
    mine = _mine(employee, settings)
    now = datetime.now(UTC)
    _state(settings, mine, enrolled_at=None, verdict=Verdict.UNKNOWN.value)
    page = employee.get(f"/d/{mine}").text
    assert "You can do that yourself, step by step." in page
    assert f"/enrol/begin?device={mine}" in page

    _state(settings, mine, enrolled_at=now, last_seen_at=now)
    page = employee.get(f"/d/{mine}").text
    assert "You need not do anything." in page
    assert "not been heard of" not in page

    _state(settings, mine, last_seen_at=now - timedelta(days=20))
    assert "not been heard of" in employee.get(f"/d/{mine}").text


def test_the_first_page_shows_the_devices_of_this_person_and_of_nobody_else(
    employee: Employee, settings: Settings
) -> None:
    page = employee.get("/").text

    own = _read(settings, select(Device.uid).where(Device.person_id == employee.person))
    others = _read(settings, select(Device.uid).where(Device.person_id.is_distinct_from(employee.person)))
    assert all(uid in page for (uid,) in own)
    assert not any(uid in page for (uid,) in others)


def test_somebody_elses_device_is_not_there_for_any_page(employee: Employee, settings: Settings) -> None:
    other = _read(
        settings, select(Device.uid).where(Device.person_id.is_not(None), Device.person_id != employee.person).limit(1)
    )[0][0]
    before = _read(settings, select(func.count()).select_from(Case))

    for address in (f"/d/{other}", f"/d/{other}/lost", f"/d/{other}/broken"):
        assert employee.get(address).status_code == 404
    for address in (f"/d/{other}/lost", f"/d/{other}/broken", f"/d/{other}/check"):
        assert employee.post(address, account="x").status_code == 404

    assert _read(settings, select(func.count()).select_from(Case)) == before
    assert _read(settings, select(Device.state).where(Device.uid == other))[0][0] != LifeCycle.LOST


def test_what_is_not_said_again_about_a_lost_device_stays_as_it_was_told(
    employee: Employee, settings: Settings
) -> None:
    uid = _mine(employee, settings)
    employee.get(f"/d/{uid}/lost")
    employee.post(f"/d/{uid}/lost", where="on the tram", when="2026-11-20")
    engine = make_engine(settings.database)
    with transaction(engine, write=True) as session:
        session.execute(
            update(Case).where(Case.kind == "lost").values(account="Somebody ran off", police_report="PV 7")
        )
    engine.dispose()

    employee.post(f"/d/{uid}/lost", where="at the stop", when="")

    columns = (Case.account, Case.police_report, Case.seen_where, Case.seen_on)
    told = _read(settings, select(*columns).join(Device, Device.id == Case.device_id).where(Device.uid == uid))
    assert told == [("Somebody ran off", "PV 7", "at the stop", date(2026, 11, 20))]


def test_a_lost_device_is_locked_at_once_and_only_once(employee: Employee, settings: Settings) -> None:
    uid = _mine(employee, settings)
    employee.get(f"/d/{uid}/lost")

    first = employee.post(f"/d/{uid}/lost", where="on the tram", when="2026-11-20")
    again = employee.post(f"/d/{uid}/lost", where="on the tram to Deurne")

    number = re.search(r"[A-Z]+-?\d[\w-]+", first.text)
    assert first.status_code == again.status_code == 200
    assert number is not None
    assert number[0] in again.text
    cases = _read(
        settings, select(Case.seen_where, Case.kind).join(Device, Device.id == Case.device_id).where(Device.uid == uid)
    )
    assert cases == [("on the tram to Deurne", "lost")]
    assert _read(settings, select(Device.state).where(Device.uid == uid))[0][0] == LifeCycle.LOST
    locks = _read(
        settings,
        select(func.count())
        .select_from(Command)
        .join(Device, Device.id == Command.device_id)
        .where(Device.uid == uid, Command.verb == "lock"),
    )
    enrolled = _read(settings, select(Device.enrolled_at).where(Device.uid == uid))[0][0]
    assert locks[0][0] == (1 if enrolled else 0)
    assert "Reported lost" in employee.get("/").text
    assert "wrote more into the case about it" in employee.get("/seen").text

    late = employee.post(f"/d/{uid}/broken", account="It is also broken")
    assert late.status_code == 409
    assert "reported lost already" in late.text
    assert _accounts(settings, employee) == []


def test_nobody_is_told_that_a_device_is_locked_which_cannot_be(employee: Employee, settings: Settings) -> None:
    uid = _mine(employee, settings)
    _state(settings, uid, enrolled_at=None)
    assert "cannot lock it" in employee.get(f"/d/{uid}/lost").text
    told = employee.post(f"/d/{uid}/lost").text
    assert "is reported lost" in told
    assert "locked" not in told
    home = employee.get("/").text
    assert "Reported lost" in home
    assert "not set up yet" not in home


def test_broken_needs_a_few_words_and_opens_a_case(employee: Employee, settings: Settings) -> None:
    uid = _mine(employee, settings)
    employee.get(f"/d/{uid}/broken")

    assert employee.post(f"/d/{uid}/broken", account="  ").status_code == 422
    assert _accounts(settings, employee) == []
    assert employee.post(f"/d/{uid}/broken", account="The screen is black").status_code == 200
    assert _accounts(settings, employee) == [("The screen is black",)]


def test_who_leaves_says_when_and_sees_what_to_bring_back(employee: Employee, settings: Settings) -> None:
    employee.get("/leaving")

    assert employee.post("/leaving", last_day="2020-01-01").status_code == 422
    assert employee.post("/leaving", last_day="tomorrow").status_code == 422
    leaving = select(func.count()).select_from(Case).where(Case.kind == "leaver", Case.person_id == employee.person)
    assert _read(settings, leaving) == [(0,)]
    told = employee.post("/leaving", last_day=(datetime.now(UTC).date() + timedelta(days=20)).isoformat())
    assert told.status_code == 200
    assert _read(settings, leaving) == [(1,)]
    assert "said that day before" not in told.text
    again = employee.get("/leaving").text
    assert "is your last day" in again
    assert 'name="last_day"' not in again, "nobody is asked twice"
    other = employee.post("/leaving", last_day=(datetime.now(UTC).date() + timedelta(days=30)).isoformat())
    assert "said that day before" in other.text
    assert _read(settings, leaving) == [(1,)]


def test_what_somebody_did_to_my_device_stands_on_my_page(employee: Employee, settings: Settings) -> None:
    uid = _mine(employee, settings)
    employee.get(f"/d/{uid}/broken")
    employee.post(f"/d/{uid}/broken", account="The screen is black")

    page = employee.get("/seen").text

    assert "opened a case about it" in page
    assert "made a paper with a code for you" in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_its_name_and_its_direction(stranger: Employee, language: str) -> None:
    stranger.get("/in")
    stranger.post("/language", language=language)

    page = stranger.get("/in").text

    assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in page


def test_the_first_load_is_small(employee: Employee) -> None:
    """Below 100 KB, as the browser gets it: the page, its style and its pictures; nothing from elsewhere."""
    page = employee.get("/").text
    files = set(re.findall(r'(?:href|src)="(/static/[^"#]+)', page))

    sizes = []
    for file in files:
        with employee.get(file, headers={"Accept-Encoding": "gzip"}) as answer:
            sizes.append(len(answer.data))

    assert files
    assert len(page.encode()) + sum(sizes) < 100_000
    assert not re.search(r'(?:src|href)="https?://', page)
    assert "<script" not in page
