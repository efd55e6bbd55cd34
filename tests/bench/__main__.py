"""``make bench``: prints the table of docs/performance.md. ``--write`` puts it there; ``--parts`` chooses what is measured."""

import argparse
import os
import platform
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import (
    androids,
    apply,
    checkins,
    desk_pages,
    diary,
    discovery,
    edit,
    invitations,
    kiosks,
    lists,
    phones,
    portal,
    scans,
    start,
)
from tests.bench.house import LOAD_CORE, SERVER_CORE
from tests.bench.processes import cpu_seconds
from tests.conftest import PrivatePostgres, postgres_binaries
from tests.sim import measure as agent

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
PARTS = (
    "agent",
    "android",
    "apple",
    "start",
    "checkins",
    "edit",
    "lists",
    "desk",
    "apply",
    "diary",
    "invitations",
    "discovery",
    "kiosks",
    "portal",
)
SMALL, LARGE, HUGE = 1_000, 25_000, 250_000
AGENTS = 10_000
ANDROIDS = 20_000
PHONES = {2_000: 100, 200_000: 2}
"""Phones in the fleet, and past commands of each that is not of the load."""


@dataclass(frozen=True)
class Phones:
    """Which cases of phones are measured: fleets, past commands and waiting commands of each (0: idle)."""

    fleets: tuple[int, ...] = tuple(PHONES)
    past: tuple[int, ...] = phones.PAST
    waiting: tuple[int, ...] = phones.WAITING


def numbers(text: str) -> tuple[int, ...]:
    """The numbers of a list with commas."""
    return tuple(int(part) for part in text.split(","))


class Databases:
    """SQLite files and, where its server is installed, fresh databases of a private PostgreSQL."""

    def __init__(self, folder: Path, only: str | None = None, phones: "Phones | None" = None) -> None:
        self.folder = folder
        self.only = only
        self.phones = phones or Phones()
        self.androids = ANDROIDS
        self.server: PrivatePostgres | None = None
        binaries = postgres_binaries()
        if binaries is not None:
            (folder / "postgres").mkdir()
            # On the server's processor: what a request costs both of them is what is told per second.
            os.sched_setaffinity(0, {SERVER_CORE})
            self.server = PrivatePostgres(folder / "postgres", binaries, durable=True)
            os.sched_setaffinity(0, {LOAD_CORE})

    def each(self) -> Iterator[tuple[str, Callable[[], str | None], Callable[[], float]]]:
        """Name, maker of a new database's URL (None: SQLite in the home folder), and the processor time it used."""
        if self.only in (None, "SQLite"):
            yield "SQLite", lambda: None, lambda: 0.0
        if self.server is not None and self.only in (None, "PostgreSQL"):
            server = self.server
            yield "PostgreSQL", lambda: server.fresh(tables=False), lambda: cpu_seconds(server.process.pid)

    def stop(self) -> None:
        """Stops the server."""
        if self.server is not None:
            self.server.stop()


