"""``havenmeester doctor``: what is wrong with this installation, and how to mend it."""

import rich_click as click

from mdm.cli import errors, output
from mdm.settings import load


@click.command()
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def doctor(json_wanted: bool) -> int:
    """Say what is wrong with this installation and how to mend it. Exit code 0 when nothing is wrong, 3 when something is."""
    from mdm.cli.checks import examine

    found = examine(load())
    if json_wanted:
        output.as_json([{"check": one.name, "good": one.good, "said": one.said, "mend": one.mend} for one in found])
    else:
        for one in found:
            output.say(f"{'ok   ' if one.good else 'WRONG'}  {one.name}: {one.said}")
            if not one.good and one.mend:
                output.say(f"       To mend it: {one.mend}")
    return errors.OK if all(one.good for one in found) else errors.CONFIGURATION
