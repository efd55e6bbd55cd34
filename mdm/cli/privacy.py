"""``havenmeester privacy``: who was erased, and the database's files made anew."""

from typing import TYPE_CHECKING

import rich_click as click

from mdm.cli import output
from mdm.settings import load

if TYPE_CHECKING:
    from mdm.privacy.tombstones import Tombstone


@click.group()
def privacy() -> None:
    """Show who was erased; make the database's files anew."""


@privacy.command("erased")
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def erased(json_wanted: bool) -> None:
    """Show the list of who was erased. It names nobody; keep a copy away from this machine, for restore --erased."""
    from dataclasses import asdict

    from mdm.privacy import tombstones

    found: list[Tombstone] = tombstones.read(load().home / tombstones.FILE)
    columns = ("person", "pseudonym", "made_at", "erased_at")
    output.rows([asdict(one) for one in found], columns, json_wanted=json_wanted)


@privacy.command("compact")
def compact() -> int:
    """Make the database's files anew, so that nothing that was deleted lies in them. PostgreSQL: in a quiet hour, by its owner.

    On PostgreSQL every table is locked while it is written anew. Exit code 4: somebody is reading the files; try again.
    """
    from mdm.cli import errors
    from mdm.privacy.compacting import compact_fully
    from mdm.storage.engine import make_engine

    engine = make_engine(load().database, pool_size=1)
    try:
        done = compact_fully(engine)
    finally:
        engine.dispose()
    if not done:
        output.note("Somebody is reading the database: the journal still holds old pages. Try again in a moment.")
        return errors.UNAVAILABLE
    output.say("The database's files were made anew. Nothing that was deleted lies in them.")
    return errors.OK
