"""What people ask of a phone with the free agent beyond the words of the house, and what the clock does for all of them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import structlog
from sqlalchemy import func, select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import (
    N_,
    ConflictError,
    HavenmeesterError,
    InvalidError,
    LimitedError,
    NotFoundError,
    UnavailableError,
)
from mdm.core.permissions import Permission
from mdm.core.risk import LOCKS_PER_HOUR
from mdm.core.text import clean
from mdm.enrollment.model import Enrollment
from mdm.enrollment.redeem import Certificate, Transact, add_enrollment
from mdm.enrollment.renewal import first_use
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, DeviceEvent, Ownership
from mdm.inventory.queries import device_by_uid
from mdm.outbox import service as outbox
from mdm.platforms.android.headwind.enrolling import stand_in
from mdm.platforms.android.headwind.message import KEPT_LINES
from mdm.platforms.android.headwind.numbers import PLACE_OF_WIFI, setup
from mdm.platforms.android.headwind.sync import PLACE
from mdm.platforms.android.model import AndroidNumber, AndroidPhone, AndroidSetup, PhoneState, Way
from mdm.storage.call import Call
from mdm.storage.seal import Seal

log = structlog.get_logger(__name__)
_PASSCODE: Final = re.compile(r"[\x21-\x7e]{4,32}\Z")
_ASKED: Final = "android_passcode_asked"
PASSCODE_LIFETIME: Final = timedelta(days=1)
"""How long a passcode waits for its phone."""
_LAST_MOMENT: Final = 4_102_444_800_000
"""The year 2100, in milliseconds: a clock that says more is wrong."""
SECURITIES: Final = ("NONE", "WPA", "WEP")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a phone's own log. ``at`` by the phone's clock; None where it said none that can be."""

    level: str
    package: str
    text: str
    at: datetime | None


class Signer(Protocol):
    """What is asked of the signer here."""

    def renew(self, *, previous: str, csr: str, days: int) -> Certificate:
        """The certificate that follows the one with this fingerprint."""


def number_of_device(call: Call, device: Device) -> AndroidNumber | None:
    """The number by which a device is enrolled now; None where it is not, or not by the free agent."""
    return call.session.scalar(
        select(AndroidNumber)
        .where(
            AndroidNumber.device_id == device.id, AndroidNumber.over_at.is_(None), AndroidNumber.bound_at.is_not(None)
        )
        .order_by(AndroidNumber.id.desc())
        .limit(1)
    )


def phone(call: Call, device_uid: str) -> tuple[AndroidPhone, AndroidNumber | None]:
    """What is Android's of a device. NotFoundError when it is not there, not the actor's, or never was such a phone."""
    device = device_by_uid(call, device_uid)
    found = call.session.get(AndroidPhone, device.id)
    if found is None:
        raise NotFoundError(N_("This device was never enrolled as an Android phone."))
    return found, number_of_device(call, device)


def why_no_passcode(device: Device, phone: AndroidPhone, row: AndroidNumber | None) -> str:
    """The English sentence why a phone can be given no passcode now; "" where it can."""
    if phone.way != Way.HEADWIND:
        return N_("Only a phone with the free agent is given a passcode from here.")
    if row is None:
        return N_("The phone is not enrolled, so nothing reaches it.")
    if phone.state != PhoneState.ENROLLED:
        return N_("The phone wipes itself at this moment.")
    if device.ownership == Ownership.PRIVATE:
        return N_("A private phone does not do this for the city.")
    return ""


def reset_passcode(call: Call, seal: Seal, device_uid: str, passcode: str, reason: str = "") -> None:
    """Gives a phone another passcode at its next visit; it is sealed until then and forgotten when the phone says it has it.

    A second one takes the place of one that still waits; one that is not fetched within a day is forgotten. Raises
    NotFoundError, DeniedError, ConflictError for a phone that cannot be given one (``why_no_passcode``), InvalidError for a
    passcode that is none, LimitedError after many within an hour.
    """
    device = device_by_uid(call, device_uid)
    found, row = phone(call, device_uid)
    require(call.actor, Permission.COMMAND_LOCK, device.where)
    why = why_no_passcode(device, found, row)
    if row is None or why:
        raise ConflictError(why, code="device_not_enrolled" if row is None else "passcode_impossible")
    if not _PASSCODE.match(passcode):
        raise InvalidError(
            N_("The passcode was not asked: correct the field that is marked."),
            fields={"passcode": N_("4 to 32 letters, digits or signs, without spaces.")},
        )
    _brake(call, device)
    row.passcode = seal.seal(passcode.encode(), PLACE.format(id=row.id))
    inventory.note(call, device, _ASKED, {})
    audit.record(
        call,
        "phone.passcode_asked",
        ("device", device.uid),
        name=device.label,
        where=device.where,
        details={"reason": clean(reason, 500)},
    )
    # Whatever it was given counts no longer: the doorbell has news for it, even when it waits elsewhere.
    row.given_digest = "-"
    outbox.ring(call, device_id=device.id)


