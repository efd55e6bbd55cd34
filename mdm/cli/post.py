"""``havenmeester post``: messages of the outbox that were given up."""

import rich_click as click

from mdm.cli import output
from mdm.cli.work import work


@click.group()
def post() -> None:
    """Show and retry messages that were given up."""


@post.command("list")
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def list_dead(json_wanted: bool) -> None:
    """Show the messages that were given up, the newest first."""
    from mdm.outbox import service as outbox

    columns = ("id", "topic", "created_at", "attempts", "last_error")
    with work(write=False) as call:
        messages = outbox.given_up(call.session)
        found = [{column: getattr(message, column) for column in columns} for message in messages]
    output.rows(found, columns, json_wanted=json_wanted)


@post.command()
def retry() -> None:
    """Have everything that was given up delivered again."""
    from mdm.audit import service as audit
    from mdm.outbox import service as outbox

    with work() as call:
        number = outbox.retry_given_up(call.session, call.now)
        if number:
            audit.record(call, "post.retried", ("outbox", "dead"), details={"messages": number})
    output.say(f"Messages that are delivered again: {number}.")
