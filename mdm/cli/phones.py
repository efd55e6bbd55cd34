"""``havenmeester phones``: Apple's list of the city's devices, the push certificate, certificates given by hand."""

from pathlib import Path

import rich_click as click

from mdm.cli import output
from mdm.cli.work import work
from mdm.core.actor import command_line
from mdm.core.clock import iso, utcnow
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


@phones.command("push-request")
def push_request() -> None:
    """Make a request for a push certificate: its key stays here. Signed where apple_vendor names a vendor's certificate."""
    from mdm.platforms.apple import push_request as requests_
    from mdm.storage.seal import load_seal

    settings = load()
    with work(settings=settings) as call:
        made = requests_.begin(call, load_seal(settings.home / "keys"), settings.organisation)
        vendor = settings.apple_vendor
        found = requests_.signed(made, Path(vendor)).decode() if vendor else made.csr
    output.note("Take this to Apple's portal (have your vendor sign it first, unless apple_vendor did), then:")
    output.note("havenmeester phones push-certificate --certificate FILE --account ACCOUNT")
    output.say(found.strip())


@phones.command("push-certificate")
@click.option("--certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="PEM from Apple.")
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Its private key, PEM; not needed after push-request.",
)
@click.option("--account", default="", help="The Apple account it was made with; the next one needs the same.")
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def push_certificate(certificate: Path | None, key: Path | None, account: str, json_wanted: bool) -> int:
    """Bring in a push certificate, or renew it; without files, show the one in use and the days it has left."""
    from mdm.platforms.apple import pushing
    from mdm.storage.call import Call
    from mdm.storage.engine import make_engine, transaction
    from mdm.storage.seal import load_seal

    if certificate is None and key is not None:
        raise click.UsageError("Give --certificate as well.")
    settings = load()
    engine = make_engine(settings.database)
    with transaction(engine) as session:
        call = Call(command_line("push-certificate"), session, utcnow())
        if certificate is not None:
            seal = load_seal(settings.home / "keys")
            pushing.bring(call, seal, certificate.read_text(), key.read_text() if key is not None else "", account)
        held = pushing.in_use(session)
        left = pushing.days_left(session, call.now)
    engine.dispose()
    found = (
        {"topic": held.topic, "account": held.account, "not_after": iso(held.not_after), "days_left": left}
        if held is not None
        else {"topic": None}
    )
    output.record(found, json_wanted=json_wanted)
    return 0 if held is not None and (left or 0) > 0 else 1