def main() -> None:
    """Measures what was asked for and prints one table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--parts", default=",".join(PARTS), help="comma-separated: " + ", ".join(PARTS))
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--only", choices=("SQLite", "PostgreSQL"), help="one database instead of both")
    every = Phones()
    parser.add_argument("--phones", type=numbers, default=every.fleets, help="part apple: sizes of the fleets")
    parser.add_argument("--androids", type=int, default=ANDROIDS, help="part android: size of the fleet")
    parser.add_argument("--past", type=numbers, default=every.past, help="part apple: past commands of each phone")
    parser.add_argument(
        "--waiting", type=numbers, default=every.waiting, help="part apple: waiting commands of each phone; 0 is idle"
    )
    asked = parser.parse_args()
    os.sched_setaffinity(0, {LOAD_CORE})
    with _folder() as folder:
        databases = Databases(folder, asked.only, Phones(asked.phones, asked.past, asked.waiting))
        databases.androids = asked.androids
        rows: list[tuple[str, str]] = []
        try:
            for part in asked.parts.split(","):
                say(f"Measuring: {part} …")
                for row in globals()[f"_{part}"](folder, databases):
                    rows.append(row)
                    say(f"{row[0]}: {row[1]}")
        finally:
            databases.stop()
    table = "\n".join(["| figure | value |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows)])
    print(f"\n{machine()}\n\n{table}")
    if asked.write:
        text = PAGE.read_text()
        PAGE.write_text(
            re.sub(r"(<!-- table -->\n).*(\n<!-- end -->)", rf"\1\n{machine()}\n\n{table}\n\2", text, flags=re.S)
        )


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="havenmeester-bench-") as name:
        yield Path(name)


def say(sentence: str) -> None:
    """Tells whoever waits what is going on."""
    print(sentence, file=sys.stderr, flush=True)


def machine() -> str:
    """One line about where this was measured."""
    model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} processors"
        f"{' (' + model[1] + ')' if model else ''}, Python {platform.python_version()}, server and database on one, "
        "the load on the other."
    )


def _checkins(folder: Path, databases: Databases) -> Iterator[tuple[str, str]]:
    for name, url, cpu in databases.each():
        for devices in (SMALL, LARGE):
            found = checkins.measure(folder / f"checkins-{name}-{devices}", url(), cpu, devices)
            idle, bare, report = found["idle"][0], found["bare"][0], found["report"][0]
            fleet = f"{name}, {devices:,} devices"
            yield (
                f"idle check-ins per second ({fleet})",
                f"{idle.per_second:,.0f} ({found['idle'][1].percentile(0.95):.0f} ms p95)",
            )
            yield (
                f"CPU per idle check-in ({fleet})",
                f"server {idle.cpu_ms:.2f} ms, database {idle.database_ms:.2f} ms; "
                f"{idle.cpu_ms / bare.cpu_ms:.2f} times a bare WSGI callable ({bare.cpu_ms:.2f} ms)",
            )
            yield (
                f"changed reports per second ({fleet})",
                f"{report.per_second:,.0f}; server {report.cpu_ms:.2f} ms, database {report.database_ms:.2f} ms",
            )


def _apple(folder: Path, databases: Databases) -> Iterator[tuple[str, str]]:
    for name, url, cpu in databases.each():
        first = 0.0
        wanted = databases.phones
        for count in wanted.fleets:
            place = folder / f"phones-{name}-{count}"
            found = phones.measure(place, url(), cpu, (count, PHONES.get(count, 2)), wanted.past, wanted.waiting)
            fleet = f"{name}, {count:,} phones"
            say(f"{fleet} were written in {found.seeded:.0f} s")
            for one in found.idle:
                used, bare = one.used, found.bare
                first = first or used.cpu_ms + used.database_ms
                yield (
                    f"idle connections of phones per second ({fleet}, {one.history} past commands each)",
                    f"{used.per_second:,.0f} ({one.late.percentile(0.95):.0f} ms p95); server {used.cpu_ms:.2f} ms, database "
                    f"{used.database_ms:.2f} ms, {used.cpu_ms / bare.cpu_ms:.1f} times a bare callable with the same requests "
                    f"({bare.cpu_ms:.2f} ms); together {(used.cpu_ms + used.database_ms) / first:.2f} times the first line",
                )
            for one in found.rounds:
                yield (
                    f"whole rounds of phones per second ({fleet}, {one.history} past and {one.pending} waiting commands each)",
                    f"{one.used.per_second / 2:,.0f}; server {one.used.cpu_ms * 2:.2f} ms, "
                    f"database {one.used.database_ms * 2:.2f} ms",
                )
            idle, turn = found.idle_statements, found.round_statements
            yield (
                f"statements per request ({fleet})",
                f"idle {idle.alone:.2f} alone, {idle.crowd:.2f} when {phones.CONNECTIONS} come at once; within a round "
                f"{turn.alone:.2f} and {turn.crowd:.2f}, with {turn.commits:.3f} commits",
            )


def _android(folder: Path, databases: Databases) -> Iterator[tuple[str, str]]:
    yield "policies compiled to an Android phone's configuration per second", f"{androids.compiled():,.0f}"
    for name, url, cpu in databases.each():
        found = androids.measure(folder / f"androids-{name}", url(), cpu, databases.androids)
        fleet = f"{name}, {databases.androids:,} phones"
        for what, one in (
            ("configurations of Android phones", found.configuration),
            ("reports of Android phones with nothing new", found.info),
            ("polls of Android phones with news", found.news),
        ):
            yield (
                f"{what} per second ({fleet})",
                f"{one.per_second:,.0f}; server {one.cpu_ms:.2f} ms, database {one.database_ms:.2f} ms",
            )
        yield (
            f"a held poll of an Android phone ({fleet})",
            f"{found.held_kb:.0f} kB of the gateway with TLS, {found.held_kb * databases.androids / 1024**2:.1f} GB for all; "
            f"configuration p95 {found.late.percentile(0.95):.0f} ms",
        )


def _edit(folder: Path, databases: Databases) -> Iterator[tuple[str, str]]:
    for name, url, _cpu in databases.each():
        found = edit.measure(folder / f"edit-{name}", url())
        yield (
            f"policy edit on 10,000 devices in {found['cohorts']:.0f} cohorts ({name})",
            f"effect shown in {found['effect']:.2f} s, saved in {found['save']:.2f} s, last desired state ready after "
            f"{found['ready']:.2f} s; placing all devices anew {found['placing']:.2f} s",
        )


def _lists(folder: Path, databases: Databases) -> Iterator[tuple[str, str]]:
    for name, url, _cpu in databases.each():
        small = lists.measure(folder / f"lists-{name}", url(), LARGE)
        yield (
            f"device list, three filters, 25,000 devices ({name})",
            f"p50 {small['p50']:.0f} ms, p95 {small['p95']:.0f} ms",
        )
        if name == "PostgreSQL":
            large = lists.measure(folder / f"lists-{name}-huge", url(), HUGE)
            yield (
                f"device list, three filters, 250,000 devices ({name})",
                f"p50 {large['p50']:.0f} ms, p95 {large['p95']:.0f} ms; {large['p95'] / small['p95']:.2f} times 25,000",
            )


def _desk(folder: Path, databases: Databases) -> Iterator[tuple[str, str]]:
    for name, url, _cpu in databases.each():
        found = scans.measure(folder / f"desk-{name}", url(), LARGE)
        bare = found["bare"]
        kinds = ", ".join(
            f"{kind} {found[kind]:.1f}" for kind in ("tag", "serial", "label", "number", "word", "unknown")
        )
        yield (
            f"scan to card, milliseconds in the process, 25,000 devices ({name})",
            f"{kinds}; a bare read by primary key {bare:.2f}: a tag costs {found['tag'] / bare:.0f} times that",
        )
        yield (
            f"scan to card over HTTP, 25,000 devices ({name})",
            f"p50 {found['http_p50']:.0f} ms, p95 {found['http_p95']:.0f} ms",
        )
        yield (
            f"a scan into a box ({name})",
            f"{found['first']:.0f} ms among the first ten, {found['last']:.0f} ms among the last ten of fifty",
        )
        for who, pages in desk_pages.measure(folder / f"desk-pages-{name}", url()).items():
            told = ", ".join(f"{page} {took:.0f}" for page, took in pages.items())
            yield f"pages of the desk for the {who}, milliseconds, 8,081 devices at 81 places ({name})", told


def _invitations(folder: Path, databases: Databases) -> Iterator[tuple[str, str]]:
    for name, url, _cpu in databases.each():
        found = invitations.measure(folder / f"invitations-{name}", url())
        yield (
            f"{invitations.PEOPLE:,} people invited at once ({name})",
            f"the press {found['pressed']:.1f} s; all written and delivered after {found['seconds'] / 60:.1f} minutes "
            f"({found['mail']:.0f} letters, {found['sms']:.0f} SMS, {found['paper']:.0f} for paper); an urgent letter among "
            f"them waited {found['urgent']:.1f} s; memory {found['before']:.0f} MB before, {found['peak']:.0f} MB at most",
        )


def _agent(_folder: Path, _databases: Databases) -> Iterator[tuple[str, str]]:
    found = agent.measure()
    yield (
        "agent: resident memory after 500 check-ins",
        f"{found['rss_kb'] / 1024:.1f} MB, growth {found['growth_kb'] / 1024:.2f} MB",
    )
    yield "agent: bytes of an idle check-in on a kept connection, both ways, with TLS", str(found["idle_bytes"])
    verified = agent.verify()
    yield (
        "agent: verifying an order with two approvals, in a child process",
        f"{verified['median_ms']:.0f} ms, {verified['cpu_ms']:.0f} ms of processor time, "
        f"resident memory +{verified['growth_kb']:.0f} kB after 40",
    )


def _apply(folder: Path, databases: Databases) -> Iterator[tuple[str, str]]:
    name, url, _cpu = list(databases.each())[-1]
    found = apply.measure(folder / "apply", url(), AGENTS)
    yield (
        f"{AGENTS:,} simulated agents ({name})",
        f"invited, enrolled, configured and reported after {found['first']:.0f} s; an edit of a policy was answered by half "
        f"of them after {found['half']:.0f} s and by all after {found['all']:.0f} s; gateway {found['gateway_mb']:.0f} MB",
    )


def _diary(folder: Path, databases: Databases) -> Iterator[tuple[str, str]]:
    for name, url, _cpu in databases.each():
        found = diary.measure(folder / f"diary-{name}", url())
        yield (
            f"lines of the diary per second ({name})",
            f"{found['together']:,.0f} together in one durable transaction; {found['alone']:,.0f} each in one of its own, where "
            f"the disk allows {found['bare']:,.0f} bare ones and our part is {found['cpu_ms']:.1f} ms of CPU; "
            f"{found['proved']:,.0f} proved",
        )


def _discovery(folder: Path, _databases: Databases) -> Iterator[tuple[str, str]]:
    folder.mkdir(parents=True, exist_ok=True)
    told = []
    for words, packets, varied in (
        ("a quiet network", discovery.PACKETS, False),
        ("9,000 senders, no two packets alike", discovery.PACKETS, True),
        ("the quiet network, four times as long", discovery.PACKETS * 4, False),
    ):
        found = discovery.measure(discovery.write(folder / "capture", packets, varied=varied))
        told.append(f"{words}: {found.seconds:.1f} s, {found.memory:.0f} MiB")
    yield f"a capture of {discovery.PACKETS:,} packets read by its own process", "; ".join(told)


def _kiosks(folder: Path, _databases: Databases) -> Iterator[tuple[str, str]]:
    found = kiosks.measure(folder / "kiosks")
    yield (
        f"{kiosks.KIOSKS} kiosks set up over SSH side by side (SQLite)",
        f"{found.done} of them done after {found.seconds:.0f} s; pages of the console meanwhile, median and 95th percentile, "
        f"{found.busy[0]:.0f} and {found.busy[1]:.0f} ms ({found.answers} answers); before, {found.idle[0]:.0f} and "
        f"{found.idle[1]:.0f} ms; seconds of processor time: "
        + ", ".join(f"{name} {seconds:.1f}" for name, seconds in found.used.items()),
    )


def _portal(folder: Path, _databases: Databases) -> Iterator[tuple[str, str]]:
    for one in portal.measure(folder / "portal"):
        yield (
            f"first load of the employees' page {one.address} at 400 kbit/s and 400 ms",
            f"{one.bytes / 1000:.0f} kB in {one.requests} requests; usable after {one.usable:.1f} s, whole after "
            f"{one.whole:.1f} s, {portal.LINE_SECONDS:.1f} s of it for the line",
        )


def _start(folder: Path, _databases: Databases) -> Iterator[tuple[str, str]]:
    found = start.measure(folder / "start")
    yield "seconds from `make run` on a warm machine to the first enrolled device", f"{found['first_device']:.1f}"
    yield (
        "seconds from `make run` to the sign-in link, first time and second time",
        (f"{found['first']:.1f} and {found['second']:.1f}"),
    )


if __name__ == "__main__":
    main()
