"""A gateway to which too much comes does what it can, and tells the rest when to come back."""

import time

import gevent
import pytest

from mdm.core.errors import UnavailableError
from web.gateway.pressure import BREATH, Lateness, Queue


def test_a_queue_that_moves_lets_everybody_in() -> None:
    queue = Queue(at_once=2, patience=1.0)
    done = []

    def one(number: int) -> None:
        with queue.turn():
            gevent.sleep(0.001)
            done.append(number)

    gevent.joinall([gevent.spawn(one, number) for number in range(50)], raise_error=True)
    assert sorted(done) == list(range(50))
    assert queue.sent_away == 0


def test_who_would_wait_too_long_is_sent_away_at_once_and_the_others_are_served() -> None:
    queue = Queue(at_once=1, patience=0.5)
    queue.cost = 0.1
    done: list[int] = []
    refused: list[UnavailableError] = []

    def one(number: int) -> None:
        try:
            with queue.turn():
                gevent.sleep(0.01)
                done.append(number)
        except UnavailableError as error:
            refused.append(error)

    gevent.joinall([gevent.spawn(one, number) for number in range(40)], raise_error=True)
    assert len(done) + len(refused) == 40
    assert 5 <= len(done) < 40
    assert queue.sent_away == len(refused)
    assert {error.code for error in refused} == {"busy"}


def test_a_larger_crowd_is_spread_over_a_longer_time() -> None:
    def longest(crowd: int) -> int:
        queue = Queue(at_once=1, patience=0.0)
        queue.cost = 0.01
        with queue.turn():
            asked = []
            for _ in range(crowd):
                with pytest.raises(UnavailableError) as refusal:
                    queue.look()
                asked.append(refusal.value.retry_after)
        assert min(asked) >= 5
        return max(asked)

    assert longest(20) <= 10
    assert 100 <= longest(8000) <= 300


def test_a_turn_that_fails_gives_its_place_back() -> None:
    queue = Queue(at_once=1, patience=1.0)
    for _ in range(5):
        with pytest.raises(ValueError, match="broken"), queue.turn():
            raise ValueError("broken")
    with queue.turn():
        pass
    assert queue.sent_away == 0


def test_a_process_that_is_kept_from_its_work_knows_that_it_is_late_and_recovers() -> None:
    lateness = Lateness()
    watcher = gevent.spawn(lateness.watch)
    try:
        gevent.sleep(BREATH * 1.5)
        assert not lateness.too_late
        # A loop that holds the thread, as a crowd of handshakes does.
        end = time.monotonic() + 1.6
        while time.monotonic() < end:
            pass
        gevent.sleep(0.01)
        assert lateness.too_late
        for _ in range(100):
            gevent.sleep(BREATH)
            if not lateness.too_late:
                break
        assert not lateness.too_late
    finally:
        watcher.kill()
