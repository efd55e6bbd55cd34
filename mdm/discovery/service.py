"""Taking captures, and what was heard in them."""

import os
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission, Where
from mdm.core.text import clean
from mdm.discovery import matching
from mdm.discovery.kinds import Clues, kind_of
from mdm.discovery.model import DiscoveryRun, NetworkDevice, RunState, Source
from mdm.discovery.reading import MOST_UPLOADED, Heard, Result
from mdm.discovery.vendors import private, vendor
from mdm.org.model import ServicePoint
from mdm.storage.call import Call

WAITING = 20
"""Captures that may wait to be read at the same time."""
FOLDER = "captures"
FEW = 1000


def point(call: Call, code: str) -> ServicePoint:
    """The service point with this code at which the actor may discover; NotFoundError where there is none."""
    found = call.session.scalar(
        select(ServicePoint).where(ServicePoint.code == code.strip().upper(), ServicePoint.closed_on.is_(None))
    )
    if found is None or not call.actor.may(Permission.DISCOVERY_MANAGE, Where(service_point_id=found.id)):
        raise NotFoundError(N_("There is no service point %(code)s, or it is not yours."), code="not_found")
    return found


def begin(call: Call, service_point_id: int, source: Source, name: str) -> DiscoveryRun:
    """Notes a run that is to be done. Raises DeniedError, and ConflictError while too many wait."""
    require(call.actor, Permission.DISCOVERY_MANAGE, Where(service_point_id=service_point_id))
    waiting = call.session.scalars(
        select(DiscoveryRun.id).where(DiscoveryRun.state == RunState.WAITING.value).limit(WAITING)
    ).all()
    if len(waiting) >= WAITING:
        raise ConflictError(N_("Too many captures wait to be read. Nothing was taken; try again in a few minutes."))
    run = DiscoveryRun(
        uid=new_uid(),
        service_point_id=service_point_id,
        source=source.value,
        name=clean(name, 255),
        made_by=call.actor.name,
        made_at=call.now,
    )
    call.session.add(run)
    call.session.flush()
    return run


def bring(call: Call, home: Path, service_point_id: int, name: str, content: BinaryIO) -> DiscoveryRun:
    """Keeps an uploaded capture until the worker has read it. Raises InvalidError for one that is empty or too long."""
    size = content.seek(0, os.SEEK_END)
    content.seek(0)
    if not size:
        raise InvalidError(
            N_("Nothing was taken: there is no file, or it is empty."), fields={"file": N_("Choose a file.")}
        )
    if size > MOST_UPLOADED:
        sentence = N_("The capture is longer than %(most)s MiB. Cut it into parts; nothing was taken.")
        raise InvalidError(sentence, code="too_large", most=MOST_UPLOADED // 1024 // 1024)
    run = begin(call, service_point_id, Source.CAPTURE, name)
    path = kept(home, run.uid)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "wb") as file:
        shutil.copyfileobj(content, file, 1 << 20)
    return run


def kept(home: Path, uid: str) -> Path:
    """Where a capture lies until it was read."""
    return home / FOLDER / f"{uid}.capture"


def forget_file(home: Path, uid: str) -> None:
    """Removes a capture that was read; twice is like once."""
    with suppress(FileNotFoundError):
        kept(home, uid).unlink()


def waiting(session: Session) -> list[DiscoveryRun]:
    """Captures that were brought and not read yet, the oldest first. For the worker: not scoped."""
    query = select(DiscoveryRun).where(
        DiscoveryRun.state == RunState.WAITING.value, DiscoveryRun.source == Source.CAPTURE.value
    )
    return list(session.scalars(query.order_by(DiscoveryRun.id).limit(WAITING)))


def fail(call: Call, uid: str, problem: str) -> None:
    """Notes why a run gave nothing. Does nothing for one that has ended."""
    run = _open(call, uid)
    if run is None:
        return
    run.state, run.problem, run.finished_at = RunState.FAILED.value, clean(problem, 32), call.now
    audit.record(
        call, "discovery.failed", ("discovery", run.uid), name=run.name, where=run.where, details={"why": problem}
    )


