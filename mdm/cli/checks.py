"""What the doctor looks at, one function each; none of them changes anything."""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from mdm.cli import schema, services
from mdm.core.clock import utcnow
from mdm.core.errors import HavenmeesterError
from mdm.operation import health
from mdm.operation.health import Finding
from mdm.settings import Settings

if TYPE_CHECKING:
    from mdm.privacy.proving import Log

LATE = timedelta(minutes=5)
SOON = timedelta(days=60)
PROMISED = 30
"""Days after an erasure in which the archive of a database server may still hold what was erased."""


def examine(settings: Settings) -> list[Finding]:
    """Every look in turn; one that breaks is a finding itself."""
    looks: tuple[tuple[str, Callable[[Settings], Finding]], ...] = (
        ("home folder", home),
        ("disk", health.disk),
        ("keys", keys),
        ("database", database),
        ("schema", tables),
        ("database roles", roles),
        ("deleted data", deleted),
        ("signer", health.signer),
        ("approvers", approvers),
        ("worker", health.worker),
        ("post", post),
        ("console", console),
        ("gateway", gateway),
        ("front end", front),
        ("old databases", old_databases),
        ("administrator", administrator),
    )
    found = []
    for name, look in looks:
        try:
            found.append(look(settings))
        except HavenmeesterError as error:
            found.append(Finding(name, False, str(error), error.mend or ""))
        except SQLAlchemyError as error:
            found.append(Finding(name, False, health.first_line(error), "Mend the database first."))
    return found


def home(settings: Settings) -> Finding:
    """The home folder is there, ours, and closed to others."""
    path = settings.home
    if not path.is_dir():
        return Finding("home folder", False, f"{path} is not there", "Run havenmeester init, or set HAVENMEESTER_HOME.")
    state = path.stat()
    if state.st_mode & 0o077:
        return Finding("home folder", False, f"others can look into {path}", f"chmod 700 {path}")
    if state.st_uid != os.geteuid():
        return Finding("home folder", False, f"{path} belongs to another user", "Run commands as that user.")
    return Finding("home folder", True, str(path))


def keys(settings: Settings) -> Finding:
    """Every key is there and whole, and the authority lives on for a while.

    The signer's keys are looked at where this user may, which is where everything runs as one user; else the signer is asked.
    """
    from mdm.signer.keys import FOLDER, load
    from mdm.signing.client import SignerClient
    from mdm.storage.seal import load_seal

    load_seal(settings.home / "keys")
    ours = os.access(settings.home / FOLDER, os.R_OK | os.X_OK)
    ends = (
        load(settings.home).ca.not_valid_after_utc
        if ours
        else SignerClient(settings.signer_socket).health().ca_not_after
    )
    return Finding(
        "keys",
        ends - utcnow() > SOON,
        f"the certificate authority ends on {ends:%Y-%m-%d}",
        "Plan a new authority: devices must be enrolled again under it.",
    )


def approvers(settings: Settings) -> Finding:
    """A roster of approvers is in force; a rest of orders that is shorter than it should be is said beside it."""
    from mdm.signer.kernel import COOLING
    from mdm.signing.client import SignerClient

    try:
        found = SignerClient(settings.signer_socket, timeout=health.PATIENCE).health()
    except HavenmeesterError as error:
        return Finding("approvers", False, str(error), "Start the signer.")
    if found.clock_ahead:
        said = f"the machine's clock leapt ahead by {found.clock_ahead} seconds, and the signer did not follow"
        return Finding("approvers", False, said, "See whether the clock is right now; then start the signer anew.")
    if not found.roster:
        mend = "havenmeester roster found --approver EMAIL=FILE.pub --approver …"
        return Finding("approvers", False, "there is no roster, so nobody can approve an order", mend)
    said = f"roster {found.roster} is in force"
    if timedelta(minutes=found.cooling_minutes) < COOLING:
        said += (
            f"; WARNING: an approved order rests for {found.cooling_minutes} minutes only, which is for demonstrations:"
            " take order_cooling_minutes out of the signer's configuration"
        )
    return Finding("approvers", True, said)


def database(settings: Settings) -> Finding:
    """The database answers, and a file of SQLite is whole."""
    from mdm.storage.engine import make_engine

    if not settings.database_url and not (settings.home / "havenmeester.db").exists():
        return Finding("database", False, "there is none", "Run havenmeester init.")
    engine = make_engine(settings.database)
    try:
        return health.database(lambda: health.check_file(engine))
    finally:
        engine.dispose()


def tables(settings: Settings) -> Finding:
    """The schema is the one that this code needs."""
    has, needs = schema.present(settings), schema.wanted()
    return Finding("schema", has == needs, f"has {has or 'none'}, needs {needs}", "Run havenmeester database upgrade.")


