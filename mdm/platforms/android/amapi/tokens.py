"""Rights to enrol at Google, each made for one invitation of ours: what is shown as a QR code, once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select

from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError
from mdm.core.permissions import Permission, Where
from mdm.enrollment.model import Invitation
from mdm.enrollment.progress import Standing, standing
from mdm.inventory.model import DeviceKind, Ownership, Platform
from mdm.platforms.android.amapi import account
from mdm.platforms.android.amapi.client import Google
from mdm.platforms.android.amapi.house import AT_ONCE, House
from mdm.platforms.android.amapi.model import AndroidPolicy, AndroidToken, Step
from mdm.platforms.android.amapi.policies import FIRST, full_name
from mdm.platforms.android.amapi.render import Mode
from mdm.storage.call import Call
from mdm.storage.seal import Seal

LINK: Final = "https://enterprise.google.com/android/enroll?et="
"""Where a private phone begins: opened on the phone itself."""


@dataclass(frozen=True, slots=True)
class Code:
    """What a phone is shown. ``qr`` is the content of a QR code (JSON); ``link`` is for a private phone."""

    qr: str
    value: str
    link: str


def ask(call: Call, invitation: Invitation, *, kiosk: bool = False) -> AndroidToken:
    """Has a right made at Google for this invitation; the one that was asked for already, where there is one.

    Private phones get a work profile and nothing else. Raises ConflictError (``google_not_ready``) while there is no
    enterprise, (``invitation_used``) for an invitation that is good for nothing any more, InvalidError for another platform.
    """
    require(call.actor, Permission.ENROLLMENT_INVITE, Where(invitation.service_point_id, invitation.unit_id))
    tie = account.present(call)
    if tie is None or tie.step != Step.READY:
        raise ConflictError(
            N_("There is no enterprise at Google yet. Nothing was made; an administrator ties it first."),
            code="google_not_ready",
        )
    if invitation.platform != Platform.ANDROID:
        raise InvalidError(N_("This invitation is not for an Android phone."), code="platform")
    if standing(invitation, call.now) is not Standing.OPEN:
        raise ConflictError(
            N_("This invitation was used already, or withdrawn. Nothing was changed."), code="invitation_used"
        )
    found = of_invitation(call, invitation.id)
    if found is not None:
        return found
    private = invitation.ownership == Ownership.PRIVATE
    made = AndroidToken(
        invitation_id=invitation.id,
        mode=(Mode.WORK_PROFILE if private else Mode.MANAGED).value,
        kiosk=(kiosk or invitation.kind == DeviceKind.KIOSK) and not private,
        expires_at=invitation.expires_at,
        created_at=call.now,
    )
    call.session.add(made)
    call.session.flush()
    return made


def of_invitation(call: Call, invitation_id: int) -> AndroidToken | None:
    """The right that was asked for with this invitation; None where nobody asked."""
    return call.session.scalar(select(AndroidToken).where(AndroidToken.invitation_id == invitation_id))


def code(seal: Seal, token: AndroidToken, wifi: Mapping[str, str] | None = None) -> Code | None:
    """What the phone is shown; None while Google has not answered. ``wifi`` (name, security, password) joins the QR code."""
    if token.code is None:
        return None
    kept = json.loads(seal.open(token.code, _place(token)))
    content = json.loads(kept["qr"]) if kept["qr"] else {}
    for key, name in (("ssid", "WIFI_SSID"), ("security", "WIFI_SECURITY_TYPE"), ("password", "WIFI_PASSWORD")):
        if wifi and wifi.get(key):
            content[f"android.app.extra.PROVISIONING_{name}"] = wifi[key]
    return Code(json.dumps(content) if content else "", kept["value"], LINK + kept["value"])


def bring(house: House, google: Google, enterprise: str) -> int:
    """Asks Google for the rights that people wait for; how many calls it took."""
    with house.transact(write=False) as call:
        ready = {
            row.mode: row.name
            for row in call.session.scalars(
                select(AndroidPolicy).where(AndroidPolicy.name.startswith(FIRST), AndroidPolicy.version > 0)
            )
        }
        rows = [
            (row.id, body(row, full_name(enterprise, ready[row.mode]), call))
            for row in call.session.scalars(
                select(AndroidToken)
                .where(AndroidToken.name.is_(None), AndroidToken.problem == "", AndroidToken.expires_at > call.now)
                .order_by(AndroidToken.id)
                .limit(AT_ONCE)
            )
            if row.mode in ready
        ]
    for token_id, wanted in rows:
        try:
            answer = google.call("enterprises.enrollmentTokens.create", enterprise, body=wanted)
        except InvalidError as error:
            with house.transact() as call:
                call.session.get_one(AndroidToken, token_id).problem = str(error)[:1000]
            continue
        with house.transact() as call:
            keep(house.seal(), call.session.get_one(AndroidToken, token_id), answer)
    return len(rows)


def body(token: AndroidToken, policy: str, call: Call) -> dict[str, Any]:
    """What Google is asked for: good once, as long as the invitation, and never for a mixed use of a device of the city."""
    usage = "DISALLOWED_USERLESS" if token.kiosk else "DISALLOWED"
    private = token.mode == Mode.WORK_PROFILE
    return {
        "policyName": policy,
        "duration": seconds(token.expires_at - call.now),
        "oneTimeOnly": True,
        "allowPersonalUsage": "PERSONAL_USAGE_ALLOWED" if private else f"PERSONAL_USAGE_{usage}",
        "additionalData": f"havenmeester:{token.id}",
    }


def keep(seal: Seal, token: AndroidToken, answer: Mapping[str, Any]) -> None:
    """Keeps what Google made, sealed."""
    value, qr = str(answer.get("value") or ""), str(answer.get("qrCode") or "")
    try:
        good = isinstance(json.loads(qr), dict) if qr else True
    except (ValueError, RecursionError):
        good = False
    name = str(answer.get("name") or "")[:255]
    if not value or not name or not good:
        token.problem = N_("The answer of Google makes no sense.")
        return
    token.name = name
    token.code = seal.seal(json.dumps({"value": value[:500], "qr": qr[:4000]}).encode(), _place(token))


def seconds(span: timedelta) -> str:
    """A span as Google writes it, at least a minute."""
    return f"{max(60, int(span.total_seconds()))}s"


def _place(token: AndroidToken) -> str:
    return f"android_token:{token.id}:code"
