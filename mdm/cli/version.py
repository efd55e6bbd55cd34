"""``havenmeester version``."""

import platform
from importlib.metadata import version as installed

import rich_click as click

from mdm.cli import output

SHOWN = ("flask", "sqlalchemy", "alembic", "cryptography", "granian", "gunicorn")


@click.command()
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def version(json_wanted: bool) -> None:
    """Show the version of Havenmeester and of what it stands on."""
    found = {"havenmeester": installed("havenmeester"), "python": platform.python_version()}
    found |= {name: installed(name) for name in SHOWN}
    output.record(found, json_wanted=json_wanted)
