"""What is said on the signer's socket: one line of canonical JSON each way.

    → {"args": {...}, "v": 1, "verb": "issue"}
    ← {"result": {...}}                                      done
    ← {"error": {"code": ..., "kind": ..., "message": ...}}  refused; nothing was signed

A line that is not its own canonical form is refused, so no message can be read in two ways.
"""

import json
from typing import Any, Final, TypeVar

from pydantic import ValidationError

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
from mdm.signing.phones import Answered, Belongs, OpenScep, PhoneCa, SignProfile
from mdm.signing.shapes import (
    BudgetUse,
    ChangeRoster,
    DeviceKey,
    FoundRoster,
    Freeze,
    Heads,
    Issue,
    IssueServer,
    Message,
    Nothing,
    Renew,
    Revoke,
    Rosters,
    SetBudgets,
    SignHead,
    SignOrder,
    Thaw,
    VoidOrder,
)

VERSION: Final = 1
MAX_LINE: Final = 1024 * 1024
"""Bytes of one request or answer, its line feed included."""

VERBS: Final[dict[str, type[Message]]] = {
    "belongs": Belongs,
    "budget_use": BudgetUse,
    "ca": Nothing,
    "change_roster": ChangeRoster,
    "device_key": DeviceKey,
    "found_roster": FoundRoster,
    "freeze": Freeze,
    "heads": Heads,
    "health": Nothing,
    "issue": Issue,
    "issue_server": IssueServer,
    "phone_ca": PhoneCa,
    "renew": Renew,
    "revoke": Revoke,
    "rosters": Rosters,
    "scep_answer": Answered,
    "scep_open": OpenScep,
    "set_budgets": SetBudgets,
    "sign_head": SignHead,
    "sign_order": SignOrder,
    "sign_profile": SignProfile,
    "thaw": Thaw,
    "void_order": VoidOrder,
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
