"""Commands: sent to one or many, given until answered, taken back in time, and never done on another's behalf."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select, update

from agent.wire import Result
from mdm.audit import queries as diary
from mdm.audit.model import AuditEntry
from mdm.commands import delivery, queries, service, states
from mdm.commands.model import Command, State, Verb
from mdm.commands.verbs import MAX_LIFETIME, RULES
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.outbox.model import Bell
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.conftest import FLEET_ADMIN, NOW, Calling


@pytest.fixture
def places(calling: Calling) -> dict[str, int]:
    """Two service points."""
    with calling() as call:
        rows = {
            "werkhaven": ServicePoint(code="WERKHAVEN", name="Werkhaven", created_at=NOW),
            "nova": ServicePoint(code="NOVA", name="NOVA", created_at=NOW),
        }
        call.session.add_all(rows.values())
        call.session.flush()
        return {name: row.id for name, row in rows.items()}


def _device(call: Call, place: int | None, name: str = "Kiosk") -> Device:
    device = Device(
        uid=new_uid(),
        name=name,
        platform="linux",
        kind="kiosk",
        service_point_id=place,
        enrolled_at=NOW,
        created_at=NOW,
    )
    call.session.add(device)
    call.session.flush()
    return device


@pytest.fixture
def device(calling: Calling, places: dict[str, int]) -> Device:
    """An enrolled kiosk at Werkhaven."""
    with calling() as call:
        return _device(call, places["werkhaven"])


@pytest.fixture
def devices(calling: Calling, places: dict[str, int]) -> list[Device]:
    """Two kiosks at Werkhaven and one at NOVA."""
    with calling() as call:
        return [_device(call, places[place], f"Kiosk {place}") for place in ("werkhaven", "werkhaven", "nova")]


def _local(role: Role, place: int) -> Actor:
    grant = Grant(role, PlaceKind.SERVICE_POINT, service_point_id=place)
    return Actor(ActorKind.OPERATOR, 5, "Marijke Balie", (grant,))


def _speaking(device: Device) -> Actor:
    return Actor(ActorKind.DEVICE, device.id, device.label)


def _send(calling: Calling, devices: list[Device], verb: Verb = Verb.REFRESH, **more: object) -> tuple[str, ...]:
    with calling() as call:
        return service.send(call, [one.uid for one in devices], verb, **more).commands  # type: ignore[arg-type]


def _answer(calling: Calling, device: Device, *results: Result) -> delivery.Taken:
    with calling(_speaking(device)) as call:
        return delivery.take_results(call, device.id, results)


def _state(calling: Calling, command_id: str) -> str:
    with calling(write=False) as call:
        return call.session.get_one(Command, command_id).state


def _waiting(calling: Calling, device: Device) -> int:
    with calling(write=False) as call:
        return call.session.get_one(Device, device.id).waiting


def test_a_command_is_fetched_and_answered(calling: Calling, device: Device) -> None:
    (command_id,) = _send(calling, [device], Verb.MESSAGE, args={"text": "Bring it back\x00, please."})
    assert _waiting(calling, device) == 1

    with calling(_speaking(device)) as call:
        (given,) = delivery.next_for(call.session, device.id, NOW)
    assert given == {
        "id": command_id,
        "verb": "message",
        "args": {"text": "Bring it back, please."},
        "expires": "2026-11-30T09:00:00Z",
    }
    taken = _answer(calling, device, {"id": command_id, "state": "done", "detail": "shown"})

    assert taken.taken == 1
    assert _state(calling, command_id) == State.DONE
    assert _waiting(calling, device) == 0


def test_what_is_fetched_and_not_answered_is_given_again_oldest_first(calling: Calling, device: Device) -> None:
    first, second = _send(calling, [device]), _send(calling, [device], Verb.RESTART)
    with calling() as call:
        call.session.execute(
            update(Command).where(Command.id == first[0]).values(created_at=NOW - timedelta(minutes=1))
        )

    for _ in range(2):
        with calling() as call:
            given = [one["id"] for one in delivery.next_for(call.session, device.id, NOW)]
        assert given == [*first, *second]
    with calling() as call:
        assert [one["id"] for one in delivery.next_for(call.session, device.id, NOW, limit=1)] == [*first]


def test_a_busy_device_is_left_in_peace_and_asked_again(calling: Calling, device: Device) -> None:
    (command_id,) = _send(calling, [device])
    with calling() as call:
        delivery.next_for(call.session, device.id, NOW)
    _answer(calling, device, {"id": command_id, "state": "busy"})

    assert _state(calling, command_id) == State.QUEUED
    assert _waiting(calling, device) == 1
    with calling() as call:
        assert delivery.next_for(call.session, device.id, NOW) == []
        assert len(delivery.next_for(call.session, device.id, NOW + delivery.BUSY)) == 1


def test_answers_go_forward_only_and_unknown_ones_are_noted(calling: Calling, device: Device) -> None:
    queued, done = _send(calling, [device])[0], _send(calling, [device])[0]
    with calling() as call:
        delivery.next_for(call.session, device.id, NOW)
        call.session.get_one(Command, queued).state = State.QUEUED.value
    results: list[Result] = [
        {"id": queued, "state": "done"},
        {"id": done, "state": "done"},
        {"id": done, "state": "failed"},
        {"id": done, "state": "done"},
        {"id": "nonsense", "state": "done"},
        {"id": done, "state": "exploded"},
    ]

    taken = _answer(calling, device, *results)

    assert taken == delivery.Taken(1, (queued, done, done, "nonsense", done))
    assert _state(calling, done) == State.DONE
    assert _waiting(calling, device) == 1


def test_another_device_can_neither_fetch_nor_answer(calling: Calling, devices: list[Device]) -> None:
    mine, other, _ = devices
    (command_id,) = _send(calling, [mine])
    with calling() as call:
        assert delivery.next_for(call.session, other.id, NOW) == []
        delivery.next_for(call.session, mine.id, NOW)

    taken = _answer(calling, other, {"id": command_id, "state": "done"})

    assert taken == delivery.Taken(0, (command_id,))
    assert _state(calling, command_id) == State.FETCHED


def test_a_command_can_be_cancelled_until_it_is_fetched(calling: Calling, device: Device) -> None:
    early, late = _send(calling, [device])[0], _send(calling, [device])[0]
    for _ in range(2):
        with calling() as call:
            service.cancel(call, early)
    assert _waiting(calling, device) == 1

    with calling() as call:
        assert [one["id"] for one in delivery.next_for(call.session, device.id, NOW)] == [late]
    with pytest.raises(ConflictError) as refused, calling() as call:
        service.cancel(call, late)
    assert refused.value.code == "command_state"
    with calling(write=False) as call:
        assert call.session.scalars(select(AuditEntry.action)).all().count("command.cancelled") == 1


def test_time_ends_commands_and_one_that_was_fetched_has_a_day_to_answer(calling: Calling, device: Device) -> None:
    fetched = _send(calling, [device])[0]
    with calling() as call:
        delivery.next_for(call.session, device.id, NOW)
    waiting = _send(calling, [device])[0]
    later = NOW + timedelta(days=1)

    with calling(now=later) as call:
        assert delivery.next_for(call.session, device.id, later) == []
        assert delivery.expire_due(call) == 1
    assert (_state(calling, waiting), _state(calling, fetched)) == (State.EXPIRED, State.FETCHED)
    assert _waiting(calling, device) == 1
    with calling(now=later + delivery.ANSWER_GRACE) as call:
        assert delivery.expire_due(call) == 1
        assert delivery.expire_due(call) == 0
    assert _waiting(calling, device) == 0


def test_a_batch_is_one_line_per_place_and_its_states_are_counted(
    calling: Calling, devices: list[Device], places: dict[str, int]
) -> None:
    with calling() as call:
        sent = service.send(call, [one.uid for one in devices], Verb.LOCK, reason="stolen van")
    assert sent.batch is not None
    with calling() as call:
        delivery.next_for(call.session, devices[0].id, NOW)

    with calling(write=False) as call:
        summary = queries.batch(call, sent.batch)
        assert (summary.total, summary.verb, summary.reason) == (3, "lock", "stolen van")
        assert summary.counts == {State.FETCHED: 1, State.QUEUED: 2}
        lines = diary.timeline(call, ("batch", sent.batch))
        assert sorted(len(line.details["devices"]) for line in lines) == [1, 2]
        assert {line.action for line in lines} == {"command.lock"}
    with calling(_local(Role.DESK_CLERK, places["nova"]), write=False) as call:
        assert queries.batch(call, sent.batch).total == 1
    with calling(_local(Role.DESK_CLERK, places["nova"])) as call:
        assert service.cancel_batch(call, sent.batch) == 1
    with calling() as call:
        assert service.cancel_batch(call, sent.batch) == 1
        assert service.cancel_batch(call, sent.batch) == 0
    assert [_waiting(calling, one) for one in devices] == [1, 0, 0]


def test_one_foreign_device_in_a_list_and_nobody_gets_anything(
    calling: Calling, devices: list[Device], places: dict[str, int]
) -> None:
    clerk = _local(Role.DESK_CLERK, places["werkhaven"])
    uids = [one.uid for one in devices]

    for wanted in (uids, [*uids[:2], "0" * 32]):
        with pytest.raises(NotFoundError), calling(clerk) as call:
            service.send(call, wanted, Verb.REFRESH)
    with calling(write=False) as call:
        for table in (Command, Bell, AuditEntry):
            assert call.session.scalar(select(func.count()).select_from(table)) == 0

    with calling(clerk) as call:
        assert len(service.send(call, uids[:2], Verb.REFRESH).commands) == 2


def test_an_approver_may_lock_and_no_more_and_a_policy_editor_nothing(calling: Calling, device: Device) -> None:
    approver = Actor(ActorKind.OPERATOR, 8, "Ada", (Grant(Role.APPROVER),))
    editor = Actor(ActorKind.OPERATOR, 9, "Ed", (Grant(Role.POLICY_EDITOR),))

    with calling(approver) as call:
        service.send(call, [device.uid], Verb.LOCK)
    for actor, verb in ((approver, Verb.RESTART), (editor, Verb.LOCK), (editor, Verb.REFRESH)):
        with pytest.raises(DeniedError), calling(actor) as call:
            service.send(call, [device.uid], verb)


def test_another_place_sees_no_command(calling: Calling, device: Device, places: dict[str, int]) -> None:
    (command_id,) = _send(calling, [device])
    elsewhere = _local(Role.FLEET_ADMIN, places["nova"])

    with calling(elsewhere, write=False) as call:
        assert queries.commands(call) == []
        assert queries.count(call) == 0
        assert queries.for_device(call, device.uid) == []
        with pytest.raises(NotFoundError):
            queries.command(call, command_id)
    with pytest.raises(NotFoundError), calling(elsewhere) as call:
        service.cancel(call, command_id)
    assert _state(calling, command_id) == State.QUEUED


@pytest.mark.parametrize(
    ("verb", "args", "field"),
    [
        (Verb.MESSAGE, {}, "text"),
        (Verb.MESSAGE, {"text": "  "}, "text"),
        (Verb.MESSAGE, {"text": 5}, "text"),
        (Verb.MESSAGE, {"text": "x" * 501}, "text"),
        (Verb.LOCK, {"pin": "1234"}, "pin"),
        (Verb.MESSAGE, {"text": "hi", "html": "<b>"}, "html"),
    ],
)
def test_wrong_arguments_are_named(
    calling: Calling, device: Device, verb: Verb, args: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidError) as refused, calling() as call:
        service.send(call, [device.uid], verb, args)

    assert set(refused.value.fields) == {field}


@pytest.mark.parametrize("lifetime", [timedelta(seconds=59), MAX_LIFETIME + timedelta(seconds=1), -timedelta(days=1)])
def test_a_lifetime_has_limits(calling: Calling, device: Device, lifetime: timedelta) -> None:
    with pytest.raises(InvalidError) as refused, calling() as call:
        service.send(call, [device.uid], Verb.REFRESH, lifetime=lifetime)

    assert set(refused.value.fields) == {"lifetime"}


def test_no_device_at_all_and_a_device_that_is_not_enrolled_are_refused(calling: Calling, device: Device) -> None:
    with pytest.raises(InvalidError), calling() as call:
        service.send(call, [], Verb.REFRESH)
    with calling() as call:
        call.session.get_one(Device, device.id).enrolled_at = None
    with pytest.raises(ConflictError) as refused, calling() as call:
        service.send(call, [device.uid], Verb.REFRESH)
    assert refused.value.code == "device_not_enrolled"


def test_the_same_device_twice_in_a_list_gets_one_command(calling: Calling, device: Device) -> None:
    assert len(_send(calling, [device, device])) == 1
    assert _waiting(calling, device) == 1


def test_a_lock_rings_the_bell_and_so_does_a_refresh_of_one(calling: Calling, device: Device) -> None:
    _send(calling, [device], Verb.LOCK)
    _send(calling, [device], Verb.REFRESH)

    with calling(write=False) as call:
        assert call.session.scalars(select(Bell.device_id)).all() == [device.id, device.id]


def test_every_verb_has_its_rule_and_every_state_its_moves() -> None:
    assert set(RULES) == set(Verb)
    assert set(states.MOVES) == set(State)


def test_only_diagnostics_bring_data_and_not_too_much(calling: Calling, device: Device) -> None:
    one, two = _send(calling, [device], Verb.DIAGNOSTICS)[0], _send(calling, [device], Verb.REFRESH)[0]
    with calling() as call:
        delivery.next_for(call.session, device.id, NOW)
    data = {"journal": "x\x1b[31m\n" * 90_000, "more": "y" * 300_000}

    _answer(calling, device, {"id": one, "state": "done", "data": data}, {"id": two, "state": "done", "data": data})

    with calling(write=False) as call:
        kept = call.session.get_one(Command, one).data
        assert kept is not None
        assert sum(len(text) for text in kept.values()) <= 256 * 1024
        assert "\x1b" not in kept["journal"]
        assert call.session.get_one(Command, two).data is None


def test_of_cancelling_and_fetching_at_once_one_wins(calling: Calling, engine: Engine, device: Device) -> None:
    for _ in range(5):
        (command_id,) = _send(calling, [device])
        barrier, outcomes = threading.Barrier(2), {}

        def fetch(barrier: threading.Barrier = barrier, outcomes: dict[str, bool] = outcomes) -> None:
            barrier.wait()
            with transaction(engine) as session:
                outcomes["fetched"] = bool(delivery.next_for(session, device.id, NOW))

        def cancel(
            barrier: threading.Barrier = barrier, outcomes: dict[str, bool] = outcomes, wanted: str = command_id
        ) -> None:
            barrier.wait()
            try:
                with transaction(engine) as session:
                    service.cancel(Call(FLEET_ADMIN, session, NOW), wanted)
                outcomes["cancelled"] = True
            except ConflictError:
                outcomes["cancelled"] = False

        threads = [threading.Thread(target=fetch), threading.Thread(target=cancel)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert outcomes["fetched"] != outcomes["cancelled"]
        if outcomes["fetched"]:
            _answer(calling, device, {"id": command_id, "state": "done"})
        assert _waiting(calling, device) == 0
