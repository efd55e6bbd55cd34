"""A page or an answer about one person, or about a device in somebody's hands, is noted for that person before it is shown.

It follows from the address alone, so that a route which comes tomorrow is noted tomorrow: a device's id below ``/devices``, a
person's number below ``/people``.
"""

from collections import OrderedDict
from threading import Lock
from typing import Final

from flask import request

from mdm.core.actor import ActorKind
from mdm.privacy import looks
from mdm.privacy.looks import Seen, Way
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from web.common.database import db

ABOUT: Final = {
    "/devices/": ("device", ("uid", "device_uid", "android_uid")),
    "/people/": ("person", ("number", "person_id")),
}
MOST: Final = 20_000
"""Looks of today that one process remembers, so that the second click costs nothing."""
_known: OrderedDict[tuple[object, ...], None] = OrderedDict()
_lock = Lock()


def subject() -> tuple[str, str] | None:
    """What the address of the current request is about: kind and key; None where it is about nobody."""
    if request.method != "GET" or request.url_rule is None:
        return None
    for start, (kind, names) in ABOUT.items():
        if request.url_rule.rule.startswith(start):
            values = request.view_args or {}
            return next(((kind, str(values[name])) for name in names if name in values), None)
    return None


def note(call: Call) -> None:
    """Notes the look of the current request. Raises what the database raises: what cannot be noted is not shown."""
    about = subject()
    if about is not None and call.actor.kind not in looks.SILENT:
        _note(call, *about)


def note_device(call: Call, uid: str) -> None:
    """The same for an address that names a device in another way, such as by what is written on it."""
    if call.actor.kind not in looks.SILENT:
        _note(call, "device", uid)


def _note(call: Call, kind: str, key: str) -> None:
    actor, engine = call.actor, db.engine
    way = Way.PROGRAM if actor.kind is ActorKind.TOKEN else Way.PAGE
    mark = (str(engine.url), call.now.date(), actor.kind, actor.id, way, kind, key)
    with _lock:
        if mark in _known:
            _known.move_to_end(mark)
            return
    with transaction(engine, write=False) as session:
        one = looks.seen(session, kind, key)
        new = one is not None and not looks.noted(session, actor, one, way, call.now)
    if one is None:
        # Somebody may get it today.
        return
    if new:
        with transaction(engine) as session:
            looks.note(Call(actor, session, call.now), [one], way)
    with _lock:
        _known[mark] = None
        while len(_known) > MOST:
            _known.popitem(last=False)


def exported(call: Call, people: set[int]) -> None:
    """Notes that these people stood in a file that was taken out; in the call's own transaction, which writes."""
    looks.note(call, [Seen(number) for number in sorted(people)], Way.FILE)
