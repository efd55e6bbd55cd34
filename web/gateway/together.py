"""Asking together: whoever comes while a question is under way shares the next one.

A question to a database server costs the same for one device as for fifty. The first who asks becomes the one who
carries: it lets those in who are at the door at this very moment, asks for everybody that is waiting, hands out the
answers, and goes on as long as somebody came meanwhile. Alone, nobody waits for anybody.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from gevent import sleep
from gevent.event import AsyncResult

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

MOST = 200
"""How many share one question at the most."""


class Together(Generic[Asked, Answer]):
    """Wraps a question that can be asked for many at once: ``ask(those)`` gives an answer for each, in their order."""

    def __init__(self, ask: Callable[[Sequence[Asked]], Sequence[Answer]], *, most: int = MOST) -> None:
        self._ask = ask
        self._most = most
        self._waiting: list[tuple[Asked, AsyncResult]] = []
        self._carried = False

    def get(self, asked: Asked) -> Answer:
        """The answer to ``asked``. Raises what the question raised, for all who shared it."""
        result = AsyncResult()
        self._waiting.append((asked, result))
        if not self._carried:
            self._carry()
        answer: Answer = result.get()
        return answer

    def _carry(self) -> None:
        self._carried = True
        try:
            sleep(0)
            while self._waiting:
                now, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                self._answer(now)
        finally:
            self._carried = False

    def _answer(self, some: Sequence[tuple[Asked, AsyncResult]]) -> None:
        try:
            for (_, result), answer in zip(some, self._ask([asked for asked, _ in some]), strict=True):
                result.set(answer)
        except BaseException as error:  # noqa: BLE001 -- handed on to everybody who waits, the carrier among them
            for _, result in some:
                if not result.ready():
                    result.set_exception(error)
