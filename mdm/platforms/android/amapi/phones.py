"""A phone as Google tells of it: enrolled by the right that was made for it, then facts, and what of its policy is there."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, cast

from sqlalchemy import or_, select

from agent.wire import EnrollRequest
from mdm.core.errors import N_, ConflictError, HavenmeesterError, NotFoundError
from mdm.core.text import clean
from mdm.enrollment import redeem, renewal
from mdm.enrollment import service as enrollments
from mdm.enrollment.csr import proved_key
from mdm.enrollment.model import Enrollment, Invitation
from mdm.enrollment.redeem import Claim
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, Platform
from mdm.outbox import service as outbox
from mdm.platforms import reported
from mdm.platforms.android.amapi import able, facts
from mdm.platforms.android.amapi.house import House
from mdm.platforms.android.amapi.model import AndroidGooglePhone, AndroidPolicy, AndroidToken
from mdm.platforms.android.amapi.render import Mode
from mdm.platforms.android.headwind.enrolling import stand_in
from mdm.platforms.android.model import AndroidPhone, PhoneState, Way
from mdm.platforms.android.wanted import RAW
from mdm.policies.model import Cohort
from mdm.storage.call import Call

GONE: Final = "DELETED"
NOTHING: Final = "-"
_FITTING: Final = {
    Mode.MANAGED: ("COMPANY_OWNED", "DEVICE_OWNER"),
    Mode.WORK_PROFILE: ("PERSONALLY_OWNED", "PROFILE_OWNER"),
}
"""What Google says of a phone that was set up as it should be: whose it is, and what of it is managed."""
Resource = Mapping[str, Any]


def take(house: House, said: Resource) -> None:
    """Takes what Google tells of a phone; the first time, it is enrolled. Twice is like once, and what is older changes nothing.

    Raises NotFoundError for a phone that came by no right of ours, ConflictError for one that may not be enrolled by it
    (``android_ownership`` where it was set up in the wrong way), UnavailableError while the signer is away.
    """
    name = short(said.get("name"))
    with house.transact() as call:
        known = known_as(call, name)
    if known is None and said.get("state") != GONE:
        _enroll(house, said, name)
    with house.transact() as call:
        phone = known_as(call, name)
        if phone is not None:
            _report(call, phone, said)


def short(name: object) -> str:
    """The last part of a name at Google's. Raises NotFoundError for what is none."""
    last = clean(name, 400).rpartition("/")[2]
    if not last or len(last) > 128:
        raise NotFoundError(N_("Google told of a device without a name."))
    return last


def known_as(call: Call, name: str) -> AndroidGooglePhone | None:
    """The phone with this number at Google; None for a stranger."""
    return call.session.scalar(select(AndroidGooglePhone).where(AndroidGooglePhone.name == name))


def _enroll(house: House, said: Resource, name: str) -> None:
    """As in ``enrollment.redeem``: two transactions, and the signer between them. What stands for the phone is a key that
    nobody has: orders are bound to it."""
    refused: HavenmeesterError | None = None
    with house.transact() as call:
        token = _token(call, said)
        refused = _unfitting(call, token, said)
        claimed: Claim | None = None
        if refused is None:
            invitation = call.session.scalars(
                select(Invitation).where(Invitation.id == token.invitation_id).with_for_update()
            ).one()
            token.csr = token.csr or stand_in()
            csr, key = token.csr, proved_key(token.csr)
            request = cast(
                EnrollRequest,
                {
                    "token": "",
                    "csr": csr,
                    "platform": Platform.ANDROID.value,
                    "serial": facts.serial(said),
                    "hostname": "",
                    "model": clean(facts.part(said, "hardwareInfo").get("model"), 128) or None,
                    "version": "",
                },
            )
            refused = redeem.refusal(call, invitation, request, key)
            if refused is None:
                claimed = redeem.take(call, invitation, request, key)
    if refused is not None or claimed is None:
        raise refused or NotFoundError(N_("There is no such invitation."))
    issued = house.issue(claimed, csr)
    with house.transact() as call:
        redeem.complete(call, claimed, issued)
        _tie(call, claimed.device_id, _token(call, said), said, name)


def _token(call: Call, said: Resource) -> AndroidToken:
    name = clean(said.get("enrollmentTokenName"), 255)
    found = call.session.scalar(select(AndroidToken).where(AndroidToken.name == name)) if name else None
    if found is None:
        raise NotFoundError(N_("This phone enrolled at Google by a right that was not made here. It was left alone."))
    return found


