"""Setting up a device oneself: who may, one step at a time, until the device is in; and every way out."""

import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from mdm.core.actor import Actor, ActorKind
from mdm.enrollment.model import Invitation
from mdm.enrollment.progress import Progress, Standing, Step
from mdm.enrollment.redeem import first_report, redeem
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.outbox.model import OutboxMessage
from mdm.people.model import Person
from mdm.platforms.apple import cms
from mdm.platforms.apple.model import ApplePush
from mdm.policies.model import Cohort
from mdm.policies.service import place_device
from mdm.portal.enrolling import STALLED, resume
from mdm.portal.families import Family, family_of, guess
from mdm.portal.inviting import A_DAY, Had, Limits, Target, refusal
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.enrollment.conftest import VISITOR, Authority, new_csr
from tests.portal.conftest import Employee
from tests.signer.conftest import shared_signer
from tests.signer.neighbour import RunningSigner
from web.portal.app import make_portal

__all__ = ["shared_signer"]
MINE = Target("linux", "handed_out", enrolled=False)
FINE = Had(private=0, today=0, place=True)
OPEN = Limits(private=True, devices=2)


@pytest.mark.parametrize(
    ("family", "target", "had", "limits", "code"),
    [
        (Family.COMPUTER, MINE, FINE, OPEN, None),
        (Family.COMPUTER, MINE, FINE, Limits(private=False, devices=2), None),
        (Family.IPHONE, None, FINE, OPEN, None),
        (Family.IPHONE, None, FINE, Limits(private=False, devices=2), "portal_private"),
        (Family.IPHONE, None, Had(private=2, today=0, place=True), OPEN, "portal_devices"),
        (Family.COMPUTER, MINE, Had(private=2, today=0, place=True), OPEN, None),
        (Family.KIOSK, None, FINE, OPEN, "portal_kiosk"),
        (Family.ANDROID, None, FINE, OPEN, "portal_android"),
        (Family.ANDROID, Target("android", "handed_out", enrolled=False), FINE, OPEN, None),
        (Family.IPHONE, MINE, FINE, OPEN, "portal_kind"),
        (Family.COMPUTER, Target("linux", "handed_out", enrolled=True), FINE, OPEN, "portal_enrolled"),
        (Family.COMPUTER, Target("linux", "lost", enrolled=False), FINE, OPEN, "portal_away"),
        (Family.COMPUTER, MINE, Had(private=0, today=A_DAY, place=True), OPEN, "portal_today"),
        (Family.COMPUTER, MINE, Had(private=0, today=0, place=False), OPEN, "portal_place"),
    ],
)
def test_the_rules_say_who_may_set_up_what(
    family: Family, target: Target | None, had: Had, limits: Limits, code: str | None
) -> None:
    refused = refusal(family, target, had, limits)

    assert (refused.code if refused else None) == code


@pytest.mark.parametrize(
    ("agent", "family"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)", Family.IPHONE),
        ("Mozilla/5.0 (iPad; CPU OS 15_0 like Mac OS X)", Family.IPAD),
        ("Mozilla/5.0 (Linux; Android 14; SM-A556B)", Family.ANDROID),
        ("Mozilla/5.0 (X11; Linux x86_64)", Family.COMPUTER),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15)", None),
        ("", None),
    ],
)
def test_the_browser_says_what_it_runs_on_where_it_can(agent: str, family: Family | None) -> None:
    assert guess(agent) is family


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("iPhone SE (3rd generation)", Family.IPHONE_BUTTON),
        ("iPhone14,6", Family.IPHONE_BUTTON),
        ("iPhone 15", Family.IPHONE),
        ("iPhone14,7", Family.IPHONE),
        ("iPad Air", Family.IPAD),
    ],
)
def test_the_picture_is_of_this_very_model(model: str, family: Family) -> None:
    assert family_of("ios", "phone", model) is family


def test_who_closed_the_page_goes_on_where_the_device_is() -> None:
    def progress(standing: Standing, *done: Step) -> Progress:
        return Progress(standing, dict.fromkeys(done), "", None)

    assert resume("ios", progress(Standing.OPEN, Step.INVITED)) == 1
    assert resume("ios", progress(Standing.OPEN, Step.INVITED, Step.OPENED)) == 3
    assert resume("ios", progress(Standing.USED, Step.INVITED, Step.OPENED, Step.PROVED)) == 5


class Home:
    """The database beside the page."""

    def __init__(self, settings: Settings) -> None:
        self.engine = make_engine(settings.database)

    @contextmanager
    def call(self, actor: Actor = VISITOR, *, write: bool = True):
        with transaction(self.engine, write=write) as session:
            yield Call(actor, session, datetime.now(UTC))

    def read(self, query):
        with transaction(self.engine, write=False) as session:
            return session.execute(query).all()

    def do(self, statement) -> None:
        with transaction(self.engine, write=True) as session:
            session.execute(statement)


