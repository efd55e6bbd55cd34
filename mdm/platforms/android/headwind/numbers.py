"""Device numbers: 128 bits that only the phone and its QR code know, made from the token of an invitation. Mostly pure.

The number is the true credential of a phone: the secret of the agent's signatures is public. It is made from the token, so
that the page of an invitation shows the same code however often it is opened, and nothing that opens it is kept.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from mdm.core.errors import N_, ConflictError, GoneError, NotFoundError
from mdm.core.ids import secret_digest
from mdm.enrollment import queries
from mdm.enrollment import service as enrollments
from mdm.enrollment.model import Invitation
from mdm.enrollment.progress import Standing, standing
from mdm.inventory.model import Ownership, Platform
from mdm.platforms.android import files
from mdm.platforms.android.headwind import wire
from mdm.platforms.android.model import AndroidFile, AndroidNumber, AndroidSetup
from mdm.storage.call import Call
from mdm.storage.seal import Seal

LENGTH: Final = 26
_NUMBER: Final = re.compile(r"[a-z2-7]{26}\Z")
_EXTRA: Final = "android.app.extra.PROVISIONING_"
PLACE_OF_WIFI: Final = "android_setup:1:wifi_password"


def number_of(token: str) -> str:
    """The number that belongs to the token of an invitation: 26 characters of Base32."""
    made = hmac.new(token.encode(), b"havenmeester android device number", hashlib.sha256).digest()[:16]
    return base64.b32encode(made).decode().rstrip("=").lower()


def digest_of(number: str) -> str | None:
    """What a number is known by; None for what cannot be one, so that nothing else is ever looked up."""
    return secret_digest(number) if _NUMBER.match(number) else None


@dataclass(frozen=True, slots=True)
class Place:
    """Where phones find us: the address of the gateway as they see it, and the city's name on their screens."""

    base: str
    organisation: str


def provision(call: Call, seal: Seal, place: Place, invitation: Invitation, token: str) -> str:
    """The content of the QR code that sets up a phone with this invitation, as JSON. Its number is good from now on.

    Raises ConflictError for a private phone (``android_private``) or while nobody uploaded the agent (``android_agent``),
    GoneError for an invitation that was used, NotFoundError for one that is not for Android.
    """
    refuse(call, invitation)
    agent = files.agent(call.session)
    if agent is None:
        raise no_agent()
    number = number_for(call, invitation, token)
    return json.dumps(_extras(seal, place, setup(call), agent, number), separators=(",", ":"), ensure_ascii=False)


def number_for(call: Call, invitation: Invitation, token: str) -> str:
    """The device number of this invitation, good from now on. Twice is like once."""
    number = number_of(token)
    digest = secret_digest(number)
    if call.session.scalar(select(AndroidNumber.id).where(AndroidNumber.digest == digest)) is None:
        call.session.add(
            AndroidNumber(
                digest=digest,
                invitation_id=invitation.id,
                token_digest=secret_digest(token),
                created_at=call.now,
                admin_digest=hashlib.md5(secrets.token_bytes(32), usedforsecurity=False).hexdigest().upper(),
            )
        )
        call.session.flush()
    return number


def refuse(call: Call, invitation: Invitation) -> None:
    """Nothing where a phone can be set up with this invitation by the free agent; raises as ``provision`` does."""
    if invitation.platform != Platform.ANDROID:
        raise queries.unknown_invitation()
    if invitation.ownership == Ownership.PRIVATE:
        raise ConflictError(
            N_(
                "A private phone is not set up this way: the free agent takes over a whole phone. Nothing was changed. "
                "Private phones get a work profile, where the city uses Google's own management."
            ),
            code="android_private",
        )
    now = standing(invitation, call.now)
    if now is Standing.USED:
        raise GoneError(
            N_("This invitation was used already. Nothing was changed. Ask for a new one."), code="invitation_used"
        )
    if now is Standing.EXPIRED:
        raise enrollments.expired()
    if now is not Standing.OPEN:
        raise queries.unknown_invitation()


def no_agent() -> ConflictError:
    """The answer while there is no agent that a phone could be set up with."""
    return ConflictError(
        N_(
            "Android phones cannot be set up yet: nobody has uploaded the vendor's agent. Nothing was changed. "
            "Upload it under Settings."
        ),
        code="android_agent",
    )


def setup(call: Call) -> AndroidSetup:
    """How phones are set up here; what nobody said anything about is as it is by default."""
    return call.session.get(AndroidSetup, 1) or AndroidSetup(
        id=1, wifi_ssid="", wifi_security="NONE", wifi_hidden=False, mobile_data=False, leave_apps=True
    )


def _extras(seal: Seal, place: Place, setup_: AndroidSetup, agent: AndroidFile, number: str) -> Mapping[str, Any]:
    made: dict[str, Any] = {
        f"{_EXTRA}DEVICE_ADMIN_COMPONENT_NAME": wire.RECEIVER,
        f"{_EXTRA}DEVICE_ADMIN_PACKAGE_DOWNLOAD_LOCATION": f"{place.base}{wire.AGENT_FILE}{agent.digest}.apk",
        # The checksum of the signature stays the same when the agent is updated between two phones.
        f"{_EXTRA}DEVICE_ADMIN_SIGNATURE_CHECKSUM": checksum(agent.signer),
        f"{_EXTRA}LEAVE_ALL_SYSTEM_APPS_ENABLED": bool(setup_.leave_apps),
    }
    if setup_.wifi_ssid:
        made[f"{_EXTRA}WIFI_SSID"] = setup_.wifi_ssid
        made[f"{_EXTRA}WIFI_SECURITY_TYPE"] = setup_.wifi_security
        if setup_.wifi_password is not None:
            made[f"{_EXTRA}WIFI_PASSWORD"] = seal.open(setup_.wifi_password, PLACE_OF_WIFI).decode()
        if setup_.wifi_hidden:
            made[f"{_EXTRA}WIFI_HIDDEN"] = True
    if setup_.mobile_data:
        made[f"{_EXTRA}USE_MOBILE_DATA"] = True
    for key, value in (("LOCALE", setup_.locale), ("TIME_ZONE", setup_.time_zone)):
        if value:
            made[f"{_EXTRA}{key}"] = value
    made[f"{_EXTRA}ADMIN_EXTRAS_BUNDLE"] = {
        "com.hmdm.DEVICE_ID": number,
        "com.hmdm.BASE_URL": place.base,
        "com.hmdm.SECONDARY_BASE_URL": place.base,
        "com.hmdm.SERVER_PROJECT": "",
    }
    return made


def checksum(digest: str) -> str:
    """A SHA-256 as a QR code has it: base64url without padding. The digest is given in hexadecimal."""
    return base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")


def by_number(call: Call, number: str, *, lock: bool = False) -> AndroidNumber:
    """The row of a number. Raises NotFoundError for one that was never made: only digests are compared, by an index."""
    digest = digest_of(number)
    query = select(AndroidNumber).where(AndroidNumber.digest == (digest or "-"))
    found = call.session.scalar(query.with_for_update().execution_options(populate_existing=True) if lock else query)
    if found is None:
        raise NotFoundError(N_("There is no such device number."), code=wire.NOT_FOUND)
    return found
