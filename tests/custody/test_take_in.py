"""Taking in and swapping: what is missing is known, what is locked is said, the policies follow, and it is done once."""

from typing import Any

import pytest
from sqlalchemy import func, select

from mdm.core.errors import ConflictError, InvalidError
from mdm.desk.custody import queries
from mdm.desk.custody.asked import KitBack, Seen, Swap
from mdm.desk.custody.kit import KitGiven
from mdm.desk.custody.model import Condition, Custody, Paper
from mdm.desk.custody.service import swap
from mdm.desk.repairs.model import Repair
from mdm.inventory import groups
from mdm.inventory.model import Device, DeviceGroupMember, FactSection, LifeCycle
from mdm.orders.model import Order
from tests.conftest import NOW, Calling
from tests.custody.conftest import SIGNED, Counter, clerk
from tests.custody.test_hand_out import SIM


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def device(call: Any, counter: Counter, name: str) -> Device:
    return call.session.scalars(select(Device).where(Device.uid == counter.device[name])).one()


def test_a_device_comes_back_and_what_is_missing_stays_in_the_persons_name(
    calling: Calling, counter: Counter, out: Any, back: Any
) -> None:
    out("one", kit=(KitGiven(code=SIM), KitGiven("charger"), KitGiven("case")))
    with calling(write=False) as call:
        lines = {line.kind.code: line.row.id for line in queries.held_by(call, counter.person["sarah"])[0].kit}
    seen = Seen(Condition.DAMAGED, "barst linksboven")
    done = back("one", seen=seen, kit=(KitBack(lines["charger"], 1),), signed=SIGNED)

    assert done.paper.number == "WERKHAVEN-2026-00002"
    assert [line["name"] for line in done.paper.content["kit_back"] if line["missing"]] == ["Carte SIM", "Étui"]
    with calling(write=False) as call:
        row = device(call, counter, "one")
        assert (row.state, row.person_id) == (LifeCycle.RETURNED, None)
        left = queries.outstanding(call, counter.person["sarah"])
        assert (left.devices, [line.kind.code for line in left.missing], len(left.pieces)) == ((), ["sim", "case"], 1)
        kept = call.session.scalars(select(Custody)).one()
        assert (kept.condition, kept.condition_note, kept.light) == ("damaged", "barst linksboven", "amber")


def test_taking_in_what_is_back_says_who_did_it_and_changes_nothing(
    calling: Calling, counter: Counter, out: Any, back: Any
) -> None:
    out("one")
    first = back("one", key="t1")
    assert back("one", key="t1").paper.id == first.paper.id
    with pytest.raises(ConflictError) as refused:
        back("one", key="t2")
    assert refused.value.code == "not_out"
    assert "Marijke Balie" in str(refused.value)
    with calling(write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(Paper)) == 2


def test_a_device_that_changed_hands_meanwhile_is_not_taken_in(
    out: Any, back: Any, calling: Calling, counter: Counter
) -> None:
    seen = out("one").custodies[0].uid
    with calling() as call:
        row = device(call, counter, "one")
        row.person_id = counter.person["mo"]
    with pytest.raises(ConflictError) as refused:
        back("one", custody=seen)
    assert refused.value.code == "custody_changed"
    with calling(write=False) as call:
        assert device(call, counter, "one").person_id == counter.person["mo"]


def test_more_kit_than_went_out_takes_nothing_in(out: Any, back: Any, calling: Calling, counter: Counter) -> None:
    out("one", kit=(KitGiven("charger"),))
    for wrong in (KitBack(1, 2), KitBack(99, 1), KitBack(1, -1)):
        with pytest.raises(InvalidError):
            back("one", kit=(wrong,))
    with calling(write=False) as call:
        assert device(call, counter, "one").state == LifeCycle.HANDED_OUT


def test_the_code_of_the_device_asks_for_its_wipe_in_the_hand_in_lane(
    out: Any, back: Any, calling: Calling, counter: Counter
) -> None:
    out("one")
    with calling() as call:
        row = device(call, counter, "one")
        row.platform, row.enrolled_at, row.key_digest = "linux", NOW, "k" * 64
    done = back("one", presence="1234 5678")
    assert (done.order.lane, done.order.presence, done.order.holder_id) == (
        "hand_in",
        "12345678",
        counter.person["sarah"],
    )