@pytest.fixture
def home(settings: Settings, shared_signer: RunningSigner):
    (settings.home / "run").mkdir()
    (settings.home / "run" / "signer.sock").symlink_to(shared_signer.socket)
    found = Home(settings)
    yield found
    found.engine.dispose()


@pytest.fixture
def waiting(employee: Employee, home: Home) -> str:
    """A Linux laptop in the employee's name that is not set up yet; its uid."""
    uid = home.read(select(Device.uid).where(Device.person_id == employee.person).order_by(Device.id))[0][0]
    home.do(
        update(Device)
        .where(Device.uid == uid)
        .values(enrolled_at=None, platform="linux", kind="laptop", state="handed_out", key_digest="")
    )
    home.do(update(Person).values(language="en"))
    home.do(update(ServicePoint).values(email="balie@stad.example", phone="03 123 45 67"))
    return uid


def _begin(employee: Employee, **fields: str) -> str:
    employee.get("/enrol")
    answer = employee.post("/enrol/begin", **fields)
    assert answer.status_code == 303, answer.text
    return answer.location


def _command(employee: Employee, address: str) -> str:
    shown = employee.post(f"{address}/line")
    assert shown.headers["Cache-Control"] == "no-store"
    token = re.search(r"/e/([\w-]+)#", shown.text)
    assert token is not None
    return token[1]


def _enrol(home: Home, token: str) -> str:
    """What the agent does with the line: its own key, a certificate, a first report."""
    authority = Authority()
    answer = redeem(
        home.call,
        lambda claim, csr: authority.issue(claim.device_uid, csr),
        {
            "token": token, "csr": new_csr(), "platform": "linux", "serial": None, "hostname": "laptop", "model": None,
            "version": "0.1.0",
        },
        lambda claim, chain: {
            "device": claim.device_uid, "certificate": chain, "order_key": "", "rosters": [], "organisation": "A",
            "next": 1,
        },
    )  # fmt: skip
    return str(answer["device"])


def test_a_device_in_ones_name_is_set_up_to_the_end(employee: Employee, home: Home, waiting: str) -> None:
    assert f"/enrol/begin?device={waiting}" in employee.get("/").text
    assert "The city cannot" in employee.get(f"/enrol/begin?device={waiting}").text
    address = _begin(employee, device=waiting)
    assert "Step 1 of 4" in employee.get(address).text
    assert "Step 2 of 4" in employee.get(f"{address}?step=2").text
    first = _command(employee, address)
    token = _command(employee, address)
    with pytest.raises(Exception, match="not known"):
        _enrol(home, first)

    assert "Step 3 of 4" in employee.get(address).text  # whoever closed the browser goes on here
    assert _enrol(home, token) == waiting
    page = employee.get(address).text
    assert "Step 4 of 4" in page
    assert page.count('class="is-done"') == 2
    assert "portal-waits" in page

    _first_report(home, waiting)
    assert "Your device is ready" in employee.get(address).text
    assert home.read(select(Device.person_id).where(Device.uid == waiting)) == [(employee.person,)]
    assert "Step" not in employee.get("/enrol").text


def _first_report(home: Home, uid: str) -> None:
    """The device has reported, and says that it applied what its cohort wants."""
    number = home.read(select(Device.id).where(Device.uid == uid))[0][0]
    with home.call() as call:
        place_device(call, number)
    cohort = home.read(select(Device.cohort_id).where(Device.id == number))[0][0]
    home.do(update(Cohort).where(Cohort.id == cohort).values(desired_digest="abc"))
    home.do(update(Device).where(Device.id == number).values(applied_digest="abc", last_report_at=datetime.now(UTC)))
    with home.call(Actor(ActorKind.DEVICE, number, "laptop", (), "r")) as call:
        first_report(call, number)


def test_whoever_lost_the_line_in_the_middle_begins_again(employee: Employee, home: Home, waiting: str) -> None:
    address = _begin(employee, device=waiting)
    assert _enrol(home, _command(employee, address)) == waiting
    # It got its certificate, and not a word came after that.
    assert "Begin again" not in employee.get(address).text
    home.do(update(Invitation).where(Invitation.device_id.is_not(None)).values(used_at=datetime.now(UTC) - STALLED))
    page = employee.get(address).text
    assert "Nothing comes from the device." in page
    assert f"/enrol/begin?device={waiting}" in page
    assert f"/enrol/begin?device={waiting}" in employee.get("/").text

    again = _begin(employee, device=waiting)
    assert again != address
    assert _enrol(home, _command(employee, again)) == waiting
    _first_report(home, waiting)
    assert "Your device is ready" in employee.get(again).text
    refused = employee.post("/enrol/begin", device=waiting)
    assert "set up already" in refused.text


def test_what_was_taken_already_shows_how_it_stands_and_is_not_stopped(
    employee: Employee, home: Home, waiting: str
) -> None:
    address = _begin(employee, device=waiting)
    assert _enrol(home, _command(employee, address)) == waiting
    for late in ("line", "stop"):
        answer = employee.post(f"{address}/{late}")
        assert (answer.status_code, answer.location) == (303, address)
    assert "It is too late to stop" in employee.get(address).text


