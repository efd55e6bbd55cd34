"""What is said on the signer's socket: one line of canonical JSON each way.

    → {"args": {...}, "v": 1, "verb": "issue"}
    ← {"result": {...}}                                      done
    ← {"error": {"code": ..., "kind": ..., "message": ...}}  refused; nothing was signed

A line that is not its own canonical form is refused, so no message can be read in two ways.
"""

import json
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.wire import canonical
from mdm.core.errors import (
    N_,
    ConflictError,
    DeniedError,
    GoneError,
    HavenmeesterError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)

VERSION: Final = 1
MAX_LINE: Final = 64 * 1024
"""Bytes of one request or answer, its line feed included."""
MAX_HEADS: Final = 200
MAX_NUMBER: Final = 2**53

HexUid = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
HexDigest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Who = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")]
"""Kind and id of whoever acts, such as ``operator:7``."""
Text = Annotated[str, Field(min_length=1, max_length=255)]
Pem = Annotated[str, Field(min_length=1, max_length=16 * 1024)]
Days = Annotated[int, Field(ge=1, le=825)]


class Message(BaseModel):
    """A message: the fields that it names, of exactly these types, and no other."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Nothing(Message):
    """A verb without arguments."""


class Issue(Message):
    """A first certificate for a device. Of the request only the public key is taken."""

    device: HexUid
    invitation: HexUid
    csr: Pem
    days: Days
    ownership: Literal["city", "loan_pool", "private"]
    """Remembered for good: an order for a device that came as private is never signed."""


class Renew(Message):
    """The next certificate for the device that holds the certificate ``previous`` (SHA-256 of its DER)."""

    previous: HexDigest
    csr: Pem
    days: Days


class IssueServer(Message):
    """A certificate for one of our own servers. Its private key never comes here."""

    names: Annotated[list[Text], Field(min_length=1, max_length=20)]
    """Host names and IP addresses; the first one becomes the common name."""
    csr: Pem
    days: Days


class Revoke(Message):
    """From now on no order is signed for the key of this certificate, and it is not renewed."""

    fingerprint: HexDigest
    why: Text


class DeviceKey(Message):
    """Asks for the digest of the public key that was last certified for a device."""

    device: HexUid


class Approved(Message):
    """One approval as evidence. Later it carries the approver's own signature."""

    approver_id: Who
    name: Text
    at: Annotated[int, Field(ge=0, le=MAX_NUMBER)]


class SignOrder(Message):
    """The canonical text of an order, and the evidence that it may be signed."""

    order: Annotated[str, Field(min_length=2, max_length=8 * 1024)]
    requester_id: Who
    approvals: Annotated[list[Approved], Field(max_length=10)]
    place: Annotated[str, Field(max_length=64)]
    """The service point whose budget it uses; empty: none."""
    ownership: Literal["city", "loan_pool", "private"]


class SignHead(Message):
    """The number and the hash of the diary's last line."""

    number: Annotated[int, Field(ge=1, le=MAX_NUMBER)]
    hash: HexDigest


class Heads(Message):
    """Asks for signed heads with a number greater than ``after``, in order, at most ``MAX_HEADS``."""

    after: Annotated[int, Field(ge=0, le=MAX_NUMBER)]


VERBS: Final[dict[str, type[Message]]] = {
    "ca": Nothing,
    "device_key": DeviceKey,
    "heads": Heads,
    "health": Nothing,
    "issue": Issue,
    "issue_server": IssueServer,
    "renew": Renew,
    "revoke": Revoke,
    "sign_head": SignHead,
    "sign_order": SignOrder,
}

M = TypeVar("M", bound=Message)

_KINDS: Final[dict[str, type[HavenmeesterError]]] = {
    "conflict": ConflictError,
    "denied": DeniedError,
    "gone": GoneError,
    "invalid": InvalidError,
    "not_found": NotFoundError,
    "too_large": TooLargeError,
}


def shaped(shape: type[M], args: object) -> M:
    """The arguments as a message. Raises InvalidError that names the first field that is wrong."""
    try:
        return shape.model_validate(args)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise InvalidError(
            N_("The argument %(where)s is wrong: %(why)s. Nothing was done."),
            code="malformed",
            where=".".join(str(part) for part in first["loc"]) or "args",
            why=first["msg"],
        ) from error


def encode_request(verb: str, args: Message) -> bytes:
    """One request as it goes over the socket. Raises TooLargeError above ``MAX_LINE``."""
    return _line({"args": args.model_dump(), "v": VERSION, "verb": verb})


def decode_request(line: bytes) -> tuple[str, Message]:
    """The verb and its arguments. Raises InvalidError that says what is wrong with the line."""
    value = _read(line)
    if set(value) != {"args", "v", "verb"} or type(value["v"]) is not int or value["v"] != VERSION:
        raise InvalidError(N_("A request has the keys args, v (1) and verb. Nothing was done."), code="malformed")
    verb = value["verb"]
    shape = VERBS.get(verb) if isinstance(verb, str) else None
    if shape is None:
        raise InvalidError(N_("The signer does not know this verb. Nothing was done."), code="unknown_verb")
    return str(verb), shaped(shape, value["args"])


def encode_result(result: dict[str, Any]) -> bytes:
    """One answer as it goes over the socket."""
    return _line({"result": result})


def encode_error(error: HavenmeesterError) -> bytes:
    """One refusal as it goes over the socket."""
    kind = next((name for name, shape in _KINDS.items() if isinstance(error, shape)), "unavailable")
    return _line({"error": {"code": error.code, "kind": kind, "message": str(error)}})


def decode_answer(line: bytes) -> dict[str, Any]:
    """What the signer answered. Raises the error that it named, or UnavailableError when it makes no sense."""
    try:
        value = _read(line)
    except InvalidError as error:
        raise UnavailableError(N_("The signer's answer makes no sense. Nothing was signed.")) from error
    result, refusal = value.get("result"), value.get("error")
    if isinstance(result, dict):
        return result
    if not isinstance(refusal, dict):
        raise UnavailableError(N_("The signer's answer makes no sense. Nothing was signed."))
    message, code = str(refusal.get("message")), str(refusal.get("code"))
    shape = _KINDS.get(str(refusal.get("kind")))
    if shape is None:
        raise UnavailableError(message)
    raise shape(message, code=code)


def _line(value: dict[str, Any]) -> bytes:
    line = canonical(value) + b"\n"
    if len(line) > MAX_LINE:
        raise TooLargeError(N_("The message is larger than the signer takes. Nothing was signed."))
    return line


def _read(line: bytes) -> dict[str, Any]:
    malformed = N_("The message is not one line of canonical JSON. Nothing was done.")
    body = line.removesuffix(b"\n")
    try:
        value = json.loads(body)
        same = canonical(value) == body
    except (ValueError, RecursionError) as error:
        raise InvalidError(malformed, code="malformed") from error
    if not isinstance(value, dict) or not same:
        raise InvalidError(malformed, code="malformed")
    return value
