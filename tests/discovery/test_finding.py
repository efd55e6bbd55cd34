"""What becomes of what was heard: matched with the inventory, listed per service point, forgotten after seven days."""

import io
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.desk.loans.model import LoanPlace, LoanState, Reservation
from mdm.discovery import flex, listening, queries, service, starting
from mdm.discovery.model import KEPT, DiscoveryRun, NetworkDevice, RunState, Source
from mdm.discovery.reading import Heard, Result
from mdm.inventory.model import Device, FactSection, LifeCycle, Ownership
from mdm.org.model import ServicePoint
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.worker import captures
from tests.conftest import NOW, Calling

STRANGE, OURS, PRIVATE = "00:1b:a9:00:00:01", "00:21:70:00:00:02", "da:a1:19:00:00:05"


def heard(mac: str, **more: object) -> Heard:
    return Heard.model_validate(
        {"mac": mac, "first": NOW.timestamp() - 60, "last": NOW.timestamp(), "packets": 3, **more}
    )


def result(*found: Heard) -> Result:
    return Result(heard=list(found), packets=100, ended=True)


def device(name: str, place: ServicePoint | None, **more: object) -> Device:
    given = {"platform": "linux", "kind": "laptop", "state": LifeCycle.HANDED_OUT.value, "enrolled_at": NOW} | more
    return Device(uid=f"uid-{name}", name=name, service_point_id=place.id if place else None, created_at=NOW, **given)


def has_card(call: Call, one: Device, mac: str) -> None:
    content = {"interfaces": [{"name": "eth0", "kind": "ethernet", "mac": mac.upper(), "addresses": []}]}
    call.session.add(FactSection(device_id=one.id, section="network", digest="-", content=content, changed_at=NOW))
    call.session.flush()


@pytest.fixture
def places(calling: Calling) -> tuple[int, int]:
    """Two service points."""
    with calling() as call:
        made = [ServicePoint(code=code, name=code.title(), created_at=NOW) for code in ("WERKHAVEN", "ZUID")]
        call.session.add_all(made)
        call.session.flush()
        return (made[0].id, made[1].id)


def look(call: Call, place: int, *found: Heard) -> DiscoveryRun:
    run = service.begin(call, place, Source.CAPTURE, "office.pcap")
    service.take(call, run.uid, result(*found))
    return run


def test_every_device_is_in_the_right_list(calling: Calling, places: tuple[int, int]) -> None:
    with calling() as call:
        here, south = (call.session.get_one(ServicePoint, one) for one in places)
        by_card, by_serial, by_name = (
            device("kast-1", here),
            device("kast-2", here, serial="SN-2000"),
            device("balie-3", here),
        )
        absent, broken = device("kast-4", here), device("kast-5", here, state=LifeCycle.IN_REPAIR.value)
        guest = device("zuid-1", south, serial="SN-3000")
        call.session.add_all([by_card, by_serial, by_name, absent, broken, guest])
        call.session.flush()
        has_card(call, by_card, OURS)

        run = look(
            call,
            places[0],
            heard(STRANGE, names=["BRW001.local"], services=["_ipp._tcp"]),
            heard(OURS),
            heard("00:21:70:00:00:03", serial="sn-2000"),
            heard("00:21:70:00:00:04", names=["Balie-3.local"]),
            heard("00:21:70:00:00:06", serial="SN-3000"),
            heard(PRIVATE, names=["Pixel-8"]),
        )

        assert (run.devices, run.managed, run.random) == (5, 4, 1)
        strange = queries.unmanaged(call, places[0])
        assert [(line.row.mac, line.row.kind, line.row.name) for line in strange] == [(STRANGE, "printer", "BRW001")]
        assert [line.row.matched_by for line in queries.here(call, places[0])] == ["mac", "serial", "name"]
        assert [one.name for one in queries.not_seen(call, places[0])] == ["kast-4"]
        assert [line.device.name for line in queries.elsewhere(call, places[0]) if line.device] == ["zuid-1"]
        assert [line.point.code for line in queries.elsewhere(call, places[1])] == ["WERKHAVEN"]
        assert queries.not_seen(call, places[1]) == []
        assert queries.counts(call, places[1]).looked_at is None


def test_a_made_up_address_counts_only_where_it_is_ours(calling: Calling, places: tuple[int, int]) -> None:
    with calling() as call:
        ours = device("toestel-9", call.session.get_one(ServicePoint, places[0]))
        call.session.add(ours)
        call.session.flush()
        has_card(call, ours, PRIVATE)

        run = look(call, places[0], heard(PRIVATE), heard("ea:00:00:00:00:01"), heard("fa:00:00:00:00:02"))

        assert (run.devices, run.random) == (1, 2)
        assert call.session.scalars(select(NetworkDevice.mac)).all() == [PRIVATE]


