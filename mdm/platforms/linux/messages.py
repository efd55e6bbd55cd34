"""What an agent may send, read from bytes: nothing unknown, nothing twice, nothing deep, and told where it is wrong."""

import json
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.wire import MAX_DIAGNOSTICS
from mdm.core.errors import N_, InvalidError
from mdm.core.text import clean

MAX_RESULTS = 100
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
Short = Annotated[str, Field(max_length=255)]


class Message(BaseModel):
    """A message: the fields that it names, of exactly these types, and no other."""

    model_config = ConfigDict(extra="forbid", strict=True)


class EnrollMessage(Message):
    """``EnrollRequest`` of the wire."""

    token: Annotated[str, Field(min_length=1, max_length=64)]
    csr: Annotated[str, Field(max_length=8192)]
    platform: Annotated[str, Field(max_length=16)]
    serial: Short | None
    hostname: Short
    model: Short | None
    version: Annotated[str, Field(max_length=32)]


class RenewMessage(Message):
    """A request for the next certificate."""

    csr: Annotated[str, Field(max_length=8192)]


class ReportMessage(Message):
    """``Report`` of the wire."""

    id: Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[0-9A-Za-z-]+$")]
    at: Annotated[str, Field(max_length=40)]
    sections: Annotated[dict[str, dict[str, Any]], Field(max_length=32)]
    digests: Annotated[dict[str, Digest], Field(max_length=32)]


class ResultMessage(Message):
    """``Result`` of the wire."""

    id: Annotated[str, Field(max_length=64)]
    state: Annotated[str, Field(pattern=r"^(done|failed|refused|busy)$")]
    detail: Annotated[str, Field(max_length=MAX_DIAGNOSTICS)] | None = None
    data: dict[str, Any] | None = None


class PanicMessage(Message):
    """``PanicRequest`` of the wire."""

    id: Annotated[str, Field(max_length=64)]
    ago: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] = 0.0
    exercise: bool = False


class CheckinMessage(Message):
    """``Checkin`` of the wire."""

    report: ReportMessage | None = None
    results: Annotated[list[ResultMessage], Field(max_length=MAX_RESULTS)] = []


M = TypeVar("M", bound=Message)


def read(shape: type[M], body: bytes) -> M:
    """The message in ``body``. Raises InvalidError with a stable code and, where it can, the place of what is wrong."""
    try:
        value = json.loads(body, object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError as error:
        raise _wrong(N_("The message is nested too deep."), "too_deep") from error
    except UnicodeDecodeError as error:
        raise _wrong(N_("The message is not UTF-8."), "not_json") from error
    except json.JSONDecodeError as error:
        raise _wrong(N_("The message is not JSON."), "not_json") from error
    except ValueError as error:
        raise _wrong(
            N_("The message is not JSON that can be trusted: a name occurs twice or a number is none."), "not_json"
        ) from error
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)
        raise InvalidError(
            N_("The message was refused and nothing of it was stored: %(why)s."),
            code="unknown_field" if first[0]["type"] == "extra_forbidden" else "invalid",
            fields={_place(entry["loc"]): clean(entry["msg"], 200) for entry in first[:20]},
            why=clean(f"{_place(first[0]['loc'])}: {first[0]['msg']}", 300),
        ) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _place(location: tuple[int | str, ...]) -> str:
    return clean(".".join(str(part)[:64] for part in location), 200) or "message"


def _wrong(sentence: str, code: str) -> InvalidError:
    return InvalidError(sentence, code=code)
