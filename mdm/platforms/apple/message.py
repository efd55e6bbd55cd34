"""What a phone says, read: who it says it is, what kind of message it is, and the rest as it came."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mdm.core.errors import N_, InvalidError
from mdm.platforms.apple import plist
from mdm.platforms.apple.plist import Limits, Plist, Value

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9-]{8,64}")
_UUID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


class Kind(StrEnum):
    """Messages of the check-in, by their ``MessageType``."""

    AUTHENTICATE = "Authenticate"
    CHECK_OUT = "CheckOut"
    DECLARATIVE_MANAGEMENT = "DeclarativeManagement"
    GET_BOOTSTRAP_TOKEN = "GetBootstrapToken"  # noqa: S105 -- its name
    GET_TOKEN = "GetToken"  # noqa: S105 -- its name
    RETURN_TO_SERVICE = "ReturnToService"
    SET_BOOTSTRAP_TOKEN = "SetBootstrapToken"  # noqa: S105 -- its name
    TOKEN_UPDATE = "TokenUpdate"  # noqa: S105 -- its name
    USER_AUTHENTICATE = "UserAuthenticate"


class Status(StrEnum):
    """What a phone says of the command it was given, or that it has none."""

    ACKNOWLEDGED = "Acknowledged"
    COMMAND_FORMAT_ERROR = "CommandFormatError"
    ERROR = "Error"
    IDLE = "Idle"
    NOT_NOW = "NotNow"


@dataclass(frozen=True, slots=True)
class Message:
    """One message. ``kind`` is set for the check-in, ``status`` for the command loop."""

    identifier: str
    """UDID, or the enrollment id of a private phone."""
    user_enrollment: bool
    content: Plist
    kind: Kind | None = None
    status: Status | None = None
    command_uuid: str | None = None

    def text(self, key: str) -> str:
        """A text of the message; empty where it is missing or something else."""
        value = self.content.get(key)
        return value if isinstance(value, str) else ""

    def data(self, key: str) -> bytes | None:
        """Bytes of the message; None where they are missing or something else."""
        value = self.content.get(key)
        return value if isinstance(value, bytes) else None


def read(body: bytes, limits: Limits, *, checkin_only: bool = False) -> Message:
    """The message in ``body``. Raises InvalidError for what is none, and TooLargeError above the limit.

    Keys that nobody knows are let be. ``checkin_only``: the command loop has another address.
    """
    content = plist.read(body, limits)
    identifier, user = _identifier(content)
    if "UserID" in content and content.get("MessageType") != Kind.USER_AUTHENTICATE:
        raise _wrong("UserID")
    if "MessageType" in content:
        return Message(identifier, user, content, kind=_kind(content["MessageType"]))
    if checkin_only:
        raise _wrong("MessageType")
    status = _status(content.get("Status"))
    uuid = content.get("CommandUUID")
    if status is Status.IDLE:
        return Message(identifier, user, content, status=status)
    if not isinstance(uuid, str) or not _UUID.fullmatch(uuid):
        raise _wrong("CommandUUID")
    return Message(identifier, user, content, status=status, command_uuid=uuid)


def _identifier(content: Mapping[str, Value]) -> tuple[str, bool]:
    """Who it says it is, and whether that is the id of a user enrollment, which must not tell a UDID."""
    if ("UDID" in content) == ("EnrollmentID" in content):
        raise _wrong("UDID")
    user = "EnrollmentID" in content
    value = content["EnrollmentID" if user else "UDID"]
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise _wrong("EnrollmentID" if user else "UDID")
    return value, user


def _kind(value: Value) -> Kind:
    try:
        return Kind(value)  # type: ignore[arg-type]
    except ValueError as error:
        raise _wrong("MessageType") from error


def _status(value: "Value | None") -> Status:
    try:
        return Status(value)  # type: ignore[arg-type]
    except ValueError as error:
        raise _wrong("Status") from error


def _wrong(key: str) -> InvalidError:
    return InvalidError(
        N_("The message was refused: %(key)s is missing or wrong. Nothing was stored."), code="message_wrong", key=key
    )
