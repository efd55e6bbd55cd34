"""What always holds, whatever is done in whatever order, and whoever does it at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from mdm.core.errors import ConflictError, HavenmeesterError
from mdm.desk.custody import box
from mdm.desk.custody.asked import HandOut, Swap, TakeIn
from mdm.desk.custody.follow import follow_all
from mdm.desk.custody.kit import KitGiven
from mdm.desk.custody.model import Custody, KitLine, KitPiece, Paper, PaperCounter
from mdm.desk.custody.next_step import Do
from mdm.desk.custody.scan import look_up
from mdm.desk.custody.service import erased_by_hand, hand_out, make_ready, swap, take_in
from mdm.enrollment.holders import holder_of
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, LifeCycle
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.conftest import FLEET_ADMIN, NOW, Calling
from tests.custody.conftest import SIGNED, Counter, clerk

CLERKS = 4
NAMES = ("one", "two", "three")
DEVICES, PEOPLE = st.sampled_from(NAMES), st.sampled_from(("sarah", "mo"))
KEYS = st.sampled_from(("", "k1", "k2"))
ACTS = st.one_of(
    st.tuples(st.just("hand_out"), DEVICES, PEOPLE, KEYS, st.booleans()),
    st.tuples(st.just("take_in"), DEVICES, KEYS),
    st.tuples(st.just("swap"), DEVICES, DEVICES, KEYS),
    st.tuples(st.just("box"), DEVICES),
    st.tuples(st.just("undo")),
    st.tuples(st.just("ready"), DEVICES),
    st.tuples(st.just("other_door"), DEVICES, PEOPLE),
    st.tuples(st.just("other_door_back"), DEVICES),
    st.tuples(st.just("lost"), DEVICES),
)


def act(call: Call, counter: Counter, wanted: tuple[Any, ...]) -> None:
    """One thing that somebody does, over the counter or by another door."""
    kind, *rest = wanted
    uid = counter.device.get(rest[0], "") if rest else ""
    if kind == "hand_out":
        kit = (KitGiven("charger", f"CHG-{rest[0]}"),)
        person = counter.person[rest[1]]
        hand_out(call, HandOut(person, (uid,), counter.here, kit, rest[3], signed=SIGNED, key=rest[2], invite=False))
    elif kind == "take_in":
        take_in(call, TakeIn(uid, counter.here, key=rest[1]))
    elif kind == "swap":
        loaner = counter.device[rest[1]]
        swap(call, Swap(uid, loaner, counter.here, signed=SIGNED, key=rest[2], invite=False))
    elif kind == "box":
        box.scan(call, box.start(call, counter.here).uid, f"TAG-{rest[0]}")
    elif kind == "undo":
        box.undo(call, box.start(call, counter.here).uid)
    elif kind == "ready":
        erased_by_hand(call, uid, "by hand")
        make_ready(call, uid)
    elif kind == "other_door":
        inventory.hand_out(call, uid, holder_of(call.session.get_one(Person, counter.person[rest[1]])))
    elif kind == "other_door_back":
        inventory.take_back(call, uid)
    else:
        inventory.move(call, uid, LifeCycle.LOST)


def holds(call: Call) -> None:
    """What is true at every moment."""
    open_ones = call.session.execute(select(Custody.device_id, Custody.person_id).where(Custody.to_at.is_(None))).all()
    by_device = {row.device_id: row.person_id for row in open_ones}
    assert len(by_device) == len(open_ones)
    for device in call.session.scalars(select(Device)):
        assert by_device.get(device.id) == device.person_id
        assert device.person_id is None or device.state not in (LifeCycle.IN_STOCK, LifeCycle.RETURNED)
    papers = call.session.scalar(select(func.count()).select_from(Paper)) or 0
    assert papers == (call.session.scalar(select(func.sum(PaperCounter.last))) or 0)
    for piece in call.session.scalars(select(KitPiece).where(KitPiece.person_id.is_not(None))):
        lines = call.session.scalars(select(KitLine).where(KitLine.piece_id == piece.id)).all()
        assert sum(line.quantity - line.returned for line in lines) >= 1


class TestWhateverIsDone:
    """On SQLite: what holds here is held by our own lines."""

    @pytest.fixture
    def database_url(self, sqlite_url: str) -> str:
        return sqlite_url

    @settings(max_examples=30, suppress_health_check=list(HealthCheck))
    @given(acts=st.lists(ACTS, max_size=10))
    def test_one_open_custody_and_it_is_the_holders(
        self, calling: Calling, counter: Counter, acts: list[tuple[Any, ...]]
    ) -> None:
        for wanted in acts:
            by = FLEET_ADMIN if wanted[0] in ("other_door", "other_door_back", "lost") else clerk(counter.here)
            seen = None
            for _twice in range(2):
                try:
                    with calling(by) as call:
                        act(call, counter, wanted)
                except HavenmeesterError:
                    pass
                with calling() as call:
                    follow_all(call)
                with calling(write=False) as call:
                    holds(call)
                    if wanted[0] in ("hand_out", "take_in", "swap"):
                        # Twice is like once, or refused: nothing is written by the second.
                        now = everything(call)
                        assert seen in (None, now)
                        seen = now


def everything(call: Call) -> tuple[object, ...]:
    """What there is of papers, custodies and holders, to compare."""
    return (
        call.session.scalar(select(func.count()).select_from(Paper)),
        [tuple(row) for row in call.session.execute(select(Custody.uid, Custody.to_at).order_by(Custody.id))],
        [
            tuple(row)
            for row in call.session.execute(select(Device.id, Device.person_id, Device.state).order_by(Device.id))
        ],
    )


def at_once(engine: Engine, counter: Counter, acts: list[Callable[[Call], object]]) -> list[str]:
    """Has several clerks do something at the same moment: what each was told, empty for done."""

    def one(number: int) -> str:
        try:
            with transaction(engine) as session:
                acts[number](Call(clerk(counter.here, f"Clerk {number}"), session, NOW))
        except ConflictError as error:
            return error.code
        return ""

    with ThreadPoolExecutor(len(acts)) as pool:
        return sorted(pool.map(one, range(len(acts))))


def test_of_clerks_who_hand_out_one_device_at_once_one_does_and_the_others_are_told_who_has_it(
    engine: Engine, calling: Calling, counter: Counter
) -> None:
    people = [counter.person["sarah"], counter.person["mo"]] * (CLERKS // 2)
    uid = counter.device["one"]
    told = at_once(
        engine,
        counter,
        [
            lambda call, person=person: hand_out(
                call, HandOut(person, (uid,), counter.here, signed=SIGNED, invite=False)
            )
            for person in people
        ],
    )
    # Whoever hands it to the same person a moment later finds it done; to the other person it is refused.
    assert told == ["", "", "device_held", "device_held"]
    with calling(write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(Custody)) == 1
        assert call.session.scalar(select(func.count()).select_from(Paper)) == 1
        holds(call)


def test_of_clerks_who_take_one_device_in_at_once_one_does(
    engine: Engine, calling: Calling, counter: Counter, out: Any
) -> None:
    out("one")
    uid = counter.device["one"]
    told = at_once(engine, counter, [lambda call: take_in(call, TakeIn(uid, counter.here))] * CLERKS)
    assert told == ["", "not_out", "not_out", "not_out"]
    with calling(clerk(counter.here), write=False) as call:
        holds(call)
        assert look_up(call, "tag-one", counter.here).next.do is Do.ERASE
        assert look_up(call, "P2", counter.here).title == "Mo Peeters"


def test_papers_written_at_once_have_numbers_without_gaps_and_devices_in_any_order_never_wait_for_ever(
    engine: Engine, calling: Calling, counter: Counter, out: Any
) -> None:
    pairs = [("one", "two"), ("two", "one"), ("three",), ("two", "three")]
    told = at_once(
        engine,
        counter,
        [
            lambda call, names=names: hand_out(
                call,
                HandOut(
                    counter.person["mo"],
                    tuple(counter.device[name] for name in names),
                    counter.here,
                    signed=SIGNED,
                    invite=False,
                ),
            )
            for names in pairs
        ],
    )
    assert set(told) == {""}
    with calling(write=False) as call:
        numbers = [paper.number[-5:] for paper in call.session.scalars(select(Paper).order_by(Paper.number))]
        assert numbers == [f"{number:05d}" for number in range(1, len(numbers) + 1)]
        holds(call)


def test_two_clerks_with_one_box_share_no_line(engine: Engine, calling: Calling, counter: Counter, out: Any) -> None:
    out("one", "two", "three")
    with calling(clerk(counter.here)) as call:
        run = box.start(call, counter.here).uid
    codes = ["TAG-one", "TAG-two", "TAG-three", "TAG-one"]
    told = at_once(engine, counter, [lambda call, code=code: box.scan(call, run, code) for code in codes])
    assert told == ["", "", "", ""]
    with calling(clerk(counter.here), write=False) as call:
        found = box.run(call, run)
        assert sorted(line.number for line in box.lines(call, found)) == [1, 2, 3, 4]
        assert box.counts(call, found) == box.Counts(3, 1, 0)
