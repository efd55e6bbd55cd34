"""``havenmeester adoption``: activation rates, who is missing, many invited at once, from the command line."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import rich_click as click

from mdm.cli import output
from mdm.cli.choice import Words
from mdm.cli.work import work
from mdm.settings import load

JSON = click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
BY = Words(["unit", "persona", "service_point"])
SHOWN = ("name", "percent", "active", "invited", "missing", "people")


@click.group()
def adoption() -> None:
    """Show how many of the invited have a device that is set up, and invite many at once."""


@adoption.command("rates")
@click.option("--by", type=BY, default="unit", show_default=True, help="What the rows are.")
@click.option("--unit", "codes", multiple=True, metavar="CODE", help="Only this unit with all below; may be repeated.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), default=None, help="On this day, by its organogram. [today]")
@JSON
def rates_(by: str, codes: tuple[str, ...], on: datetime | None, json_wanted: bool) -> None:
    """Show activation rates; the first row is everybody together."""
    from mdm.adoption import rates
    from mdm.org.queries import unit_by_code

    zone = ZoneInfo(load().timezone)
    with work(write=False) as call:
        day = on.date() if on else call.now.astimezone(zone).date()
        narrowed = rates.Narrowed(units=[unit_by_code(call, code).id for code in codes])
        lines = [
            rates.Line("all", "(all)", rates.overall(call, zone, narrowed, day)),
            *rates.by(call, zone, rates.By(by), narrowed, day),
        ]
    found = [
        {
            "name": "  " * line.depth + (line.name or "(without)"),
            "percent": line.rate.percent,
            "active": line.rate.active,
            "invited": line.rate.invited,
            "missing": line.rate.missing,
            "people": line.rate.people,
        }
        for line in lines
    ]
    output.rows(found, SHOWN, json_wanted=json_wanted)


@adoption.command("missing")
@click.option("--unit", "codes", multiple=True, metavar="CODE", help="Only this unit with all below; may be repeated.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=200, show_default=True, help="How many at the most.")
@JSON
def missing_(codes: tuple[str, ...], limit: int, json_wanted: bool) -> None:
    """Show who has no device that is set up, by name."""
    from itertools import islice

    from mdm.adoption.listings import MISSING
    from mdm.overview.listing import check_codes, every, read_query

    columns = ("name", "number", "standing", "unit", "service_point", "channel", "invited")
    query = read_query(MISSING, {"unit": list(codes), "columns": list(columns)})
    with work(write=False) as call:
        check_codes(call, MISSING, query)
        found = [{key: row[key] for key in columns} for row in islice(every(call, MISSING, query), limit)]
    output.rows(found, columns, json_wanted=json_wanted)


@adoption.command("invite")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@JSON
def invite_(file: Path, json_wanted: bool) -> None:
    """Invite everybody whose personnel number stands in FILE (CSV with a column number). The worker writes by day."""
    from mdm.adoption import queries, service
    from mdm.imports.columns import PEOPLE
    from mdm.imports.table import read

    table = read(file.read_bytes(), {"number": PEOPLE["number"]}, ("number",))
    numbers = [row.cells.get("number", "") for row in table.rows]
    with work() as call:
        run = service.invite_numbers(call, numbers, chosen={"file": file.name[:100]})
        view = queries.run(call, run.uid)
        told = {"uid": run.uid, "total": view.total, **view.states}
    output.record(told, json_wanted=json_wanted)


@adoption.command("round")
@click.argument("uid")
@JSON
def round_(uid: str, json_wanted: bool) -> None:
    """Show how far the round UID of invitations is."""
    from mdm.adoption import queries

    with work(write=False) as call:
        view = queries.run(call, uid)
        told = {"uid": uid, "total": view.total, "finished_at": view.run.finished_at, **view.states}
    output.record(told, json_wanted=json_wanted)