def forget_passcodes(call: Call, limit: int = 200) -> int:
    """Forgets passcodes that no phone took within a day of their being asked; how many. A phone that is found a month later
    shall not change what its holder opens it with."""
    asked = (
        select(func.max(DeviceEvent.at))
        .where(DeviceEvent.device_id == AndroidNumber.device_id, DeviceEvent.kind == _ASKED)
        .scalar_subquery()
    )
    rows = call.session.scalars(
        select(AndroidNumber)
        .where(AndroidNumber.passcode.is_not(None), asked <= call.now - PASSCODE_LIFETIME)
        .order_by(AndroidNumber.id)
        .limit(limit)
    ).all()
    for row in rows:
        row.passcode = None
        inventory.note(call, call.session.get_one(Device, row.device_id), "android_passcode_forgotten", {})
    return len(rows)


def log_lines(found: AndroidPhone) -> list[LogLine]:
    """The last lines that a phone said, at most fifty, newest first; empty where it said none. Cleaned once more."""
    kept = found.details.get("log")
    return [
        LogLine(
            clean(str(one.get("level", "")), 16),
            clean(str(one.get("package", "")), 128),
            clean(str(one.get("text", "")), 500),
            _moment(one.get("at")),
        )
        for one in reversed(kept[-KEPT_LINES:] if isinstance(kept, list) else [])
        if isinstance(one, dict)
    ]


def _moment(milliseconds: object) -> datetime | None:
    """A phone's own clock: whatever no calendar has is no moment."""
    if not isinstance(milliseconds, int) or not 0 < milliseconds < _LAST_MOMENT:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _brake(call: Call, device: Device) -> None:
    lately = call.session.scalar(
        select(func.count())
        .select_from(DeviceEvent)
        .where(
            DeviceEvent.kind == _ASKED,
            DeviceEvent.actor_name == call.actor.name[:255],
            DeviceEvent.at > call.now - timedelta(hours=1),
        )
    )
    if (lately or 0) >= LOCKS_PER_HOUR:
        raise LimitedError(
            N_(
                "You asked for %(count)s passcodes within an hour already. Nothing was asked. Wait, or ask somebody else."
            ),
            retry_after=3600,
            count=LOCKS_PER_HOUR,
            device=device.label,
        )


def set_up(
    call: Call,
    seal: Seal,
    *,
    ssid: str,
    security: str,
    password: str | None,
    hidden: bool = False,
    mobile_data: bool = False,
    leave_apps: bool = True,
    locale: str = "",
    time_zone: str = "",
) -> AndroidSetup:
    """Says how phones are set up. ``password`` None leaves the one that is kept. Raises DeniedError, InvalidError."""
    require(call.actor, Permission.PHONES_MANAGE)
    ssid, wrong = clean(ssid, 64), {}
    if len(ssid.encode()) > 32:
        wrong["ssid"] = N_("The name of a network has at most 32 bytes.")
    if security not in SECURITIES:
        wrong["security"] = N_("This must be one of: %s.") % ", ".join(SECURITIES)
    kept = setup(call)
    has_password = bool(password) if password is not None else kept.wifi_password is not None
    if ssid and security != "NONE" and not has_password:
        wrong["password"] = N_("This is needed.")
    if password and not 8 <= len(password) <= 63:
        wrong["password"] = N_("8 to 63 characters.")
    if locale and not re.match(r"[a-z]{2}_[A-Z]{2}\Z", locale):
        wrong["locale"] = N_("A language is written like nl_BE.")
    if wrong:
        raise InvalidError(N_("Nothing was changed: correct the fields that are marked."), fields=wrong)
    kept.wifi_ssid, kept.wifi_security, kept.wifi_hidden = ssid, security, hidden
    if password is not None or not ssid or security == "NONE":
        keeps = bool(password) and bool(ssid) and security != "NONE"
        kept.wifi_password = seal.seal((password or "").encode(), PLACE_OF_WIFI) if keeps else None
    kept.mobile_data, kept.leave_apps = mobile_data, leave_apps
    kept.locale, kept.time_zone, kept.changed_at = locale, clean(time_zone, 64), call.now
    call.session.add(kept)
    call.session.flush()
    audit.record(
        call,
        "phone_setup.changed",
        ("phone_setup", "android"),
        name="Android",
        details={"ssid": ssid, "security": security},
    )
    return kept


def renew_due(transact: Transact, signer: Signer, days: int, limit: int = 100) -> int:
    """Renews the certificates that stand for phones, in time; how many. What the signer refuses is tried again later."""
    with transact(write=False) as call:
        due = call.session.execute(
            select(AndroidNumber.id, Enrollment.fingerprint)
            .join(Enrollment, Enrollment.id == AndroidNumber.enrollment_id)
            .where(
                AndroidNumber.over_at.is_(None),
                AndroidNumber.bound_at.is_not(None),
                AndroidNumber.wipe_order == "",
                Enrollment.revoked_at.is_(None),
                Enrollment.renew_after <= call.now,
                Enrollment.not_after > call.now,
            )
            .limit(limit)
        ).all()
    done = 0
    for number_id, fingerprint in due:
        try:
            issued = signer.renew(previous=fingerprint, csr=stand_in(), days=days)
        except UnavailableError:
            break
        except HavenmeesterError as error:
            log.warning("the certificate of a phone was not renewed", number=number_id, why=str(error))
            continue
        with transact() as call:
            row = call.session.get_one(AndroidNumber, number_id)
            before = call.session.get_one(Enrollment, row.enrollment_id)
            enrollment = add_enrollment(call, before.device_id, issued, before.invitation_id)
            row.enrollment_id = enrollment.id
            first_use(call, enrollment.id)
        done += 1
    return done