def take(call: Call, uid: str, result: Result) -> DiscoveryRun | None:
    """Keeps what a run gave: what is ours is matched, what is made up and not ours is only counted.

    None, and nothing changes, for a run that has ended already.
    """
    run = _open(call, uid)
    if run is None:
        return None
    require(call.actor, Permission.DISCOVERY_MANAGE, run.where)
    signs = matching.known(call.session)
    there = {
        row.mac: row
        for row in call.session.scalars(
            select(NetworkDevice).where(NetworkDevice.service_point_id == run.service_point_id)
        )
    }
    ours: set[int] = set()
    for heard in result.heard:
        found = matching.match(signs, heard)
        made_up = private(heard.mac)
        if made_up and found is None:
            run.random += 1
            continue
        # A device of ours counts once, whatever it is on: the wire, the air, a dock.
        run.devices += found is None or found[0] not in ours
        if found is not None:
            ours.add(found[0])
        row = there.get(heard.mac) or NetworkDevice(
            uid=new_uid(), service_point_id=run.service_point_id, mac=heard.mac, random=made_up
        )
        _tell(call, row, heard, run)
        row.device_id, row.matched_by = (found[0], found[1].value) if found else (None, "")
        if heard.mac not in there:
            call.session.add(row)
            there[heard.mac] = row
    run.state, run.finished_at, run.managed = RunState.DONE.value, call.now, len(ours)
    run.packets, run.malformed, run.unread = result.packets, result.malformed, result.unread
    run.restarts, run.cut = result.restarts, result.cut
    figures = {"devices": run.devices, "managed": run.managed, "random": run.random, "packets": run.packets}
    audit.record(call, "discovery.taken", ("discovery", run.uid), name=run.name, where=run.where, details=figures)
    return run


def _open(call: Call, uid: str) -> DiscoveryRun | None:
    query = select(DiscoveryRun).where(DiscoveryRun.uid == uid, DiscoveryRun.state == RunState.WAITING.value)
    return call.session.scalar(query.with_for_update())


def _tell(call: Call, row: NetworkDevice, heard: Heard, run: DiscoveryRun) -> None:
    """Writes what was heard into the row; what it did not say again this time stays as it was."""
    maker = vendor(heard.mac) or heard.maker
    first, last = _moment(heard.first, call.now), _moment(heard.last, call.now)
    fresh = row.id is None
    row.first_seen_at = first if fresh else min(row.first_seen_at, first)
    row.last_seen_at = last if fresh else max(row.last_seen_at, last)
    row.noted_at, row.run_id = call.now, run.id
    row.vendor = maker[:64] or row.vendor or ""
    row.name = (heard.names[0].removesuffix(".local") if heard.names else "") or row.name or ""
    row.model, row.serial = heard.model or row.model or "", heard.serial or row.serial or ""
    row.addresses = heard.addresses or row.addresses or []
    row.services = heard.services or row.services or []
    row.protocols = sorted({*heard.protocols, *(row.protocols or ())})
    said = {"vendor_class": heard.vendor_class, "server": heard.server, "capabilities": heard.capabilities}
    row.said = {**(row.said or {}), **{key: value for key, value in said.items() if value}, "shared": heard.shared}
    clues = Clues(
        heard.services,
        heard.capabilities,
        heard.names,
        heard.vendor_class,
        heard.options,
        heard.server,
        heard.model,
        maker,
    )
    kind = kind_of(clues)
    # A run in which a device kept silent does not take back what it said in the one before.
    row.kind = kind.value if fresh or kind.value != "unknown" else row.kind


def _moment(seconds: float, now: datetime) -> datetime:
    """A moment of a capture; now for one that has none or lies ahead of us: its clock is a stranger's."""
    told = datetime.fromtimestamp(min(seconds, now.timestamp()), UTC)
    return told if told.year >= 2000 else now


def forget(session: Session, before: datetime) -> int:
    """Forgets what was last noted before then, address and all; how many, at most ``FEW`` at once."""
    ids = session.scalars(select(NetworkDevice.id).where(NetworkDevice.noted_at < before).limit(FEW)).all()
    session.execute(delete(NetworkDevice).where(NetworkDevice.id.in_(ids)))
    return len(ids)


def forget_runs(session: Session, before: datetime) -> int:
    """Forgets figures of runs that ended before then; how many, at most ``FEW`` at once."""
    ids = session.scalars(select(DiscoveryRun.id).where(DiscoveryRun.finished_at < before).limit(FEW)).all()
    session.execute(delete(DiscoveryRun).where(DiscoveryRun.id.in_(ids)))
    return len(ids)
