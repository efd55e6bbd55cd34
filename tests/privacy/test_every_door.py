"""Over every safe route of console and API, by who may see most: no place, and no moment of a device in somebody's hands.

The routes are those of the doors' own tables, so one that comes tomorrow is asked tomorrow.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from mdm.compliance.model import VerdictChange
from mdm.core.clock import utcnow
from mdm.core.ids import new_uid
from mdm.core.permissions import Role
from mdm.desk.cases import location
from mdm.desk.cases.model import Case
from mdm.inventory import contact
from mdm.inventory.model import Device, FactChange, FactSection, LifeCycle
from mdm.overview.devices import DEVICES
from mdm.overview.listing import page, read_query
from mdm.panic import location as origins
from mdm.panic.model import PanicAlarm, PanicPlace
from mdm.platforms.apple.model import AppleDevice
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from mdm.storage.seal import Seal, create_key
from tests.api.city import boss
from tests.conftest import Calling, alone
from tests.console.canaries import Stage, addresses, api_address, api_operations, console_rules, on_stage

LATITUDE, LONGITUDE = 51.21827364, 4.40391625
SEEN = (utcnow() - timedelta(days=3, hours=5, minutes=17)).replace(microsecond=0)
"""A moment that nothing else on the stage has."""


@pytest.fixture(scope="module")
def stage(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The city of the canaries, where every device in somebody's hands was last heard of at the same odd minute."""
    home = tmp_path_factory.mktemp("doors")
    with on_stage(sqlite_template, home) as made:
        engine = make_engine(f"sqlite:///{made.file}")
        create_key(home / "keys")
        seal = Seal((home / "keys" / "seal.key").read_bytes())
        with transaction(engine) as session:
            call = Call(boss(), session, utcnow(), alone())
            _last_heard(call)
            _whereabouts(call, seal)
        engine.dispose()
        yield made


def _last_heard(call: Call) -> None:
    held = call.session.scalars(
        select(Device).where(
            Device.person_id.is_not(None), Device.state.in_(contact.IN_HAND), Device.kind != contact.KIOSK
        )
    ).all()
    assert held
    for device in held:
        device.last_seen_at = device.last_report_at = SEEN
        device.enrolled_at = device.enrolled_at or SEEN - timedelta(days=40)
        call.session.add(FactChange(device_id=device.id, section="system", path="kernel", before=1, after=2, at=SEEN))
        call.session.add(VerdictChange(device_id=device.id, at=SEEN, verdict="compliant"))
        call.session.merge(
            FactSection(device_id=device.id, section="system", digest="x", content={"n": 1}, changed_at=SEEN)
        )


def _whereabouts(call: Call, seal: Seal) -> None:
    found = {"latitude": LATITUDE, "longitude": LONGITUDE, "accuracy": 7.125, "at": "2026-01-01T00:00:00Z"}
    cases = call.session.scalars(select(Case).where(Case.slot.like("gone:%"))).all()
    assert cases
    for case in cases:
        assert case.device_id is not None
        assert location.take(call, seal, case.device_id, found)
    for apple in call.session.scalars(select(AppleDevice)):
        apple.location = seal.seal(f"{LATITUDE} {LONGITUDE}".encode(), "apple")
    for alarm in call.session.scalars(select(PanicAlarm)):
        uid = new_uid()
        sealed = seal.seal(json.dumps(found).encode(), origins._bound(uid))
        call.session.add(PanicPlace(uid=uid, alarm_id=alarm.id, taken_at=call.now, sealed=sealed))


@pytest.fixture(scope="module")
def answers(stage: Stage) -> list[tuple[str, Any]]:
    """Every safe address with its answer, for the fleet admin of the whole city."""
    cookie = stage.city.cookies[Role.FLEET_ADMIN, "city"]
    console, api = stage.client(stage.console, cookie), stage.client(stage.api, cookie)
    found: list[tuple[str, Any]] = []
    columns = ",".join(column.key for column in DEVICES.columns)
    for place in ("own", "other"):
        found += [(rule.rule, console.get(addresses(stage, rule, place))) for rule in console_rules(stage, "GET")]
        found += [
            (f"api {path}", api.get(api_address(stage, path, place))) for path, _names in api_operations(stage, "GET")
        ]
        uid = stage.ids[place]["device_uid"]
        tabs = ("settings", "apps", "commands", "compliance", "history", "activity", "phone", "raw")
        found += [(f"/devices/<uid>/{tab}", console.get(f"/devices/{uid}/{tab}")) for tab in tabs]
    for address in ("/devices", "/devices/file"):
        for sort in ("seen", "-seen", "report", "-report"):
            found.append((f"{address} by {sort}", console.get(f"{address}?columns={columns}&sort={sort}&as=csv")))
    return found


