"""One use case from the command line: one transaction, spoken by whoever runs the command on the server."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mdm.core.actor import command_line
from mdm.core.clock import utcnow
from mdm.core.errors import ApprovalNeededError, ConfigurationError, HavenmeesterError
from mdm.core.ids import new_uid
from mdm.core.text import clean
from mdm.settings import Settings, load

if TYPE_CHECKING:
    from mdm.storage.call import Call


@contextmanager
def work(*, write: bool = True, settings: Settings | None = None) -> "Iterator[Call]":
    """``with work() as call:`` commits at the end and rolls back when anything is raised.

    What the gate stops becomes a request, and ApprovalNeededError then names it. Raises ConfigurationError where there
    is no installation.
    """
    from mdm.orders import acts
    from mdm.storage.call import Call
    from mdm.storage.engine import make_engine, transaction

    settings = settings or load()
    if settings.database.startswith("sqlite") and not settings.database_url:
        path = settings.home / "havenmeester.db"
        if not path.exists():
            raise ConfigurationError(
                "There is no installation in %(home)s.",
                home=settings.home,
                mend="Run havenmeester init, or set HAVENMEESTER_HOME to the folder of the installation.",
            )
    engine = make_engine(settings.database, pool_size=1)
    actor = command_line(user(), f"cli-{new_uid()[:12]}")
    try:
        with transaction(engine, write=write) as session:
            call = Call(actor, session, utcnow(), acts.unfounded(session) if write else None)
            try:
                yield call
            except HavenmeesterError as error:
                if error.keep:
                    session.commit()
                raise
            acts.note_uses(call)
    except ApprovalNeededError as needed:
        with transaction(engine) as session:
            needed.act = acts.ask(Call(actor, session, utcnow()), needed).id
        raise
    finally:
        engine.dispose()


def user() -> str:
    """The name of whoever runs the command, as the diary shall know it."""
    name = os_user()
    behind = clean(_sudo_user(), 64)
    return f"{behind} as {name}" if behind and behind != name else name


def os_user() -> str:
    """The name of the user of this process."""
    try:
        return clean(getpass.getuser(), 64) or "somebody"
    except (KeyError, OSError):
        return "somebody"


def _sudo_user() -> str:
    import os

    return os.environ.get("SUDO_USER", "")
