"""``havenmeester signer``: the red button, its end, budgets, and the signer's own files."""

import os
import time
from pathlib import Path

import rich_click as click

from mdm.cli import output
from mdm.cli.work import user
from mdm.core.errors import HavenmeesterError, InvalidError
from mdm.settings import load
from mdm.signing import papers
from mdm.signing.client import SignerClient

PAPER = click.Path(dir_okay=False, path_type=Path)
NEW_PASSPHRASE = "HAVENMEESTER_SIGNER_PASSPHRASE_NEW"  # noqa: S105 -- the name of a variable


@click.group()
def signer() -> None:
    """The red button, budgets, and the signer's own files."""


@signer.command()
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def status(json_wanted: bool) -> None:
    """Say how the signer does: roster, epoch, red button, rest, budgets."""
    found = SignerClient(load().signer_socket).health()
    told = {name: getattr(found, name) for name in found.__slots__ if name != "budgets"}
    output.record(
        {**told, **{f"budget_{name}": limit for name, limit in found.budgets.items()}}, json_wanted=json_wanted
    )


@signer.command()
@click.argument("why", default="")
def freeze(why: str) -> None:
    """The red button: the signer signs nothing more, from this moment on. It asks nobody."""
    pressed = SignerClient(load().signer_socket).freeze(who=_who(), why=why[:500])
    output.say(f"Nothing is signed any more (freeze {pressed.number}).")
    _stop_delivery(why)
    output.note("To end it: havenmeester signer thaw --write FILE")


@signer.command()
@click.option("--write", type=PAPER, default=None, help="Write the statement that ends the freeze; people sign it.")
@click.option("--submit", type=PAPER, default=None, help="Hand the signed statement in.")
def thaw(write: Path | None, submit: Path | None) -> None:
    """End the red button, on the word of as many approvers as the roster's threshold."""
    client = SignerClient(load().signer_socket)
    if submit is not None:
        paper = _paper(submit, "thaw")
        client.thaw(statement=paper.text, proofs=list(paper.proofs))
        output.say("The freeze has ended. Orders go on.")
        return
    statement = {"freeze": client.health().freeze, "issued": int(time.time()), "kind": "thaw", "v": 1}
    _write(statement, write, "thaw")


@signer.command()
@click.option(
    "--set", "changes", multiple=True, metavar="NAME=NUMBER", help="A budget as it shall be. May be repeated."
)
@click.option("--write", type=PAPER, default=None, help="Write the statement; people sign it.")
@click.option("--submit", type=PAPER, default=None, help="Hand the signed statement in.")
def budgets(changes: tuple[str, ...], write: Path | None, submit: Path | None) -> None:
    """Show or change the budgets, on the word of as many approvers as the roster's threshold.

    A change says every budget that is not at its default. None goes above ten times its default.
    """
    client = SignerClient(load().signer_socket)
    if submit is not None:
        paper = _paper(submit, "budgets")
        client.set_budgets(statement=paper.text, proofs=list(paper.proofs))
        output.say("The budgets have changed.")
        return
    found = client.health()
    if not changes and write is None:
        output.record(found.budgets, json_wanted=False)
        return
    statement = {
        "issued": int(time.time()),
        "kind": "budgets",
        "limits": dict(_change(said) for said in changes),
        "v": 1,
        "version": found.budgets_version + 1,
    }
    _write(statement, write, "budgets")


@signer.command()
@click.option("--no-passphrase", is_flag=True, help="Take the encryption away.")
def encrypt(no_passphrase: bool) -> None:
    """Encrypt the signer's key files, or change their passphrase. Stop the signer first.

    The present passphrase is found as the signer finds it; the new one is asked, or taken from the variable
    HAVENMEESTER_SIGNER_PASSPHRASE_NEW.
    """
    from mdm.signer import keys
    from mdm.signer.main import only_signer
    from mdm.signing.keyfile import check_passphrase

    settings = load()
    new = None
    if not no_passphrase:
        said = os.environ.get(NEW_PASSPHRASE)
        if said is None:
            said = str(click.prompt("New passphrase", hide_input=True, confirmation_prompt=True, err=True))
        new = check_passphrase(said)
    with only_signer(settings.home / keys.FOLDER):
        done = keys.encrypt(settings.home, new)
    output.say(f"{', '.join(done)}: {'encrypted' if new else 'not encrypted any more'}.")
    if new:
        output.note("Give the signer the passphrase: systemd credential signer-passphrase, see docs/operate.md.")


@signer.command()
def epoch() -> None:
    """Begin a new epoch: no order from before is signed or carried out any more. Stop the signer first.

    havenmeester restore does this by itself; it is needed where the signer has a home of its own.
    """
    from mdm.signer import epochs, keys
    from mdm.signer.main import only_signer

    folder = load().home / keys.FOLDER
    with only_signer(folder):
        number, _ = epochs.begin(folder, None, int(time.time()))
    output.say(f"Epoch {number} has begun.")


def _stop_delivery(why: str) -> None:
    """Stops what was signed already. Where the database cannot be reached, the gateway hears of it from the worker."""
    from sqlalchemy.exc import SQLAlchemyError

    from mdm.cli.work import work
    from mdm.orders import service as orders

    try:
        with work() as call:
            orders.freeze(call, why)
    except (SQLAlchemyError, HavenmeesterError) as error:
        output.note(
            f"The database was not told ({type(error).__name__}): what was signed before may still be delivered."
        )
    else:
        output.note("Nothing that was signed before is delivered any more.")


def _who() -> str:
    name = "".join(letter if "!" <= letter <= "~" else "_" for letter in user())
    return f"command_line:{name}"[:64]


def _change(said: str) -> tuple[str, int]:
    name, _, number = said.partition("=")
    if not number.isdecimal():
        raise InvalidError("%(said)s is not NAME=NUMBER. Nothing was written.", said=said)
    return name.strip(), int(number)


def _paper(file: Path, kind: str) -> papers.Paper:
    paper = papers.read_paper(file.read_bytes())
    if paper.kind != kind:
        raise InvalidError("%(file)s holds something else. Nothing was changed.", file=file, code="kind")
    return paper


def _write(statement: dict[str, object], write: Path | None, name: str) -> None:
    from mdm.cli.approve import show

    paper = papers.new_paper(statement)
    file = write or Path(f"{name}.json")
    show(paper)
    file.write_text(paper.written(), encoding="utf-8")
    output.say(f"{file} waits for signatures: havenmeester approve {file} --key FILE")
    output.note(f"Then: havenmeester signer {name} --submit {file}")