@pytest.mark.parametrize(
    ("agent", "step", "elsewhere"),
    [
        ("Mozilla/5.0 (Linux; Android 14; SM-A546B)", 2, True),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)", 2, True),
        ("Mozilla/5.0 (X11; Linux x86_64)", 2, False),
        ("Mozilla/5.0 (Linux; Android 14; SM-A546B)", 1, False),
        ("Mozilla/5.0 (Linux; Android 14; SM-A546B)", 4, False),
    ],
)
def test_whoever_looks_at_a_step_on_another_device_is_told(
    employee: Employee, waiting: str, agent: str, step: int, *, elsewhere: bool
) -> None:
    address = _begin(employee, device=waiting)
    page = employee.get(f"{address}?step={step}", headers={"User-Agent": agent}).text
    assert ("on another device" in page) is elsewhere


def test_beginning_again_withdraws_what_was_begun(employee: Employee, home: Home, waiting: str) -> None:
    first = _begin(employee, device=waiting)
    token = _command(employee, first)
    second = _begin(employee, device=waiting)

    assert first != second
    assert employee.get(first).status_code == 404
    assert employee.get(second).status_code == 200
    with pytest.raises(Exception, match="not known"):
        _enrol(home, token)


def test_who_is_stuck_is_helped_and_the_desk_is_told_once(employee: Employee, home: Home, waiting: str) -> None:
    address = _begin(employee, device=waiting)
    assert "03 123 45 67" in employee.get(f"{address}/stuck?step=2").text
    before = _letters(home)

    employee.post(f"{address}/stuck", step="2")
    employee.post(f"{address}/stuck", step="2")

    new = _letters(home)[len(before) :]
    assert [one["to"] for one in new] == ["balie@stad.example"]
    assert "2/4" in new[0]["text"]
    assert "They know that you are stuck" in employee.get(f"{address}/stuck").text


def _letters(home: Home) -> list[dict[str, str]]:
    query = select(OutboxMessage.payload).where(OutboxMessage.topic == "mail").order_by(OutboxMessage.id)
    return [row[0] for row in home.read(query)]


def test_who_stops_has_changed_nothing(employee: Employee, home: Home, waiting: str) -> None:
    address = _begin(employee, device=waiting)

    assert employee.post(f"{address}/stop").status_code == 303

    assert employee.get(address).status_code == 404
    assert home.read(select(Device.enrolled_at).where(Device.uid == waiting)) == [(None,)]


def test_somebody_elses_device_and_somebody_elses_steps_are_not_there(
    employee: Employee, portal: Flask, paper, home: Home, waiting: str
) -> None:
    address = _begin(employee, device=waiting)
    person, uid = home.read(
        select(Device.person_id, Device.uid)
        .where(Device.person_id.is_not(None), Device.person_id != employee.person)
        .order_by(Device.id)
    )[0]
    other = Employee(portal, person)
    other.get("/in")
    other.post("/in/code", code=paper(person))

    assert other.get("/enrol").status_code == 200
    for way in ("", "/stuck", "/havenmeester.mobileconfig"):
        assert other.get(address + way).status_code == 404
    for way in ("/line", "/stop", "/stuck"):
        assert other.post(address + way).status_code == 404
    assert employee.post("/enrol/begin", device=uid).status_code == 404
    assert employee.get(address).status_code == 200


def test_ones_own_phone_only_where_the_city_allows_it(
    settings: Settings, employee: Employee, paper, home: Home, waiting: str
) -> None:
    before = home.read(select(func.count()).select_from(Invitation))
    assert employee.get("/enrol/begin").status_code == 404
    assert employee.post("/enrol/begin", family="iphone").status_code == 404
    assert home.read(select(func.count()).select_from(Invitation)) == before

    now = datetime.now(UTC)
    with home.call() as call:
        call.session.add(
            ApplePush(
                topic="com.apple.mgmt.External.test", certificate="", key=b"", created_by="x", created_at=now,
                not_after=now + timedelta(days=300),
            )
        )  # fmt: skip
    allowed = Employee(make_portal(settings.model_copy(update={"portal_private": True})), employee.person)
    allowed.get("/in")
    allowed.post("/in/code", code=paper(employee.person))
    address = _begin(allowed, family="iphone")
    profile = allowed.get(f"{address}/havenmeester.mobileconfig")

    assert (profile.status_code, profile.mimetype) == (200, "application/x-apple-aspen-config")
    assert profile.headers["Cache-Control"] == "no-store"
    assert cms.verify(profile.data).content is not None
    kept = home.read(select(Invitation.ownership, Invitation.platform).order_by(Invitation.id.desc()).limit(1))
    assert kept == [("private", "ios")]
    assert "Step 3 of 5" in allowed.get(address).text
    assert allowed.post(f"{address}/line").status_code == 404
