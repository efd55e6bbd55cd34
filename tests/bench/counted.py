"""A gateway whose statements are counted: the same process, with a counter behind the drivers of the databases."""

from gevent import monkey

monkey.patch_all()

import mmap  # noqa: E402
import os  # noqa: E402
import struct  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import psycopg  # noqa: E402
from sqlalchemy import Engine, event  # noqa: E402

FRAMES = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA")
"""What stands around statements. Commits are counted by themselves."""
SHAPE = struct.Struct("=QQ")


class Count:
    """Two numbers in a file that processes share: statements and commits."""

    def __init__(self, file: Path) -> None:
        with file.open("r+b") as opened:
            self._memory = mmap.mmap(opened.fileno(), SHAPE.size)

    @classmethod
    def create(cls, file: Path) -> "Count":
        """A new one."""
        file.write_bytes(bytes(SHAPE.size))
        return cls(file)

    def read(self) -> tuple[int, int]:
        """Statements and commits so far."""
        statements, commits = SHAPE.unpack(self._memory[:])
        return statements, commits

    def statement(self, text: str, times: int = 1) -> None:
        """One statement, so many times."""
        statements, commits = self.read()
        word = text.lstrip()[:8].upper()
        if word.startswith("COMMIT"):
            commits += 1
        elif not word.startswith(FRAMES):
            statements += times
        self._memory[:] = SHAPE.pack(statements, commits)


def watch(count: Count) -> None:
    """Counts on every connection that is opened from now on."""

    class Cursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, *args: Any, **named: Any) -> Any:
            count.statement(str(query))
            return super().execute(query, *args, **named)

        def executemany(self, query: Any, params_seq: Any, **named: Any) -> Any:
            values = list(params_seq)
            count.statement(str(query), len(values))
            return super().executemany(query, values, **named)

    @event.listens_for(Engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        if isinstance(connection, psycopg.Connection):
            connection.cursor_factory = Cursor
        else:
            connection.set_trace_callback(count.statement)

    @event.listens_for(Engine, "commit")
    def _committed(connection: Any) -> None:
        if connection.dialect.name != "sqlite":
            count.statement("COMMIT")


if __name__ == "__main__":
    from web.gateway.__main__ import main

    watch(Count(Path(os.environ["BENCH_COUNT"])))
    sys.argv = ["web.gateway"]
    main()
