"""Handing out enrollment profiles: to whoever has the token of an invitation, and to an enrolled phone for its renewal.

Each profile begins a session with a challenge of its own. It is made inside a transaction and signed outside of one.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select

from mdm.core.errors import N_, ConflictError, GoneError, NotFoundError
from mdm.enrollment import queries, service
from mdm.enrollment.model import Enrollment, Invitation
from mdm.enrollment.progress import Standing, standing
from mdm.inventory.model import Device, Ownership, Platform
from mdm.platforms.apple import plist, pushing, sessions
from mdm.platforms.apple.enrollment_profile import Enrolling, Installation, document
from mdm.platforms.apple.model import AppleSession, SessionKind
from mdm.storage.call import Call


@dataclass(frozen=True, slots=True)
class Here:
    """What an installation is to a phone, but for its push topic."""

    organisation: str
    gateway: str
    """Address of the gateway as devices see it, without a slash at the end."""
    anchors: tuple[bytes, ...]
    """Certificates (DER) that a phone must trust."""

    @classmethod
    def of(cls, organisation: str, gateway: str, *authorities: str) -> "Here":
        """With the certificates of our authorities as PEM."""
        ders = (x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER) for pem in authorities)
        return cls(organisation, gateway, tuple(ders))


Languages = tuple[tuple[str, str], ...]


def for_token(call: Call, here: Here, token: str, consent: Languages = ()) -> bytes:
    """A new profile for whoever has the token of an invitation; still to be signed.

    Raises NotFoundError for a token that is unknown, withdrawn, or not for a phone of Apple's, GoneError for one that was
    used or has expired, ConflictError (``push_certificate``) while this installation cannot reach phones.
    """
    invitation = service.opened(call, token)
    if invitation.platform != Platform.IOS:
        raise queries.unknown_invitation()
    if standing(invitation, call.now) is Standing.USED:
        raise GoneError(
            N_("This invitation was used already. Nothing was changed. Ask for a new one."), code="invitation_used"
        )
    return for_invitation(call, here, invitation, consent)


def for_invitation(
    call: Call, here: Here, invitation: Invitation, consent: Languages = (), *, account: str = ""
) -> bytes:
    """A new profile of an invitation that is still good. ``account``: the phone enrols by this account of its owner."""
    installation = _installation(call, here)
    kind = SessionKind.ACCOUNT if account else SessionKind.INVITATION
    session, challenge = sessions.for_invitation(call, invitation, kind=kind, account=account)
    private = invitation.ownership == Ownership.PRIVATE
    return plist.write(document(installation, Enrolling(session.place, challenge, private, account, languages=consent)))


def for_device(call: Call, here: Here, device: Device) -> bytes:
    """A new profile for a device of the city's that enrols by itself while it is set up."""
    installation = _installation(call, here)
    session, challenge = sessions.for_device(call, device)
    return plist.write(
        document(installation, Enrolling(session.place, challenge, device.ownership == Ownership.PRIVATE))
    )


def for_renewal(call: Call, here: Here, device_id: int) -> bytes:
    """A profile with which an enrolled phone gets its next certificate: same identifiers, addresses, topic and rights.

    Raises NotFoundError for a device that has no certificate in force, or never enrolled with a profile of ours, and
    ConflictError (``push_certificate``) where the topic has changed: the phone would refuse the profile.
    """
    held = queries.live(call.session, device_id, call.now)
    used = [one for one in held if one.first_used_at is not None] or list(held)
    before = _session_of(call, used[0]) if used else None
    if before is None:
        raise NotFoundError(N_("This device has no enrollment that can be renewed. Nothing was changed."))
    session, challenge = sessions.for_renewal(call, used[0], before)
    private = call.session.get_one(Device, device_id).ownership == Ownership.PRIVATE
    return plist.write(
        document(_installation(call, here), Enrolling(session.place, challenge, private, before.account))
    )


def _session_of(call: Call, enrollment: Enrollment) -> AppleSession | None:
    """The session of this certificate, else the newest of its device: one that follows another under SCEP has none."""
    mine = call.session.scalar(select(AppleSession).where(AppleSession.fingerprint == enrollment.fingerprint))
    if mine is not None:
        return mine
    return call.session.scalar(
        select(AppleSession)
        .where(AppleSession.device_id == enrollment.device_id, AppleSession.fingerprint.is_not(None))
        .order_by(AppleSession.id.desc())
        .limit(1)
    )


def _installation(call: Call, here: Here) -> Installation:
    topic = pushing.topic(call.session, call.now)
    if topic is None:
        raise ConflictError(
            N_(
                "Phones of Apple's cannot be enrolled yet: there is no push certificate that still holds. "
                "Nothing was changed. Bring one in under Settings."
            ),
            code="push_certificate",
        )
    return Installation(here.organisation, here.gateway, topic, here.anchors)


Sign = Callable[[bytes], bytes]
"""Asks the signer for a signature over a profile."""
