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
    from sqlalchemy import select

    from mdm.outbox.model import OutboxMessage as Message

    columns = ("id", "topic", "created_at", "attempts", "last_error")
    with work(write=False) as call:
        rows = call.session.scalars(select(Message).where(Message.dead_at.is_not(None)).order_by(Message.id.desc()))
        found = [{column: getattr(row, column) for column in columns} for row in rows]
    output.rows(found, columns, json_wanted=json_wanted)


@post.command()
def retry() -> None:
    """Have everything that was given up delivered again."""
    from sqlalchemy import func, select, update

    from mdm.audit import service as audit
    from mdm.outbox.model import OutboxMessage as Message

    with work() as call:
        dead = Message.dead_at.is_not(None)
        number = call.session.scalar(select(func.count(Message.id)).where(dead)) or 0
        call.session.execute(update(Message).where(dead).values(dead_at=None, attempts=0, due_at=call.now))
        if number:
            audit.record(call, "post.retried", ("outbox", "dead"), details={"messages": number})
    output.say(f"{number} messages are delivered again.")
