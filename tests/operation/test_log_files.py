"""The files of the log folder: a part a day, and none of their lines for longer than the setting says."""

import fcntl
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mdm.operation import log_files

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def _line(at: datetime, text: str) -> str:
    return json.dumps({"timestamp": at.isoformat(), "event": text}) + "\n"


def _all(folder: Path) -> str:
    return "".join(path.read_text() for path in sorted(folder.glob("*.log*")))


def test_no_line_is_older_than_the_days_that_are_set_and_none_goes_a_day_too_early(tmp_path: Path) -> None:
    log = tmp_path / "console.log"
    for hour in range(20 * 24):
        now = NOW + hour * HOUR
        with log.open("a") as file:
            file.write(_line(now, f"hour{hour}."))
        log_files.tend(tmp_path, 5, now)
        kept = _all(tmp_path)
        old = hour - 5 * 24 - 1
        assert old < 0 or f"hour{old}." not in kept
        assert f"hour{max(0, hour - 3 * 24)}." in kept

    assert len(list(tmp_path.glob("console.log.*"))) <= 5
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("console.log.*")} == {0o600}


def test_a_file_that_grows_too_large_is_begun_anew_and_nothing_of_it_is_lost(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    writer = log.open("a")
    for part in range(3):
        writer.write(_line(NOW, f"part{part} " + "x" * 90))
        writer.flush()
        log_files.tend(tmp_path, 14, NOW, limit=100)
        assert log.read_text() == ""
    writer.close()

    assert [f"part{part}" in _all(tmp_path) for part in range(3)] == [True, True, True]


def test_what_says_no_time_is_old_and_parts_of_older_releases_go_by_the_time_of_their_file(tmp_path: Path) -> None:
    (tmp_path / "signer.log").write_text("no time\n")
    older, newer = tmp_path / "signer.log.1", tmp_path / "signer.log.2"
    for path, age in ((older, 15 * DAY), (newer, DAY)):
        path.write_text("a part of an older release")
        os.utime(path, ((NOW - age).timestamp(),) * 2)

    log_files.tend(tmp_path, 14, NOW)

    assert {path.name for path in tmp_path.glob("signer.log*")} == {
        "signer.log", "signer.log.2", "signer.log.20261123T090000Z",
    }  # fmt: skip


def test_two_at_once_are_like_one_and_neither_links_nor_other_files_are_touched(tmp_path: Path) -> None:
    other = tmp_path / "elsewhere.txt"
    other.write_text("mine")
    (tmp_path / "linked.log").symlink_to(other)
    (tmp_path / "one.log").write_text("old\n")
    with (tmp_path / ".tending").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        log_files.tend(tmp_path, 14, NOW)
        assert (tmp_path / "one.log").read_text() == "old\n"
    log_files.tend(tmp_path, 14, NOW)

    assert (tmp_path / "one.log").read_text() == ""
    assert other.read_text() == "mine"
    log_files.tend(tmp_path / "nowhere", 14, NOW)
