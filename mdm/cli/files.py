"""``havenmeester import`` and ``policy``: what comes from files."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from mdm.cli import errors, output
from mdm.cli.choice import NUMBER, Words
from mdm.cli.work import work
from mdm.settings import load

if TYPE_CHECKING:
    from mdm.imports.plan import Planned

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
MAX_SHOWN = 50
BRING_BACK = click.option(
    "--bring-back",
    type=NUMBER,
    multiple=True,
    metavar="LINE",
    help="A line that was left out because the record of its person was erased: make a new one. May be given more than once.",
)


@click.command("import")
@click.argument("kind", type=Words(["people", "units", "service-points", "devices"]))
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help="Check every row and write nothing.")
@BRING_BACK
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON, with every row.")
def import_(kind: str, file: Path, dry_run: bool, bring_back: tuple[int, ...], json_wanted: bool) -> int:
    """Take people, units, service points or devices from a CSV file: all rows or, when one is wrong, none."""
    from rich.console import Console
    from rich.progress import Progress

    from mdm.imports.plan import More
    from mdm.imports.service import ImportKind, import_csv
    from mdm.imports.table import MAX_BYTES
    from mdm.storage.seal import load_seal

    settings = load()
    with (
        Progress(console=Console(stderr=True), transient=True, disable=json_wanted) as bar,
        work(write=True, settings=settings) as call,
    ):
        task = bar.add_task(f"Checking {file.name}", total=None)
        result = import_csv(
            call,
            ImportKind(kind),
            content(file, MAX_BYTES),
            More(load_seal(settings.home / "keys"), frozenset(bring_back)),
            name=file.name,
            dry_run=dry_run,
            progress=lambda done, of: bar.update(task, completed=done, total=of),
        )
        rows = [row_of(row) for row in result.rows]
    told = {"applied": result.applied, "dry_run": dry_run, "counts": result.counts}
    if json_wanted:
        output.as_json(told | {"ignored_columns": list(result.ignored_columns), "rows": rows})
    else:
        tell(told, rows, result.ignored_columns)
    return errors.REFUSED if result.errors else errors.OK


def content(file: Path, limit: int) -> bytes:
    """The file, or as much of it as shows that it is over the limit: whatever its size, memory stays small."""
    with file.open("rb") as source:
        return source.read(limit + 1)


def row_of(row: "Planned[Any]") -> dict[str, Any]:
    """One line of an import as programs read it."""
    return {
        "line": row.line,
        "outcome": row.outcome.value,
        "subject": row.subject,
        "column": row.column,
        "message": row.message,
    }


def tell(told: dict[str, Any], rows: list[dict[str, Any]], ignored: tuple[str, ...]) -> None:
    """Says what came of an import: the first wrong lines on standard error, the counts on standard output."""
    if ignored:
        output.note(f"Columns that nothing is known about were left out: {', '.join(ignored)}.")
    wrong = [row for row in rows if row["outcome"] == "error"]
    for row in wrong[:MAX_SHOWN]:
        output.note(f"line {row['line']}{', ' + row['column'] if row['column'] else ''}: {row['message']}")
    if len(wrong) > MAX_SHOWN:
        output.note(f"… and {len(wrong) - MAX_SHOWN} more lines; --json shows all of them.")
    for row in [row for row in rows if row["outcome"] == "skipped"][:MAX_SHOWN]:
        output.note(f"line {row['line']}, {row['subject']}: {row['message']}")
    counts = ", ".join(f"{number} {outcome}" for outcome, number in told["counts"].items())
    if told["applied"]:
        output.say(f"Imported: {counts}.")
    elif wrong:
        output.say(f"Nothing was imported: {counts}. Correct the lines and import the file again.")
    else:
        output.say(f"Nothing was written, this was a dry run: {counts}.")


@click.group()
def policy() -> None:
    """Apply and show policies as files."""


@policy.command("apply")
@click.argument("file", type=FILE)
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def apply(file: Path, json_wanted: bool) -> None:
    """Make a policy what a TOML or JSON file says; twice is like once."""
    from mdm.policies.document import MAX_DOCUMENT, apply_document, parse_document

    document = parse_document(content(file, MAX_DOCUMENT))
    with work() as call:
        applied = apply_document(call, document)
    told = {"policy": applied.name, "version": applied.version, "done": applied.done}
    if json_wanted:
        output.as_json(told)
    elif applied.changed:
        output.say(f"{applied.name}, version {applied.version}: {', '.join(applied.done)}.")
    else:
        output.say(f"{applied.name}, version {applied.version}: it said so already; nothing was changed.")


@policy.command("list")
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def list_policies(json_wanted: bool) -> None:
    """Show every policy that is in use."""
    from mdm.policies import queries

    columns = ("id", "name", "current", "description")
    with work(write=False) as call:
        found = [{column: getattr(line.policy, column) for column in columns} for line in queries.policies(call)]
    output.rows(found, columns, json_wanted=json_wanted)


@policy.command("show")
@click.argument("number", type=NUMBER)
def show(number: int) -> None:
    """Write one policy as a JSON document that can be applied again."""
    from mdm.policies.document import as_document

    with work(write=False) as call:
        output.as_json(as_document(call, number))
