"""The button on the employee's phone: with and without a script, on a lost line, under somebody's eyes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select

from mdm.core.actor import Actor, ActorKind
from mdm.inventory.model import Device
from mdm.panic import raising
from mdm.panic.model import PanicAlarm, PanicKey, PanicPlace
from mdm.panic.raising import Press
from mdm.portal.model import PortalSession
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.conftest import alone
from tests.console.browser import browsing
from tests.console.conftest import filled as filled
from tests.console.conftest import settings as settings
from tests.panic.conftest import PRESS
from tests.portal.conftest import HOST, Employee
from tests.portal.conftest import employee as employee
from tests.portal.conftest import paper as paper
from tests.portal.conftest import portal as portal
from tests.portal.test_readers import _listening, _looked_at

SCRIPT = {"X-Havenmeester-Panic": "yes", "Accept": "application/json"}


@contextmanager
def _rows(settings: Settings) -> Iterator:
    engine = make_engine(settings.database)
    with transaction(engine) as session:
        yield session
    engine.dispose()


def _alarms(settings: Settings) -> list[PanicAlarm]:
    with _rows(settings) as session:
        return list(session.scalars(select(PanicAlarm).order_by(PanicAlarm.id)))


def _switch_on(employee: Employee, **more: str) -> None:
    employee.get("/panic/")
    assert employee.post("/panic/on", spot="Counter 3", **more).status_code == 303
    employee.get("/panic/")


def _send(employee: Employee, address: str, body: object, **more: object):
    return employee.client.post(address, json=body, base_url=HOST, headers=SCRIPT, **more)


def test_it_works_when_the_session_is_long_over_and_without_a_script(employee: Employee, settings: Settings) -> None:
    _switch_on(employee)
    with _rows(settings) as session:
        session.query(PortalSession).delete()
    assert employee.get("/").status_code == 303

    employee.get("/panic/")
    sure = employee.post("/panic/press")
    assert sure.status_code == 200
    assert _alarms(settings) == []
    number = sure.text.split('name="id" value="')[1].split('"')[0]
    for _ in range(2):
        assert employee.post("/panic/press", sure="yes", id=number).status_code == 303

    (alarm,) = _alarms(settings)
    assert (alarm.person_id, alarm.spot, alarm.state) == (employee.person, "Counter 3", "ringing")
    assert "Your call has arrived" in employee.get("/panic/").text
    employee.post("/panic/safe")
    assert _alarms(settings)[0].state == "called_off"
    assert "It is over." in employee.get("/panic/").text


def test_the_script_sends_the_same_press_ten_times_and_hears_how_it_stands(
    employee: Employee, settings: Settings
) -> None:
    _switch_on(employee, locates="yes")
    told = [_send(employee, "/panic/send", {"id": PRESS, "ago": 4.5, "exercise": False}).get_json() for _ in range(10)]
    assert {one["stage"] for one in told} == {"rung"}
    assert len(_alarms(settings)) == 1
    assert _send(employee, "/panic/where", {"id": PRESS, "latitude": 51.2, "longitude": 4.4}).get_json() == {
        "kept": True
    }
    with _rows(settings) as session:
        assert session.scalars(select(PanicPlace)).one()
    state = employee.get("/panic/state", headers=SCRIPT).get_json()
    assert state == {"stage": "rung", "by": "", "exercise": False, "practising": False}
    assert _send(employee, "/panic/off", {"code": ""}).get_json()["stage"] == "ended"


def test_both_codes_show_the_same_and_a_wrong_one_says_that_help_is_coming(
    employee: Employee, settings: Settings
) -> None:
    shown = []
    for code in ("1111", "2222"):
        _switch_on(employee, safe="1111", duress="2222")
        _send(employee, "/panic/send", {"id": f"{PRESS}{code}"})
        wrong = _send(employee, "/panic/off", {"code": "9999"})
        assert wrong.status_code == 422
        assert "Help is still on its way" in wrong.get_json()["wrong"]
        answer = _send(employee, "/panic/off", {"code": code})
        page = employee.get("/panic/").text
        shown.append((answer.status_code, answer.get_json(), page.split('id="panic"')[1].split("<form")[0]))
    assert shown[0] == shown[1]
    assert [one.state for one in _alarms(settings)] == ["called_off", "ringing"]


def test_what_does_not_come_from_the_page_raises_nothing_and_says_why(
    employee: Employee, portal: Flask, settings: Settings
) -> None:
    _switch_on(employee)
    bare = employee.client.post(
        "/panic/send", json={"id": PRESS}, base_url=HOST, headers={"Accept": "application/json"}
    )
    assert (bare.status_code, bare.get_json()["code"]) == (403, "panic_header")
    assert _send(employee, "/panic/send", ["x"]).status_code == 422
    assert _send(employee, "/panic/send", {"id": "<script>"}).status_code == 422
    assert _send(employee, "/panic/send", {"id": PRESS, "exercise": True}).get_json()["code"] == "no_drill"
    stranger = Employee(portal)
    keyless = _send(stranger, "/panic/send", {"id": PRESS})
    assert (keyless.status_code, keyless.get_json()["code"]) == (401, "panic_key")
    assert "Come in once" in stranger.get("/panic/").text
    refused = stranger.post("/panic/press", sure="yes", id=PRESS)
    assert refused.status_code == 401
    assert _alarms(settings) == []


def test_switched_off_the_phone_calls_no_more_and_wrong_codes_are_told_beside_the_field(
    employee: Employee, settings: Settings
) -> None:
    employee.get("/panic/")
    wrong = employee.post("/panic/on", safe="12", duress="3456")
    assert wrong.status_code == 422
    assert "4 to 12 digits" in wrong.text
    _switch_on(employee)
    employee.post("/panic/forget")
    with _rows(settings) as session:
        assert session.scalars(select(PanicKey)).all() == []
    assert "Switch it on for this phone" in employee.get("/panic/").text


def test_only_this_page_may_ask_where_the_phone_is_and_only_where_it_was_switched_on(employee: Employee) -> None:
    _switch_on(employee)
    assert "geolocation=()" in employee.get("/panic/").headers["Permissions-Policy"]
    _switch_on(employee, locates="yes")
    assert "geolocation=(self)" in employee.get("/panic/").headers["Permissions-Policy"]
    assert "geolocation=()" in employee.get("/").headers["Permissions-Policy"]


def _hold(page: Page) -> None:
    box = page.locator(".panic-button").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    expect(page.locator("#panic")).not_to_have_attribute("data-stage", "none", timeout=60_000)
    page.mouse.up()


@pytest.mark.browser
def test_a_press_without_a_line_is_kept_and_sent_once_when_the_line_is_back(
    employee: Employee, portal: Flask, settings: Settings, paper: Callable[[int], str]
) -> None:
    found: list[str] = []
    with (
        _listening(portal) as base,
        browsing(settings, viewport={"width": 360, "height": 760}, bypass_csp=True) as context,
    ):
        context.grant_permissions(["geolocation"])
        context.set_geolocation({"latitude": 51.2194, "longitude": 4.4025})
        page = context.new_page()
        page.goto(f"{base}/in")
        page.fill("#code", paper(employee.person))
        page.locator('form[action="/in/code"] button').click()
        page.wait_for_url(f"{base}/")
        page.select_option("#language", "en")
        page.locator("form.language button").click()
        found += _looked_at(page, f"{base}/panic/")
        page.fill("#spot", "Counter 3")
        page.check("[name=locates]")
        page.locator("button.main").click()
        page.wait_for_selector(".panic-button")
        page.wait_for_function(
            "async () => (await (await caches.open('panic-page-1')).keys()).some((one) => one.url.endsWith('/panic/'))"
        )
        page.mouse.move(0, 0)
        page.locator(".panic-button").click()
        assert page.locator("#panic").get_attribute("data-stage") == "none"

        context.set_offline(True)
        page.reload()
        _hold(page)
        assert page.locator("#panic").get_attribute("data-stage") == "sending"
        assert _alarms(settings) == []
        page.reload()
        expect(page.locator("#panic")).to_have_attribute("data-stage", "sending")
        context.set_offline(False)
        expect(page.locator("#panic")).to_have_attribute("data-stage", "rung", timeout=60_000)
        (alarm,) = _alarms(settings)
        assert alarm.presses == 1
        assert page.evaluate("localStorage.getItem('panic-kept')") == "[]"

        page.locator("[data-safe] button").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#panic")).to_have_attribute("data-stage", "ended", timeout=60_000)
        page.locator(".panic-button").focus()
        page.keyboard.down("Space")
        expect(page.locator("#panic")).to_have_attribute("data-stage", "rung", timeout=60_000)
        page.keyboard.up("Space")
        page.wait_for_function("true")
        for scheme, language in (("light", "en"), ("dark", "ar")):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(base)
            page.select_option("#language", language)
            page.locator("form.language button").click()
            found += _looked_at(page, f"{base}/panic/")
    with _rows(settings) as session:
        places = session.scalars(select(PanicPlace.alarm_id)).all()
    assert [one.state for one in _alarms(settings)] == ["called_off", "ringing"]
    assert places
    assert found == []


@pytest.mark.parametrize(("codes", "code"), [({}, ""), ({"safe": "1234", "duress": "9999"}, "1234")])
def test_a_call_from_ones_own_computer_is_called_off_on_the_page_and_nobody_elses_is(
    employee: Employee, settings: Settings, codes: dict[str, str], code: str
) -> None:
    if codes:
        _switch_on(employee, **codes)
    with _rows(settings) as session:
        held = session.scalars(select(Device).where(Device.person_id == employee.person).limit(1)).one()
        others = session.scalars(select(Device).where(Device.person_id != employee.person).limit(1)).one()
        for device in (held, others):
            speaker = Actor(ActorKind.DEVICE, device.id, device.label, (), "-")
            raising.by_device(Call(speaker, session, datetime.now(UTC), alone()), device.id, Press(PRESS))
        label = held.label
    mine, theirs = _alarms(settings)

    assert "A call for help in your name is open" in employee.get("/").text
    shown = employee.get("/panic/calls").text
    assert label in shown
    assert mine.number in shown
    assert theirs.number not in shown
    assert ('name="code"' in shown) is bool(codes)
    assert employee.post(f"/panic/calls/{theirs.uid}/safe", code=code).status_code == 404
    if codes:
        employee.post(f"/panic/calls/{mine.uid}/safe", code="0000")
        assert "not right" in employee.get("/panic/calls").text
        assert [one.state for one in _alarms(settings)] == ["ringing", "ringing"]
    for _ in range(2):
        assert employee.post(f"/panic/calls/{mine.uid}/safe", code=code).status_code == 303
    assert [one.state for one in _alarms(settings)] == ["called_off", "ringing"]
    assert "It is over." in employee.get("/panic/calls").text
    assert "A call for help in your name is open" not in employee.get("/").text


def test_on_that_page_the_second_code_looks_like_the_first_and_help_comes(
    employee: Employee, settings: Settings
) -> None:
    _switch_on(employee, safe="1234", duress="9999")
    seen = []
    for code in ("1234", "9999"):
        with _rows(settings) as session:
            held = session.scalars(select(Device).where(Device.person_id == employee.person).limit(1)).one()
            speaker = Actor(ActorKind.DEVICE, held.id, held.label, (), "-")
            press = Press(f"{PRESS[:-4]}{code}")
            alarm = raising.by_device(Call(speaker, session, datetime.now(UTC), alone()), held.id, press)
            uid, number = alarm.uid, alarm.number
        answers = [employee.post(f"/panic/calls/{uid}/safe", code=code) for _ in range(2)]
        page = employee.get("/panic/calls").text
        seen.append(([one.status_code for one in answers], page.count("It is over."), 'name="code"' in page))
        assert number in page
    assert seen == [([303, 303], 1, False), ([303, 303], 2, False)]
    assert [one.state for one in _alarms(settings)] == ["called_off", "ringing"]


def test_whoever_is_not_in_sees_no_calls(employee: Employee) -> None:
    employee.post("/out")
    assert employee.get("/panic/calls").headers["Location"].endswith("/in")
