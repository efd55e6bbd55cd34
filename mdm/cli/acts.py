"""``havenmeester act``: requests that need somebody else, from the server's own command line."""

import json
from pathlib import Path

import rich_click as click

from mdm.cli import output
from mdm.cli.work import work
from mdm.core.errors import InvalidError

MAX_PROOF = 64 * 1024
JSON = click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")


@click.group()
def act() -> None:
    """Show requests that need somebody else, and decide about them."""


@act.command("list")
@JSON
def list_acts(json_wanted: bool) -> None:
    """Show requests, the newest first."""
    from mdm.orders.acts import queries

    columns = ("id", "state", "verb", "subject_name", "requested_by", "requested_at", "expires_at", "why")
    with work(write=False) as call:
        found = [{column: getattr(row, column) for column in columns} for row in queries.acts(call, limit=200)]
    output.rows(found, columns, json_wanted=json_wanted)


@act.command("show")
@click.argument("number")
@click.option("--statement", is_flag=True, help="Only the text that people sign, to the letter.")
@JSON
def show(number: str, statement: bool, json_wanted: bool) -> None:
    """Show one request with the text that people sign."""
    from mdm.orders.acts import queries

    with work(write=False) as call:
        told = queries.receipt(call, number).as_dict()
    if statement:
        output.say(told["statement"])
    else:
        output.record(told, json_wanted=json_wanted)


@act.command("approve")
@click.argument("number")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def approve(number: str, file: Path) -> None:
    """Hand in somebody's signature over a request, as havenmeester approve writes it."""
    from mdm.orders import acts

    with file.open("rb") as source:
        content = source.read(MAX_PROOF + 1)
    try:
        given = json.loads(content)
    except ValueError as error:
        raise InvalidError("%(path)s is no JSON. Nothing was changed.", path=file) from error
    # A bare signature, or a paper that holds the statement and everybody's.
    proofs = given.get("proofs", [given]) if isinstance(given, dict) else given
    if len(content) > MAX_PROOF or not isinstance(proofs, list) or not proofs:
        raise InvalidError("%(path)s is no approval. Nothing was changed.", path=file)
    if not all(isinstance(one, dict) for one in proofs):
        raise InvalidError("%(path)s is no approval. Nothing was changed.", path=file)
    with work() as call:
        for one in proofs:
            state = acts.approve(call, number, one).state
    output.say(f"The approval was taken; the request is {state}.")


@act.command("cancel")
@click.argument("number")
@click.option("--reason", default="", help="Why.")
def cancel(number: str, reason: str) -> None:
    """Take a request back; nothing is done then."""
    from mdm.orders import acts

    with work() as call:
        acts.cancel(call, number, reason)
    output.say("The request was taken back. Nothing was changed.")