def _unfitting(call: Call, token: AndroidToken, said: Resource) -> ConflictError | None:
    """Why a phone that was set up in another way than it should be is not enrolled; what is noted of it is kept."""
    if token.used_at is not None:
        return ConflictError(
            N_("Another phone enrolled with this code before. The second one was left alone."), code="android_second"
        )
    wanted = _FITTING[Mode(token.mode)]
    is_ = (said.get("ownership"), said.get("managementMode"))
    if is_ == wanted:
        return None
    invitation = call.session.get_one(Invitation, token.invitation_id)
    invitation.failed_at = call.now
    if token.mode == Mode.WORK_PROFILE:
        error = ConflictError(
            N_(
                "This private phone was set up as a device of the city. It was left alone: reset it, set it up as one's own, and "
                "make the work profile from its settings."
            ),
            code="android_ownership",
        )
    else:
        error = ConflictError(
            N_(
                "This device of the city was not set up as one that is managed as a whole. Reset it and scan the code anew."
            ),
            code="android_ownership",
        )
    invitation.failure = str(error)[:1000]
    return error


def _tie(call: Call, device_id: int, token: AndroidToken, said: Resource, name: str) -> None:
    device = call.session.get_one(Device, device_id)
    phone = call.session.get(AndroidGooglePhone, device_id)
    if phone is None:
        phone = AndroidGooglePhone(device_id=device_id, name=name, mode=token.mode, created_at=call.now)
        call.session.add(phone)
    phone.name, phone.mode, phone.token_id = name, token.mode, token.id
    phone.policy_id, phone.reported_at, phone.applied_policy, phone.applied_version = None, None, "", 0
    phone.state, phone.failures = "ACTIVE", []
    phone.ownership, phone.management = clean(said.get("ownership"), 32), clean(said.get("managementMode"), 32)
    token.used_at = token.used_at or call.now
    common = call.session.get(AndroidPhone, device_id)
    if common is None:
        common = AndroidPhone(device_id=device_id, way=Way.AMAPI.value, created_at=call.now, details={})
        call.session.add(common)
    common.way, common.state = Way.AMAPI.value, PhoneState.ENROLLED.value
    common.work_profile = token.mode == Mode.WORK_PROFILE
    number = facts.imei(said)
    if number and device.imei is None and call.session.scalar(select(Device.id).where(Device.imei == number)) is None:
        inventory.apply_fields(call, device, {"imei": number}, None)
    live = call.session.scalar(
        select(Enrollment)
        .where(Enrollment.device_id == device_id, Enrollment.revoked_at.is_(None))
        .order_by(Enrollment.id.desc())
        .limit(1)
    )
    if live is not None:
        renewal.first_use(call, live.id)
    redeem.first_report(call, device_id)
    inventory.note(call, device, "android_enrolled", {"way": Way.AMAPI.value, "mode": token.mode})


def _report(call: Call, phone: AndroidGooglePhone, said: Resource) -> None:
    """Facts, and what of the policy is there. A report that was made before the one that was taken last changes nothing."""
    at = moment(said.get("lastStatusReportTime"))
    gone = GONE in (said.get("state"), said.get("appliedState"))
    if phone.reported_at is not None and (at is None or at < phone.reported_at) and not gone:
        return
    device = call.session.get_one(Device, phone.device_id)
    if gone:
        _left(call, phone, device)
        return
    phone.state = clean(said.get("appliedState") or said.get("state"), 32) or phone.state
    phone.reported_at = at or phone.reported_at
    phone.applied_policy = clean(said.get("appliedPolicyName"), 400).rpartition("/")[2][:64]
    phone.applied_version = number(said.get("appliedPolicyVersion"))
    phone.compliant = said.get("policyCompliant") if isinstance(said.get("policyCompliant"), bool) else None
    phone.failures = failures(said)
    found = facts.sections(said)
    desired = standing(call, phone, device)
    if desired is not None:
        found["desired"] = desired
    before = device.os_version
    reported.take(call, device, found)
    if device.os_version != before:
        outbox.post(call, "device.place", {"device": device.id})


def _left(call: Call, phone: AndroidGooglePhone, device: Device) -> None:
    """Google manages it no longer: it was wiped, or its owner took the work profile away."""
    if phone.state == GONE:
        return
    phone.state = GONE
    common = call.session.get(AndroidPhone, phone.device_id)
    if common is not None:
        common.state = PhoneState.GONE.value
    enrollments.end(call, device, "left")


