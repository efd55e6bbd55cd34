"""Every number of days in the map is kept: an hour before, a row is there; an hour after, a job has deleted it."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text, update

from mdm.outbox import service as outbox
from mdm.privacy import fields, retention
from mdm.privacy.whole import tables_of
from mdm.settings import Settings
from mdm.storage.metadata import all_tables
from mdm.worker import forgetting
from mdm.worker.office import Office
from tests.privacy.helpers import calling_on, engine_on
from tests.privacy.planting import NOW, plant

MADE = NOW - timedelta(days=10)
"""The moment that every planted row has in every column."""
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def _forget(engine: Engine, home: Path, at: timedelta) -> None:
    office = Office(engine, Settings(home=home, database_url=str(engine.url)), lambda: MADE + at)
    for job in (forgetting.tidy, forgetting.forget, forgetting.forget_photos):
        job(office)


def _there(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return {
            table.name
            for table in all_tables().sorted_tables
            if connection.execute(select(func.count()).select_from(table)).scalar()
        }


def test_every_table_that_the_clock_ends_is_there_until_its_time_and_gone_after_it(
    sqlite_url: str, tmp_path: Path
) -> None:
    engine = engine_on(sqlite_url)
    plant(engine)
    with engine.begin() as connection:
        # An open half hour and a device that hangs on a picture would keep their rows for another reason.
        connection.execute(update(all_tables().tables["custody"]).values(to_at=MADE))
    spans = sorted({span for _table, _start, span in retention.counted()})
    assert len(spans) >= 5
    assert len(list(retention.counted())) > 20
    wrong = []
    for span in spans:
        names = {table.name for table, _start, one in retention.counted() if one == span}
        little = HOUR if span > HOUR else MINUTE
        if span > timedelta(0):
            _forget(engine, tmp_path, span - little)
            wrong += [f"{name} is gone too early" for name in names - _there(engine)]
        _forget(engine, tmp_path, span + little)
        wrong += [f"{name} is still there" for name in names & _there(engine)]

    assert wrong == []
    engine.dispose()


def test_the_jobs_twice_are_like_once_and_touch_nothing_that_has_no_number_of_days(
    sqlite_url: str, tmp_path: Path
) -> None:
    engine = engine_on(sqlite_url)
    plant(engine)
    counted = {table.name for table, _start, _span in retention.counted()}
    hanging = {"loan_slot", "panic_place", "desk_case_fix"}
    before = _there(engine)
    for _ in range(2):
        _forget(engine, tmp_path, timedelta(days=4000))

    assert before - _there(engine) - counted <= hanging
    engine.dispose()


def test_what_commands_were_answered_goes_and_the_commands_stay(sqlite_url: str, tmp_path: Path) -> None:
    engine = engine_on(sqlite_url)
    plant(engine)
    with calling_on(engine)() as call:
        call.session.execute(text("UPDATE command SET detail = 'locked', data = '{\"a\": 1}'"))
    _forget(engine, tmp_path, timedelta(days=90) - HOUR)
    with calling_on(engine)(write=False) as call:
        assert call.session.execute(text("SELECT detail FROM command")).scalars().all() == ["locked"]
    _forget(engine, tmp_path, timedelta(days=90) + HOUR)
    with calling_on(engine)(write=False) as call:
        assert call.session.execute(text("SELECT detail, data FROM command")).all() == [("", None)]
    engine.dispose()


def test_a_letter_that_was_given_up_goes_after_a_month_and_what_was_not_done_stays(
    sqlite_url: str, tmp_path: Path
) -> None:
    engine = engine_on(sqlite_url)
    with calling_on(engine)() as call:
        for topic in ("mail", "sms", "order.release"):
            outbox.post(call, topic, {"to": "zyra@quolt.example"}).dead_at = MADE
    assert retention.span("outbox_message.payload") == timedelta(days=30)
    _forget(engine, tmp_path, timedelta(days=30) - HOUR)
    with calling_on(engine)(write=False) as call:
        assert len(call.session.execute(text("SELECT topic FROM outbox_message")).all()) == 3
    _forget(engine, tmp_path, timedelta(days=30) + HOUR)
    with calling_on(engine)(write=False) as call:
        assert call.session.execute(text("SELECT topic FROM outbox_message")).scalars().all() == ["order.release"]
    engine.dispose()


def test_every_time_of_the_map_has_somebody_who_keeps_it() -> None:
    """The negative twin: a column with days of its own, in a table that has none, is looked after by a named verb."""
    verbs = {name for name, _few in forgetting.RETENTION}
    whole = {table.name for table, _start, _span in retention.counted()}
    single = {
        f"{one.table}.{one.column}"
        for one in fields.fields(tables_of(all_tables()))
        if one.keep.span is not None and one.table not in whole
    }

    assert {name.partition(".")[0] for name in single} <= {name.partition(".")[0] for name in verbs}


def test_a_time_that_nobody_counts_is_refused() -> None:
    with pytest.raises(fields.MapError):
        retention.span("person.*")
