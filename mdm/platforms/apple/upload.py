"""A configuration profile that somebody uploads: read within limits, judged by Apple's own facts, and kept byte for byte."""

import base64
import binascii
from collections.abc import Mapping

from mdm.core.errors import N_, HavenmeesterError
from mdm.platforms.apple import cms, plist
from mdm.platforms.apple.declarations import PREFIX
from mdm.platforms.apple.enrollment_profile import IDENTIFIER
from mdm.platforms.apple.schema.check import Finding, errors
from mdm.platforms.apple.schema.profile import check_profile
from mdm.platforms.apple.schema.table import Target

FIELD = "mobileconfig"


def fault(content: object) -> str:
    """What is wrong with a payload for iOS, "" when nothing is: an object with the Base64 of a .mobileconfig file."""
    if not isinstance(content, Mapping) or set(content) != {"kind", FIELD} or content["kind"] != "profile":
        return N_("On iOS a payload is an object with the kind profile and the Base64 of a .mobileconfig file.")
    try:
        document = opened(raw(content))
    except (HavenmeesterError, ValueError, binascii.Error) as error:
        return str(error)
    identifier = document.get("PayloadIdentifier")
    if isinstance(identifier, str) and identifier.startswith((PREFIX, IDENTIFIER)):
        return N_("This identifier is one of our own. Give the profile another one.")
    wrong = errors(check_profile(document, Target()))
    return wrong[0].text if wrong else ""


def findings(content: Mapping[str, object], target: Target) -> list[Finding]:
    """Everything that is to be said about an uploaded profile for such devices, warnings too."""
    return judged(opened(raw(content)), target)


def judged(document: plist.Plist, target: Target) -> list[Finding]:
    """The same for one that was opened."""
    return check_profile(document, target)


def raw(content: Mapping[str, object]) -> bytes:
    """The bytes of the file. Raises ValueError for what is no Base64."""
    return base64.b64decode(str(content[FIELD]), validate=True)


def opened(file: bytes) -> plist.Plist:
    """The profile in a file, signed or not. Raises InvalidError for what is none."""
    if file.lstrip()[:1] != b"<":
        signed = cms.verify(file, limit=plist.CHECKIN.size)
        return plist.read(signed.content or b"")
    return plist.read(file)


def identifier(file: bytes) -> str:
    """The identifier of the profile in a file that was checked."""
    return str(opened(file)["PayloadIdentifier"])
