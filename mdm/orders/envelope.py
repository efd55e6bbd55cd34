"""An order as a device gets it: its text, the signer's signature, the approvals, the batch if any, newer rosters."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from agent.crypto import holds
from agent.proof import Facts, RefusedError, Roster, check_order, follow
from mdm.core.errors import N_, DeniedError
from mdm.inventory.queries import facts_of
from mdm.orders.deciding import proofs_of
from mdm.orders.model import Order, OrderBatch, Release, SealedRoster
from mdm.storage.call import Call

Envelope = dict[str, Any]


def rosters(call: Call, after: int = 0) -> list[dict[str, Any]]:
    """Sealed rosters with a version greater than ``after``, in order."""
    return list(
        call.session.scalars(
            select(SealedRoster.sealed).where(SealedRoster.version > after).order_by(SealedRoster.version)
        )
    )


def known_roster(call: Call, device_id: int) -> int:
    """The version that the device last reported to hold; 0 when it said nothing of it."""
    told = facts_of(call.session, device_id).get("agent")
    version = told.content.get("roster") if told is not None else None
    return version if type(version) is int and version > 0 else 0


def envelope(call: Call, order: Order, signature: str, *, known: int = 0) -> Envelope:
    """The envelope of one order, with every roster after the version ``known``."""
    made: Envelope = {
        "order": order.canonical,
        "signature": signature,
        "approvals": proofs_of(call.session, order),
        "rosters": rosters(call, known),
    }
    batch = call.session.get(OrderBatch, order.batch_id) if order.batch_id else None
    return made if batch is None else {**made, "batch": batch.canonical}


def signature_of(call: Call, order: Order) -> str:
    """The signer's signature. Raises DeniedError (``order_signature``) when there is none."""
    release = call.session.get(Release, order.id, populate_existing=True)
    if release is None or release.canonical != order.canonical:
        raise DeniedError(N_("The order has no signature. It was not given."), code="order_signature")
    return release.signature


def proved(
    call: Call,
    order: Order,
    made: Envelope,
    *,
    order_key: str,
    device: str,
    key_digest: str,
    former: Collection[str],
    epoch: int,
) -> None:
    """Nothing when this envelope holds for this device now, by every rule that does not need the device itself.

    The rosters of the database are not believed: they are followed from the founding on, each by its seal and its
    signatures. Raises DeniedError whose code is the rule that refuses.
    """
    now = int(call.now.timestamp())
    facts = Facts(
        device=device,
        enrollment=key_digest,
        order_key=order_key,
        now=now,
        epoch=epoch,
        # Whether the device showed this code, only the device knows: its answer will say.
        presence=frozenset({order.presence}),
        former=frozenset(former),
    )
    try:
        roster = latest(call, order_key)
        check_order(made, facts, roster, holds)
    except RefusedError as refused:
        raise DeniedError(N_("%(why)s The order was not given."), code=refused.rule, why=str(refused)) from refused


def latest(call: Call, order_key: str) -> Roster | None:
    """The newest roster of the mirror, followed from the founding on by seals and signatures; None before the founding.

    Raises RefusedError when the mirror is not what the signer has sealed.
    """
    known = follow(None, rosters(call), order_key, holds, now=int(call.now.timestamp()))
    return known[-1].roster if known else None
