"""Releases as the fleet gets them: published, rolled out ring by ring, withdrawn. Asks ``release:manage``.

Signing is done by ``repository.py`` with keys that are not here; a device proves every signature itself, so what is written
here can have nothing installed that was not signed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, exists, func, select, true

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError, NotFoundError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.inventory.model import Device, Platform
from mdm.releases.model import EVERYONE, Release, ReleaseRing, ReleaseTry
from mdm.releases.repository import Published
from mdm.storage.call import Call

BATCH = 500


@dataclass(frozen=True, slots=True)
class Due:
    """One device that shall be asked to install a release."""

    device_id: int
    release_id: int
    version: str


def parts(version: str) -> tuple[int, ...]:
    """A version as numbers, to be compared; empty for what is none."""
    words = version.split(".")
    return tuple(int(word) for word in words) if all(word.isascii() and word.isdigit() for word in words) else ()


def release(call: Call, version: str) -> Release:
    """One release; NotFoundError when it was not published."""
    found = call.session.scalar(select(Release).where(Release.version == version))
    if found is None:
        raise NotFoundError(N_("There is no release %(version)s."), version=clean(version, 32))
    return found


def published(call: Call, made: Published) -> Release:
    """Notes that a release was published. Twice is like once."""
    require(call.actor, Permission.RELEASE_MANAGE)
    found = call.session.scalar(select(Release).where(Release.version == made.version))
    if found is None:
        found = Release(
            version=made.version,
            name=made.name,
            sha256=made.sha256,
            size=made.size,
            published_at=call.now,
            published_by=clean(call.actor.name),
        )
        call.session.add(found)
        call.session.flush()
        _record(call, "release.published", found, {"sha256": made.sha256})
    return found


def roll_out(call: Call, version: str, ring: str) -> ReleaseRing:
    """Has every device of a ring (``*``: of all) install a release, from now on. Twice is like once.

    Raises NotFoundError, ConflictError (``release_withdrawn``), InvalidError for a ring in which no device is.
    """
    require(call.actor, Permission.RELEASE_MANAGE)
    found = release(call, version)
    if found.withdrawn_at is not None:
        raise ConflictError(
            N_("The release %(version)s was withdrawn. Nothing was rolled out."),
            code="release_withdrawn",
            version=version,
        )
    ring = clean(ring, 32)
    if ring != EVERYONE and call.session.scalar(select(Device.id).where(Device.ring == ring).limit(1)) is None:
        sentence = N_("No device is in this ring. Nothing was rolled out.")
        raise InvalidError(sentence, fields={"ring": sentence}, code="ring_empty")
    query = select(ReleaseRing).where(ReleaseRing.release_id == found.id, ReleaseRing.ring == ring)
    opened = call.session.scalar(query)
    if opened is None:
        opened = ReleaseRing(release_id=found.id, ring=ring, opened_at=call.now, opened_by=clean(call.actor.name))
        call.session.add(opened)
        call.session.flush()
        _record(call, "release.rolled_out", found, {"ring": ring})
    return opened


def withdraw(call: Call, version: str) -> Release:
    """No device is asked for it any more. Those that have it keep it. Twice is like once."""
    require(call.actor, Permission.RELEASE_MANAGE)
    found = release(call, version)
    if found.withdrawn_at is None:
        found.withdrawn_at = call.now
        call.session.execute(delete(ReleaseRing).where(ReleaseRing.release_id == found.id))
        _record(call, "release.withdrawn", found, {})
    return found


def again(call: Call, version: str) -> int:
    """Has devices asked once more that were asked and do not have it; how many were."""
    require(call.actor, Permission.RELEASE_MANAGE)
    found = release(call, version)
    lacking = select(Device.id).where(Device.agent_version != version)
    gone = call.session.execute(
        delete(ReleaseTry).where(ReleaseTry.release_id == found.id, ReleaseTry.device_id.in_(lacking))
    )
    _record(call, "release.again", found, {})
    return int(getattr(gone, "rowcount", 0))


def due(call: Call, limit: int = BATCH) -> Sequence[Due]:
    """Devices to be asked now: enrolled, in a ring of the newest release that is for them, older than it, not asked yet.

    For the clock.
    """
    found: list[Due] = []
    taken: set[int] = set()
    releases = call.session.scalars(select(Release).where(Release.withdrawn_at.is_(None))).all()
    for one in sorted(releases, key=lambda row: parts(row.version), reverse=True):
        rings = call.session.scalars(select(ReleaseRing.ring).where(ReleaseRing.release_id == one.id)).all()
        if not rings:
            continue
        asked = exists().where(ReleaseTry.release_id == one.id, ReleaseTry.device_id == Device.id)
        query = select(Device.id, Device.agent_version).where(
            Device.platform == Platform.LINUX.value,
            Device.key_digest != "",
            Device.agent_version != one.version,
            Device.agent_version != "",
            true() if EVERYONE in rings else Device.ring.in_(rings),
            ~asked,
        )
        for device_id, version in call.session.execute(query.order_by(Device.id).limit(limit)):
            if device_id not in taken and parts(version) and parts(version) < parts(one.version):
                taken.add(device_id)
                found.append(Due(device_id, one.id, one.version))
    return found[:limit]


def asked(call: Call, one: Due, command_id: str) -> None:
    """Notes that a device was asked."""
    call.session.add(
        ReleaseTry(release_id=one.release_id, device_id=one.device_id, command_id=command_id, asked_at=call.now)
    )


@dataclass(frozen=True, slots=True)
class Line:
    """One release as a list shows it: its rings, and how many enrolled Linux devices run it or were asked for it."""

    row: Release
    rings: tuple[str, ...]
    running: int
    asked: int


def releases(call: Call) -> list[Line]:
    """Every release, the newest first. Asks ``release:manage``."""
    require(call.actor, Permission.RELEASE_MANAGE)
    running = dict(versions(call))
    opened: dict[int, list[str]] = {}
    for row in call.session.scalars(select(ReleaseRing).order_by(ReleaseRing.opened_at)):
        opened.setdefault(row.release_id, []).append(row.ring)
    tried: dict[int, int] = dict(
        call.session.execute(select(ReleaseTry.release_id, func.count()).group_by(ReleaseTry.release_id)).all()
    )
    rows = call.session.scalars(select(Release)).all()
    return [
        Line(row, tuple(opened.get(row.id, ())), running.get(row.version, 0), tried.get(row.id, 0))
        for row in sorted(rows, key=lambda row: parts(row.version), reverse=True)
    ]


def versions(call: Call) -> list[tuple[str, int]]:
    """How many enrolled Linux devices run each version, also those that were never published here."""
    require(call.actor, Permission.RELEASE_MANAGE)
    query = select(Device.agent_version, func.count()).where(
        Device.platform == Platform.LINUX.value, Device.key_digest != ""
    )
    rows = call.session.execute(query.group_by(Device.agent_version)).all()
    return sorted(((row[0], row[1]) for row in rows), key=lambda row: parts(row[0]), reverse=True)


def rings(call: Call) -> list[tuple[str, int]]:
    """The rings in which enrolled Linux devices are, with how many; without those that are in none."""
    require(call.actor, Permission.RELEASE_MANAGE)
    query = select(Device.ring, func.count()).where(
        Device.platform == Platform.LINUX.value, Device.key_digest != "", Device.ring != ""
    )
    return [(row[0], row[1]) for row in call.session.execute(query.group_by(Device.ring).order_by(Device.ring))]


def _record(call: Call, action: str, row: Release, details: dict[str, object]) -> None:
    audit.record(call, action, ("release", row.version), name=row.version, details=details)