def _held(stage: Stage) -> list[str]:
    engine = make_engine(f"sqlite:///{stage.file}")
    with transaction(engine, write=False) as session:
        found = session.scalars(select(Device.uid).where(Device.last_seen_at == SEEN)).all()
    engine.dispose()
    return list(found)


def test_no_route_tells_at_which_minute_a_device_in_somebodys_hands_was_last_heard_of(
    stage: Stage, answers: list[tuple[str, Any]]
) -> None:
    zones = (UTC, ZoneInfo("Europe/Brussels"))
    minute = re.compile("|".join(rf"\b{SEEN.astimezone(zone):%H:%M}\b" for zone in zones))
    told = {route for route, answer in answers if minute.search(answer.get_data().decode(errors="replace"))}

    assert told == set()
    day = f"{contact.day_of(SEEN):%Y-%m-%dT00:00:00}"
    listed = next(answer for route, answer in answers if route == "api /devices")
    assert {one["last_seen_at"][:19] for one in listed.json["items"] if one["uid"] in _held(stage)} == {day}
    assert f"{SEEN:%Y-%m-%d}" in next(answer.text for route, answer in answers if route == "/devices/file by seen")


def test_of_a_device_that_is_lost_or_in_nobodys_hands_the_moment_is_told(stage: Stage) -> None:
    """The negative twin: the walk would see it."""
    uid = _held(stage)[0]
    engine = make_engine(f"sqlite:///{stage.file}")
    api = stage.client(stage.api, stage.city.cookies[Role.FLEET_ADMIN, "city"])
    for values in ({"state": LifeCycle.LOST.value}, {"state": LifeCycle.RETURNED.value, "person_id": None}):
        with transaction(engine) as session:
            before = session.scalars(select(Device).where(Device.uid == uid)).one()
            kept = {"state": before.state, "person_id": before.person_id}
            session.execute(update(Device).where(Device.uid == uid).values(**values))
        answer = api.get(f"/devices/{uid}").json
        with transaction(engine) as session:
            session.execute(update(Device).where(Device.uid == uid).values(**kept))
        assert answer["contact_exact"] is True
        assert answer["last_seen_at"].startswith(f"{SEEN:%Y-%m-%dT%H:%M:%S}")
    engine.dispose()


def test_no_safe_route_shows_where_anybody_is_not_even_in_an_open_case_or_alarm(
    answers: list[tuple[str, Any]],
) -> None:
    shown = [
        route
        for route, answer in answers
        if any(
            word in answer.get_data().decode(errors="replace")
            for word in (f"{LATITUDE:.3f}", f"{LONGITUDE:.3f}", f"{LATITUDE:.3f}".replace(".", ","))
        )
    ]

    assert shown == []
    assert len({route for route, _answer in answers}) > 150
    assert [route for route, answer in answers if answer.status_code >= 500] == []


def test_the_day_is_the_same_in_sql_and_in_python_and_an_order_tells_no_more(calling: Calling) -> None:
    moments = [datetime(2026, 11, day, hour, 59, 58, 999_999, tzinfo=UTC) for day in (20, 21) for hour in (0, 7, 23)]
    with calling() as call:
        people = _person(call)
        for number, moment in enumerate(reversed(moments)):
            call.session.add(
                Device(
                    uid=f"{number:032x}", name=f"d{number}", platform="ios", kind="phone", state="handed_out",
                    person_id=people, last_seen_at=moment, created_at=call.now,
                )
            )  # fmt: skip
        call.session.flush()
        rows = call.session.execute(select(Device, Device.contact_at, Device.contact_exact, Device.reported_at)).all()
        assert {(row[0].contact_at, row[0].contact_exact, row[0].reported_at) == tuple(row[1:]) for row in rows} == {
            True
        }
        assert {row[1] for row in rows} == {contact.day_of(moment) for moment in moments}

        found = page(call, DEVICES, read_query(DEVICES, {"sort": ["seen"], "columns": ["seen"]}))
        assert [row["_id"] for row in found.rows] == sorted(
            (row[0].id for row in rows), key=lambda one: (one <= min(r[0].id for r in rows) + 2, one)
        )
        call.session.execute(update(Device).values(kind="kiosk"))
        assert set(call.session.scalars(select(Device.contact_exact))) == {True}, "nobody carries a kiosk"
        call.session.execute(update(Device).values(state="lost", kind="phone"))
        found = page(call, DEVICES, read_query(DEVICES, {"sort": ["seen"], "columns": ["seen"]}))
        assert [row["seen"] for row in found.rows] == moments


def _person(call: Call) -> int:
    from mdm.people import service as people

    return people.create(call, name="Jan Janssens").id
