"""The next certificate of a phone: set going when the phone is here, made by the worker, because the signer is asked for it.

Nothing of ours is open while the signer signs: one transaction makes the profile, another puts it into the phone's queue.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Final

import structlog

from mdm.core.errors import ConflictError, NotFoundError
from mdm.outbox import service as outbox
from mdm.platforms.apple import asking
from mdm.platforms.apple.handout import Here, Sign, for_renewal
from mdm.platforms.apple.model import AppleDevice, DeviceState
from mdm.storage.call import Call
from mdm.storage.seal import Seal

log = structlog.get_logger(__name__)
TOPIC: Final = "apple.renew"
PAUSE: Final = timedelta(hours=4)
"""How long a phone has to renew its certificate before it is asked again."""


def set_going(call: Call, apple: AppleDevice) -> None:
    """Has the next certificate prepared; nothing while the one before may still be answered."""
    if apple.renewal_at is not None and apple.renewal_at > call.now - PAUSE:
        return
    apple.renewal_at = call.now
    outbox.post(call, TOPIC, {"device": apple.device_id})


def renew(
    transact: Callable[[], AbstractContextManager[Call]],
    payload: Mapping[str, object],
    *,
    here: Here,
    sign: Sign,
    seal: Seal,
) -> bool:
    """Puts a profile into the phone's queue by which it gets its next certificate; whether it did.

    Raises UnavailableError while the signer is away: the message is tried again.
    """
    device_id = int(str(payload["device"]))
    with transact() as call:
        apple = call.session.get(AppleDevice, device_id)
        if apple is None or apple.state != DeviceState.ENROLLED:
            return False
        generation = apple.generation
        try:
            profile = for_renewal(call, here, device_id)
        except (ConflictError, NotFoundError) as error:
            log.warning("apple renewal waits", device=device_id, why=str(error))
            return False
    signed = sign(profile)
    with transact() as call:
        apple = call.session.get_one(AppleDevice, device_id)
        if apple.state != DeviceState.ENROLLED or apple.generation != generation:
            # It enrolled anew meanwhile, and has a new certificate by that.
            return False
        asking.queue(
            call, apple, "InstallProfile", {"Payload": signed}, about="enrollment", asked_by="renewal", seal=seal
        )
        asking.push(call, device_id)
    return True
