"""Tries to sign in, kept in the database so that the brake on guessing holds over all processes."""

from zlib import crc32

from sqlalchemy import select, text

from mdm.access.brake import ACCOUNT, ADDRESS, WINDOW
from mdm.access.model import SignInAttempt
from mdm.access.sessions import Visit
from mdm.core.errors import N_, LimitedError
from mdm.core.text import clean
from mdm.storage.call import Call

_LOCK = 7_301_100


def braked(call: Call, account: str, visit: Visit) -> None:
    """Nothing, or LimitedError after too many wrong tries for this account or from this address.

    Without an account, as with a passkey that says itself whose it is, only the address counts.
    """
    session = call.session
    wait = _account_wait(call, account) if account else 0
    if visit.address:
        failures = session.scalars(
            select(SignInAttempt.at).where(
                SignInAttempt.address == visit.address,
                SignInAttempt.at > call.now - WINDOW,
                SignInAttempt.succeeded.is_(False),
            )
        ).all()
        wait = max(wait, ADDRESS.wait(failures, call.now))
    if wait:
        raise LimitedError(
            N_("Too many wrong tries. Nobody was signed in; try again in %(retry_after)s seconds."), retry_after=wait
        )


def note(call: Call, account: str, visit: Visit, *, succeeded: bool) -> None:
    """Keeps one try."""
    call.session.add(SignInAttempt(account=account, address=clean(visit.address, 64), at=call.now, succeeded=succeeded))
    call.session.flush()


def _account_wait(call: Call, account: str) -> int:
    session = call.session
    if session.get_bind().dialect.name == "postgresql":
        # Tries for one account stand in line, so that many at once count like many in a row.
        session.execute(
            text("SELECT pg_advisory_xact_lock(:room, :account)"),
            {"room": _LOCK, "account": crc32(account.encode()) & 0x7FFFFFFF},
        )
    tries = session.execute(
        select(SignInAttempt.at, SignInAttempt.succeeded)
        .where(SignInAttempt.account == account, SignInAttempt.at > call.now - WINDOW)
        .order_by(SignInAttempt.id)
    ).all()
    last_success = max((index for index, row in enumerate(tries) if row.succeeded), default=-1)
    return ACCOUNT.wait([row.at for row in tries[last_success + 1 :]], call.now)
