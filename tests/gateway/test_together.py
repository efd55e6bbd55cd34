"""Asking together: one question for all who came meanwhile, an answer for each, an error for all who shared it."""

from collections.abc import Sequence

import gevent
import pytest

from web.gateway.together import Together


def test_those_who_come_while_a_question_is_under_way_share_the_next_one() -> None:
    asked: list[list[int]] = []

    def ask(keys: Sequence[int]) -> list[int]:
        asked.append(list(keys))
        gevent.sleep(0.01)
        return [key * 10 for key in keys]

    together = Together(ask, most=3)
    greenlets = [gevent.spawn(together.get, key) for key in (1, 2)]
    while not asked:
        gevent.sleep(0)
    greenlets += [gevent.spawn(together.get, key) for key in (3, 2, 4, 5)]
    gevent.joinall(greenlets, timeout=60)

    assert [greenlet.value for greenlet in greenlets] == [10, 20, 30, 20, 40, 50]
    assert asked == [[1, 2], [3, 2, 4], [5]], "those at the door at one moment come along, as many as may share"


def test_a_question_with_too_few_answers_is_an_error_and_nobody_waits_for_ever() -> None:
    together: Together[str, int] = Together(lambda _keys: [])

    with pytest.raises(ValueError, match="shorter"):
        together.get("unknown")


def test_an_error_reaches_everybody_who_shared_the_question_and_the_next_one_is_asked_again() -> None:
    broken = True

    def ask(keys: Sequence[str]) -> list[str]:
        gevent.sleep(0.01)
        if broken:
            raise ConnectionError("the database is away")
        return list(keys)

    together = Together(ask)
    greenlets = [gevent.spawn(together.get, key) for key in ("a", "b")]
    gevent.joinall(greenlets, timeout=60)

    assert [type(greenlet.exception) for greenlet in greenlets] == [ConnectionError, ConnectionError]
    broken = False
    assert together.get("a") == "a"


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """gevent prints the errors of greenlets that nobody joined with ``raise_error``; here they are looked at instead."""
    monkeypatch.setattr(gevent.get_hub(), "exception_stream", None)
