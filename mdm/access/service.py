"""Who may come in, and as what: every verb of this room in one place. Knows no Flask."""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from mdm.access.idempotency import Answer, recall, remember
from mdm.access.idempotency import kept_since as keys_kept_since
from mdm.access.links import create_link, first_link, link_works
from mdm.access.model import IdempotencyKey, OneTimeLink, PasskeyChallenge, SignInAttempt, WebSession
from mdm.access.operators import (
    add_grant,
    add_operator,
    create_operator,
    disable_operator,
    edit_profile,
    enable_operator,
    ensure_operator,
    grants_of,
    remove_grant,
)
from mdm.access.own_passkeys import add_passkey, begin_passkey, remove_passkey, rename_passkey
from mdm.access.passkeys import (
    Signature,
    begin_passkey_proof,
    begin_passkey_sign_in,
    prove_with_passkey,
    sign_statement,
    signing_options,
    with_passkey,
)
from mdm.access.places import CITY, Place, actor_for
from mdm.access.relying_party import RelyingParty, relying_party
from mdm.access.sessions import (
    PROOF_NEEDED,
    Limits,
    Visit,
    end,
    end_mine,
    find,
    find_pending,
    is_fresh,
    needs_touch,
    sign_out,
    touch,
)
from mdm.access.sign_in import (
    SignIn,
    Ways,
    as_operator,
    prove_again,
    set_password,
    ways_to_prove,
    with_code,
    with_link,
    with_password,
)
from mdm.access.tokens import actor_for_token, create_token, revoke_token, token_needs_touch, touch_token
from mdm.access.totp import begin_totp, confirm_totp, remove_totp, reset_totp
from mdm.access.views import delete_view, save_view

__all__ = [
    "CITY",
    "PROOF_NEEDED",
    "Answer",
    "Limits",
    "Place",
    "RelyingParty",
    "SignIn",
    "Signature",
    "Visit",
    "Ways",
    "actor_for",
    "actor_for_token",
    "add_grant",
    "add_operator",
    "add_passkey",
    "as_operator",
    "begin_passkey",
    "begin_passkey_proof",
    "begin_passkey_sign_in",
    "begin_totp",
    "confirm_totp",
    "create_link",
    "create_operator",
    "create_token",
    "delete_view",
    "disable_operator",
    "edit_profile",
    "enable_operator",
    "end",
    "end_mine",
    "ensure_operator",
    "find",
    "find_pending",
    "first_link",
    "grants_of",
    "is_fresh",
    "link_works",
    "needs_touch",
    "prove_again",
    "prove_with_passkey",
    "recall",
    "relying_party",
    "remember",
    "remove_grant",
    "remove_passkey",
    "remove_totp",
    "rename_passkey",
    "reset_totp",
    "revoke_token",
    "save_view",
    "set_password",
    "sign_out",
    "sign_statement",
    "signing_options",
    "tidy",
    "token_needs_touch",
    "touch",
    "touch_token",
    "ways_to_prove",
    "with_code",
    "with_link",
    "with_passkey",
    "with_password",
]

ATTEMPTS_KEPT = timedelta(days=1)
LINKS_KEPT = timedelta(days=30)


def tidy(session: Session, now: datetime) -> None:
    """Forgets what has expired: sessions, challenges, tries of yesterday, idempotency keys of yesterday, links of a month ago."""
    session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.expires_at <= now))
    session.execute(delete(WebSession).where(WebSession.expires_at <= now))
    session.execute(delete(SignInAttempt).where(SignInAttempt.at <= now - ATTEMPTS_KEPT))
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at <= keys_kept_since(now)))
    session.execute(delete(OneTimeLink).where(OneTimeLink.expires_at <= now - LINKS_KEPT))
