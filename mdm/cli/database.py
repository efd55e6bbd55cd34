"""``havenmeester database``: the schema's version, up to date, compared with the code."""

import rich_click as click

from mdm.cli import errors, output, schema
from mdm.settings import load


@click.group()
def database() -> None:
    """Bring the database's schema up to date, or check it."""


@database.command()
def upgrade() -> None:
    """Bring the schema up to date; does nothing when it is."""
    before, after = schema.upgrade(load())
    if before == after:
        output.say(f"The schema is up to date ({after or 'no migration yet'}).")
    else:
        output.say(f"The schema went from {before or 'nothing'} to {after}.")


@database.command()
@click.argument("message")
def revision(message: str) -> None:
    """Write a migration for what the models say now."""
    made = schema.revise(message)
    output.say(f"Written: {made}. Read it before you run: havenmeester database upgrade")


@database.command()
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def check(json_wanted: bool) -> int:
    """Say whether the database is what this code needs: exit code 0 when it is, 3 when not."""
    settings = load()
    has, needs = schema.present(settings), schema.wanted()
    unlike = schema.differences(settings) if has == needs and has is not None else []
    good = has == needs and has is not None and not unlike
    output.record(
        {"good": good, "revision": has, "needed": needs, "differences": unlike},
        json_wanted=json_wanted,
    )
    if not good:
        output.note("To mend it: run havenmeester database upgrade")
    return errors.OK if good else errors.CONFIGURATION
