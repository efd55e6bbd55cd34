"""``havenmeester webhook`` and ``havenmeester alarm``: who hears of what, and what was told."""

import rich_click as click

from mdm.cli import errors, output
from mdm.cli.work import work
from mdm.settings import load


@click.group()
def webhook() -> None:
    """Set where alarms are sent; the hosts are those of the setting webhook_hosts."""


@webhook.command("list")
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def list_targets(json_wanted: bool) -> None:
    """Show every target: what it hears, how the last delivery went."""
    from mdm.alarms import queries

    columns = ("name", "url", "kinds", "enabled", "last_at", "last_status", "failures", "last_error")
    with work(write=False) as call:
        found = [{column: getattr(one, column) for column in columns} for one in queries.webhook_targets(call)]
        waiting, dead = queries.undelivered(call)
    output.rows(found, columns, json_wanted=json_wanted)
    if waiting or dead:
        output.note(f"Webhooks that wait: {waiting}; given up: {dead} (havenmeester post list).")


@webhook.command("set")
@click.argument("name")
@click.argument("url")
@click.option(
    "--kind", "kinds", multiple=True, help="Only alarms of this kind; may be repeated. Without it: all of them."
)
@click.option("--off", is_flag=True, help="Keep it, and send nothing.")
def set_(name: str, url: str, kinds: tuple[str, ...], off: bool) -> None:
    """Make the target NAME, or change it. As soon as there is a roster of approvers, somebody else must agree first."""
    from mdm.alarms import targets
    from mdm.alarms.address import hosts

    settings = load()
    with work(settings=settings) as call:
        targets.set_target(call, hosts(settings.webhook_hosts), name=name, url=url, kinds=kinds, enabled=not off)
    output.say(f"{name} is told {'nothing' if off else 'of ' + (', '.join(kinds) or 'every alarm')}.")


@webhook.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Take the target NAME away. As soon as there is a roster of approvers, somebody else must agree first."""
    from mdm.alarms import targets

    with work() as call:
        targets.remove_target(call, name)
    output.say(f"{name} is told nothing any more.")


@webhook.command("secret")
@click.argument("name")
def secret(name: str) -> None:
    """Print the secret by which the target NAME proves what we send (standardwebhooks.com); the diary notes it."""
    from mdm.alarms import targets
    from mdm.storage.seal import load_seal

    settings = load()
    with work(settings=settings) as call:
        output.say(targets.show_secret(call, name, load_seal(settings.home / "keys")))


@click.group()
def alarm() -> None:
    """Show the alarms."""


@alarm.command("list")
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def list_alarms(json_wanted: bool) -> int:
    """Show the last fifty alarms, the newest first."""
    from mdm.alarms import queries, service

    columns = ("id", "at", "kind", "sentence", "told")
    with work(write=False) as call:
        found = [
            {"id": one.id, "at": one.at, "kind": one.kind, "sentence": service.sentence(one), "told": one.told}
            for one in queries.alarms(call)
        ]
    output.rows(found, columns, json_wanted=json_wanted)
    return errors.OK
