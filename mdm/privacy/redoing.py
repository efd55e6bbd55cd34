"""Erasing again whom an old database still knows: all of it, batch by batch, each in a transaction of its own."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from mdm.core.actor import Actor
from mdm.privacy import service, tombstones
from mdm.storage.call import Call
from mdm.storage.engine import transaction


def redo(engine: Engine, home: Path, actor: Actor, clock: Callable[[], datetime]) -> int:
    """Goes through the list in ``home`` and finishes every erasure; how many people the database still knew."""
    stones = tombstones.read(home / tombstones.FILE)
    with transaction(engine) as session:
        begun = service.again(Call(actor, session, clock()), stones, service.RESTORED)
    finish(engine, home, actor, clock)
    return len(begun)


def finish(engine: Engine, home: Path, actor: Actor, clock: Callable[[], datetime]) -> None:
    """Goes on with every erasure until there is none left."""
    with transaction(engine, write=False) as session:
        going = service.unfinished(session)
    for number in going:
        more = True
        while more:
            with transaction(engine) as session:
                more = service.step(Call(actor, session, clock()), number, home)
