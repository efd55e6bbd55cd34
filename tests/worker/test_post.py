"""Delivery of the outbox: nothing is lost, nothing inside happens twice, a failure waits and does not block others."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import func, select, text

from mdm.audit import service as audit
from mdm.audit.model import AuditEntry
from mdm.outbox import service as outbox
from mdm.outbox.model import OutboxMessage
from mdm.storage.call import Call
from mdm.worker.office import Office
from mdm.worker.post import (
    BY_MAIL,
    BY_SMS,
    COMMON,
    OUTWARD,
    Gathered,
    Handler,
    Inside,
    NotNowError,
    Outside,
    deliver,
    deliver_urgent,
    free_claims,
)
from tests.worker.conftest import HandClock


def put(office: Office, topic: str, **payload: object) -> int:
    with office.call("test") as call:
        message = outbox.post(call, topic, payload)
        call.session.flush()
        return message.id


def look(office: Office, number: int) -> OutboxMessage:
    with office.call("test", write=False) as call:
        return call.session.get_one(OutboxMessage, number)


def noted(office: Office) -> int:
    with office.call("test", write=False) as call:
        return call.session.scalar(select(func.count()).select_from(AuditEntry)) or 0


def note(call: Call, payload: Mapping[str, Any]) -> None:
    audit.record(call, "test.noted", ("test", payload.get("device", 0)))


def test_a_message_is_delivered_once_and_marked(office: Office) -> None:
    number = put(office, "note", device=1)
    assert deliver(office, {"note": Inside(note)}) == 1
    assert deliver(office, {"note": Inside(note)}) == 0
    assert look(office, number).done_at is not None
    assert noted(office) == 1


def test_messages_that_ask_for_the_same_are_done_together_once(office: Office) -> None:
    numbers = [put(office, "note", device=1), put(office, "note", device=2), put(office, "note", device=1)]
    assert deliver(office, {"note": Inside(note)}) == 3
    assert noted(office) == 2
    assert all(look(office, number).done_at for number in numbers)


def test_what_an_inside_handler_did_is_undone_when_it_fails_and_others_go_on(office: Office, clock: HandClock) -> None:
    def half(call: Call, payload: Mapping[str, Any]) -> None:
        note(call, payload)
        raise RuntimeError("half way")

    bad, good = put(office, "half", device=1), put(office, "note", device=2)
    deliver(office, {"half": Inside(half), "note": Inside(note)})
    assert noted(office) == 1
    assert look(office, good).done_at is not None
    message = look(office, bad)
    assert (message.done_at, message.attempts, message.claimed_until) == (None, 1, None)
    assert message.last_error == "RuntimeError: half way"
    assert message.due_at > clock.now


def test_after_the_last_attempt_a_message_is_dead_kept_and_not_tried_again(office: Office, clock: HandClock) -> None:
    def fail(call: Call, payload: Mapping[str, Any]) -> None:
        raise RuntimeError("never")

    number = put(office, "fail")
    for _ in range(outbox.MAX_ATTEMPTS):
        assert deliver(office, {"fail": Inside(fail)}) == 1
        clock.forward(hours=2)
    assert look(office, number).dead_at is not None
    assert deliver(office, {"fail": Inside(fail)}) == 0


def test_a_topic_that_nobody_handles_is_kept_with_the_reason(office: Office) -> None:
    number = put(office, "nobody")
    deliver(office, {})
    assert look(office, number).last_error == "LookupError: nobody handles the topic nobody"


def test_what_must_wait_waits_uncounted(office: Office, clock: HandClock) -> None:
    def later(_office: Office, _payload: Mapping[str, Any]) -> None:
        raise NotNowError("not configured", 3600)

    number = put(office, "later")
    for _ in range(20):
        assert deliver(office, {"later": Outside(later)}) == 1
        clock.forward(hours=1, seconds=1)
    message = look(office, number)
    assert (message.attempts, message.dead_at, message.last_error) == (0, None, "not configured")


def test_an_outside_handler_runs_outside_of_every_transaction(office: Office) -> None:
    seen: list[int] = []

    def speak(office: Office, payload: Mapping[str, Any]) -> None:
        with office.call("speak") as call:  # On SQLite this would wait for ever inside another write transaction.
            seen.append(call.session.scalar(text("SELECT 1")) or 0)

    put(office, "speak")
    deliver(office, {"speak": Outside(speak)})
    assert seen == [1]


def test_a_claim_of_a_worker_that_was_killed_is_free_for_the_next_leader(office: Office) -> None:
    put(office, "note", device=1)
    with office.call("dead worker") as call:
        assert len(outbox.claim(call.session, call.now)) == 1
    assert deliver(office, {"note": Inside(note)}) == 0
    free_claims(office)
    assert deliver(office, {"note": Inside(note)}) == 1
    assert noted(office) == 1


def test_a_hundred_and_more_messages_are_delivered_in_one_run(office: Office) -> None:
    with office.call("test") as call:
        for number in range(130):
            outbox.post(call, "note", {"device": number})
    assert deliver(office, {"note": Inside(note)}) == 130
    assert noted(office) == 130


def test_a_delivery_that_shall_stop_leaves_the_rest_for_later(office: Office) -> None:
    put(office, "note", device=1)
    assert deliver(office, {"note": Inside(note)}, lambda: True) == 0
    assert noted(office) == 0


@pytest.mark.parametrize("topic", ["note"])
def test_a_message_due_later_stays(office: Office, clock: HandClock, topic: str) -> None:
    with office.call("test") as call:
        outbox.post(call, topic, {}, due=clock.now.replace(year=clock.now.year + 1))
    assert deliver(office, {"note": Inside(note)}) == 0


def note_all(call: Call, payloads: Sequence[Mapping[str, Any]]) -> None:
    audit.record(call, "test.gathered", ("test", len(payloads)))
    if any(payload.get("device") == 13 for payload in payloads):
        raise RuntimeError("not this one")


def test_messages_of_a_gathered_topic_are_done_together(office: Office) -> None:
    numbers = [put(office, "many", device=device) for device in range(5)]

    assert deliver(office, {"many": Gathered(note_all)}) == 5

    assert noted(office) == 1
    assert all(look(office, number).done_at for number in numbers)


def test_one_that_always_fails_does_not_hold_back_those_gathered_with_it(office: Office) -> None:
    good, bad, fine = (put(office, "many", device=device) for device in (1, 13, 2))

    deliver(office, {"many": Gathered(note_all)})

    assert look(office, good).done_at is not None
    assert look(office, fine).done_at is not None
    assert look(office, bad).last_error == "RuntimeError: not this one"
    assert noted(office) == 2


def test_a_heap_of_gathered_messages_holds_up_nothing_else(office: Office) -> None:
    order: list[str] = []
    for device in range(3):
        put(office, "many", device=device)
    put(office, "urgent")

    deliver(
        office,
        {
            "many": Gathered(lambda _call, _payloads: order.append("many")),
            "urgent": Inside(lambda _call, _payload: order.append("urgent")),
        },
    )

    assert order == ["urgent", "many"]


def test_what_is_urgent_does_not_wait_behind_a_slow_neighbour(office: Office) -> None:
    told: list[str] = []
    handlers = {"mail": Outside(lambda _office, payload: told.append(str(payload["to"])))}
    with office.call("test") as call:
        outbox.post(call, "mail", {"to": "first"})
        outbox.post_urgent(call, "mail", {"to": "help"})

    assert deliver_urgent(office, handlers) == 1
    assert told == ["help"]
    assert deliver_urgent(office, handlers) == 0
    assert deliver(office, handlers) == 1
    assert told == ["help", "first"]


def test_letters_to_a_slow_mail_server_hold_up_nothing_that_devices_wait_for(office: Office) -> None:
    """The jobs of the worker as its table has them: each lane by itself brings what is its own, and together all."""
    told: list[str] = []
    handlers: dict[str, Handler] = {
        name: Outside(lambda _office, payload: told.append(str(payload["to"])))
        for name in ("mail", "sms", "desk.paper", "device.judge", "webhook", "apple.push")
    }
    for topic in handlers:
        put(office, topic, to=topic)

    assert deliver(office, handlers, lane=COMMON) == 1
    assert told == ["device.judge"]
    assert deliver(office, handlers, lane=BY_SMS) == 1
    assert deliver(office, handlers, lane=BY_MAIL) == 2
    assert deliver(office, handlers, lane=OUTWARD) == 2
    assert told == ["device.judge", "sms", "mail", "desk.paper", "webhook", "apple.push"]
    assert deliver(office, handlers) == 0


def test_a_topic_that_nobody_knows_is_in_the_common_lane(office: Office) -> None:
    number = put(office, "nonsense")
    assert deliver(office, {}, lane=BY_MAIL) == 0
    assert deliver(office, {}, lane=COMMON) == 1
    assert "nobody handles" in str(look(office, number).last_error)
