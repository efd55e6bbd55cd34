"""``havenmeester privacy``: who was erased, the database's files made anew, and proving that something is gone."""

from typing import TYPE_CHECKING

import rich_click as click

from mdm.cli import output
from mdm.settings import load

if TYPE_CHECKING:
    from mdm.privacy.tombstones import Tombstone


@click.group()
def privacy() -> None:
    """Show who was erased; make the database's files anew; prove that something is gone."""


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
    from mdm.privacy.proving import outside
    from mdm.storage.engine import make_engine

    settings = load()
    engine = make_engine(settings.database, pool_size=1)
    try:
        done = compact_fully(engine)
        left = outside(engine, settings.wal_archive_days)
    finally:
        engine.dispose()
    if not done:
        output.note("Somebody is reading the database: the journal still holds old pages. Try again in a moment.")
        return errors.UNAVAILABLE
    output.say("The database's files were made anew. Nothing that was deleted lies in them.")
    for sentence in left:
        output.note(sentence)
    return errors.OK


@privacy.command("find")
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def find(json_wanted: bool) -> int:
    """Look for texts in every column and every file of the home folder. One text a line, from standard input.

    A name, an e-mail address, a number: what is looked for is not repeated, only where it was found. Exit code 1: something
    was found. What could not be searched is named.
    """
    import sys

    from mdm.cli import errors
    from mdm.core.errors import InvalidError
    from mdm.privacy import proving
    from mdm.storage.engine import make_engine, transaction

    wanted = [line.strip() for line in sys.stdin.read().splitlines() if line.strip()]
    if not wanted or any(len(one) < proving.LEAST for one in wanted):
        raise InvalidError("Give one text a line, each of at least %(least)s characters.", least=proving.LEAST)
    settings = load()
    engine = make_engine(settings.database, pool_size=1)
    try:
        with transaction(engine, write=False) as session:
            found = [{"where": name, "rows": number} for name, number in proving.in_tables(session, wanted)]
        found += [{"where": str(path), "rows": ""} for path in proving.in_files(settings.home, wanted)]
        left = proving.outside(engine, settings.wal_archive_days)
    finally:
        engine.dispose()
    if json_wanted:
        output.as_json({"found": found, "not_searched": left})
    else:
        if found:
            output.rows(found, ("where", "rows"), json_wanted=False)
        else:
            output.say("It stands in no table and in no file of the home folder.")
        for sentence in left:
            output.note(sentence)
    return errors.REFUSED if found else errors.OK
