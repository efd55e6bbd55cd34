"""``havenmeester audit``: the proof that nobody changed or cut the diary, and the witnesses that make it possible."""

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from mdm.cli import errors, output
from mdm.cli.work import user, work
from mdm.settings import load

if TYPE_CHECKING:
    from mdm.audit.heads import Outcome


@click.group()
def audit() -> None:
    """Prove the diary; give its signed heads to a witness."""


@audit.command()
@click.option(
    "--witness",
    "files",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A file of signed heads: the setting witness_file writes one; a file of syslog is one too. May be repeated.",
)
@click.option("--key", default="", help="The signer's public key of heads (Base64), when you know it from elsewhere.")
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def verify(files: tuple[Path, ...], key: str, json_wanted: bool) -> int:
    """Prove the diary: its chain, and that it holds every line that was ever signed.

    It is compared with the signer's own list and with each witness given; either is enough. Exit code 0: it is as it was
    written. 1: it is not, and where. 4: the chain is whole, but there was nobody to compare it with, so lines may be missing
    at its end or all of it may have been written anew.
    """
    from mdm.audit import export, heads, witness
    from mdm.signing.client import SignerClient

    settings = load()
    seen = witness.together(export.load(path) for path in files) if files else None
    with work(settings=settings, write=False) as call:
        found = heads.prove(call.session, SignerClient(settings.signer_socket), seen, key=key)
    proof = found.proof
    told = {
        "proved": found.proved,
        "sound": proof.sound,
        "lines": proof.lines,
        "heads": proof.heads,
        "broken_at": proof.broken_at,
        "sentence": str(proof),
        "signer_asked": found.signer_asked,
        "witnesses": len(files),
        "restores": [{"line": mark.number, "by": mark.by, "at": mark.at} for mark in seen.marks] if seen else [],
        "unreadable_lines": seen.unreadable if seen else 0,
    }
    if json_wanted:
        output.as_json(told)
    else:
        output.say(str(proof))
    _notes(found)
    if found.proved is None:
        return errors.UNAVAILABLE
    return errors.OK if found.proved else errors.REFUSED


def _notes(found: "Outcome") -> None:
    from datetime import UTC, datetime

    seen = found.witness
    if found.proved is None:
        output.note(
            "The signer does not answer and no witness was given: it cannot be excluded that lines are missing at the end,"
            " or that the whole diary was written anew. Start the signer, or add --witness FILE."
        )
    elif found.proof.sound:
        since = found.proof.lines - found.last
        if since:
            output.note(
                f"The last {since} lines were written after the last signed head: the chain alone protects them."
            )
    for mark in seen.marks if seen else ():
        at = datetime.fromtimestamp(mark.at, UTC)
        output.note(
            f"On {at:%Y-%m-%d %H:%M} UTC {mark.by} restored a backup: the diary went back to line {mark.number}."
        )
    if seen and seen.unreadable:
        output.note(f"Lines of the witness that could not be read: {seen.unreadable}.")


@audit.command("witness")
def witness_() -> None:
    """Print every signed head, one per line: keep it away from this machine, and give it to audit verify --witness."""
    from mdm.audit.witness import head_line
    from mdm.signing.client import SignerClient

    client = SignerClient(load().signer_socket)
    key = client.ca().head_key
    for head in client.heads():
        output.say(head_line(head, key).rstrip())


@audit.command("accept-restore")
@click.option("--yes", is_flag=True, help="Do not ask.")
def accept_restore(yes: bool) -> int:
    """Say that the diary is shorter than witnessed because a backup was restored, so that privileged acts go on.

    The witness keeps for ever that it was said, when, and by whom. havenmeester restore does this by itself.
    """
    from mdm.audit import export, watch
    from mdm.audit import service as diary
    from mdm.core.clock import utcnow
    from mdm.signing.client import SignerClient
    from mdm.storage.engine import make_engine

    settings = load()
    engine, client = make_engine(settings.database, pool_size=1), SignerClient(settings.signer_socket)
    try:
        missing = watch.look(engine, settings, client, utcnow())
        if missing is None:
            output.say("The diary is the one that was witnessed. There is nothing to accept.")
            return errors.OK
        if not yes:
            click.confirm(
                f"Line {missing.number} was signed and is not in the diary. Did you restore a backup?", abort=True
            )
        with work(settings=settings) as call:
            export.mark_restore(settings, watch.agreed(call.session, settings), user(), call.now)
            diary.record(
                call, "installation.restore_accepted", ("installation", "home"), details={"witnessed": missing.number}
            )
        left = watch.look(engine, settings, client, utcnow())
    finally:
        engine.dispose()
    if left is not None:
        output.note(
            f"The signer still knows line {left.number}: put its folder back from the same backup, or read docs/operate.md."
        )
        return errors.REFUSED
    output.say("The witness holds your word. Privileged acts go on.")
    return errors.OK
