"""What an agent says of its phone, read under limits. What is not needed is not kept: no place, no number, no SIM. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mdm.core.errors import N_, InvalidError
from mdm.core.text import clean
from mdm.inventory import fields

MAX_APPLICATIONS: Final = 2000
MAX_DEPTH: Final = 6
MAX_LINES: Final = 200
KEPT_LINES: Final = 50
_NOBODY: Final = frozenset({"", "unknown", "null", "none", "0", "000000000000000"})
_LEVELS: Final = {1: "error", 2: "warning", 3: "info", 4: "debug", 5: "verbose"}


@dataclass(frozen=True, slots=True)
class Info:
    """One report. ``imei`` holds every one that is one, in the order told."""

    number: str
    model: str
    serial: str
    imei: tuple[str, ...]
    android: str
    owner: bool | None
    """Whether the agent is the owner of the device, without which it can hardly do anything."""
    permissions: tuple[bool, ...]
    applications: Mapping[str, str]
    """Version by package."""
    names: Mapping[str, str]
    """Name by package."""

    @property
    def identity(self) -> bool:
        """Whether it says anything by which one phone is told from another."""
        return bool(self.serial or self.imei)


def read(raw: bytes) -> Info:
    """The report in these bytes. Raises InvalidError (``info_wrong``) for what is none: nothing of it is kept."""
    content = _object(raw)
    applications = _applications(content.get("applications"))
    return Info(
        number=_text(content.get("deviceId"), 64),
        model=_text(content.get("model"), 128),
        serial=_serial(content.get("serial")),
        imei=tuple(dict.fromkeys(one for one in (_imei(content.get("imei")), _imei(content.get("imei2"))) if one)),
        android=_text(content.get("androidVersion"), 32),
        owner=content["mdmMode"] if isinstance(content.get("mdmMode"), bool) else None,
        permissions=tuple(bool(one) for one in _list(content.get("permissions"), 10)),
        applications={pkg: version for pkg, (_, version) in applications.items()},
        names={pkg: name for pkg, (name, _) in applications.items()},
    )


def lines(raw: bytes) -> list[dict[str, Any]]:
    """The last lines of a log, cleaned, newest last; raises InvalidError for what is none."""
    content = _json(raw)
    if not isinstance(content, list):
        raise _wrong()
    kept = []
    for one in content[-MAX_LINES:]:
        if isinstance(one, Mapping):
            at, level = one.get("timestamp"), one.get("logLevel")
            kept.append(
                {
                    "at": at if isinstance(at, int) and 0 < at < 2**53 else None,
                    "level": _LEVELS.get(level, "info") if isinstance(level, int) else "info",
                    "package": _text(one.get("packageId"), 128),
                    "text": _text(one.get("message"), 500),
                }
            )
    return kept


def _object(raw: bytes) -> Mapping[str, Any]:
    content = _json(raw)
    if not isinstance(content, Mapping):
        raise _wrong()
    return content


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _wrong() from error


def _no_constant(word: str) -> Any:
    raise ValueError(word)


def _wrong() -> InvalidError:
    return InvalidError(N_("This is no report of an agent. Nothing of it was kept."), code="info_wrong")


def _text(value: object, limit: int) -> str:
    return clean(value, limit) if isinstance(value, str) else ""


def _serial(value: object) -> str:
    text = _text(value, 128)
    return "" if text.lower() in _NOBODY else fields.serial(text) or ""


def _imei(value: object) -> str:
    digits = "".join(one for one in _text(value, 32) if one.isascii() and one.isdigit())
    return digits if 14 <= len(digits) <= 16 and digits not in _NOBODY else ""


def _list(value: object, limit: int) -> list[Any]:
    return value[:limit] if isinstance(value, list) else []


def _applications(value: object) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for one in _list(value, MAX_APPLICATIONS):
        if isinstance(one, Mapping) and (package := _text(one.get("pkg"), 255)):
            found[package] = (_text(one.get("name"), 255), _text(one.get("version"), 128))
    return found