def test_a_wrong_code_takes_nothing_in(out: Any, back: Any, calling: Calling, counter: Counter) -> None:
    out("one")
    with calling() as call:
        row = device(call, counter, "one")
        row.platform, row.enrolled_at, row.key_digest = "linux", NOW, "k" * 64
    with pytest.raises(InvalidError):
        back("one", presence="12")
    with calling(write=False) as call:
        assert device(call, counter, "one").state == LifeCycle.HANDED_OUT
        assert call.session.scalars(select(Order)).all() == []


def test_an_activation_lock_is_red_while_the_person_is_still_here(
    out: Any, back: Any, calling: Calling, counter: Counter
) -> None:
    out("one")
    with calling() as call:
        row = device(call, counter, "one")
        row.enrolled_at = row.last_report_at = NOW
        content = {"activation_lock": True, "find_my": True}
        call.session.add(FactSection(device_id=row.id, section="system", digest="x", content=content, changed_at=NOW))
    done = back("one")
    assert (done.custody.light, done.custody.locks) == ("red", ["activation_lock", "find_my"])


def test_what_is_broken_goes_to_repair(out: Any, back: Any, calling: Calling, counter: Counter) -> None:
    out("one")
    back("one", seen=Seen(Condition.BROKEN, "scherm"), faults=("screen",))
    with calling(write=False) as call:
        assert device(call, counter, "one").state == LifeCycle.IN_REPAIR
        assert call.session.scalars(select(Repair)).one().note == "scherm"


def test_a_loaner_that_the_person_holds_already_is_swapped_in_once(
    calling: Calling, counter: Counter, out: Any
) -> None:
    out("one")
    out("two")
    wanted = Swap(counter.device["one"], counter.device["two"], counter.here, signed=SIGNED, invite=False, key="held")
    with calling(clerk(counter.here)) as call:
        first = swap(call, wanted)
    with calling(clerk(counter.here)) as call:
        again = swap(call, wanted)
        assert again.again
        assert (again.paper.id, again.back.id, again.out.id) == (first.paper.id, first.back.id, first.out.id)


def test_a_swap_is_one_paper_and_the_policies_follow_there_and_back(
    out: Any, back: Any, calling: Calling, counter: Counter
) -> None:
    out("one")
    with calling() as call:
        group = groups.create(call, "Pilot").id
        groups.add(call, group, [counter.device["one"]])
        device(call, counter, "one").ring = "pilot"
    wanted = Swap(
        counter.device["one"],
        counter.device["two"],
        counter.here,
        faults=("screen",),
        signed=SIGNED,
        invite=False,
        key="s1",
    )
    with calling(clerk(counter.here)) as call:
        done = swap(call, wanted)
        assert (done.out.instead_of_id, done.out.loan, done.paper.kind) == (done.back.id, True, "swap")
    with calling(clerk(counter.here)) as call:
        assert swap(call, wanted).again
    with calling(write=False) as call:
        broken, loaner = device(call, counter, "one"), device(call, counter, "two")
        assert (broken.state, broken.person_id) == (LifeCycle.IN_REPAIR, None)
        assert (loaner.state, loaner.person_id, loaner.ring) == (LifeCycle.ON_LOAN, counter.person["sarah"], "pilot")
        assert (loaner.persona, loaner.unit_id is not None) == ("unit", True)
        assert call.session.scalars(select(Repair)).one().loaner_id == loaner.id
        members = select(DeviceGroupMember.device_id).where(DeviceGroupMember.group_id == group)
        assert set(call.session.scalars(members)) == {broken.id, loaner.id}
    back("two")
    with calling(write=False) as call:
        assert device(call, counter, "two").ring == ""
        members = select(DeviceGroupMember.device_id).where(DeviceGroupMember.group_id == group)
        assert set(call.session.scalars(members)) == {device(call, counter, "one").id}


def test_a_swap_that_fails_in_its_second_half_changes_nothing(out: Any, calling: Calling, counter: Counter) -> None:
    out("one")
    out("two", to="mo")
    for loaner in ("two", "one"):
        wanted = Swap(counter.device["one"], counter.device[loaner], counter.here, signed=SIGNED)
        with pytest.raises((ConflictError, InvalidError)), calling(clerk(counter.here)) as call:
            swap(call, wanted)
    with calling(write=False) as call:
        assert device(call, counter, "one").state == LifeCycle.HANDED_OUT
        assert call.session.scalar(select(func.count()).select_from(Paper)) == 2