def test_a_device_on_the_wire_and_on_the_air_is_one(calling: Calling, places: tuple[int, int]) -> None:
    with calling() as call:
        ours = device("toestel-9", call.session.get_one(ServicePoint, places[0]), serial="SN-9000")
        call.session.add(ours)
        call.session.flush()
        has_card(call, ours, OURS)

        run = look(call, places[0], heard(OURS), heard(PRIVATE, serial="SN-9000"), heard(STRANGE, shared=["10.1.0.1"]))

        assert (run.devices, run.managed, run.random) == (2, 1, 0)
        found = queries.by_device(queries.here(call, places[0]))
        assert [sorted([line.row.mac, *(row.mac for row in line.others)]) for line in found] == [[OURS, PRIVATE]]
        assert (queries.counts(call, places[0]).here, queries.counts(call, places[0]).unmanaged) == (1, 1)
        assert queries.unmanaged(call, places[0])[0].row.said["shared"] == ["10.1.0.1"]


def test_a_sign_that_two_devices_share_points_at_none(calling: Calling, places: tuple[int, int]) -> None:
    with calling() as call:
        here = call.session.get_one(ServicePoint, places[0])
        for name in ("een", "twee"):
            one = device(name, here)
            call.session.add(one)
            call.session.flush()
            has_card(call, one, OURS)

        run = look(call, places[0], heard(OURS), heard(STRANGE, names=["kiosk", "localhost"]))

        assert (run.devices, run.managed) == (2, 0)


def test_the_same_capture_twice_is_like_once(calling: Calling, places: tuple[int, int]) -> None:
    with calling() as call:
        first = look(call, places[0], heard(STRANGE, names=["a-printer"]))
        again = look(call, places[0], heard(STRANGE))
        service.take(call, first.uid, result(heard("00:1b:a9:00:00:09")))

        rows = call.session.scalars(select(NetworkDevice)).all()
        assert [(row.mac, row.name, row.run_id) for row in rows] == [(STRANGE, "a-printer", again.id)]


def test_addresses_are_kept_for_seven_days_and_not_one_longer(calling: Calling, places: tuple[int, int]) -> None:
    with calling() as call:
        look(call, places[0], heard(STRANGE))
    with calling(now=NOW + timedelta(days=1)) as call:
        look(call, places[0], heard("00:1b:a9:00:00:02"))
    with calling(now=NOW + KEPT) as call:
        assert service.forget(call.session, call.now - KEPT) == 0
    with calling(now=NOW + KEPT + timedelta(seconds=1)) as call:
        assert service.forget(call.session, call.now - KEPT) == 1
        assert call.session.scalars(select(NetworkDevice.mac)).all() == ["00:1b:a9:00:00:02"]
        assert call.session.scalar(select(func.count()).select_from(DiscoveryRun)) == 2


def test_a_clock_that_is_wrong_does_not_make_anything_last_longer(calling: Calling, places: tuple[int, int]) -> None:
    with calling() as call:
        look(call, places[0], heard(STRANGE, first=0.0, last=9e10))

        row = call.session.scalars(select(NetworkDevice)).one()
        assert (row.first_seen_at, row.last_seen_at, row.noted_at) == (NOW, NOW, NOW)


def _clerk(place: int) -> Actor:
    grant = Grant(Role.DESK_CLERK, PlaceKind.SERVICE_POINT, service_point_id=place)
    return Actor(ActorKind.OPERATOR, 2, "Clerk", (grant,))


def test_a_clerk_sees_only_their_own_place_and_starts_nothing(calling: Calling, places: tuple[int, int]) -> None:
    with calling() as call:
        guest = device("zuid-1", call.session.get_one(ServicePoint, places[1]), serial="SN-3000")
        call.session.add(guest)
        look(call, places[0], heard(STRANGE), heard("00:21:70:00:00:06", serial="SN-3000"))
        look(call, places[1], heard("00:1b:a9:00:00:07"))
    with calling(_clerk(places[0])) as call:
        assert [one.id for one in queries.points(call)] == [places[0]]
        assert len(queries.unmanaged(call, places[0])) == 1
        assert queries.unmanaged(call, places[1]) == []
        assert queries.runs(call, places[1]) == []
        # A device of a place that is not theirs is told without its name.
        assert [(line.device, line.home and line.home.code) for line in queries.elsewhere(call, places[0])] == [
            (None, "ZUID")
        ]
        with pytest.raises(NotFoundError):
            queries.point(call, "ZUID")
        with pytest.raises(NotFoundError):
            service.point(call, "WERKHAVEN")
        with pytest.raises(DeniedError):
            service.begin(call, places[0], Source.CAPTURE, "x")


