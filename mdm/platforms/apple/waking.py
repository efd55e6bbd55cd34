"""Waking phones: not more often than it helps, and never in the way of anybody. For the worker."""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import select

from mdm.audit import service as audit
from mdm.inventory import service as inventory
from mdm.inventory.model import Device
from mdm.outbox import service as outbox
from mdm.platforms.apple import pushing, secrets
from mdm.platforms.apple.apns import Outcome, Pusher, Said
from mdm.platforms.apple.model import AppleDevice, ApplePush, DeviceState
from mdm.storage.call import Call
from mdm.storage.seal import Seal

log = structlog.get_logger(__name__)
AGAIN: Final = timedelta(hours=24)
"""When a phone that did not come is pushed once more: Apple keeps only the last push for it anyway."""
SOON: Final = timedelta(seconds=30)
"""How long a push that was sent has to bring the phone, before what came meanwhile is looked at again."""
PAUSE: Final = timedelta(minutes=15)
"""How long a phone is left alone that Apple says was pushed too often."""
PORTION: Final = 500
TOPIC: Final = "apple.push"
Transact = Callable[[], AbstractContextManager[Call]]
Connect = Callable[[ApplePush], Pusher]


@dataclass(frozen=True, slots=True)
class _Due:
    device_id: int
    push: secrets.Push
    push_at: datetime
    certificate: ApplePush


def wake(transact: Transact, connect: Connect, seal: Seal, payload: dict[str, Any]) -> Outcome | None:
    """Wakes one phone, or has those of a cohort woken; None where there is nothing to do.

    Nothing leaves inside a transaction: one says whom to push, another takes down what came of it.
    """
    if "cohort" in payload:
        with transact() as call:
            _cohort(call, int(payload["cohort"]), int(payload.get("after", 0)))
        return None
    with transact() as call:
        due = _due(call, seal, int(payload["device"]))
    if due is None:
        return None
    said = _pushed(transact, connect, due)
    with transact() as call:
        _note(call, due, said)
    return said.outcome


def _pushed(transact: Transact, connect: Connect, due: _Due) -> Said:
    with transact() as call:
        now = call.now
    try:
        return connect(due.certificate).push(due.push.token, due.push.magic, due.push_at, now)
    except BaseException:
        with transact() as call:
            # Not pushed after all: the next try must not take itself for one too many.
            call.session.get_one(AppleDevice, due.device_id).pushed_at = None
        raise


def _cohort(call: Call, cohort_id: int, after: int) -> None:
    ids = call.session.scalars(
        select(Device.id)
        .join(AppleDevice, AppleDevice.device_id == Device.id)
        .where(Device.cohort_id == cohort_id, Device.id > after, AppleDevice.state == DeviceState.ENROLLED.value)
        .order_by(Device.id)
        .limit(PORTION)
    ).all()
    for device_id in ids:
        outbox.post(call, TOPIC, {"device": device_id})
    if len(ids) == PORTION:
        outbox.post(call, TOPIC, {"cohort": cohort_id, "after": ids[-1]})


def _due(call: Call, seal: Seal, device_id: int) -> _Due | None:
    """The push that is due for a phone now, already noted as sent; None where it would not help."""
    apple = call.session.get(AppleDevice, device_id, with_for_update=True)
    certificate = pushing.in_use(call.session)
    if apple is None or certificate is None or certificate.refused_at is not None or certificate.not_after <= call.now:
        return None
    push = secrets.push_of(seal, apple) if apple.state == DeviceState.ENROLLED and not apple.push_bad else None
    if push is None or apple.push_at is None or apple.topic != certificate.topic:
        return None
    if apple.push_again_at is not None and apple.push_again_at > call.now:
        outbox.post(call, TOPIC, {"device": device_id}, due=apple.push_again_at)
        return None
    seen = call.session.get_one(Device, device_id).last_seen_at
    came = apple.pushed_at is None or (seen is not None and seen > apple.pushed_at)
    if apple.pushed_at is not None and not came and call.now < apple.pushed_at + AGAIN:
        if call.now < apple.pushed_at + SOON:
            outbox.post(call, TOPIC, {"device": device_id}, due=apple.pushed_at + SOON)
        return None
    apple.pushed_at = call.now
    return _Due(device_id, push, apple.push_at, certificate)


def _note(call: Call, due: _Due, said: Said) -> None:
    apple = call.session.get_one(AppleDevice, due.device_id)
    if said.outcome is Outcome.DEAD and apple.push_at == due.push_at:
        apple.push_bad = said.reason or "Unregistered"
        inventory.note(call, call.session.get_one(Device, due.device_id), "apple_push_dead", {"reason": said.reason})
    elif said.outcome is Outcome.LATER:
        apple.push_again_at = call.now + PAUSE * random.uniform(1, 1.5)  # noqa: S311 -- jitter, not a secret
        apple.pushed_at = None
        outbox.post(call, TOPIC, {"device": due.device_id}, due=apple.push_again_at)
    elif said.outcome is Outcome.REFUSED:
        _refused(call, due.certificate.id, said.reason)
    elif said.outcome is Outcome.OURS:
        log.error("a push was wrong", reason=said.reason, device=due.device_id)


def _refused(call: Call, certificate_id: int, reason: str) -> None:
    """Apple refuses the certificate: said once, and nothing is tried with it any more."""
    certificate = call.session.get_one(ApplePush, certificate_id)
    if certificate.refused_at is None:
        certificate.refused_at, certificate.refused_why = call.now, reason
        audit.record(call, "push_certificate.refused", ("push_certificate", certificate.id), details={"why": reason})
        log.error("the push certificate is refused", reason=reason)


def repeat(call: Call, limit: int = PORTION) -> int:
    """Has phones pushed once more for which something has waited for a day since the last push; how many."""
    rows = call.session.scalars(
        select(AppleDevice.device_id)
        .join(Device, Device.id == AppleDevice.device_id)
        .where(
            AppleDevice.state == DeviceState.ENROLLED.value,
            AppleDevice.push_bad == "",
            AppleDevice.pushed_at < call.now - AGAIN,
            Device.waiting > 0,
        )
        .limit(limit)
    ).all()
    for device_id in rows:
        outbox.post(call, TOPIC, {"device": device_id})
    return len(rows)
