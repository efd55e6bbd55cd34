"""Walking round along the kiosks: times kept, repairs opened once, and what nobody reported said as that."""

from datetime import timedelta

import pytest

from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ConflictError, InvalidError, NotFoundError
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.desk.kiosks import queries, service
from mdm.desk.repairs import queries as repairs
from mdm.inventory import queries as inventory
from mdm.inventory import service as devices
from mdm.inventory.model import FactSection, LifeCycle
from mdm.org import service as org
from mdm.overview.kiosks import KIOSKS
from mdm.overview.listing import page, read_query
from mdm.storage.call import Call
from tests.conftest import NOW, Calling


def hall(call: Call, code: str, kiosks: int) -> tuple[int, list[str]]:
    """A city office with kiosks in its hall."""
    point = org.create_service_point(call, code=code, name=f"Office {code}")
    made = [
        devices.create(
            call,
            {
                "platform": "linux",
                "kind": "kiosk",
                "name": f"Kiosk {code} {number}",
                "service_point_id": point.id,
            },
        ).uid
        for number in range(kiosks)
    ]
    return point.id, made


def clerk(point: int, role: Role = Role.DESK_CLERK) -> Actor:
    return Actor(ActorKind.OPERATOR, 2, "Clerk", (Grant(role, PlaceKind.SERVICE_POINT, point),), "req-2")


def test_a_round_keeps_times_opens_one_repair_and_is_finished_once(calling: Calling) -> None:
    with calling() as call:
        point, (first, second) = hall(call, "A", 2)
        walk = service.start(call, [point])
    with calling(now=NOW + timedelta(minutes=5)) as call:
        service.tick(call, walk.uid, first, seen="good", paper="full")
        broken = service.tick(call, walk.uid, second, seen="wrong", paper="empty", faults=["screen"], note="cracked")
        repair = repairs.open_for(call, inventory.device_by_uid(call, second))
        assert repair is not None
        assert broken.repair_id == repair.id
        assert inventory.device_by_uid(call, second).state == LifeCycle.IN_REPAIR
    with calling(now=NOW + timedelta(minutes=9)) as call:
        # The same tick again, as a line that drops sends it, changes nothing, not even the time.
        again = service.tick(call, walk.uid, second, seen="wrong", paper="empty", faults=["screen"], note="cracked")
        assert (again.seen_at, again.repair_id) == (NOW + timedelta(minutes=5), repair.id)
        joined = service.tick(call, walk.uid, second, seen="wrong", faults=["sound"], note="and silent")
        assert joined.repair_id == repair.id
        (line,) = queries.rounds(call)
        assert (line.stops, line.seen, line.wrong) == (2, 2, 1)
        finished = service.finish(call, walk.uid).finished_at
    with calling(now=NOW + timedelta(hours=1)) as call:
        assert service.finish(call, walk.uid).finished_at == finished
        with pytest.raises(ConflictError) as refusal:
            service.tick(call, walk.uid, first, seen="absent")
        assert refusal.value.code == "round_finished"


def test_a_tick_that_says_nothing_or_names_no_fault_changes_nothing(sqlite_calling: Calling) -> None:
    with sqlite_calling() as call:
        point, (kiosk,) = hall(call, "A", 1)
        walk = service.start(call, [point])
    for wrong in ({"seen": ""}, {"seen": "fine"}, {"seen": "good", "paper": "much"}, {"seen": "wrong"}):
        with pytest.raises(InvalidError), sqlite_calling() as call:
            service.tick(call, walk.uid, kiosk, **wrong)  # type: ignore[arg-type]
    with sqlite_calling() as call:
        assert queries.rounds(call)[0].seen == 0
        with pytest.raises(ConflictError) as refusal:
            service.start(call, [point + 1])
        assert refusal.value.code == "kiosks_none"


def test_a_clerk_walks_their_own_place_and_sees_no_other(sqlite_calling: Calling) -> None:
    with sqlite_calling() as call:
        here, (mine,) = hall(call, "A", 1)
        there, (theirs,) = hall(call, "B", 1)
        both = service.start(call, [here, there])
        elsewhere = service.start(call, [there])
        one = call.by(clerk(here))
        assert [stop.device.uid for stop in queries.stops(one, both)] == [mine]
        assert [line.row.uid for line in queries.rounds(one)] == [both.uid]
        assert [point.id for point, _ in queries.places_with_kiosks(one)] == [here]
        for attempt in (
            lambda: service.tick(one, both.uid, theirs, seen="good"),
            lambda: service.tick(one, elsewhere.uid, theirs, seen="good"),
            lambda: service.finish(one, elsewhere.uid),
        ):
            with pytest.raises(NotFoundError):
                attempt()
        assert service.tick(one, both.uid, mine, seen="good").seen == "good"
        with pytest.raises(ConflictError):
            service.start(one, [there])


def test_the_list_says_what_was_reported_what_was_seen_and_what_nobody_said(calling: Calling) -> None:
    with calling() as call:
        point, (said, silent) = hall(call, "A", 2)
        device = inventory.device_by_uid(call, said)
        for section, content in (
            ("desired", {"digest": "d", "resources": {"kiosk.session": {"state": "failed", "detail": ""}}}),
            ("patch", {"last_update": "2026-11-20T04:11:41Z"}),
        ):
            call.session.add(
                FactSection(device_id=device.id, section=section, digest="d", content=content, changed_at=NOW)
            )
        walk = service.start(call, [point])
        service.tick(call, walk.uid, said, seen="good", paper="low")
        columns = {"columns": ["device,session,paper,walked,updates,browser"], "sort": ["device"]}
        rows = page(call, KIOSKS, read_query(KIOSKS, columns)).rows
        assert [(row["session"], row["paper"], row["walked"], row["updates"]) for row in rows] == [
            ("failed", "low", NOW, "2026-11-20T04:11:41Z"),
            (None, None, None, None),
        ]
        low = page(call, KIOSKS, read_query(KIOSKS, {"paper": ["low"]})).rows
        assert [row["_uid"] for row in low] == [said]
        assert silent != said
