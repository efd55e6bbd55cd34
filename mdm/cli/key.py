"""``havenmeester key new FILE``: an approver's own key, in a file of their own."""

import os
from pathlib import Path

import rich_click as click

from mdm.cli import output
from mdm.cli.approve import PASSPHRASE


@click.group()
def key() -> None:
    """Make and show key files of approvers."""


@key.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def new(file: Path) -> None:
    """Make a key: FILE (encrypted, for you alone) and FILE.pub (for the roster). Asks for a passphrase.

    Scripts give the passphrase in HAVENMEESTER_KEY_PASSPHRASE.
    """
    from mdm.signing import keyfile

    said = os.environ.get(PASSPHRASE)
    if said is None:
        said = str(click.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True))
    made = keyfile.create(file, said)
    public = keyfile.public_path(file)
    output.note(f"{file} is your key: keep it on a stick of your own. {public} goes into the roster.")
    output.say(keyfile.key_name(made))


@key.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def show(file: Path) -> None:
    """Show how a roster names the key in FILE.pub."""
    from mdm.signing import keyfile

    output.say(keyfile.roster_key(keyfile.read_public(file))["id"])
