"""A phone's report: it binds the number to the phone, becomes facts, and says what of the desired state is there."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, or_, select

from agent.wire import short_digest
from mdm.commands.model import Verb
from mdm.core.errors import N_, ConflictError
from mdm.enrollment import redeem, renewal
from mdm.enrollment.adopt import adopt
from mdm.enrollment.model import Invitation
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, Platform
from mdm.outbox import service as outbox
from mdm.platforms import reported
from mdm.platforms.android import files
from mdm.platforms.android.headwind import able, watching, wire
from mdm.platforms.android.headwind.live import NOTHING, Live, live
from mdm.platforms.android.headwind.message import KEPT_LINES, Info, lines
from mdm.platforms.android.headwind.sync import answer
from mdm.platforms.android.model import AndroidNumber, AndroidPhone, PhoneState, Way
from mdm.platforms.android.wanted import RAW, wanted
from mdm.policies.model import Cohort
from mdm.storage.call import Call

EVERY: Final = timedelta(hours=1)
"""How often a report that says nothing new is written down."""
_RULES: Final = short_digest(dict(able.REASONS))
AT_ONCE: Final = frozenset({Verb.LOCK, Verb.REFRESH, Verb.UNLOCK})
"""What is done when a phone reports after it fetched it."""
State = dict[str, str]


def known(phone: Live, info: Info, now: datetime) -> bool:
    """Whether this report says what this phone's last one said, and nothing waits for it: then it need not be taken."""
    row = phone.row
    return (
        row.bound_at is not None
        and row.wipe_said_at is None
        and not row.ask
        and _same(row, info)
        and row.reported_digest == _heard(phone, info)
        and row.reported_at is not None
        and row.reported_at > now - EVERY
    )


def take_info(call: Call, phone: Live, info: Info) -> bool:
    """Takes one report of a phone, whose row is held. The same again costs a look and changes nothing.

    False for another phone than the one that the number is bound to, or one that is recorded as somebody else's: an alarm
    then, to be committed, and nothing else changes.
    """
    row, device = phone.row, phone.device
    watching.here_again(call, row)
    if row.wipe_said_at is not None:
        # It is wiping itself at this very moment: what it says of itself is past.
        return True
    if row.bound_at is None:
        try:
            device = _bind(call, phone, info)
        except _OtherError as error:
            watching.contested(call, row, {"recorded": error.device.uid})
            return False
    elif not _same(row, info):
        watching.contested(call, row, {"serial": info.serial, "imei": list(info.imei), "model": info.model})
        return False
    _learn(call, row, device, info)
    heard = _heard(phone, info)
    if heard != row.reported_digest:
        sections = _sections(call, phone, device, info)
        # What is missing may be uploaded by somebody meanwhile: such a report is looked at again whenever it comes.
        digest = short_digest(sections) if sections.get("desired", {}).get("packages_missing") else heard
        if digest != row.reported_digest:
            reported.take(call, device, sections)
            row.reported_digest = digest
            outbox.post(call, "device.place", {"device": device.id})
    row.reported_at = call.now
    if row.given_at is not None and row.ask:
        answer(call, row, set(AT_ONCE), "")
        call.session.flush()
        row.given_waiting = device.waiting
    return True


def _heard(phone: Live, info: Info) -> str:
    """Digest of what a phone says and of what that is held against: the state that it fetched, what is known of agents."""
    shall = phone.shall if phone.row.given_digest == phone.shall else NOTHING
    said = [info.model, info.serial, info.imei, info.android, info.owner, info.permissions, info.applications]
    return short_digest([_RULES, shall, *said])


class _OtherError(Exception):
    """The phone is recorded, and not as one that this invitation may enrol."""

    def __init__(self, device: Device) -> None:
        super().__init__(device.uid)
        self.device = device


def take_log(call: Call, number: str, raw: bytes) -> int:
    """Keeps the last lines that a phone said; how many came. Raises NotFoundError, and InvalidError for what is none."""
    row = live(call, number, lock=True).row
    said = lines(raw)
    phone = call.session.get(AndroidPhone, row.device_id)
    if phone is not None and said:
        phone.details = {**phone.details, "log": [*phone.details.get("log", []), *said][-KEPT_LINES:]}
    return len(said)


def _same(row: AndroidNumber, info: Info) -> bool:
    """Whether the report can be of the phone that the number is bound to. Who says nothing of themselves is not believed."""
    if not row.serial and not row.imei:
        return True
    if row.serial and info.serial and row.serial != info.serial:
        return False
    if row.imei and info.imei and not set(row.imei) & set(info.imei):
        return False
    return bool((row.serial and info.serial) or (row.imei and info.imei))


