"""Signing in: password, one-time link, second factor. What is refused is refused alike, whatever was wrong.

INVARIANT: a wrong try is an answer and no exception, because it must be committed: the door rolls back when something is
raised, and the brake would forget the try.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from mdm.access import passwords, sessions, totp
from mdm.access.links import take_link
from mdm.access.model import Operator, WebSession
from mdm.access.operators import end_all
from mdm.access.own_passkeys import has_passkey
from mdm.access.people_only import own_id
from mdm.access.sessions import PROOF_NEEDED, Limits, Visit
from mdm.access.tries import braked, note
from mdm.audit import service as audit
from mdm.core.errors import N_, DeniedError
from mdm.core.text import clean
from mdm.storage.call import Call
from mdm.storage.seal import Seal


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
    braked(call, account, visit)
    operator = call.session.scalar(select(Operator).where(Operator.email == account))
    right = passwords.verify(operator.password_hash if operator else None, password)
    if operator is None or not right or operator.disabled_at is not None:
        note(call, account, visit, succeeded=False)
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


def as_operator(
    call: Call, operator: Operator, method: str, visit: Visit, limits: Limits, *, proved_at: datetime | None = None
) -> SignIn:
    """Signs in somebody whom the city's identity provider has proved, second factor and all.

    ``proved_at`` is when they showed there who they are; not said, it counts as long ago, and a risky act asks again.
    """
    if operator.disabled_at is not None:
        return REFUSED
    at = call.now - sessions.FRESH if proved_at is None else min(proved_at, call.now)
    return SignIn(sessions.start(call, operator, method, visit, limits, fresh_at=at))


def with_code(call: Call, pending: str, code: str, visit: Visit, limits: Limits, seal: Seal) -> SignIn:
    """Brings the second factor for a pending sign-in. A code works once. Raises LimitedError as ``with_password``."""
    found = sessions.find_pending(call.session, pending, call.now)
    if found is None:
        return REFUSED
    waiting, operator = found
    braked(call, operator.email, visit)
    if not totp.take_code(call, operator, code, seal):
        note(call, operator.email, visit, succeeded=False)
        return REFUSED
    note(call, operator.email, visit, succeeded=True)
    method = waiting.method.removeprefix(sessions.PENDING) + "+code"
    call.session.delete(waiting)
    return SignIn(sessions.start(call, operator, method, visit, limits))


@dataclass(frozen=True, slots=True)
class Ways:
    """How somebody can show again who they are: a passkey, or password and code, as far as they have them."""

    passkey: bool
    password: bool
    code: bool

    @property
    def typed(self) -> bool:
        """Whether typing will do. A password alone does not, where a passkey is there: the weakest way is what is attacked."""
        return self.code or (self.password and not self.passkey)


def ways_to_prove(call: Call, operator: Operator) -> Ways:
    """The ways that an operator has now."""
    return Ways(
        passkey=has_passkey(call, operator.id),
        password=operator.password_hash is not None,
        code=operator.totp_confirmed_at is not None,
    )


def prove_again(
    call: Call, web_session: WebSession, visit: Visit, seal: Seal, *, password: str = "", code: str = ""
) -> bool:
    """Makes one's own session fresh again, by password and code, as far as they are set up; see ``Ways``.

    False, and the session as it was, for a wrong one. Raises LimitedError as ``with_password``.
    """
    operator = call.session.get_one(Operator, own_id(call))
    ways = ways_to_prove(call, operator)
    if web_session.operator_id != operator.id or not ways.typed:
        return False
    braked(call, operator.email, visit)
    # The password first: a wrong one must not use up the code.
    right = not ways.password or passwords.verify(operator.password_hash, password)
    right = right and (not ways.code or totp.take_code(call, operator, code, seal))
    note(call, operator.email, visit, succeeded=right)
    if right:
        web_session.fresh_at = call.now
    return right


def set_password(call: Call, web_session: WebSession, new: str, visit: Visit, *, current: str = "") -> bool:
    """Sets one's own password and ends one's other sessions and links. False, and nothing changed, when ``current`` is wrong.

    Somebody without a password, or who came by a link, need not know the current one, but must have shown a moment ago who
    they are: a session that somebody left open must not give itself a password. Raises DeniedError (``PROOF_NEEDED``) for
    that, InvalidError for a weak new one, LimitedError as ``with_password``.
    """
    operator = call.session.get_one(Operator, own_id(call))
    fresh = web_session.operator_id == operator.id and sessions.is_fresh(web_session, call.now)
    hashed = passwords.hash_password(new, email=operator.email, name=operator.name)
    if operator.password_hash is None and not fresh:
        raise DeniedError(
            N_("You came in too long ago to choose a password now. Nothing was changed; ask for a new link."),
            code=PROOF_NEEDED,
        )
    if operator.password_hash is not None and not (fresh and web_session.method.startswith("link")):
        braked(call, operator.email, visit)
        if not passwords.verify(operator.password_hash, current):
            note(call, operator.email, visit, succeeded=False)
            return False
    operator.password_hash = hashed
    end_all(call, operator.id, but=web_session.id)
    audit.record(call, "operator.password_set", ("operator", operator.id), name=operator.name)
    return True


def _next(call: Call, operator: Operator, method: str, visit: Visit, limits: Limits) -> SignIn:
    if operator.totp_confirmed_at is not None:
        # Not noted as a success yet: a known password must not win back free guesses at the code.
        return SignIn(sessions.start_pending(call, operator, method, visit), code_needed=True)
    note(call, operator.email, visit, succeeded=True)
    return SignIn(sessions.start(call, operator, method, visit, limits))
