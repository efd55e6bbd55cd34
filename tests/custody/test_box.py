"""A box of devices: errors on top, the last one undone, nothing counted twice, and the fiftieth scan costs like the first."""

from typing import Any

import pytest
from sqlalchemy import event, select

from mdm.core.errors import ConflictError, NotFoundError
from mdm.desk.custody import box, queries
from mdm.desk.custody.asked import Swap
from mdm.desk.custody.model import Paper
from mdm.desk.custody.service import swap
from mdm.inventory import groups
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, DeviceGroupMember, LifeCycle
from tests.conftest import NOW, Calling
from tests.custody.conftest import SIGNED, Counter, clerk, phone


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def run(calling: Calling, counter: Counter) -> str:
    with calling(clerk(counter.here)) as call:
        return box.start(call, counter.here).uid


def scanned(calling: Calling, counter: Counter, run: str, *codes: str, key: str = "") -> list[tuple[str, str]]:
    told = []
    for code in codes:
        with calling(clerk(counter.here)) as call:
            line = box.scan(call, run, code, key=key)
            told.append((line.outcome, line.message % line.params if line.message else ""))
    return told


def state(calling: Calling, counter: Counter, name: str) -> tuple[str, int | None]:
    with calling(write=False) as call:
        row = call.session.scalars(select(Device).where(Device.uid == counter.device[name])).one()
        return row.state, row.person_id


def test_scan_scan_scan_takes_in_and_errors_stay_on_top(calling: Calling, counter: Counter, out: Any, run: str) -> None:
    out("one")
    out("two", to="mo")
    told = scanned(calling, counter, run, "TAG-one", "nonsense", "TAG-three", "TAG-one", "TAG-elsewhere", "TAG-two")

    assert [outcome for outcome, _ in told] == ["taken", "error", "error", "error", "error", "taken"]
    assert told[1][1] == "Nothing at your service points has the code nonsense. Lay it aside."
    assert "never handed out" in told[2][1]
    assert "in this box already, as number 1" in told[3][1]
    with calling(clerk(counter.here)) as call:
        found = box.run(call, run)
        assert [line.number for line in box.lines(call, found)] == [5, 4, 3, 2, 6, 1]
        assert box.counts(call, found) == box.Counts(2, 4, 0)
        paper = call.session.get_one(Paper, box.finish(call, run).paper_id)
        assert [one["holder"] for one in paper.content["back"]] == ["Sarah Aït", "Mo Peeters"]
        assert box.finish(call, run).paper_id == paper.id
        assert queries.history(call, counter.device["one"])[0].in_paper_id == paper.id
    with pytest.raises(ConflictError) as refused:
        scanned(calling, counter, run, "TAG-one")
    assert refused.value.code == "box_finished"


def test_undo_gives_the_last_one_back_to_who_had_it_and_then_the_one_before(
    calling: Calling, counter: Counter, out: Any, run: str
) -> None:
    out("one")
    out("two", to="mo", loan=True)
    scanned(calling, counter, run, "TAG-one", "TAG-two", "nonsense")
    for name, person, life in (("two", "mo", LifeCycle.ON_LOAN), ("one", "sarah", LifeCycle.HANDED_OUT)):
        with calling(clerk(counter.here)) as call:
            assert box.undo(call, run).outcome == "undone"
        assert state(calling, counter, name) == (life, counter.person[person])
        with calling(write=False) as call:
            [held] = queries.held_by(call, counter.person[person])
            assert held.custody.to_at is None
    with calling(clerk(counter.here)) as call:
        assert box.undo(call, run) is None
    assert scanned(calling, counter, run, "TAG-one")[0][0] == "taken"


def test_what_went_on_meanwhile_is_not_undone(calling: Calling, counter: Counter, out: Any, run: str) -> None:
    out("one")
    scanned(calling, counter, run, "TAG-one")
    with calling() as call:
        inventory.move(call, counter.device["one"], LifeCycle.WIPED)
    with pytest.raises(ConflictError) as refused, calling(clerk(counter.here)) as call:
        box.undo(call, run)
    assert refused.value.code == "undo_late"
    assert state(calling, counter, "one") == (LifeCycle.WIPED, None)


def test_a_loaner_that_stood_in_has_its_groups_again_after_undo(
    calling: Calling, counter: Counter, out: Any, run: str
) -> None:
    out("one")
    with calling() as call:
        group = groups.create(call, "Pilot").id
        groups.add(call, group, [counter.device["one"]])
    with calling(clerk(counter.here)) as call:
        swap(call, Swap(counter.device["one"], counter.device["two"], counter.here, signed=SIGNED, invite=False))
    sizes = []
    for act in (lambda: scanned(calling, counter, run, "TAG-two"), lambda: undone(calling, counter, run)):
        act()
        with calling(write=False) as call:
            sizes.append(len(call.session.scalars(select(DeviceGroupMember)).all()))
    assert sizes == [1, 2]


def undone(calling: Calling, counter: Counter, run: str) -> None:
    with calling(clerk(counter.here)) as call:
        box.undo(call, run)


def test_a_scan_that_is_sent_twice_is_one_line(calling: Calling, counter: Counter, out: Any, run: str) -> None:
    out("one")
    assert scanned(calling, counter, run, "TAG-one", "TAG-one", key="k") == [("taken", ""), ("taken", "")]
    with calling(clerk(counter.here), write=False) as call:
        assert len(box.lines(call, box.run(call, run))) == 1


def test_a_box_that_was_left_open_goes_on_and_is_nobody_elses_at_another_place(
    calling: Calling, counter: Counter, run: str
) -> None:
    with calling(clerk(counter.here)) as call:
        assert box.start(call, counter.here).uid == run
    with calling(clerk(counter.point["nova"])) as call:
        with pytest.raises(NotFoundError):
            box.scan(call, run, "TAG-one")
        assert box.open_runs(call, counter.here) == ()


def test_the_fiftieth_scan_needs_as_many_statements_as_the_second(
    calling: Calling, counter: Counter, out: Any, run: str
) -> None:
    for number in range(50):
        with calling() as call:
            counter.device[f"n{number}"] = phone(call, f"N{number}", counter.here).uid
        out(f"n{number}", signed=None, unsigned="seed")
    needed = []
    for number in range(50):
        with calling(clerk(counter.here)) as call:
            seen: list[str] = []
            bind = call.session.get_bind()
            listener = lambda *args, seen=seen: seen.append(args[2])  # noqa: E731
            event.listen(bind, "before_cursor_execute", listener)
            assert box.scan(call, run, f"N{number}").outcome == "taken"
            box.counts(call, box.run(call, run))
            event.remove(bind, "before_cursor_execute", listener)
            needed.append(len(seen))
    assert needed[49] == needed[1] <= 45
    assert NOW