def roles(settings: Settings) -> Finding:
    """On PostgreSQL each process has its own user, whose role may do what it should and no more."""
    from sqlalchemy import make_url

    from mdm.storage import grants
    from mdm.storage.engine import make_engine

    if settings.database.startswith("sqlite"):
        return Finding("database roles", True, "SQLite knows none")
    engine = make_engine(settings.database, pool_size=1)
    try:
        with engine.connect() as connection:
            missing, wrong = grants.missing_roles(connection), grants.deviations(connection)
    finally:
        engine.dispose()
    if wrong:
        return Finding("database roles", False, wrong[0], "havenmeester database grants --apply")
    users = {make_url(settings.database_of(process)).username for process in ("console", "gateway", "worker")}
    if missing or len(users) < 3:
        said = "console, gateway and worker do not have users of their own: one that is taken over may write everything"
        return Finding("database roles", True, said)
    return Finding("database roles", True, "each process has its own user")


def deleted(settings: Settings) -> Finding:
    """What was erased is soon gone from PostgreSQL's write-ahead log and its archive too: within 30 days, as article 12(3) of
    the GDPR gives for an answer. How long an archive is kept no server knows: the setting ``wal_archive_days`` says it."""
    from mdm.privacy.proving import log_of
    from mdm.storage.engine import make_engine

    engine = make_engine(settings.database, pool_size=1)
    try:
        return deleted_in(log_of(engine), settings.wal_archive_days)
    finally:
        engine.dispose()


def deleted_in(log: "Log | None", days: int) -> Finding:
    """The same of what a server says, with the setting. Pure."""
    if log is None:
        return Finding("deleted data", True, "SQLite keeps no log of what was deleted")
    if log.idle:
        said = f"PostgreSQL holds its write-ahead log back for {log.idle} replication slots that nobody uses: it grows for ever"
        mend = (
            "SELECT slot_name FROM pg_replication_slots WHERE NOT active; then: SELECT pg_drop_replication_slot('NAME')"
        )
        return Finding("deleted data", False, said, mend)
    if not log.archived:
        return Finding("deleted data", True, "PostgreSQL archives no write-ahead log")
    mend = (
        f"Set the recovery window of its backups to at most {PROMISED} days (pgBackRest: repo1-retention-full-type=time and"
        f" repo1-retention-full; Barman: retention_policy), then HAVENMEESTER_WAL_ARCHIVE_DAYS to the same."
    )
    if not days:
        said = "PostgreSQL archives its write-ahead log, and nobody has said for how long: who was erased stands in it until then"
        return Finding("deleted data", False, said, mend)
    return Finding(
        "deleted data",
        days <= PROMISED,
        f"who was erased stands in the archive of PostgreSQL's write-ahead log for {days} days more",
        mend,
    )


def post(settings: Settings) -> Finding:
    """Nothing waits in the outbox for long, and nothing was given up."""
    from mdm.cli.work import work
    from mdm.outbox.model import OutboxMessage as Message

    with work(settings=settings, write=False) as call:
        open_one = (Message.done_at.is_(None), Message.dead_at.is_(None))
        late = (
            call.session.scalar(select(func.count(Message.id)).where(*open_one, Message.due_at < call.now - LATE)) or 0
        )
        dead = call.session.scalars(
            select(Message).where(Message.dead_at.is_not(None)).order_by(Message.id.desc()).limit(1)
        ).first()
    if dead is not None:
        said = f"the message {dead.id} ({dead.topic}) was given up: {dead.last_error}"
        return Finding("post", False, said, "Mend what it says; then: havenmeester post retry")
    return Finding("post", late == 0, f"messages that are late: {late}", "See whether the worker runs.")


def console(settings: Settings) -> Finding:
    """The console answers at its port."""
    good = services.the_four(settings)["console"].ready()
    said = f"{settings.console_base} {'answers' if good else 'does not answer'}"
    return Finding("console", good, said, f"Run havenmeester up; else see {settings.home}/log/console.log")


def gateway(settings: Settings) -> Finding:
    """The gateway answers at its port."""
    good = services.the_four(settings)["gateway"].ready()
    said = f"{settings.gateway_base} {'answers' if good else 'does not answer'}"
    return Finding("gateway", good, said, f"Run havenmeester up; else see {settings.home}/log/gateway.log")


def front(settings: Settings) -> Finding:  # noqa: ARG001 -- every look is called alike
    """The front end is built."""
    built = schema.DIRECTORY.parent / "web" / "static" / "dist" / "manifest.json"
    return Finding("front end", built.exists(), "built" if built.exists() else "is not built", "Run make front.")


def old_databases(settings: Settings) -> Finding:
    """No restore left a whole old database behind: everybody who was erased since stands in it."""
    left = sorted(path.name for path in settings.home.glob("replaced-*") if path.is_dir())
    if not left:
        return Finding("old databases", True, "none is left from a restore")
    said = f"{', '.join(left)} in {settings.home}: what a restore replaced, with everybody who was erased since"
    return Finding("old databases", False, said, "When all is well, delete it.")


def administrator(settings: Settings) -> Finding:
    """Somebody may administer the whole city."""
    from mdm.access import queries
    from mdm.cli.work import work
    from mdm.core.permissions import Role

    with work(settings=settings, write=False) as call:
        number = sum(
            any(g.role == Role.FLEET_ADMIN and g.service_point_id is None and g.unit_id is None for g in grants)
            for _one, grants in queries.operators(call, disabled=False)
        )
    return Finding(
        "administrator", number > 0, f"fleet admins: {number}", "havenmeester operator add EMAIL --role fleet_admin"
    )
