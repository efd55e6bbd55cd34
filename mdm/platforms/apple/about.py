"""Everything that the page of a phone shows: how it is enrolled and reached, what it has, and what it said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select

from mdm.inventory.model import Device
from mdm.platforms.apple import asking, listed, offered, pushing, service, status
from mdm.platforms.apple.model import AppleDevice, AppleProfile, AppleSession, AppleSet, DeviceState
from mdm.storage.call import Call

ENFORCED: Final = "com.apple.configuration.softwareupdate.enforcement.specific"
STALE: Final = 300
"""Characters of a reason that the page shows."""


class Reach(StrEnum):
    """How it stands with waking a phone."""

    DEAD = "dead"
    """Apple says that it is not reached; it comes by itself."""
    GONE = "gone"
    LATER = "later"
    """Apple asked to wait."""
    NO_CERTIFICATE = "no_certificate"
    OTHER_TOPIC = "other_topic"
    REACHED = "reached"
    SILENT = "silent"
    """It has not told how it is reached."""
    WOKEN = "woken"
    """It was pushed and has not come yet."""


@dataclass(frozen=True, slots=True)
class ProfileLine:
    """One profile: ours with what became of it, or another one that the phone lists."""

    identifier: str
    name: str
    ours: bool
    managed: bool
    state: str
    """installed, pending, leaving, failed; present for one that is not ours."""
    detail: str
    payloads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclarationLine:
    """One declaration that it was told of, with what it says of it. ``state``: applied, pending, failed, unknown."""

    identifier: str
    kind: str
    type: str
    state: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class About:
    """A phone for its page. Times are None where nothing is known."""

    apple: AppleDevice
    enrollment: str
    """account, automated, invitation; "" where it is not known."""
    reach: Reach
    hurdles: Mapping[str, str]
    """Why each of ``offered.ASKS`` cannot be asked; "" where it can."""
    profiles: Sequence[ProfileLine]
    certificates: Sequence[Mapping[str, Any]]
    applications: Sequence[Mapping[str, Any]]
    declarations: Sequence[DeclarationLine]
    errors: Sequence[str]
    """What went wrong when it told its status, in its own words."""
    listed_at: Mapping[str, str | None]
    update: Mapping[str, str]
    """What it says of the update that is pending; empty where none is."""
    unlock_token: bool
    bypass_code: bool


def about(call: Call, device_uid: str) -> About:
    """The phone; NotFoundError when it is not there, not the actor's, or no phone of Apple's."""
    apple = service.phone(call, device_uid)
    device = call.session.get_one(Device, apple.device_id)
    session = call.session.get(AppleSession, apple.session_id) if apple.session_id is not None else None
    content = _told(call, apple)
    return About(
        apple=apple,
        enrollment=_kind(call, apple, session),
        reach=_reach(call, device, apple),
        hurdles=offered.hurdles(apple, asking.target(device, apple)),
        profiles=_profiles(call, apple),
        certificates=listed.items(apple, listed.CERTIFICATES),
        applications=listed.items(apple, listed.APPLICATIONS),
        declarations=[_declaration(one, apple.declared.get(one["identifier"])) for one in content],
        errors=[str(one)[:STALE] for one in apple.status.get("errors", [])],
        listed_at={
            what: listed.listed_at(apple, what) for what in (listed.PROFILES, listed.CERTIFICATES, listed.APPLICATIONS)
        },
        update=_update(apple, content),
        unlock_token=apple.unlock_token is not None,
        bypass_code=apple.bypass_code is not None,
    )


def _kind(call: Call, apple: AppleDevice, session: AppleSession | None) -> str:
    """How it enrolled: a renewal says nothing of it, so the first session with the same addresses is asked."""
    if apple.user_enrollment:
        return "account"
    if session is None:
        return ""
    first = call.session.scalar(
        select(AppleSession.kind).where(AppleSession.place == session.place).order_by(AppleSession.id).limit(1)
    )
    return first or session.kind


def _reach(call: Call, device: Device, apple: AppleDevice) -> Reach:
    if apple.state == DeviceState.GONE:
        return Reach.GONE
    if apple.push is None:
        return Reach.SILENT
    if apple.push_bad:
        return Reach.DEAD
    standing = pushing.in_use(call.session)
    if standing is None or standing.refused_at is not None or standing.not_after <= call.now:
        return Reach.NO_CERTIFICATE
    if apple.topic != standing.topic:
        return Reach.OTHER_TOPIC
    if apple.push_again_at is not None and apple.push_again_at > call.now:
        return Reach.LATER
    return Reach.REACHED if _came(device.last_seen_at, apple.pushed_at) else Reach.WOKEN


def _came(seen: datetime | None, pushed: datetime | None) -> bool:
    return pushed is None or (seen is not None and seen >= pushed)


def _profiles(call: Call, apple: AppleDevice) -> list[ProfileLine]:
    rows = call.session.scalars(
        select(AppleProfile)
        .where(AppleProfile.device_id == apple.device_id, AppleProfile.settings.is_(False))
        .order_by(AppleProfile.identifier)
    ).all()
    told = {one["identifier"]: one for one in listed.items(apple, listed.PROFILES)}
    found = [
        ProfileLine(
            row.identifier,
            str(told.get(row.identifier, {}).get("name") or row.resource),
            ours=True,
            managed=True,
            state=_state(row),
            detail=row.detail[:STALE],
            payloads=tuple(told.pop(row.identifier, {}).get("payloads", ())),
        )
        for row in rows
    ]
    rest = [
        ProfileLine(
            name,
            one["name"] or one["organisation"],
            ours=False,
            managed=one["managed"],
            state="present",
            detail="",
            payloads=tuple(one["payloads"]),
        )
        for name, one in sorted(told.items())
    ]
    return found + rest


def _state(row: AppleProfile) -> str:
    if row.wanted is None:
        return "leaving"
    if row.wanted == row.installed:
        return "installed"
    return "failed" if row.wanted == row.failed else "pending"


def _told(call: Call, apple: AppleDevice) -> Sequence[Mapping[str, Any]]:
    """The declarations that it was told of last, or shall be told of."""
    token = apple.advertised_token or apple.set_token
    held = call.session.get(AppleSet, token) if token else None
    return held.content if held is not None else []


def _declaration(one: Mapping[str, Any], said: object) -> DeclarationLine:
    state = "unknown"
    reasons: tuple[str, ...] = ()
    if isinstance(said, Mapping) and said.get("token") == one["token"]:
        reasons = tuple(str(text)[:STALE] for text in said.get("reasons", ()))
        if said.get("valid") == "invalid":
            state = "failed"
        elif said.get("valid") == "valid" and (said.get("active") or one["kind"] == "asset"):
            state = "applied"
        else:
            state = "pending"
    return DeclarationLine(one["identifier"], one["kind"], one["type"], state, reasons)


def _update(apple: AppleDevice, content: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The update that it was told to install and has not, by when, how far it is, and why it failed; empty: there is none."""
    pending = status.item(apple.status, "softwareupdate.pending-version")
    failed = status.item(apple.status, "softwareupdate.failure-reason")
    state = status.item(apple.status, "softwareupdate.install-state")
    told = {
        str(one["payload"].get("TargetOSVersion")): str(one["payload"].get("TargetLocalDateTime"))
        for one in content
        if one["type"] == ENFORCED
    }
    waits = str(pending.get("os-version") or "")[:64] if isinstance(pending, Mapping) else ""
    if not waits and not told:
        return {}
    wanted = waits or min(told)
    found = {"version": wanted}
    if wanted in told:
        found["by"] = told[wanted][:64].replace("T", " ")
    if isinstance(state, str) and state not in ("", "none"):
        found["state"] = state[:64]
    if isinstance(failed, Mapping) and failed.get("reason"):
        found["failure"] = str(failed["reason"])[:STALE]
    return found
