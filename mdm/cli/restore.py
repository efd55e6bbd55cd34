"""``havenmeester restore FILE``: everything back as it was, but for what must not live on.

Sessions, one-time links, challenges and tokens for programs end, unused invitations are withdrawn (somebody may have used them
since), and orders that no device has fetched and open requests are cancelled: what was decided after the backup is not known
here any more, so whoever wants a device wiped asks again. People who were erased after the backup was made are erased again.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from mdm.cli import install, output, schema
from mdm.cli.work import user, work
from mdm.core.alone import alone
from mdm.core.clock import utcnow
from mdm.core.errors import ConflictError, InvalidError
from mdm.settings import Settings, load

if TYPE_CHECKING:
    from mdm.privacy.tombstones import Tombstone
    from mdm.storage.call import Call

WHY = "The installation was restored from a backup."


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Also into a home that is in use; what is there is kept beside it.")
@click.option(
    "--erased",
    "lists",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A copy of erased.jsonl that is newer than the backup: those people are erased again. May be repeated.",
)
def restore(file: Path, force: bool, lists: tuple[Path, ...]) -> None:
    """Bring everything back from a backup. Stop Havenmeester first."""
    from mdm.cli import archive

    settings = load()
    install.prepare_home(settings.home)
    _not_running(settings.home)
    used = [name for name in ("havenmeester.db", *archive.FOLDERS) if _has_content(settings.home / name)]
    if (used or schema.present(settings) is not None) and not force:
        raise ConflictError(
            "There is an installation in %(home)s. Nothing was changed; choose an empty home, or add --force.",
            home=settings.home,
        )
    with archive.unpacked(file, settings.home, lambda name, _size: output.note(f"  {name} is whole")) as (
        manifest,
        folder,
    ):
        _fits(settings, manifest)
        stones = _stones(settings.home, *lists)
        kept = _set_aside(settings.home, used)
        _put(settings, manifest, folder)
        _add_stones(settings.home, stones)
    before, after = schema.upgrade(settings)
    if before != after:
        output.note(f"The schema went from {before} to {after}.")
    _begin_epoch(settings, kept)
    # The configuration came back too, and may name another database or a witness.
    settings = load()
    # Its lines come before those of the erasures: the witness is told of the line at which the old diary ended.
    ended = void(settings)
    erased = erase_again(settings)
    _tell_witnesses(settings, ended.lines)
    output.note(
        f"Ended: every session ({ended.sessions}), one-time link, challenge and token for programs ({ended.tokens}). "
        f"Withdrawn: {ended.invitations} invitations. Cancelled: {ended.orders} orders that no device had fetched and"
        f" {ended.requests} open requests. As soon as Havenmeester runs, everybody who answers for a place hears of this."
    )
    if erased:
        output.note(f"Erased again, because they were erased after the backup was made: {erased} people.")
    if kept is not None:
        output.note(
            f"What was there before is in {kept}. It holds what was erased since too: delete it when all is well."
        )
    output.say(f"Restored: the state of {manifest['made_at']}. Next: havenmeester doctor, then havenmeester up")


def _begin_epoch(settings: Settings, kept: Path | None) -> None:
    """What was decided before counts no more: no order of an older epoch is signed or carried out."""
    from mdm.signer import epochs
    from mdm.signer.keys import FOLDER

    folder = settings.home / FOLDER
    if not (folder / "ca.pem").exists():
        output.note("The signer has a home of its own. Stop it, and run there: havenmeester signer epoch")
        return
    epoch, taken_over = epochs.begin(folder, kept / FOLDER if kept is not None else None, int(utcnow().timestamp()))
    output.note(f"The signer begins epoch {epoch}: no order from before is ever signed.")
    if taken_over:
        output.note("Its ledger took over what the replaced one knew: budgets, void orders, red button, rosters.")


def _has_content(path: Path) -> bool:
    return path.is_file() or (path.is_dir() and any(path.iterdir()))


def _not_running(home: Path) -> None:
    for path in (home / "run" / "up.lock", home / "run" / "worker.lock", home / "signer" / "lock"):
        if not path.exists():
            continue
        with alone(path) as free:
            if not free:
                raise ConflictError("Havenmeester runs on %(home)s. Nothing was changed; stop it first.", home=home)


def _fits(settings: Settings, manifest: dict[str, Any]) -> None:
    from mdm.cli.archive import SQLITE

    has_sqlite = SQLITE in manifest["files"]
    if has_sqlite != settings.database.startswith("sqlite"):
        raise InvalidError(
            "The backup is of a %(kind)s database and this installation uses another. Nothing was changed; set "
            "database_url as it was.",
            kind="SQLite" if has_sqlite else "PostgreSQL",
        )


def _set_aside(home: Path, used: list[str]) -> Path | None:
    if not used:
        return None
    folder = home / f"replaced-{utcnow():%Y%m%d%H%M%S}"
    folder.mkdir(mode=0o700)
    for name in [*used, "havenmeester.db-wal", "havenmeester.db-shm"]:
        if (home / name).exists():
            (home / name).rename(folder / name)
    return folder


def _put(settings: Settings, manifest: dict[str, Any], folder: Path) -> None:
    from sqlalchemy import make_url

    from mdm.cli import archive

    for name in manifest["files"]:
        source = folder / name
        if name == archive.POSTGRESQL:
            archive.run_tool(
                settings, "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", str(source)
            )
            continue
        target = settings.home / name
        if name == archive.SQLITE:
            target = Path(make_url(settings.database).database or "")
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o600)


def _stones(home: Path, *lists: Path) -> "list[Tombstone]":
    """Everybody who was erased as this home and the lists know it; raises InvalidError before anything is changed."""
    from mdm.privacy import tombstones

    return [stone for path in (home / tombstones.FILE, *lists) for stone in tombstones.read(path)]


def _add_stones(home: Path, stones: "list[Tombstone]") -> None:
    from mdm.privacy import tombstones

    tombstones.add(home / tombstones.FILE, stones)


def erase_again(settings: Settings) -> int:
    """Erases everybody whom the list names and the restored database still knows, before anything is started; how many."""
    from mdm.core.actor import command_line
    from mdm.privacy.compacting import compact
    from mdm.privacy.redoing import redo
    from mdm.storage.engine import make_engine

    engine = make_engine(settings.database, pool_size=1)
    try:
        count = redo(engine, settings.home, command_line(user()), utcnow)
        if count:
            compact(engine)
        return count
    finally:
        engine.dispose()


@dataclass(frozen=True, slots=True)
class Voided:
    """What a restore ended, and the line at which the diary goes on."""

    orders: int
    requests: int
    invitations: int
    sessions: int
    tokens: int
    lines: int


def void(settings: Settings) -> Voided:
    """Ends what still lets somebody in, and cancels orders that no device has fetched and open requests."""
    from sqlalchemy import delete, func, select, update

    from mdm.access.model import ApiToken, IdempotencyKey, OneTimeLink, PasskeyChallenge, WebSession
    from mdm.audit import service as audit
    from mdm.audit.model import AuditEntry

    with work(settings=settings) as call:
        lines = call.session.scalar(select(func.max(AuditEntry.id))) or 0
        sessions = call.session.scalar(select(func.count()).select_from(WebSession)) or 0
        for table in (PasskeyChallenge, IdempotencyKey, WebSession, OneTimeLink):
            call.session.execute(delete(table))
        alive = call.session.scalars(select(ApiToken.id).where(ApiToken.revoked_at.is_(None))).all()
        call.session.execute(update(ApiToken).where(ApiToken.id.in_(alive)).values(revoked_at=call.now))
        ended = Voided(
            _cancel_orders(call), _cancel_requests(call), _withdraw_invitations(call), sessions, len(alive), lines
        )
        audit.record(
            call,
            "installation.restored",
            ("installation", "home"),
            details={
                "orders_cancelled": ended.orders,
                "requests_cancelled": ended.requests,
                "invitations_withdrawn": ended.invitations,
                "sessions": ended.sessions,
                "tokens": ended.tokens,
                "lines": lines,
            },
        )
        return ended


def _cancel_orders(call: "Call") -> int:
    from sqlalchemy import select

    from mdm.orders import service, states
    from mdm.orders.model import Order

    cancellable = Order.state.in_([state.value for state in states.CANCELLABLE])
    found = call.session.scalars(select(Order.id).where(cancellable).order_by(Order.id)).all()
    for order_id in found:
        service.cancel(call, order_id, WHY)
    return len(found)


def _cancel_requests(call: "Call") -> int:
    from sqlalchemy import select

    from mdm.orders import acts
    from mdm.orders.acts import states
    from mdm.orders.model import Act

    still_open = Act.state.in_([state.value for state in states.OPEN])
    found = call.session.scalars(select(Act.id).where(still_open).order_by(Act.id)).all()
    for act_id in found:
        acts.cancel(call, act_id, WHY)
    return len(found)


def _withdraw_invitations(call: "Call") -> int:
    from sqlalchemy import select

    from mdm.enrollment import service
    from mdm.enrollment.model import Invitation

    unused = (Invitation.used_at.is_(None), Invitation.withdrawn_at.is_(None), Invitation.expires_at > call.now)
    found = call.session.scalars(select(Invitation.uid).where(*unused).order_by(Invitation.id)).all()
    for uid in found:
        service.withdraw(call, uid)
    return len(found)


def _tell_witnesses(settings: Settings, lines: int) -> None:
    """What a witness saw after the backup was made is not in this diary, and that is no crime: the witness is told so."""
    from mdm.audit import export
    from mdm.core.errors import UnavailableError

    try:
        if export.mark_restore(settings, lines, user(), utcnow()):
            output.note(f"The witness of the diary knows that it goes on after line {lines}.")
    except UnavailableError as error:
        output.note(f"{error} Until it knows, privileged acts may be refused; then: havenmeester audit accept-restore")
