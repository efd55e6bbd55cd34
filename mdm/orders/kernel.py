"""What the database mirrors of the signer: the roster, the freeze, the epoch. For reading; the signer's own word counts."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from mdm.core.errors import N_, ConflictError, UnavailableError
from mdm.orders.model import KernelState
from mdm.storage.call import Call


def state(session: Session) -> KernelState:
    """The one row, as it stands; a fresh one, not yet stored, where nobody has written it."""
    found = session.get(KernelState, 1, populate_existing=True)
    return found or KernelState(
        id=1,
        freezes=0,
        frozen_by="",
        frozen_why="",
        thaw_text="",
        thaw_proofs=[],
        roster_version=0,
        roster_text="",
        epoch=1,
        cooling_minutes=15,
    )


def locked(call: Call) -> KernelState:
    """The one row, kept from everybody else until the transaction ends; made where it is missing.

    Raises UnavailableError (``kernel_missing``) where it is missing and this process's role in PostgreSQL may not make it:
    the worker does, when it starts.
    """
    found = call.session.scalar(
        select(KernelState).where(KernelState.id == 1).with_for_update().execution_options(populate_existing=True)
    )
    if found is None:
        found = state(call.session)
        try:
            with call.session.begin_nested():
                call.session.add(found)
        except ProgrammingError as error:
            raise UnavailableError(
                N_(
                    "The worker has never run on this database, so nobody knows how the safety kernel stands."
                    " Nothing was changed; start the worker and try again."
                ),
                code="kernel_missing",
            ) from error
    return found


def founded(session: Session) -> bool:
    """Whether there is a roster, so that somebody could approve."""
    return state(session).roster_version > 0


def roster_text(session: Session) -> str:
    """The text of the newest roster that is mirrored here. Raises as ``roster``."""
    roster(session)
    return state(session).roster_text


def people(session: Session) -> dict[str, frozenset[str]]:
    """Everybody in the roster with the places for which they may approve, ``*`` for all; empty where there is none."""
    text = state(session).roster_text
    return {one["person"]: frozenset(one["places"]) for one in json.loads(text)["approvers"]} if text else {}


def roster(session: Session) -> Mapping[str, Any]:
    """The newest roster that is mirrored here. Raises ConflictError (``no_roster``) when nobody has founded one."""
    text = state(session).roster_text
    if not text:
        raise ConflictError(
            N_("No roster of approvers has been founded, so nothing can be approved. Nothing was changed."),
            code="no_roster",
        )
    found: Mapping[str, Any] = json.loads(text)
    return found


def ceremony(session: Session) -> int:
    """How many people approve a mass order under the mirrored roster; 0 where there is none."""
    text = state(session).roster_text
    return int(json.loads(text)["ceremony"]) if text else 0
