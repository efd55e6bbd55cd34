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


@database.command()
@click.option("--apply", "wanted", is_flag=True, help="Do it; otherwise the statements are only printed.")
def grants(wanted: bool) -> int:
    """Print what each role of PostgreSQL may do, as statements; with --apply make the roles and give them that.

    The roles are havenmeester_console, havenmeester_gateway and havenmeester_worker. Nobody signs in as a role: make a user per
    process, give it the role, and name it in console_database_url, gateway_database_url and worker_database_url.
    """
    from mdm.storage import grants as storage
    from mdm.storage.engine import make_engine

    settings = load()
    if settings.database.startswith("sqlite"):
        output.say("SQLite knows no roles: whoever may write the file may write all of it.")
        return errors.OK
    if wanted:
        outcome = schema.grant(settings)
        if outcome.missing:
            output.note(
                f"This user may not make roles. Let somebody who may run: {'; '.join(map(storage.creation, outcome.missing))}"
            )
            return errors.REFUSED
        output.say(f"Roles made: {', '.join(outcome.made) or 'none, they were there'}. Statements: {outcome.granted}.")
        return errors.OK
    engine = make_engine(settings.database, pool_size=1)
    try:
        with engine.connect() as connection:
            lines = [*map(storage.creation, storage.missing_roles(connection)), *storage.wanted(connection)]
    finally:
        engine.dispose()
    for line in lines:
        output.say(f"{line};")
    return errors.OK
