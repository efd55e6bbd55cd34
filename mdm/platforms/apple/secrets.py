"""What is kept of a phone and may not be read in passing: sealed, bound to its row, each reveal a line in the diary."""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Final

from mdm.audit import service as audit
from mdm.core.actor import ActorKind, require
from mdm.core.errors import N_, DeniedError, NotFoundError
from mdm.core.permissions import Permission
from mdm.inventory.queries import device_by_uid
from mdm.platforms.apple.model import AppleDevice, ScopedSecret
from mdm.storage.call import Call
from mdm.storage.seal import Seal

PERMISSIONS: Final = {
    ScopedSecret.BYPASS_CODE: Permission.DEVICE_MANAGE,
    ScopedSecret.UNLOCK_TOKEN: Permission.COMMAND_LOCK,
}


@dataclass(frozen=True, slots=True)
class Push:
    """How a phone is reached. Never logged, never shown."""

    token: bytes
    magic: str

    def __repr__(self) -> str:
        return "Push(…)"


def keep(seal: Seal, apple: AppleDevice, what: ScopedSecret, plain: bytes) -> None:
    """Seals a secret of this phone; the one before is forgotten."""
    setattr(apple, what.value, seal.seal(plain, _place(apple, what.value)))


def opened(seal: Seal, apple: AppleDevice, what: ScopedSecret) -> bytes | None:
    """The secret for a use case that has asked for its right and writes its own line; None where none is kept."""
    sealed: bytes | None = getattr(apple, what.value)
    return None if sealed is None else seal.open(sealed, _place(apple, what.value))


def keep_push(seal: Seal, apple: AppleDevice, token: bytes, magic: str) -> None:
    """Seals how the phone is reached."""
    plain = json.dumps([b64encode(token).decode(), magic]).encode()
    apple.push = seal.seal(plain, _place(apple, "push"))


def push_of(seal: Seal, apple: AppleDevice) -> Push | None:
    """How the phone is reached; None where it has not told."""
    if apple.push is None:
        return None
    token, magic = json.loads(seal.open(apple.push, _place(apple, "push")))
    return Push(b64decode(token), magic)


def seal_command(seal: Seal, uuid: str, body: bytes) -> bytes:
    """The body of a command that holds a secret, as it waits in the queue."""
    return seal.seal(body, f"apple_command:{uuid}")


def open_command(seal: Seal, uuid: str, body: bytes) -> bytes:
    """The body of such a command, as it is given."""
    return seal.open(body, f"apple_command:{uuid}")


def reveal(call: Call, seal: Seal, device_uid: str, what: ScopedSecret, reason: str) -> str:
    """A secret of one phone for a person, who gives a reason; a line in the diary says so, also where nobody looks again.

    The bypass code is text; the unlock token is Base64. Where a phone is, only its case shows. Raises NotFoundError where
    none is kept, where it is not shown here, or the device is not the actor's, DeniedError without the right at its place,
    and for programs.
    """
    if call.actor.kind is ActorKind.TOKEN:
        raise DeniedError(N_("Only a person who has signed in sees this, and no program. Nothing was shown."))
    device = device_by_uid(call, device_uid)
    if what not in PERMISSIONS:
        raise _nothing()
    require(call.actor, PERMISSIONS[what], device.where)
    apple = call.session.get(AppleDevice, device.id)
    plain = None if apple is None else opened(seal, apple, what)
    if plain is None:
        raise _nothing()
    audit.record(
        call,
        "secret.revealed",
        ("device", device.uid),
        name=device.label,
        where=device.where,
        details={"what": what.value, "reason": reason[:500]},
    )
    return b64encode(plain).decode() if what is ScopedSecret.UNLOCK_TOKEN else plain.decode()


def _nothing() -> NotFoundError:
    return NotFoundError(N_("Nothing of this kind is kept for this device."))


def _place(apple: AppleDevice, column: str) -> str:
    return f"apple_device:{apple.device_id}:{column}"
