"""A secret of an installation is made once, whatever comes at one moment, and is never read half."""

import stat
import threading
from itertools import count
from pathlib import Path

from mdm.storage.once import made_once


def test_those_who_come_at_one_moment_end_up_with_the_same_secret_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "new.key"
    numbers, found, gate = count(), [], threading.Barrier(8)

    def make() -> bytes:
        gate.wait(60)
        return b"%d" % next(numbers) * 5000

    def come() -> None:
        found.append(made_once(path, make))

    threads = [threading.Thread(target=come) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)

    assert len(found) == 8
    assert set(found) == {path.read_bytes()}
    assert [one.name for one in path.parent.iterdir()] == ["new.key"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_secret_that_is_there_is_read_and_none_is_made(tmp_path: Path) -> None:
    (tmp_path / "old.key").write_bytes(b"kept")

    def make() -> bytes:
        raise AssertionError("there is one already")

    assert made_once(tmp_path / "old.key", make) == b"kept"