def failures(said: Resource) -> list[dict[str, str]]:
    """The fields of its policy that a phone does not meet, in Google's words, few and short."""
    listed = said.get("nonComplianceDetails")
    return [
        {
            "setting": clean(one.get("settingName"), 64),
            "reason": clean(one.get("nonComplianceReason"), 64),
            "package": clean(one.get("packageName"), 255),
            "field": clean(one.get("fieldPath"), 128),
            "detail": clean(one.get("installationFailureReason") or one.get("specificNonComplianceReason"), 64),
        }
        for one in (listed[:100] if isinstance(listed, list) else ())
        if isinstance(one, Mapping)
    ]


def standing(call: Call, phone: AndroidGooglePhone, device: Device) -> dict[str, Any] | None:
    """What of the desired state is on a phone, setting by setting; None while it has not told of the present one."""
    cohort = call.session.get(Cohort, device.cohort_id) if device.cohort_id is not None else None
    policy = call.session.get(AndroidPolicy, phone.policy_id) if phone.policy_id is not None else None
    if cohort is None or policy is None or policy.cohort_id != cohort.id or cohort.desired_digest == NOTHING:
        return None
    if policy.wanted_from != cohort.desired_digest:
        return None
    there = phone.applied_policy == policy.name and phone.applied_version >= policy.version
    keys = {key for made in policy.sources.values() for key in made}
    failed: dict[str, dict[str, str]] = {}
    for one in phone.failures:
        for key in policy.sources.get(one["setting"], ()):
            failed.setdefault(key, one)
    said = {}
    for resource in cohort.desired.get("resources", ()):
        said[resource["id"]] = _said(resource, keys, failed, policy.problem, there=there)
    return {"digest": cohort.desired_digest, "resources": said}


def _said(
    resource: Mapping[str, Any], keys: set[str], failed: Mapping[str, dict[str, str]], problem: str, *, there: bool
) -> dict[str, str]:
    key = resource["id"]
    if resource["kind"] == RAW:
        if resource["way"] != able.WAY:
            return {"state": "unsupported", "detail": N_("This part is for phones with the free agent.")}
    elif key not in able.SUPPORTED:
        return {"state": "unsupported", "detail": able.why_not(key)}
    elif key not in keys and resource["value"] not in (True, False):
        return {"state": "unsupported", "detail": able.NOT_HERE}
    if problem:
        return {"state": "failed", "detail": problem[:300]}
    if not there:
        return {"state": "pending", "detail": ""}
    if key in failed:
        one = failed[key]
        waits = one["reason"] == "PENDING" or one["detail"] == "IN_PROGRESS"
        words = ", ".join(one[name] for name in ("reason", "detail", "package", "field") if one[name])
        return {"state": "pending" if waits else "failed", "detail": words[:300]}
    return {"state": "applied", "detail": ""}


def renew(house: House) -> int:
    """The certificates that stand for phones are followed by new ones before they end; how many."""
    with house.transact(write=False) as call:
        due = call.session.execute(
            select(Enrollment.id)
            .join(AndroidGooglePhone, AndroidGooglePhone.device_id == Enrollment.device_id)
            .where(
                Enrollment.revoked_at.is_(None),
                Enrollment.renew_after <= call.now,
                Enrollment.not_after > call.now,
                or_(AndroidGooglePhone.state != GONE, AndroidGooglePhone.state.is_(None)),
            )
            .order_by(Enrollment.renew_after)
            .limit(20)
        ).scalars()
        ids = list(due)
    for enrollment_id in ids:
        csr = stand_in()
        renewal.renew(house.transact, house.renew, enrollment_id, csr)
        with house.transact() as call:
            made = call.session.scalar(select(Enrollment).where(Enrollment.key_digest == proved_key(csr)))
            if made is not None:
                renewal.first_use(call, made.id)
    return len(ids)


def moment(value: object) -> datetime | None:
    """A moment as Google writes it; None for what is none."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    text = value.replace("Z", "+00:00")
    whole, dot, rest = text.partition(".")
    if dot:
        digits = "".join(one for one in rest if one.isdigit() or one in "+-:")
        zone = digits[-6:] if digits[-6:-5] in ("+", "-") else "+00:00"
        text = f"{whole}.{digits[: len(digits) - len(zone)][:6].ljust(6, '0')}{zone}"
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def number(value: object) -> int:
    """A whole number as Google writes it (text); 0 for what is none."""
    return int(value) if isinstance(value, str | int) and str(value).isdigit() and len(str(value)) < 18 else 0