def _bind(call: Call, phone: Live, info: Info) -> Device:
    """The first report: the number is this phone's from now on, and the phone may turn out to be one that is recorded."""
    row, device = phone.row, phone.device
    known = _recorded(call, info)
    if known is not None and known.id != device.id:
        invitation = call.session.get_one(Invitation, row.invitation_id)
        if device.serial is not None or device.platform != Platform.ANDROID:
            raise _OtherError(known)
        try:
            adopt(call, invitation, device, known)
        except ConflictError as error:
            raise _OtherError(known) from error
        device = known
    elif device.serial and info.serial and device.serial != info.serial:
        raise _OtherError(device)
    row.device_id = device.id
    row.serial, row.imei = info.serial, list(info.imei)
    row.bound_at = call.now
    _end_others(call, row, device)
    made = call.session.get(AndroidPhone, device.id)
    if made is None:
        made = AndroidPhone(device_id=device.id, way=Way.HEADWIND.value, created_at=call.now, details={})
        call.session.add(made)
    made.way, made.state, made.work_profile = Way.HEADWIND.value, PhoneState.ENROLLED.value, False
    if row.enrollment_id is not None:
        renewal.first_use(call, row.enrollment_id)
    redeem.first_report(call, device.id)
    inventory.note(call, device, "android_enrolled", {"way": Way.HEADWIND.value})
    for topic in ("device.place", "device.judge"):
        outbox.post(call, topic, {"device": device.id})
    outbox.ring(call, device_id=device.id)
    return device


def _recorded(call: Call, info: Info) -> Device | None:
    wheres: list[ColumnElement[bool]] = [Device.imei.in_(info.imei)] if info.imei else []
    if info.serial:
        wheres.append(Device.serial == info.serial)
    if not wheres:
        return None
    return call.session.scalar(select(Device).where(or_(*wheres)).order_by(Device.id).limit(1))


def _end_others(call: Call, row: AndroidNumber, device: Device) -> None:
    """Numbers that the device had before are over; a wipe that one of them had said is done: it was set up anew."""
    before = call.session.scalars(
        select(AndroidNumber).where(
            AndroidNumber.device_id == device.id, AndroidNumber.id != row.id, AndroidNumber.over_at.is_(None)
        )
    ).all()
    for one in before:
        if one.wipe_said_at is not None:
            watching.wiped(call, one, "The phone said that it wipes itself, and was enrolled anew.")
        one.over_at, one.over_why = call.now, one.over_why or "enrolled anew"
        one.wipe_order = ""


def _learn(call: Call, row: AndroidNumber, device: Device, info: Info) -> None:
    """What the first report did not say yet is bound by the first that does."""
    row.serial = row.serial or info.serial
    if info.imei and not set(info.imei) <= set(row.imei):
        row.imei = list(dict.fromkeys([*row.imei, *info.imei]))[:4]
    free = info.imei and device.imei is None
    if free and call.session.scalar(select(Device.id).where(Device.imei == info.imei[0])) is None:
        inventory.apply_fields(call, device, {"imei": info.imei[0]}, None)


def _sections(call: Call, phone: Live, device: Device, info: Info) -> dict[str, dict[str, Any]]:
    system: dict[str, Any] = {"os_name": "Android", "os_version": info.android, "model": info.model}
    if info.serial:
        system["serial"] = info.serial
    found: dict[str, dict[str, Any]] = {
        "system": system,
        "agent": {"version": info.applications.get(wire.AGENT, ""), "privileged": info.owner},
        "packages": {"manager": "android", "items": dict(info.applications)},
    }
    cohort = call.session.get(Cohort, device.cohort_id) if device.cohort_id is not None else None
    if cohort is not None and phone.row.given_digest == cohort.desired_digest != NOTHING:
        found["desired"] = standing(call, cohort.desired, info)
    return found


def standing(call: Call, desired: Mapping[str, Any], info: Info) -> dict[str, Any]:
    """What of a desired state is on a phone that fetched it and reports, setting by setting, and which packages are not."""
    shall = wanted(desired["resources"])
    uploaded = {one.package for one in files.in_use(call.session) if one.package}
    installed = set(info.applications)
    missing = [name for name in shall.apps.required if name not in installed]
    blocked = [name for name in shall.apps.blocked if name in installed]
    said: dict[str, State] = {}
    for one in desired["resources"]:
        said[one["id"]] = _said(one, missing, blocked, uploaded, owner=info.owner)
    return {
        "digest": desired["digest"],
        "resources": said,
        "packages_missing": missing,
        "packages_blocked": blocked,
    }


def _said(
    resource: Mapping[str, Any], missing: list[str], blocked: list[str], uploaded: set[str], *, owner: bool | None
) -> State:
    key = resource["id"]
    if resource["kind"] == RAW and resource["way"] != Way.HEADWIND:
        return {"state": "unsupported", "detail": N_("This part is for phones that Google's own management reaches.")}
    if why := able.why_not(key):
        return {"state": "unsupported", "detail": why}
    if owner is False:
        return {"state": "failed", "detail": N_("The agent is not the owner of this phone: set it up by its QR code.")}
    if key == "apps.required" and missing:
        absent = [name for name in missing if name not in uploaded]
        if absent:
            return {"state": "failed", "detail": N_("Nobody uploaded: %s") % ", ".join(absent[:20])}
        return {"state": "pending", "detail": ", ".join(missing[:20])}
    if key == "apps.blocked" and blocked:
        return {"state": "pending", "detail": ", ".join(blocked[:20])}
    return {"state": "applied", "detail": ""}
