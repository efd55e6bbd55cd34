"""``havenmeester snipe``: moving in from Snipe-IT, and out again."""

from pathlib import Path

import rich_click as click

from mdm.cli import errors, output
from mdm.cli.choice import Words
from mdm.cli.files import BRING_BACK, FILE, content, row_of, tell
from mdm.cli.work import work
from mdm.settings import load


@click.group()
def snipe() -> None:
    """Move in from Snipe-IT by its CSV files, and out again."""


@snipe.command("import")
@click.argument("kind", type=Words(["locations", "users", "assets"]))
@click.argument("file", type=FILE)
@click.option("--models", type=FILE, default=None, help="Snipe-IT's list of models: what kind each is.")
@click.option("--statuses", type=FILE, default=None, help="Snipe-IT's list of status labels: what type each is.")
@click.option("--only-ours", is_flag=True, help="Leave out what is no phone, tablet, laptop or kiosk.")
@BRING_BACK
@click.option("--dry-run", is_flag=True, help="Check every line and write nothing.")
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON, with every line.")
def import_(
    kind: str,
    file: Path,
    models: Path | None,
    statuses: Path | None,
    only_ours: bool,
    bring_back: tuple[int, ...],
    dry_run: bool,
    json_wanted: bool,
) -> int:
    """Take locations, then users, then assets from the files that Snipe-IT exports: all lines or, when one is wrong, none."""
    from mdm.desk.exchange.service import Files, SnipeKind, import_snipe
    from mdm.imports.plan import More
    from mdm.imports.table import MAX_BYTES
    from mdm.storage.seal import load_seal

    files = Files(
        content(file, MAX_BYTES),
        content(models, MAX_BYTES) if models else b"",
        content(statuses, MAX_BYTES) if statuses else b"",
    )
    settings = load()
    more = More(load_seal(settings.home / "keys"), frozenset(bring_back))
    with work(write=not dry_run, settings=settings) as call:
        result = import_snipe(call, SnipeKind(kind), files, more, name=file.name, dry_run=dry_run, only_ours=only_ours)
        rows = [row_of(row) for row in result.rows]
    told = {"applied": result.applied, "dry_run": dry_run, "counts": result.counts, "left_out": result.left_out}
    if json_wanted:
        output.as_json(told | {"custom_fields": list(result.custom), "rows": rows})
    else:
        tell(told, rows, result.ignored_columns)
    return errors.REFUSED if result.errors else errors.OK


@snipe.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(file: Path) -> None:
    """Write every device into one CSV file that Snipe-IT's importer takes."""
    from mdm.desk.exchange.export import export_assets

    with work() as call:
        text = export_assets(call)
    file.write_text(text, encoding="utf-8")
    output.note(f"{file} was written.")
