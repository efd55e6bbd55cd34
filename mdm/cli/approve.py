"""``havenmeester approve FILE``: somebody signs a statement with a key file, trusting no page, no network, no database."""

import json
import os
import sys
import time
from pathlib import Path

import rich_click as click

from mdm.cli import output
from mdm.core.errors import DeniedError, InvalidError
from mdm.signing import keyfile, papers
from mdm.signing.papers import Paper

PASSPHRASE = "HAVENMEESTER_KEY_PASSPHRASE"  # noqa: S105 -- the name of a variable


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key",
    "key_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="Your key file, from havenmeester key new.",
)
@click.option("--person", default="", help="Who you are in the roster, such as operator:7; else the key tells.")
@click.option(
    "--roster",
    "roster_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="A roster in which your key is found: what havenmeester roster show --json prints.",
)
@click.option(
    "--output",
    "to",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Write the signature to this file instead of printing it.",
)
@click.option("--submit", is_flag=True, help="Hand the signature in at the installation on this machine.")
@click.option("--yes", is_flag=True, help="Do not ask what is signed: for scripts.")
def approve(
    file: Path, key_path: Path, person: str, roster_path: Path | None, to: Path | None, submit: bool, yes: bool
) -> None:
    """Read an order, a batch, a roster, an act, a thaw or budgets from FILE, and sign it with your own key.

    FILE is what havenmeester order ID --json prints, a paper of havenmeester roster propose, or a bare statement. A paper
    keeps the signature in itself, so that it can go to the next person. Shown is what is signed, letter by letter: nothing
    is asked of the console, of the database or of the network, unless --submit says so.
    """
    raw = file.read_bytes()
    paper = papers.read_paper(raw)
    show(paper)
    if not yes:
        confirm(paper)
    key = keyfile.read_private(key_path, passphrase(f"Passphrase of {key_path}"))
    known = [*paper.rosters, *([paper.text] if paper.kind == "roster" else [])]
    if roster_path is not None:
        known += papers.roster_texts(roster_path.read_bytes())
    who = person or papers.whose(keyfile.key_name(key), known)
    if not who:
        raise InvalidError(
            "It is not known whose this key is. Nothing was signed; add --person operator:NUMBER, or --roster FILE.",
            code="person",
        )
    proof = keyfile.sign(key, who, paper.text)
    told = json.dumps(proof, indent=2) + "\n"
    if _is_paper(raw):
        _replace(file, paper.written(proof))
        output.note(f"Signed. {file} holds the signature now.")
    elif to is None:
        sys.stdout.write(told)
    if to is not None:
        to.write_text(told, encoding="utf-8")
    if submit:
        hand_in(paper, proof)


def show(paper: Paper) -> None:
    """Writes what is signed, in plain words."""
    told = papers.lines(paper, int(time.time()))
    width = max(len(name) for name, _ in told)
    for name, value in told:
        output.note(f"  {name:{width}}  {value}")


def confirm(paper: Paper) -> None:
    """Has the person type what they have read. Raises DeniedError when it is something else."""
    question, right = papers.word(paper)
    said = click.prompt(f"To sign this, type {question}", err=True, type=str)
    if said.strip().casefold() != right.casefold():
        raise DeniedError("That is not %(question)s. Nothing was signed.", question=question, code="not_confirmed")


def passphrase(question: str) -> str:
    """The passphrase, from the environment or asked."""
    said = os.environ.get(PASSPHRASE)
    return said if said is not None else str(click.prompt(question, hide_input=True, err=True))


def hand_in(paper: Paper, proof: dict[str, str]) -> None:
    """Gives the signature to the installation on this machine."""
    from mdm.cli.work import work
    from mdm.orders import acts
    from mdm.orders import service as orders

    number = str(paper.fields.get("id", ""))
    if paper.kind not in ("order", "batch", "act"):
        raise InvalidError(
            "A signature over %(kind)s is handed in with its paper: roster submit, signer thaw or signer budgets.",
            kind=paper.kind,
        )
    with work() as call:
        if paper.kind == "act":
            told = f"The request is {acts.approve(call, number, proof).state}."
        else:
            lacking = orders.take_proof(call, number, proof)
            told = f"Lacking: {lacking} more." if lacking else "Nobody else is needed."
    output.note(f"The signature was taken. {told}")


def _is_paper(raw: bytes) -> bool:
    return {"statement", "proofs"} == set(json.loads(raw))


def _replace(file: Path, text: str) -> None:
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)