def test_a_capture_that_is_brought_waits_on_disk_and_is_gone_once_read(
    calling: Calling, places: tuple[int, int], tmp_path: Path
) -> None:
    with calling() as call:
        with pytest.raises(InvalidError):
            service.bring(call, tmp_path, places[0], "empty", io.BytesIO())
        run = service.bring(call, tmp_path, places[0], "../../x\x1b.pcap", io.BytesIO(b"GIF89a"))
        path = service.kept(tmp_path, run.uid)
        assert path.stat().st_mode & 0o777 == 0o600
        assert run.name == "../../x.pcap"
    office = _Office(calling, tmp_path)

    captures.read(office)  # type: ignore[arg-type]
    captures.read(office)  # type: ignore[arg-type]

    assert not path.exists()
    with calling() as call:
        row = queries.run(call, run.uid)
        assert (row.state, row.problem, row.devices) == (RunState.FAILED.value, "not_a_capture", 0)


def test_so_many_captures_wait_and_no_more(calling: Calling, places: tuple[int, int]) -> None:
    with calling() as call:
        for _ in range(service.WAITING):
            service.begin(call, places[0], Source.CAPTURE, "x")
        with pytest.raises(ConflictError):
            service.begin(call, places[0], Source.CAPTURE, "x")


class _Office:
    """As much of the worker's office as reading captures needs."""

    def __init__(self, calling: Calling, home: Path) -> None:
        self.calling = calling
        self.settings = type("Settings", (), {"home": home})()

    def call(self, _name: str, *, write: bool = True) -> object:
        return self.calling(write=write)


def test_a_place_that_lends_says_what_is_missing_for_whom(calling: Calling, places: tuple[int, int]) -> None:
    with calling() as call:
        here = call.session.get_one(ServicePoint, places[0])
        pool = [device(f"leen-{n}", here, ownership=Ownership.LOAN_POOL.value, serial=f"LEEN-{n}") for n in range(3)]
        pool[0].state = pool[1].state = LifeCycle.IN_STOCK.value
        pool[2].state = LifeCycle.ON_LOAN.value
        person = Person(name="An", language="nl", created_at=NOW)
        call.session.add_all([*pool, person])
        call.session.flush()
        call.session.add(
            LoanPlace(service_point_id=here.id, flex=True, at_most=2, zone="Europe/Brussels", created_at=NOW)
        )
        call.session.flush()
        call.session.add_all(
            Reservation(
                uid=f"r-{n}", service_point_id=here.id, kind="laptop", person_id=person.id, state=state.value,
                begins_at=NOW + timedelta(hours=begins), ends_at=NOW + timedelta(hours=begins + 8), created_at=NOW,
                prepare_by=NOW, device_id=which,
            )
            for n, (state, begins, which) in enumerate(
                [(LoanState.COLLECTED, -2, pool[2].id), (LoanState.RESERVED, 2, None), (LoanState.PREPARED, 3, None),
                 (LoanState.RESERVED, 48, None)]
            )
        )  # fmt: skip
        call.session.flush()
        before = flex.flex(call, places[0])
        look(call, places[0], heard(OURS, serial="LEEN-0"))

        found = flex.flex(call, places[0])

        assert before is not None
        assert not before.looked
        assert before.kinds == []
        assert found is not None
        line = found.kinds[0]
        assert (line.pool, line.there, line.lent, line.missing, line.reserved, line.short) == (3, 1, 1, 1, 2, 1)
        assert [one.missing for one in found.devices] == [False, True, False]
        assert flex.flex(call, places[1]) is None
    # Two days later somebody looks, and it is not there; its address is still remembered.
    with calling(now=NOW + timedelta(days=2)) as call:
        look(call, places[0])
        found = flex.flex(call, places[0])
        assert found is not None
        assert (found.kinds[0].there, found.kinds[0].missing) == (0, 2)
        assert found.devices[0].seen is not None


