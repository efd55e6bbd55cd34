"""Signing in: password, one-time link, second factor. What is refused is refused alike, whatever was wrong.

INVARIANT: a wrong try is an answer and no exception, because it must be committed: the door rolls back when something is
raised, and the brake would forget the try.
"""

from dataclasses import dataclass
from zlib import crc32

from sqlalchemy import select, text

from mdm.access import passwords, sessions, totp
from mdm.access.brake import ACCOUNT, ADDRESS, WINDOW
from mdm.access.links import take_link
from mdm.access.model import Operator, SignInAttempt, WebSession
from mdm.access.operators import end_all
from mdm.access.people_only import own_id
from mdm.access.sessions import Limits, Visit
from mdm.audit import service as audit
from mdm.core.errors import N_, LimitedError
from mdm.core.text import clean
from mdm.storage.call import Call
from mdm.storage.seal import Seal

_LOCK = 7_301_100


@dataclass(frozen=True, slots=True)
class SignIn:
    """What came of a try. No secret: refused. ``code_needed``: the secret is for the page that asks for the code."""

    secret: str | None = None
    code_needed: bool = False

    @property
    def refused(self) -> bool:
        """Whether nobody was signed in, and no code will help."""
        return self.secret is None


REFUSED = SignIn()


def with_password(call: Call, email: str, password: str, visit: Visit, limits: Limits) -> SignIn:
    """Tries a password. Unknown address, wrong password, no password and a disabled operator are answered alike.

    Raises LimitedError after too many wrong tries for this account or from this address, also for a right password.
    """
    account = clean(email).lower()
    _braked(call, account, visit)
    operator = call.session.scalar(select(Operator).where(Operator.email == account))
    right = passwords.verify(operator.password_hash if operator else None, password)
    if operator is None or not right or operator.disabled_at is not None:
        _note(call, account, visit, succeeded=False)
        return REFUSED
    if operator.password_hash and passwords.outdated(operator.password_hash):
        operator.password_hash = passwords.rehash(password)
    return _next(call, operator, "password", visit, limits)


def with_link(call: Call, secret: str, visit: Visit, limits: Limits) -> SignIn:
    """Redeems a one-time link: works once, until it expires; refused otherwise. A second factor is asked for as well."""
    operator = take_link(call, secret)
    if operator is None:
        return REFUSED
    return _next(call, operator, "link", visit, limits)


def as_operator(call: Call, operator: Operator, method: str, visit: Visit, limits: Limits) -> SignIn:
    """Signs in somebody whom the city's identity provider has proved, second factor and all."""
    if operator.disabled_at is not None:
        return REFUSED
    return SignIn(sessions.start(call, operator, method, visit, limits))


def with_code(call: Call, pending: str, code: str, visit: Visit, limits: Limits, seal: Seal) -> SignIn:
    """Brings the second factor for a pending sign-in. A code works once. Raises LimitedError as ``with_password``."""
    found = sessions.find_pending(call.session, pending, call.now)
    if found is None:
        return REFUSED
    waiting, operator = found
    _braked(call, operator.email, visit)
    if not totp.take_code(call, operator, code, seal):
        _note(call, operator.email, visit, succeeded=False)
        return REFUSED
    _note(call, operator.email, visit, succeeded=True)
    method = waiting.method.removeprefix(sessions.PENDING) + "+code"
    call.session.delete(waiting)
    return SignIn(sessions.start(call, operator, method, visit, limits))


def prove_again(
    call: Call, web_session: WebSession, visit: Visit, seal: Seal, *, password: str = "", code: str = ""
) -> bool:
    """Makes one's own session fresh again, by the code where a second factor is set up, else by password.

    False, and the session as it was, for a wrong one. Raises LimitedError as ``with_password``.
    """
    operator = call.session.get_one(Operator, own_id(call))
    if web_session.operator_id != operator.id:
        return False
    _braked(call, operator.email, visit)
    if operator.totp_confirmed_at is not None:
        right = totp.take_code(call, operator, code, seal)
    else:
        right = passwords.verify(operator.password_hash, password)
    _note(call, operator.email, visit, succeeded=right)
    if right:
        web_session.fresh_at = call.now
    return right


def set_password(call: Call, web_session: WebSession, new: str, visit: Visit, *, current: str = "") -> bool:
    """Sets one's own password and ends one's other sessions and links. False, and nothing changed, when ``current`` is wrong.

    Somebody without a password, or who came by a link a moment ago, need not know the current one. Raises InvalidError
    for a weak new one, LimitedError as ``with_password``.
    """
    operator = call.session.get_one(Operator, own_id(call))
    by_link = web_session.method.startswith("link") and sessions.is_fresh(web_session, call.now)
    hashed = passwords.hash_password(new, email=operator.email, name=operator.name)
    if operator.password_hash is not None and not by_link:
        _braked(call, operator.email, visit)
        if not passwords.verify(operator.password_hash, current):
            _note(call, operator.email, visit, succeeded=False)
            return False
    operator.password_hash = hashed
    end_all(call, operator.id, but=web_session.id)
    audit.record(call, "operator.password_set", ("operator", operator.id), name=operator.name)
    return True


def _next(call: Call, operator: Operator, method: str, visit: Visit, limits: Limits) -> SignIn:
    if operator.totp_confirmed_at is not None:
        # Not noted as a success yet: a known password must not win back free guesses at the code.
        return SignIn(sessions.start_pending(call, operator, method, visit), code_needed=True)
    _note(call, operator.email, visit, succeeded=True)
    return SignIn(sessions.start(call, operator, method, visit, limits))


def _braked(call: Call, account: str, visit: Visit) -> None:
    session = call.session
    if session.get_bind().dialect.name == "postgresql":
        # Tries for one account stand in line, so that many at once count like many in a row.
        session.execute(
            text("SELECT pg_advisory_xact_lock(:room, :account)"),
            {"room": _LOCK, "account": crc32(account.encode()) & 0x7FFFFFFF},
        )
    since = call.now - WINDOW
    tries = session.execute(
        select(SignInAttempt.at, SignInAttempt.succeeded)
        .where(SignInAttempt.account == account, SignInAttempt.at > since)
        .order_by(SignInAttempt.id)
    ).all()
    last_success = max((index for index, row in enumerate(tries) if row.succeeded), default=-1)
    wait = ACCOUNT.wait([row.at for row in tries[last_success + 1 :]], call.now)
    if visit.address:
        failures = session.scalars(
            select(SignInAttempt.at).where(
                SignInAttempt.address == visit.address, SignInAttempt.at > since, SignInAttempt.succeeded.is_(False)
            )
        ).all()
        wait = max(wait, ADDRESS.wait(failures, call.now))
    if wait:
        raise LimitedError(
            N_("Too many wrong tries. Nobody was signed in; try again in %(retry_after)s seconds."), retry_after=wait
        )


def _note(call: Call, account: str, visit: Visit, *, succeeded: bool) -> None:
    call.session.add(SignInAttempt(account=account, address=clean(visit.address, 64), at=call.now, succeeded=succeeded))
    call.session.flush()
