"""Records of people who left go by themselves: after their time, never unseen, never many at once, never what is still needed."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text, update

from mdm.audit.model import AuditEntry
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ConflictError, DeniedError, InvalidError
from mdm.core.permissions import Grant, Role
from mdm.people.model import Person
from mdm.privacy import leaving, service
from mdm.privacy.model import Departure, Erasure
from mdm.settings import Settings
from mdm.worker.office import Office
from mdm.worker.table import erase_people, look_after_leavers
from tests.conftest import Calling
from tests.privacy.helpers import calling as calling
from tests.privacy.helpers import engine as engine
from tests.privacy.planting import ID, NOW, plant

DAY = timedelta(days=1)
DAYS = 400
AUDITOR = Actor(ActorKind.OPERATOR, 9, "Sarah", (Grant(Role.AUDITOR),))


def _left(calling: Calling, on: date | None, *, how_many: int = 1) -> list[int]:
    with calling() as call:
        made = [Person(name=f"Jan {number}", left_on=on, created_at=NOW) for number in range(how_many)]
        call.session.add_all(made)
        call.session.flush()
        return [one.id for one in made]


def _run(engine: Engine, home: Path, at: datetime, days: int = DAYS, *, finish: bool = False) -> None:
    office = Office(engine, Settings(home=home, database_url=str(engine.url), person_days=days), lambda: at)
    look_after_leavers(office)
    if finish:
        erase_people(office)


def _erased(engine: Engine) -> set[int]:
    with engine.connect() as connection:
        return set(connection.execute(select(Erasure.person_id)).scalars())


def test_a_record_is_shown_for_the_days_of_grace_and_goes_after_its_time(
    engine: Engine, calling: Calling, tmp_path: Path
) -> None:
    last = NOW.date() - DAYS * DAY + timedelta(days=40)
    (one,) = _left(calling, last)

    _run(engine, tmp_path, NOW)
    with calling(write=False) as call:
        assert leaving.listed(call) == []
    at = NOW + timedelta(days=11)
    _run(engine, tmp_path, at)
    with calling(write=False) as call:
        (shown,) = leaving.listed(call)
        assert (shown.person.id, shown.waits) == (one, ())
        due = shown.due_at
    assert due is not None
    assert (due - at, due.date()) >= (leaving.GRACE, last + DAYS * DAY)
    _run(engine, tmp_path, due - timedelta(hours=1))
    assert _erased(engine) == set()
    _run(engine, tmp_path, due, finish=True)
    assert _erased(engine) == {one}
    with calling(write=False) as call:
        assert call.session.get_one(Person, one).name.startswith("Erased person")
        assert leaving.listed(call) == []


def test_who_left_long_before_the_product_knew_is_shown_first_all_the_same(
    engine: Engine, calling: Calling, tmp_path: Path
) -> None:
    (one,) = _left(calling, date(2015, 1, 1))

    for days in (0, 29):
        _run(engine, tmp_path, NOW + timedelta(days=days))
        assert _erased(engine) == set()
    _run(engine, tmp_path, NOW + leaving.GRACE)
    assert _erased(engine) == {one}


def test_who_works_here_who_comes_back_and_everybody_where_the_setting_is_0_stay(
    engine: Engine, calling: Calling, tmp_path: Path
) -> None:
    here, back, later = (_left(calling, on)[0] for on in (None, date(2015, 1, 1), NOW.date() + DAY))
    _run(engine, tmp_path, NOW)
    with calling() as call:
        call.session.execute(update(Person).where(Person.id == back).values(left_on=None))

    _run(engine, tmp_path, NOW + timedelta(days=60))
    assert _erased(engine) == set()
    with calling(write=False) as call:
        assert call.session.scalars(select(Departure)).all() == []
    _left(calling, date(2015, 1, 1))
    _run(engine, tmp_path, NOW, days=0)
    _run(engine, tmp_path, NOW + timedelta(days=900), days=0)
    assert _erased(engine) == set()
    assert here != later


def test_only_so_many_go_in_one_day_and_the_others_on_the_next(
    engine: Engine, calling: Calling, tmp_path: Path
) -> None:
    _left(calling, date(2015, 1, 1), how_many=leaving.FEW + 5)
    _run(engine, tmp_path, NOW)

    for _ in range(3):
        _run(engine, tmp_path, NOW + leaving.GRACE)
    assert len(_erased(engine)) == leaving.FEW
    _run(engine, tmp_path, NOW + leaving.GRACE + DAY + timedelta(minutes=1))
    assert len(_erased(engine)) == leaving.FEW + 5


def test_what_is_open_and_a_wipe_of_late_are_waited_for(engine: Engine, calling: Calling, tmp_path: Path) -> None:
    plant(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE person SET left_on = '2015-01-01'"))
        connection.execute(text("DELETE FROM privacy_departure"))
        connection.execute(text("UPDATE desk_case SET state = 'open'"))
    _run(engine, tmp_path, NOW)
    at = NOW + leaving.GRACE

    _run(engine, tmp_path, at)
    with calling(write=False) as call:
        (shown,) = leaving.listed(call)
        assert [one.code for one in shown.waits] == ["cases", "wiped"]
        assert "L-04000" in str(shown.waits[0]) or "-04000" in str(shown.waits[0])
    with engine.begin() as connection:
        connection.execute(text("UPDATE desk_case SET state = 'closed'"))
    _run(engine, tmp_path, at)
    assert _erased(engine) == set()
    _run(engine, tmp_path, NOW + timedelta(days=366))
    assert _erased(engine) == {ID}


def test_what_is_kept_longer_is_erased_by_nobody_until_its_day_has_passed(
    engine: Engine, calling: Calling, tmp_path: Path
) -> None:
    (one,) = _left(calling, date(2015, 1, 1))
    with calling() as call:
        leaving.keep_longer(call, one, "2027-03-01", "a case at court")
    _run(engine, tmp_path, NOW)
    _run(engine, tmp_path, NOW + leaving.GRACE)
    with calling() as call:
        with pytest.raises(ConflictError) as refused:
            service.erase(call, one, "asked by letter")
        assert "kept until 2027-03-01, by Mo Admin: a case at court" in str(refused.value)
    assert _erased(engine) == set()

    _run(engine, tmp_path, datetime(2027, 3, 1, 23, tzinfo=NOW.tzinfo))
    assert _erased(engine) == set()
    _run(engine, tmp_path, datetime(2027, 3, 2, 1, tzinfo=NOW.tzinfo), finish=True)
    assert _erased(engine) == {one}
    with calling(write=False) as call:
        left = call.session.scalars(select(AuditEntry).where(AuditEntry.action == "person.kept")).one()
        assert left.subject_name.startswith("Erased person")


def test_keeping_is_taken_back_once_and_refused_without_right_reason_or_day(calling: Calling) -> None:
    (one,) = _left(calling, date(2015, 1, 1))
    for until, why in (("", "x"), ("tomorrow", "x"), ("2026-11-23", "x"), ("2046-01-01", "x"), ("2027-01-01", " ")):
        with calling() as call, pytest.raises(InvalidError):
            leaving.keep_longer(call, one, until, why)
    with calling(AUDITOR) as call, pytest.raises(DeniedError):
        leaving.keep_longer(call, one, "2027-01-01", "x")
    with calling(AUDITOR) as call, pytest.raises(DeniedError):
        leaving.keep_no_longer(call, one)
    with calling() as call:
        leaving.keep_longer(call, one, "2027-01-01", "x")
    for _ in range(2):
        with calling() as call:
            leaving.keep_no_longer(call, one)
    with calling(write=False) as call:
        counted = select(func.count()).where(AuditEntry.action == "person.kept_no_longer")
        assert call.session.scalar(counted) == 1
