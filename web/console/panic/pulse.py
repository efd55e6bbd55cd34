"""What every page of everybody on duty asks every few seconds: has anything changed?

The answer is one number. It costs one look at the database a second, however many ask: who asks was let in by this process
within the last half minute, and the number is read at most once a second.
"""

import threading
import time
from typing import Final

from flask import current_app
from flask.wrappers import Response

from mdm.access import service as access
from mdm.core.clock import utcnow
from mdm.core.errors import N_, DeniedError, NotSignedInError
from mdm.core.ids import secret_digest
from mdm.core.permissions import Permission
from mdm.org.queries import units_below
from mdm.panic import queries
from mdm.storage.engine import transaction
from web.common.database import db
from web.common.guard import without_database
from web.console.identity import brought_cookie, limits
from web.console.panic.cache import remembered

LET_IN: Final = 30.0
"""Seconds: for so long a session that was ended hears the number still, which says nothing by itself."""
MOST: Final = 5000


class Known:
    """Sessions that may hear, until when."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()

    def has(self, digest: str) -> bool:
        """Whether this session was let in lately."""
        return self._until.get(digest, 0.0) > time.monotonic()

    def add(self, digest: str) -> None:
        """Lets it hear for half a minute."""
        now = time.monotonic()
        with self._lock:
            if len(self._until) >= MOST:
                self._until = {one: until for one, until in self._until.items() if until > now}
            self._until[digest] = now + LET_IN


@without_database("a number that says whether to look again; asks for session and right itself, every half minute")
def pulse() -> Response:
    """The number. 401 for a session that has ended: the page says then that nothing is heard any more."""
    cookie = brought_cookie()
    if not cookie:
        raise NotSignedInError(N_("You are not signed in. Calls for help are not heard on this page."))
    known: Known = current_app.extensions.setdefault("havenmeester_pulse_known", Known())
    digest = secret_digest(cookie)
    if not known.has(digest):
        _let_in(cookie)
        known.add(digest)
    return Response(str(remembered().read(_read)[0]), mimetype="text/plain")


def _read() -> tuple[int, int]:
    with transaction(db.engine, write=False) as session:
        return queries.pulse(session)


def _let_in(cookie: str) -> None:
    now = utcnow()
    with transaction(db.engine, write=False) as session:
        found = access.find(session, cookie, now, limits())
        if found is None:
            raise NotSignedInError(N_("You are not signed in. Calls for help are not heard on this page."))
        actor = access.actor_for(session, found[1], "-", None, now, units_below)
    if not actor.may_somewhere(Permission.PANIC_VIEW):
        raise DeniedError(N_("You are not allowed to see calls for help."))
