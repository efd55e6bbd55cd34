"""Challenges for passkeys: kept here and not in the browser, so that each is answered once, in time, by whom it was for."""

from datetime import timedelta
from enum import StrEnum

from sqlalchemy import delete, func, select
from webauthn.helpers import bytes_to_base64url, generate_challenge

from mdm.access.ceremonies import RefusedAnswerError
from mdm.access.model import PasskeyChallenge
from mdm.access.sessions import Visit
from mdm.core.errors import N_, LimitedError
from mdm.core.text import clean
from mdm.storage.call import Call

LIFE = timedelta(minutes=5)
MOST = 60
"""Challenges that one address, or one session, may have open: a stranger cannot fill the table."""


class Purpose(StrEnum):
    """What an answer to a challenge is good for; an answer to another one is refused."""

    PROVE = "prove"
    REGISTER = "register"
    SIGN_IN = "sign_in"


def make(call: Call, purpose: Purpose, visit: Visit, session_id: int | None = None) -> str:
    """A new challenge, base64url, good for five minutes. Raises LimitedError when too many are open already."""
    address = clean(visit.address, 64)
    whose = PasskeyChallenge.address == address if session_id is None else PasskeyChallenge.web_session_id == session_id
    open_now = call.session.scalar(
        select(func.count()).select_from(PasskeyChallenge).where(whose, PasskeyChallenge.expires_at > call.now)
    )
    if (open_now or 0) >= MOST:
        raise LimitedError(N_("Too many tries with a passkey. Try again in %(retry_after)s seconds."), retry_after=60)
    challenge = bytes_to_base64url(generate_challenge())
    call.session.add(
        PasskeyChallenge(
            challenge=challenge,
            purpose=purpose.value,
            web_session_id=session_id,
            address=address,
            created_at=call.now,
            expires_at=call.now + LIFE,
        )
    )
    call.session.flush()
    return challenge


def take(call: Call, challenge: str, purpose: Purpose, session_id: int | None = None) -> None:
    """Uses a challenge up. Raises RefusedAnswerError unless it was open for this purpose and this session.

    One statement decides, so that of many answers at once one counts.
    """
    whose = PasskeyChallenge.web_session_id
    taken = call.session.execute(
        delete(PasskeyChallenge)
        .where(
            PasskeyChallenge.challenge == challenge,
            PasskeyChallenge.purpose == purpose.value,
            whose.is_(None) if session_id is None else whose == session_id,
            PasskeyChallenge.expires_at > call.now,
        )
        .execution_options(synchronize_session=False)
    )
    if int(getattr(taken, "rowcount", 0)) != 1:
        raise RefusedAnswerError(f"no such challenge is open for {purpose.value}")
