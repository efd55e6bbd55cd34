"""The post: what is committed leaves, what is rolled back does not, and two workers never take the same message."""

from datetime import timedelta

import pytest

from mdm.outbox import service as outbox
from mdm.outbox.model import OutboxMessage
from tests.conftest import NOW, Calling


def test_a_message_is_claimed_once_and_comes_back_when_the_worker_dies(calling: Calling) -> None:
    with calling() as call:
        outbox.post(call, "mail", {"to": "mo@example.org"})

    with calling() as call:
        first = [message.topic for message in outbox.claim(call.session, NOW)]
    with calling() as call:
        meanwhile = outbox.claim(call.session, NOW + timedelta(seconds=30))
    with calling() as call:
        later = [message.topic for message in outbox.claim(call.session, NOW + timedelta(seconds=61))]

    assert first == ["mail"]
    assert meanwhile == []
    assert later == ["mail"]


def test_nothing_leaves_when_the_change_is_rolled_back(calling: Calling) -> None:
    with pytest.raises(RuntimeError), calling() as call:
        outbox.post(call, "mail", {})
        raise RuntimeError("no")

    with calling() as call:
        assert outbox.claim(call.session, NOW) == []


def test_a_message_that_always_fails_is_kept_and_no_longer_tried(calling: Calling) -> None:
    with calling() as call:
        outbox.post(call, "mail", {})
    moment = NOW
    for _ in range(outbox.MAX_ATTEMPTS):
        with calling(now=moment) as call:
            (message,) = outbox.claim(call.session, moment)
            outbox.failed(message, moment, "no route")
        moment += timedelta(hours=2)

    with calling(now=moment) as call:
        assert outbox.claim(call.session, moment) == []
        kept = call.session.get_one(OutboxMessage, 1)
        assert kept.dead_at is not None
        assert kept.last_error == "no route"


def test_rings_are_read_once_in_order(calling: Calling) -> None:
    with calling() as call:
        outbox.ring(call, device_id=5)
        outbox.ring(call, cohort_id=2)

    with calling(write=False) as call:
        rings = outbox.rings_after(call.session, 0)

        assert [(device, cohort) for _, device, cohort in rings] == [(5, None), (None, 2)]
        assert outbox.rings_after(call.session, rings[-1][0]) == []


def test_the_number_of_a_ring_is_never_given_again(calling: Calling) -> None:
    with calling() as call:
        outbox.ring(call, device_id=5)
    with calling(write=False) as call:
        ((heard, _, _),) = outbox.rings_after(call.session, 0)
    later = NOW + timedelta(hours=1)
    with calling(now=later) as call:
        outbox.tidy(call.session, later)

    with calling(now=later) as call:
        outbox.ring(call, device_id=5)

    with calling(write=False) as call:
        ((number, _, _),) = outbox.rings_after(call.session, 0)
        assert number > heard