def test_who_comes_after_a_device_comes_back_has_one() -> None:
    def at(hour: float) -> datetime:
        return NOW + timedelta(hours=hour)

    assert flex.shortage(0, [], []) == 0
    assert flex.shortage(0, [], [(at(1), at(2))]) == 1
    # Lent until five, reserved from six; and one after the other.
    assert flex.shortage(0, [at(5)], [(at(6), at(8))]) == 0
    assert flex.shortage(0, [at(5)], [(at(4), at(8))]) == 1
    assert flex.shortage(1, [], [(at(1), at(2)), (at(2), at(3)), (at(3), at(4))]) == 0
    assert flex.shortage(1, [at(2)], [(at(1), at(5)), (at(2), at(5)), (at(3), at(5))]) == 1


def test_the_demonstration_shows_every_list(calling: Calling, places: tuple[int, int]) -> None:
    with calling() as call:
        for number, place in enumerate(places):
            for one in range(2):
                home = call.session.get_one(ServicePoint, place)
                call.session.add(device(f"d-{number}-{one}", home, serial=f"SERIAL-{number}-{one}"))
        call.session.flush()

        starting.load(call)

        counts = queries.counts(call, places[0])
        assert (counts.unmanaged, counts.here, counts.elsewhere, counts.random) == (5, 2, 1, 3)


def test_a_crowd_is_counted_whole_and_a_device_of_no_place_is_a_guest(
    calling: Calling, places: tuple[int, int]
) -> None:
    with calling() as call:
        call.session.add(device("los", None, serial="SERIAL-LOOSE"))
        crowd = [heard(f"00:1b:a9:00:{n // 256:02x}:{n % 256:02x}") for n in range(1200)]
        look(call, places[0], *crowd, heard("00:21:70:00:00:02", serial="serial-loose"))

        assert queries.counts(call, places[0]).unmanaged == 1200
        assert len(queries.unmanaged(call, places[0])) == queries.MOST
        assert len(queries.unmanaged(call, places[0], queries.ALL)) == 1200
        assert queries.counts(call, places[0]).elsewhere == 1


HEARS = {"WERKHAVEN": ("eth0.12",), "ZUID": ("eth0.13",)}


def test_a_place_is_listened_to_on_its_own_interface_and_by_one_at_a_time(
    calling: Calling, places: tuple[int, int]
) -> None:
    with calling() as call:
        place = call.session.get_one(ServicePoint, places[0])

        def begin(
            interface: str = "eth0.12", minutes: int = 5, *, asks: bool = False, allowed: tuple[str, ...] = ()
        ) -> str:
            return listening.begin(
                call, place, interface, minutes, asks=asks, interfaces=HEARS, allowed=allowed
            ).uid  # fmt: skip

        # Another place's interface, one that nobody named, a time of one's own, asking where nobody may be asked.
        for wrong in (
            lambda: begin("eth0.13"),
            lambda: begin("eth9"),
            lambda: begin(minutes=7),
            lambda: begin(asks=True),
        ):
            with pytest.raises(InvalidError):
                wrong()
        assert queries.runs(call, places[0]) == []

        uid = begin(asks=True, allowed=("10.1.0.0/24",))
        with pytest.raises(ConflictError):
            begin()
        run = queries.run(call, uid)
        assert (run.listens, run.asks, run.ends_at) == (True, True, NOW + timedelta(minutes=5))
    with calling(_clerk(places[0])) as call:
        with pytest.raises(DeniedError):
            listening.stop(call, uid)
        with pytest.raises(DeniedError):
            listening.begin(
                call, place, "eth0.12", 5, asks=False, interfaces={"WERKHAVEN": ("eth0.12",)}, allowed=()
            )  # fmt: skip
    with calling() as call:
        # It had not begun: nothing was heard, and nothing waits for the worker any more.
        stopped = listening.stop(call, uid)
        assert (stopped.state, stopped.problem) == (RunState.FAILED.value, "stopped")
        assert listening.stop(call, uid).state == RunState.FAILED.value
        begin_again = listening.begin(call, place, "eth0.12", 1, asks=False, interfaces=HEARS, allowed=())
        assert begin_again.listens


def test_what_nobody_listens_to_any_more_has_failed(calling: Calling, places: tuple[int, int], tmp_path: Path) -> None:
    from mdm.worker.listening import Listening

    with calling() as call:
        place = call.session.get_one(ServicePoint, places[0])
        run = listening.begin(call, place, "eth0.12", 1, asks=False, interfaces=HEARS, allowed=())

    at_work = Listening(lambda: False, lambda: None)  # type: ignore[arg-type,return-value]
    at_work.look(_Office(lambda **more: calling(now=NOW + timedelta(minutes=4), **more), tmp_path))  # type: ignore[arg-type]

    assert at_work.at_work == {}
    with calling() as call:
        assert (queries.run(call, run.uid).state, queries.run(call, run.uid).problem) == ("failed", "interrupted")
