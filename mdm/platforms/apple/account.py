"""Private phones that enrol by their owner's account: found by the account, admitted after signing in, never wiped.

The phone asks the account's domain who manages it, is sent to sign in with the city's identity provider, and comes back with
what it was given there: the token of an invitation that is made for this and is good for an hour. From there on it goes the way
of every other phone, but by user enrollment: it tells no serial number, and there is no right to wipe it.
"""

from datetime import timedelta
from typing import Final
from urllib.parse import quote

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mdm.audit import service as audit
from mdm.core.errors import N_, ConflictError, HavenmeesterError, NotFoundError, NotSignedInError
from mdm.core.ids import new_secret, new_uid, secret_digest
from mdm.core.permissions import Where
from mdm.enrollment import queries
from mdm.enrollment.model import Invitation
from mdm.enrollment.progress import Standing, standing
from mdm.inventory.model import DeviceKind, Ownership, Platform
from mdm.org.model import ServicePoint
from mdm.people.model import Person
from mdm.platforms.apple import cms, handout, plist
from mdm.platforms.apple.addresses import ACCOUNT
from mdm.platforms.apple.model import AppleDevice, DeviceState
from mdm.storage.call import Call

MAKER: Final = "account-driven enrollment"
LIFE: Final = timedelta(hours=1)
FAMILIES: Final = frozenset(("iPad", "iPhone"))
MAX_MACHINE: Final = 32 * 1024
Json = dict[str, list[dict[str, str]]]


def discover(call: Call, gateway: str, user: str, family: str) -> Json:
    """Where a phone with this account enrols. Raises NotFoundError for an account or kind of device that is not ours."""
    person = _person(call, user)
    if person is None or family not in FAMILIES:
        raise NotFoundError(N_("This account is not managed here. Nothing was changed."), code="account_unknown")
    address = f"{gateway}{ACCOUNT}?user-identifier={quote(str(person.email), safe='')}"
    return {"Servers": [{"Version": "mdm-byod", "BaseURL": address}]}


def admit(call: Call, email: str | None, user: str) -> str:
    """What a phone brings to show that its owner has signed in, as the identity provider has just proved.

    Raises NotSignedInError when the owner is nobody we know, or not the one whose account the phone named; ConflictError
    while there is no service point that could be asked for help.
    """
    person = _person(call, email or "")
    if person is None or _person(call, user) is not person:
        raise NotSignedInError(
            N_(
                "You signed in as somebody else than the phone's account. Nothing was enrolled. Sign in with that account."
            )
        )
    point = person.service_point_id or call.session.scalar(
        select(ServicePoint.id).where(ServicePoint.closed_on.is_(None)).order_by(ServicePoint.id).limit(1)
    )
    if point is None:
        raise ConflictError(N_("There is no service point yet. Nothing was enrolled; tell a fleet admin."))
    token = new_secret()
    invitation = Invitation(
        uid=new_uid(),
        token_digest=secret_digest(token),
        person_id=person.id,
        platform=Platform.IOS.value,
        service_point_id=point,
        unit_id=person.unit_id,
        ownership=Ownership.PRIVATE.value,
        kind=DeviceKind.PHONE.value,
        created_by=MAKER,
        created_at=call.now,
        opened_at=call.now,
        expires_at=call.now + LIFE,
    )
    call.session.add(invitation)
    call.session.flush()
    where = Where(invitation.service_point_id, invitation.unit_id)
    audit.record(call, "invitation.created", ("invitation", invitation.uid), where=where, details={"for": person.email})
    return token


def enrolled(session: Session) -> int:
    """How many private phones are enrolled by their owners' accounts."""
    query = select(func.count()).where(AppleDevice.user_enrollment, AppleDevice.state == DeviceState.ENROLLED.value)
    return session.scalar(query) or 0


def enroll(call: Call, here: handout.Here, token: str, user: str, machine: bytes) -> bytes:
    """The profile for a phone whose owner has signed in; still to be signed.

    Raises NotSignedInError for a token that is wrong, too old, used, or another account's; InvalidError for a phone that
    does not say, signed, what it is; ConflictError (``push_certificate``).
    """
    invitation = queries.by_token(call.session, token)
    if invitation is None or invitation.created_by != MAKER or standing(invitation, call.now) is not Standing.OPEN:
        raise _again()
    person = call.session.get_one(Person, invitation.person_id)
    if _person(call, user) is not person:
        raise _again()
    machine_info(machine)
    return handout.for_invitation(call, here, invitation, account=str(person.email))


def machine_info(content: bytes) -> plist.Plist:
    """What a phone says of itself, once its signature is proved; whose it is, is not judged. Raises InvalidError."""
    proved = cms.verify(content, digests=cms.WITH_SHA1, limit=MAX_MACHINE)
    return plist.read(proved.content or b"")


def _again() -> HavenmeesterError:
    return NotSignedInError(N_("Sign in with the account of this phone. Nothing was enrolled."), code="sign_in")


def _person(call: Call, email: str) -> Person | None:
    """Who has this address and still works here."""
    found = call.session.scalar(select(Person).where(Person.email == email.strip().lower()[:255])) if email else None
    if found is None or (found.left_on is not None and found.left_on <= call.now.date()):
        return None
    return found
