"""Who opened somebody's record or device, by page, program or file, stands on that person's own page, once a day."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from mdm.core.clock import utcnow
from mdm.core.permissions import Role
from mdm.inventory.model import Device
from mdm.people.model import Person
from mdm.portal import own
from mdm.portal.own import Deed
from mdm.portal.sessions import actor_of
from mdm.privacy import looks
from mdm.privacy.looks import Seen, Way
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.api.city import boss
from tests.conftest import Calling, alone
from tests.console.canaries import Stage, on_stage


@pytest.fixture(scope="module")
def stage(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A city with console and API."""
    with on_stage(sqlite_template, tmp_path_factory.mktemp("looks")) as made:
        yield made


def _deeds(stage: Stage, person: int) -> list[Deed]:
    engine = make_engine(f"sqlite:///{stage.file}")
    with transaction(engine) as session:
        call = Call(boss(), session, utcnow(), alone())
        found = own.deeds(call.by(actor_of(session.get_one(Person, person), "req")), 200)
    engine.dispose()
    return [deed for deed in found if deed.action.startswith(own.LOOKED)]


def _held(stage: Stage) -> tuple[str, int]:
    """A device of our place, in the hands of our person."""
    engine, person = make_engine(f"sqlite:///{stage.file}"), stage.city.person["own"]
    with transaction(engine) as session:
        session.execute(
            update(Device).where(Device.uid == stage.city.device["own"]).values(person_id=person, state="handed_out")
        )
    engine.dispose()
    return stage.city.device["own"], person


def test_who_opens_a_page_or_reads_by_the_api_or_takes_a_file_stands_there_once_a_day(stage: Stage) -> None:
    uid, person = _held(stage)
    cookie = stage.city.cookies[Role.FLEET_ADMIN, "city"]
    console, api = stage.client(stage.console, cookie), stage.client(stage.api, cookie)
    assert _deeds(stage, person) == []

    for _ in range(2):
        assert console.get(f"/devices/{uid}").status_code == 200
        assert console.get(f"/devices/{uid}?tab=apps").status_code == 200
        assert api.get(f"/devices/{uid}/facts").status_code == 200
        assert console.get(f"/people/{person}").status_code == 200
        assert console.get("/devices/file?as=csv").status_code == 200
        assert console.get("/people/file?as=csv").status_code == 200

    told = _deeds(stage, person)
    assert sorted(deed.action for deed in told) == ["looked.device", "looked.file", "looked.page"]
    assert len({deed.who for deed in told}) == 1


def test_by_whatever_is_written_on_it_and_each_reader_for_themselves(stage: Stage) -> None:
    uid, person = _held(stage)
    before = len(_deeds(stage, person))
    auditor = stage.client(stage.api, stage.city.cookies[Role.AUDITOR, "city"])

    assert auditor.get(f"/devices/lookup?key={uid}").status_code == 200

    assert len(_deeds(stage, person)) == before + 1


def test_lists_searches_what_is_refused_and_what_is_in_nobodys_hands_are_no_look(stage: Stage) -> None:
    uid, person = _held(stage)
    before = len(_deeds(stage, person))
    clerk = stage.city.cookies[Role.DESK_CLERK, "own"]
    console, api = stage.client(stage.console, clerk), stage.client(stage.api, clerk)
    for address in ("/devices", "/devices?q=a", "/people"):
        assert console.get(address).status_code == 200
    assert api.get("/devices").status_code == 200
    stranger = stage.client(stage.console, None)
    assert stranger.get(f"/devices/{uid}").status_code != 200
    other = stage.city.device["other"]
    assert console.get(f"/devices/{other}").status_code == 404

    assert len(_deeds(stage, person)) == before
    engine = make_engine(f"sqlite:///{stage.file}")
    with transaction(engine) as session:
        session.execute(update(Device).where(Device.uid == uid).values(person_id=None, state="in_stock"))
    assert console.get(f"/devices/{uid}").status_code == 200
    engine.dispose()
    assert len(_deeds(stage, person)) == before


def test_the_same_look_twice_on_one_day_is_one_and_on_the_next_day_another(calling: Calling) -> None:
    """On both databases: the constraint knows, looking does not."""
    with calling() as call:
        person = Person(name="Jan", created_at=call.now)
        call.session.add(person)
        call.session.flush()
        for days in (0, 0, 1):
            later = Call(call.actor, call.session, call.now + timedelta(days=days), alone())
            looks.note(later, [Seen(person.id), Seen(person.id), Seen(person.id, "u" * 32, "Phone")], Way.PAGE)
        me = call.by(actor_of(person, "req"))
        looks.note(me, [Seen(person.id)], Way.PAGE)
        assert [(one.device_label, one.by) for one in looks.own(me, 9)] == [
            ("Phone", "Mo Admin"), ("", "Mo Admin"), ("Phone", "Mo Admin"), ("", "Mo Admin"),
        ]  # fmt: skip
