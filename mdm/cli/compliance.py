"""``havenmeester compliance``: which rules are in force, and which came with a later version."""

import rich_click as click

from mdm.cli import output
from mdm.cli.work import work

COLUMNS = ("number", "rule", "platform", "grace_hours", "enabled", "overdue", "in_grace", "unknown", "exempt")


@click.group()
def compliance() -> None:
    """Show the rules in force, and put new ones in force."""


@compliance.command("rules")
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def rules(json_wanted: bool) -> None:
    """List the rules in force with how many devices do not meet them."""
    from mdm.compliance import management, queries

    with work(write=False) as call:
        found = [
            {
                "number": line.row.id,
                **{name: getattr(line.row, name) for name in ("rule", "platform", "grace_hours", "enabled")},
                **{name: getattr(line, name) for name in ("overdue", "in_grace", "unknown", "exempt")},
            }
            for line in queries.rule_lines(call)
        ]
        new = [rule.id for rule in management.new_rules(call)]
    output.rows(found, COLUMNS, json_wanted=json_wanted)
    if new:
        output.note(f"New, and not in force: {', '.join(new)} (havenmeester compliance add-new).")


@compliance.command("add-new")
def add_new() -> None:
    """Put every rule in force that came with a later version; one that was taken out here stays out."""
    from mdm.compliance import management

    with work() as call:
        added = [rule.id for rule in management.add_new_rules(call)]
    output.say(f"In force now: {', '.join(added)}." if added else "There is no new rule; nothing was changed.")
