"""Listening to a network that the console asked for: who, where, until when, and its end before its time.

The work is the worker's: it has a process of its own listen, and takes what was heard like any capture.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.alone import alone
from mdm.core.errors import N_, ConflictError, InvalidError
from mdm.core.permissions import Permission, Where
from mdm.core.text import clean
from mdm.discovery import networks, queries, service
from mdm.discovery.model import DiscoveryRun, RunState, Source
from mdm.discovery.reading import Order, Watch
from mdm.org.model import ServicePoint
from mdm.storage.call import Call

MINUTES: Final = (1, 5, 15, 60)
"""How long one may listen."""
SIDE_BY_SIDE: Final = 4
"""Interfaces that are listened to at the same time."""


def begin(
    call: Call,
    place: ServicePoint,
    interface: str,
    minutes: int,
    *,
    asks: bool,
    interfaces: Mapping[str, Sequence[str]],
    allowed: Sequence[str],
) -> DiscoveryRun:
    """Notes that this interface is to be listened to. ``interfaces`` and ``allowed`` are the server's configuration.

    Raises DeniedError; InvalidError (``other_interface``, ``wrong_minutes``, ``nobody_allowed``); ConflictError
    (``listens_already``) while somebody listens on it.
    """
    require(call.actor, Permission.DISCOVERY_MANAGE, Where(service_point_id=place.id))
    if interface not in interfaces.get(place.code, ()):
        sentence = N_(
            "This interface does not hear this service point (the setting discovery_interfaces). Nothing began."
        )
        raise InvalidError(sentence, fields={"interface": sentence}, code="other_interface")
    if minutes not in MINUTES:
        sentence = N_("Choose one of the times that are offered. Nothing began.")
        raise InvalidError(sentence, fields={"minutes": sentence}, code="wrong_minutes")
    if asks and not allowed:
        sentence = N_("Nobody may be asked: the setting discovery_networks is empty. Nothing began.")
        raise InvalidError(sentence, fields={"asks": sentence}, code="nobody_allowed")
    if any(run.name == interface for run in under_way(call.session)):
        raise ConflictError(N_("This interface is being listened to already. Nothing began."), code="listens_already")
    run = service.begin(call, place.id, Source.LIVE, interface)
    run.asks, run.ends_at = asks, call.now + timedelta(minutes=minutes)
    details = {"interface": run.name, "minutes": minutes, "asks": asks}
    audit.record(call, "discovery.listening", ("discovery", run.uid), name=place.name, where=run.where, details=details)
    return run


def stop(call: Call, uid: str) -> DiscoveryRun:
    """Ends listening before its time: what was heard until then counts. Twice is like once, and so is one that has ended.

    Raises NotFoundError, DeniedError.
    """
    run = queries.run(call, uid)
    require(call.actor, Permission.DISCOVERY_MANAGE, run.where)
    if not run.listens or run.stopped_by:
        return run
    run.stopped_by = clean(call.actor.name) or call.actor.kind.value
    if run.started_at is None:
        run.state, run.problem, run.finished_at = RunState.FAILED.value, "stopped", call.now
    audit.record(call, "discovery.stopped", ("discovery", run.uid), name=run.name, where=run.where, details={})
    return run


def under_way(session: Session) -> list[DiscoveryRun]:
    """What listens or is to listen, the oldest first. For the worker: not scoped."""
    query = select(DiscoveryRun).where(
        DiscoveryRun.state == RunState.WAITING.value, DiscoveryRun.source == Source.LIVE.value
    )
    return list(session.scalars(query.order_by(DiscoveryRun.id)))


def watch_of(asked: Sequence[str], allowed: Callable[[], Sequence[str]], stopped: Callable[[int], bool]) -> Watch:
    """Ends the asking as soon as the allowed networks no longer hold what is asked, and the listening when it is ``stopped``."""

    def watch(packets: int) -> Order:
        if stopped(packets):
            return Order.STOP
        return Order.GO_ON if networks.covered(asked, allowed()) else Order.QUIET

    return watch


def asking_alone(home: Path) -> AbstractContextManager[bool]:
    """Whether nobody else of this installation asks now, for as long as it is held: two would be twice as fast as one may be."""
    return alone(home / "run" / "discovery.lock")
