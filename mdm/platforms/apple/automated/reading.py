"""Reading every list of Apple's by the clock: each tie by its own token, and one that fails does not keep the others."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import structlog
from sqlalchemy import select

from mdm.core.errors import HavenmeesterError
from mdm.platforms.apple.addresses import AUTOMATED
from mdm.platforms.apple.automated import token
from mdm.platforms.apple.automated.client import DeviceList
from mdm.platforms.apple.automated.model import AppleTie
from mdm.platforms.apple.automated.sync import enrollment_profile, synchronise
from mdm.storage.call import Call
from mdm.storage.seal import Seal

log = structlog.get_logger(__name__)


def read_all(
    transact: Callable[[], AbstractContextManager[Call]],
    seal: Callable[[], Seal],
    address: str,
    *,
    organisation: str,
    gateway: str,
    anchors: Callable[[], tuple[str, ...]],
    only: str = "",
) -> int:
    """How many lines were taken. ``seal`` and ``anchors`` (Base64 of DER) are asked for only where there is a tie.

    ``only`` is the public id of one tie; empty: every one of them.
    """
    with transact() as call:
        query = select(AppleTie.id).where(AppleTie.token.is_not(None), AppleTie.token_ends_at > call.now)
        waiting = list(call.session.scalars(query.where(AppleTie.uid == only) if only else query))
    count = 0
    for tie_id in waiting:
        with transact() as call:
            opened = token.opened(call.session.get_one(AppleTie, tie_id), seal())
        if opened is None:
            continue
        profile = enrollment_profile(organisation, gateway, AUTOMATED, anchors())
        try:
            with DeviceList(opened, address) as apple:
                count += synchronise(transact, apple, tie_id, profile)
        except HavenmeesterError as error:
            log.warning("apple's list was not read", tie=tie_id, code=error.code, why=str(error))
            with transact() as call:
                call.session.get_one(AppleTie, tie_id).problem = str(error)[:1000]
    return count
