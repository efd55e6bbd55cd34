"""The enrollment profile: what a phone must know to trust us, to get its certificate, and to be managed. Pure.

Identifiers are always the same, because a phone replaces a profile by its identifier; what is unique to one enrollment stands in
its addresses, its challenge and the UUIDs of its parts.
"""

import uuid
from dataclasses import dataclass
from typing import Final

from mdm.core.text import clean
from mdm.platforms.apple import plist
from mdm.platforms.apple.addresses import CHECKIN, SCEP, SERVER

MIME_TYPE: Final = "application/x-apple-aspen-config"
IDENTIFIER: Final = "org.havenmeester.enrollment"
ALL_RIGHTS: Final = 8191
ERASE: Final = 8
"""The right to wipe the whole device: a private one never gives it."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What all profiles of this installation have in common."""

    organisation: str
    gateway: str
    """Address of the gateway as devices see it, without a slash at the end."""
    topic: str
    """What phones listen to for pushes: the UID of the push certificate. It may never change."""
    anchors: tuple[bytes, ...]
    """Certificates (DER) that the phone must trust: those of our authorities."""


@dataclass(frozen=True, slots=True)
class Enrolling:
    """What is one enrollment's own."""

    place: str
    """The unguessable part of its addresses; a renewal keeps it."""
    challenge: str
    private: bool = False
    """Somebody's own device: it never gives the right to wipe it."""
    account: str = ""
    """The managed account of a private phone's owner, where the phone enrols by account; empty otherwise."""
    languages: tuple[tuple[str, str], ...] = ()
    """Language code and what the owner agrees to, in that language; ``default`` among them."""


def document(here: Installation, one: Enrolling) -> plist.Plist:
    """The profile. Twice the same arguments give the same but for the UUIDs."""
    organisation = clean(here.organisation, 80)
    identity = _uuid()
    anchors = [
        _part("com.apple.security.root", f"ca{number}", "Trust", PayloadContent=anchor)
        for number, anchor in enumerate(here.anchors, 1)
    ]
    scep = _part(
        "com.apple.security.scep",
        "identity",
        "Identity",
        PayloadUUID=identity,
        # The certificate of the authority is not named by its digest: the connection proves it already.
        PayloadContent={
            "URL": here.gateway + SCEP + one.place,
            "Name": organisation,
            "Subject": [[["O", organisation]], [["CN", "Havenmeester"]]],
            "Challenge": one.challenge,
            "Keysize": 2048,
            "Key Type": "RSA",
            "Key Usage": 5,
            "Retries": 3,
            "RetryDelay": 10,
            "KeyIsExtractable": False,
            "AllowAllAppsAccess": False,
        },
    )
    outer: plist.Plist = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": IDENTIFIER,
        "PayloadUUID": _uuid(),
        "PayloadDisplayName": organisation,
        "PayloadDescription": f"Management by {organisation}",
        "PayloadOrganization": organisation,
        "TargetDeviceType": 1,
        "PayloadContent": [*anchors, scep, _management(here, one, identity)],
    }
    if one.languages:
        outer["ConsentText"] = {code: clean(text, 2000, lines=True) for code, text in one.languages}
    return outer


def _management(here: Installation, one: Enrolling, identity: str) -> plist.Value:
    account: plist.Plist = (
        {"EnrollmentMode": "BYOD", "AssignedManagedAppleID": one.account}
        if one.account
        else {"AccessRights": ALL_RIGHTS & ~ERASE if one.private else ALL_RIGHTS}
    )
    return _part(
        "com.apple.mdm",
        "mdm",
        "Management",
        IdentityCertificateUUID=identity,
        Topic=here.topic,
        ServerURL=here.gateway + SERVER + one.place,
        CheckInURL=here.gateway + CHECKIN + one.place,
        SignMessage=True,
        CheckOutWhenRemoved=True,
        ServerCapabilities=[],
        **account,
    )


def _part(kind: str, name: str, shown: str, **content: plist.Value) -> plist.Value:
    return {
        "PayloadType": kind,
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{IDENTIFIER}.{name}",
        "PayloadUUID": _uuid(),
        "PayloadDisplayName": shown,
        **content,
    }


def _uuid() -> str:
    return str(uuid.uuid4()).upper()
