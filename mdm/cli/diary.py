"""``havenmeester audit verify``: the proof that nobody changed or cut the diary."""

import rich_click as click

from mdm.cli import errors, output
from mdm.cli.work import work
from mdm.settings import load


@click.group()
def audit() -> None:
    """Prove the diary."""


@audit.command()
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def verify(json_wanted: bool) -> int:
    """Prove the diary's chain, and that it holds every line that the signer once signed. Exit code 1 where it does not.

    While the signer does not answer, only the chain is proved, and that is said.
    """
    from mdm.audit import heads
    from mdm.signing.client import SignerClient

    settings = load()
    with work(settings=settings, write=False) as call:
        found = heads.prove(call.session, SignerClient(settings.signer_socket))
    proof = found.proof
    told = {
        "sound": proof.sound,
        "lines": proof.lines,
        "heads": proof.heads,
        "broken_at": proof.broken_at,
        "sentence": str(proof),
        "signer_asked": found.signer_asked,
    }
    if json_wanted:
        output.as_json(told)
    else:
        output.say(str(proof))
        if not found.signer_asked:
            output.note("The signer does not answer: only the chain was proved, not that its end is the true one.")
    return errors.OK if proof.sound else errors.REFUSED
