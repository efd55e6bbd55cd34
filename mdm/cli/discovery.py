"""``havenmeester discover``: what else is on a service point's network."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from mdm.cli import output
from mdm.cli.choice import Words
from mdm.cli.work import work
from mdm.settings import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from mdm.discovery.model import DiscoveryRun, Source
    from mdm.discovery.queries import Line
    from mdm.discovery.reading import Result
    from mdm.settings import Settings

LISTS = Words(["unmanaged", "not_seen", "elsewhere", "here", "flex"])
COLUMNS = ("kind", "name", "vendor", "mac", "addresses", "device", "matched_by", "service_point", "last_seen_at")


@click.command()
@click.option(
    "--capture", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Read this pcap or pcapng."
)
@click.option("--interface", default="", help="Listen to this network interface of the server instead.")
@click.option("--seconds", type=click.IntRange(5, 3600), default=60, show_default=True, help="How long to listen.")
@click.option("--ask", is_flag=True, help="Also ask addresses inside discovery_networks, below 50 packets a second.")
@click.option("--service-point", "code", required=True, metavar="CODE", help="Whose network it is.")
@click.option("--list", "wanted", type=LISTS, default=None, help="Show this list afterwards, or alone.")
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def discover(
    capture: Path | None, interface: str, seconds: int, ask: bool, code: str, wanted: str | None, json_wanted: bool
) -> None:
    """Find what is on the network of a service point, and what of it nobody manages.

    Packets are read by a process of its own. With neither --capture nor --interface it shows what was found before.
    """
    if capture is not None and interface:
        raise click.UsageError("Give --capture or --interface, not both.")
    if capture is not None:
        _read(capture, code, json_wanted=json_wanted and wanted is None)
    elif interface:
        _listen(interface, seconds, code, ask=ask, json_wanted=json_wanted and wanted is None)
    if wanted is not None or not (capture or interface):
        _show(code, wanted or "unmanaged", json_wanted=json_wanted)


def _read(path: Path, code: str, *, json_wanted: bool) -> None:
    from mdm.discovery import reading
    from mdm.discovery.model import Source

    def run(_settings: "Settings") -> "Result":
        with path.open("rb") as file:
            return reading.read_capture(file)

    _take(code, Source.CAPTURE, path.name, run, json_wanted=json_wanted)


def _listen(interface: str, seconds: int, code: str, *, ask: bool, json_wanted: bool) -> None:
    from mdm.core.errors import N_, ConfigurationError, ConflictError
    from mdm.discovery import listening, networks, reading
    from mdm.discovery.model import Source

    def run(settings: "Settings") -> "Result":
        allowed = networks.read(settings.discovery_networks) if ask else ()
        if ask and not allowed:
            raise ConfigurationError(
                "Nobody may be asked: the setting discovery_networks is empty. Nothing was sent.",
                mend="Name the networks there, or leave out --ask.",
            )
        path = Path(settings.discovery_socket) if settings.discovery_socket else None
        # Whoever takes a network off the list while we ask in it is heard.
        watch = listening.watch_of(allowed, lambda: networks.read(load().discovery_networks), lambda _packets: False)
        with listening.asking_alone(settings.home) if ask else nullcontext(True) as alone:
            if not alone:
                raise ConflictError(N_("Another one asks already, and two would be too fast. Nothing was sent."))
            return reading.read_live(interface, seconds, allowed, path, watch=watch)

    _take(code, Source.LIVE, interface, run, json_wanted=json_wanted)


def _take(code: str, source: "Source", name: str, run: "Callable[[Settings], Result]", *, json_wanted: bool) -> None:
    """Reads outside any transaction, then keeps what was found in one."""
    from mdm.discovery import service

    settings = load()
    with work(write=False, settings=settings) as call:
        place = service.point(call, code).id
    result = run(settings)
    with work(settings=settings) as call:
        noted = service.begin(call, place, source, name)
        service.take(call, noted.uid, result)
        figures = _figures(noted)
    output.record(figures, json_wanted=json_wanted)


def _figures(run: "DiscoveryRun") -> dict[str, object]:
    names = ("uid", "packets", "malformed", "unread", "restarts", "cut", "devices", "managed", "random")
    return {name: getattr(run, name) for name in names}


def _show(code: str, wanted: str, *, json_wanted: bool) -> None:
    from mdm.discovery import flex, queries

    with work(write=False) as call:
        place = queries.point(call, code).id
        if wanted == "not_seen":
            absent = [
                {
                    "uid": one.uid,
                    "device": one.label,
                    "kind": one.kind,
                    "state": one.state,
                    "last_contact": one.contact_at,
                }
                for one in queries.not_seen(call, place)
            ]
            output.rows(absent, ("device", "kind", "state", "last_contact"), json_wanted=json_wanted)
            return
        if wanted == "flex":
            found = flex.flex(call, place)
            names = ("kind", "pool", "there", "lent", "missing", "reserved", "short")
            kinds = [{name: getattr(line, name) for name in names} for line in (found.kinds if found else ())]
            output.rows(kinds, names, json_wanted=json_wanted)
            return
        reads = {"unmanaged": queries.unmanaged, "elsewhere": queries.elsewhere, "here": queries.here}
        lines = [_record(line) for line in reads[wanted](call, place)]
    output.rows(lines, COLUMNS, json_wanted=json_wanted)


def _record(line: "Line") -> dict[str, object]:
    from mdm.inventory.contact import day_of

    row = line.row
    return {
        "uid": row.uid,
        "kind": row.kind,
        "name": row.name,
        "vendor": row.vendor,
        "mac": row.mac,
        "addresses": ", ".join(row.addresses),
        "model": row.model,
        "serial": row.serial,
        "services": row.services,
        "device": line.device.label if line.device else "",
        "home": line.home.code if line.home else "",
        "matched_by": row.matched_by,
        "service_point": line.point.code,
        "first_seen_at": day_of(row.first_seen_at),
        "last_seen_at": day_of(row.last_seen_at),
    }
