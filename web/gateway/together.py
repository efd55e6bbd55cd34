"""Asking together: whoever comes while a question is under way shares the next one.

A question to a database server costs the same for one device as for fifty. The first who asks becomes the one who
carries: it asks for everybody that is waiting, hands out the answers, and goes on as long as somebody came meanwhile.
Alone, nobody waits for anybody.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from gevent.event import AsyncResult

Key = TypeVar("Key")
Answer = TypeVar("Answer")

MOST = 200
"""How many share one question at the most."""


class Together(Generic[Key, Answer]):
    """Wraps a question that can be asked for many keys at once: ``ask(keys)`` gives the answers that there are, by key."""

    def __init__(self, ask: Callable[[Sequence[Key]], Mapping[Key, Answer]]) -> None:
        self._ask = ask
        self._waiting: list[tuple[Key, AsyncResult]] = []
        self._carried = False

    def get(self, key: Key) -> Answer | None:
        """The answer for ``key``, None where there is none. Raises what the question raised, for all who shared it."""
        result = AsyncResult()
        self._waiting.append((key, result))
        if not self._carried:
            self._carry()
        answer: Answer | None = result.get()
        return answer

    def _carry(self) -> None:
        self._carried = True
        try:
            while self._waiting:
                now, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                self._answer(now)
        finally:
            self._carried = False

    def _answer(self, asked: Sequence[tuple[Key, AsyncResult]]) -> None:
        try:
            found = self._ask(list({key for key, _ in asked}))
        except BaseException as error:  # noqa: BLE001 -- handed on to everybody who waits, the carrier among them
            for _, result in asked:
                result.set_exception(error)
            return
        for key, result in asked:
            result.set(found.get(key))
