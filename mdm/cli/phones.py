"""``havenmeester phones``: Apple's list of the city's devices, and certificates that are given by hand."""

from pathlib import Path

import rich_click as click

from mdm.cli import output
from mdm.cli.work import work
from mdm.settings import load


@click.group()
def phones() -> None:
    """Tie this installation to Apple's list of its devices; give certificates by hand."""


@phones.command("tie")
def tie() -> None:
    """Begin a tie with Apple's list, and print the certificate to upload at Apple's business portal."""
    from mdm.platforms.apple.automated import token
    from mdm.storage.seal import load_seal

    settings = load()
    with work(settings=settings) as call:
        made = token.begin(call, load_seal(settings.home / "keys"), settings.organisation)
        uid, certificate = made.uid, made.certificate
    output.note(f"Upload this at Apple's portal, download the token there, then: havenmeester phones token {uid} FILE")
    output.say(certificate.strip())


@phones.command("token")
@click.argument("uid")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def token_(uid: str, file: Path) -> None:
    """Bring in the token (.p7m) that Apple's portal gave for the tie UID; also a new one, before the old one ends."""
    from mdm.platforms.apple.automated import token
    from mdm.storage.seal import load_seal

    settings = load()
    with work(settings=settings) as call:
        held = token.bring_in(call, load_seal(settings.home / "keys"), uid, file.read_bytes())
        until = held.token_ends_at
    output.say(f"The token is good until {until:%Y-%m-%d}. The worker reads the list within a quarter of an hour.")


@phones.command("ties")
def ties() -> None:
    """Show every tie: until when its token is good, how far its list was read, and what is wrong."""
    from sqlalchemy import func, select

    from mdm.platforms.apple.automated.model import AppleAssigned, AppleTie

    with work(write=False) as call:
        count = select(func.count()).where(AppleAssigned.tie_id == AppleTie.id, AppleAssigned.listed).scalar_subquery()
        rows = call.session.execute(select(AppleTie, count).order_by(AppleTie.id)).all()
        for held, listed in rows:
            until = f"{held.token_ends_at:%Y-%m-%d}" if held.token_ends_at else "no token yet"
            output.say(f"{held.uid}  {until}  {listed} devices  {held.problem or 'all is well'}")


@phones.command("requests")
def requests() -> None:
    """Show the phones that wait for their first certificate, where those are given by hand."""
    from mdm.platforms.apple import sessions

    with work(write=False) as call:
        for one in sessions.waiting(call):
            output.say(f"{one.uid}  {one.challenge_used_at:%Y-%m-%d %H:%M}  key {str(one.key_digest)[:16]}")


@phones.command("approve")
@click.argument("uid")
@click.option("--no", "refused", is_flag=True, help="Refuse it.")
def approve(uid: str, refused: bool) -> None:
    """Give (or refuse) the phone that waits under UID its first certificate."""
    from mdm.platforms.apple import sessions
    from mdm.platforms.apple.model import Approval

    with work() as call:
        sessions.decide(call, uid, Approval.REFUSED if refused else Approval.APPROVED)
    output.say("Refused." if refused else "Approved. The phone fetches its certificate when it asks next.")
