"""The tie with Google as people look after it: service account, sign-up, enterprise. One for an installation."""

import hmac
import re
from typing import Final

from sqlalchemy import delete, func, select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError, NotFoundError
from mdm.core.ids import new_secret
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.platforms.android.amapi import keys
from mdm.platforms.android.amapi.model import AndroidGoogle, AndroidGooglePhone, AndroidPolicy, AndroidToken, Step
from mdm.storage.call import Call
from mdm.storage.seal import Seal

SUBJECT: Final = "google_tie"
_RESOURCE: Final = re.compile(r"projects/[\w.:-]{1,100}/(subscriptions|topics)/[\w.~+%-]{1,255}\Z")


def tie(call: Call) -> AndroidGoogle | None:
    """The tie, for people who may see settings; None where there is none."""
    require(call.actor, Permission.SETTINGS_VIEW)
    return present(call)


def present(call: Call) -> AndroidGoogle | None:
    """The tie, for the machinery."""
    return call.session.scalar(select(AndroidGoogle).order_by(AndroidGoogle.id).limit(1))


def phones(call: Call) -> int:
    """How many phones are managed by it."""
    require(call.actor, Permission.SETTINGS_VIEW)
    query = select(func.count()).select_from(AndroidGooglePhone).where(AndroidGooglePhone.state != "DELETED")
    return call.session.scalar(query) or 0


def policies(call: Call) -> list[AndroidPolicy]:
    """What Google has of policies, and what it does not have and why; by name."""
    require(call.actor, Permission.SETTINGS_VIEW)
    return list(call.session.scalars(select(AndroidPolicy).order_by(AndroidPolicy.name)))


def bring(
    call: Call,
    seal: Seal,
    raw: bytes,
    *,
    subscription: str = "",
    api: str = "",
    token_address: str = keys.TOKEN_ADDRESS,
) -> AndroidGoogle:
    """Brings in the key file of a service account: the first one, or a new one for the same project.

    Raises InvalidError for what is none, ConflictError (``google_project``) for another project while phones are managed by
    the present one, ConfigurationError where Google's library is not installed. ``api`` and ``token_address`` are other
    addresses than Google's, for a simulated fleet.
    """
    require(call.actor, Permission.PHONES_MANAGE)
    read = keys.read(raw, token_address=token_address)
    topic = resource(subscription, "subscriptions")
    found = present(call)
    if found is not None and found.project != read["project_id"] and found.enterprise:
        raise ConflictError(
            N_("This key is of the project %(new)s, and the enterprise belongs to %(old)s. Nothing was changed."),
            code="google_project",
            new=read["project_id"],
            old=found.project,
        )
    if found is None:
        found = AndroidGoogle(
            project="", account="", key=b"", created_by=clean(call.actor.name, 255), created_at=call.now
        )
        call.session.add(found)
    found.project, found.account, found.problem, found.api = read["project_id"], read["client_email"], "", api
    found.subscription = topic or found.subscription
    call.session.flush()
    keep_key(seal, found, read)
    audit.record(call, "google_tie.key", (SUBJECT, found.project), details={"account": found.account})
    return found


def resource(name: str, kind: str) -> str:
    """The name of a subscription or topic, cleaned; empty stays empty. Raises InvalidError."""
    said = clean(name, 400)
    matched = _RESOURCE.match(said) if said else None
    if said and (matched is None or matched.group(1) != kind):
        example = f"projects/my-project/{kind}/havenmeester"
        raise InvalidError(
            N_("Write the whole name at Google's, such as %(example)s. Nothing was changed."),
            code="google_name",
            fields={kind: N_("Write the whole name at Google's.")},
            example=example,
        )
    return said


def listen(call: Call, *, topic: str, subscription: str) -> None:
    """Where Google tells of phones, and where we hear it. Raises InvalidError, NotFoundError without a tie."""
    require(call.actor, Permission.PHONES_MANAGE)
    found = _tie(call)
    after = (resource(topic, "topics"), resource(subscription, "subscriptions"))
    if (found.topic, found.subscription) == after:
        return
    found.topic, found.subscription = after
    if found.enterprise:
        found.asked_at = call.now
    audit.record(
        call, "google_tie.listening", (SUBJECT, found.project), details={"topic": after[0], "subscription": after[1]}
    )


def sign_up(call: Call, callback: str) -> None:
    """Asks for Google's page on which an administrator agrees; the worker fetches its address.

    Raises ConflictError (``google_ready``) where there is an enterprise already, NotFoundError without a tie.
    """
    require(call.actor, Permission.PHONES_MANAGE)
    found = _tie(call)
    if found.enterprise:
        raise ConflictError(N_("There is an enterprise at Google already. Nothing was changed."), code="google_ready")
    found.state = new_secret()
    found.callback = f"{callback}?state={found.state}"
    found.signup_name = found.signup_url = ""
    found.asked_at = call.now
    found.step = Step.SIGN_UP.value
    found.problem = ""
    audit.record(call, "google_tie.sign_up", (SUBJECT, found.project), details={})


def returned(call: Call, seal: Seal, state: str, token: str) -> None:
    """The administrator came back from Google: the worker makes the enterprise.

    Raises InvalidError (``google_state``) for a return that nobody here asked for; then nothing was changed.
    """
    require(call.actor, Permission.PHONES_MANAGE)
    found = _tie(call)
    good = found.step == Step.SIGN_UP and bool(found.signup_name) and found.state
    if not good or not hmac.compare_digest(found.state.encode(), state.encode(errors="replace")) or not token:
        raise InvalidError(
            N_(
                "Nobody here asked Google for this, or it was used already. Nothing was changed; begin the sign-up anew."
            ),
            code="google_state",
        )
    found.returned_token = seal.seal(token[:2000].encode(), _place(found, "returned_token"))
    found.state, found.step, found.asked_at = "", Step.RETURNED.value, call.now
    audit.record(call, "google_tie.returned", (SUBJECT, found.project), details={})


def remove(call: Call) -> None:
    """Forgets the tie and its key. Raises ConflictError (``google_phones``) while phones are managed by it.

    At Google the enterprise stays: deleting it would wipe every phone of it.
    """
    require(call.actor, Permission.PHONES_MANAGE)
    found = _tie(call)
    if phones(call):
        raise ConflictError(
            N_("Phones are managed by it. Nothing was changed; end their management first."), code="google_phones"
        )
    project = found.project
    call.session.execute(delete(AndroidToken))
    call.session.execute(delete(AndroidPolicy))
    call.session.delete(found)
    audit.record(call, "google_tie.removed", (SUBJECT, project), details={})


def keep_key(seal: Seal, found: AndroidGoogle, read: dict[str, str]) -> None:
    """Seals what matters of a key file, bound to its row."""
    found.key = seal.seal(keys.packed(read), _place(found, "key"))


def key_of(seal: Seal, found: AndroidGoogle) -> dict[str, str]:
    """The service account, for the caller to Google."""
    return keys.unpacked(seal.open(found.key, _place(found, "key")))


def token_of(seal: Seal, found: AndroidGoogle) -> str:
    """The token with which the administrator came back; "" where there is none."""
    if found.returned_token is None:
        return ""
    return seal.open(found.returned_token, _place(found, "returned_token")).decode()


def _tie(call: Call) -> AndroidGoogle:
    found = present(call)
    if found is None:
        raise NotFoundError(N_("There is no tie with Google yet. Bring in the key of a service account first."))
    return found


def _place(found: AndroidGoogle, column: str) -> str:
    return f"android_google:{found.id}:{column}"
