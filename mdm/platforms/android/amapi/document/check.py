"""Whether something may be sent to Google: every field, type, format and word of it beside the document. Pure.

An error is what Google would refuse; a warning is what Google takes and will not take for ever, or passes over.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from mdm.core.errors import N_
from mdm.core.text import clean
from mdm.platforms.android.amapi.document.table import Node, schema

MAX_DEPTH: Final = 24
MAX_FINDINGS: Final = 100
MAX_PLACE: Final = 200
_INT32: Final = 2**31
_INT64: Final = 2**63
_DURATION: Final = re.compile(r"-?\d{1,12}(\.\d{1,9})?s\Z", re.ASCII)
_DIGITS: Final = re.compile(r"-?\d{1,19}\Z", re.ASCII)
_DATETIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)\Z", re.ASCII)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]*={0,2}\Z", re.ASCII)
_FIELDMASK: Final = re.compile(r"[A-Za-z0-9_.]+(,[A-Za-z0-9_.]+)*\Z", re.ASCII)


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong at ``path``. ``code`` is stable; ``sentence`` and ``params`` are for people."""

    severity: Severity
    path: str
    code: str
    sentence: str
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The English sentence, filled."""
        return self.sentence % {"path": self.path or "…", **self.params}


_SENTENCES: Final = {
    "deprecated": N_("%(path)s is deprecated by Google."),
    "deprecated_word": N_("%(path)s has the value %(word)s, which Google has deprecated."),
    "format": N_("%(path)s does not have the right form (%(wanted)s)."),
    "not_allowed": N_("%(path)s must be one of: %(allowed)s."),
    "read_only": N_("%(path)s is set by Google alone, and what stands there is passed over."),
    "too_deep": N_("%(path)s is nested too deeply."),
    "type": N_("%(path)s must be of the type %(wanted)s."),
    "unknown_field": N_("%(path)s is no field that Google knows."),
}
_TYPES: Final[Mapping[str, tuple[str, tuple[type, ...]]]] = {
    "s": ("string", (str,)),
    "b": ("boolean", (bool,)),
    "i": ("integer", (int,)),
    "n": ("number", (int, float)),
    "a": ("array", (list, tuple)),
    "o": ("object", (Mapping,)),
}


def errors(findings: Sequence[Finding]) -> list[Finding]:
    """Those that must keep the thing from being saved or sent."""
    return [one for one in findings if one.severity is Severity.ERROR]


def warnings(findings: Sequence[Finding]) -> list[Finding]:
    """Those that people should know of."""
    return [one for one in findings if one.severity is Severity.WARNING]


def check(name: str, value: object, *, path: str = "") -> list[Finding]:
    """What is wrong with a resource of this schema (``Policy``, ``Command``); empty when nothing is.

    Raises KeyError for a schema that the document does not have.
    """
    walk = _Walk()
    walk.resource(name, value, path, 0)
    return walk.found


def check_value(node: Node, value: object, path: str) -> list[Finding]:
    """What is wrong with one value, such as that of a query parameter."""
    walk = _Walk()
    walk.value(node, value, path, 0)
    return walk.found


class _Walk:
    """One walk through a value, beside the nodes that describe it."""

    def __init__(self) -> None:
        self.found: list[Finding] = []

    def add(self, severity: Severity, path: str, code: str, **params: str) -> None:
        if len(self.found) < MAX_FINDINGS:
            self.found.append(Finding(severity, path, code, _SENTENCES[code], params))

    def error(self, path: str, code: str, **params: str) -> None:
        self.add(Severity.ERROR, path, code, **params)

    def resource(self, name: str, value: object, path: str, depth: int) -> None:
        """A value of a schema: no field that it does not have, and each field as the document says."""
        if depth > MAX_DEPTH:
            return self.error(path, "too_deep")
        if not isinstance(value, Mapping):
            return self.error(path, "type", wanted="object")
        nodes = schema(name)
        for key, content in value.items():
            place = joined(path, key)
            node = nodes.get(key) if isinstance(key, str) else None
            if node is None:
                self.error(place, "unknown_field")
            else:
                self.value(node, content, place, depth + 1)
        return None

    def value(self, node: Node, value: object, path: str, depth: int) -> None:
        """One value beside its node."""
        if node.get("d"):
            self.add(Severity.WARNING, path, "deprecated")
        if node.get("R"):
            self.add(Severity.WARNING, path, "read_only")
        if "r" in node:
            return self.resource(node["r"], value, path, depth)
        letter = node["t"]
        if letter == "*":
            return self._free(value, path, depth)
        word, types = _TYPES[letter]
        if not isinstance(value, types) or (isinstance(value, bool) and letter != "b"):
            return self.error(path, "type", wanted=word)
        if isinstance(value, str):
            return self._text(node, value, path)
        if letter in "in":
            return self._number(node, value, path)
        if letter == "a":
            return self._items(node, value, path, depth)
        if letter == "o":
            return self._object(node, value, path, depth)
        return None

    def _text(self, node: Node, value: str, path: str) -> None:
        allowed = node.get("e")
        if allowed is not None and value not in allowed:
            self.error(path, "not_allowed", allowed=", ".join(allowed))
        elif value in node.get("E", ()):
            self.add(Severity.WARNING, path, "deprecated_word", word=value)
        form = node.get("f", "")
        if form in _FORMS and not _formed(form, value):
            self.error(path, "format", wanted=_FORMS[form])

    def _number(self, node: Node, value: Any, path: str) -> None:
        if node.get("f") == "int32" and not -_INT32 <= value < _INT32:
            self.error(path, "format", wanted="int32")
        elif isinstance(value, float) and not abs(value) < float("inf"):
            self.error(path, "format", wanted="number")

    def _items(self, node: Node, value: Any, path: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            return self.error(path, "too_deep")
        for number, item in enumerate(value):
            self.value(node["i"], item, f"{path}[{number}]", depth + 1)
        return None

    def _object(self, node: Node, value: Any, path: str, depth: int) -> None:
        """An object whose keys are free; each value as the document says, or anything that JSON can say."""
        if depth > MAX_DEPTH:
            return self.error(path, "too_deep")
        below = node.get("v", {"t": "*"})
        for key, content in value.items():
            place = joined(path, key)
            if not isinstance(key, str):
                self.error(place, "type", wanted="string")
            else:
                self.value(below, content, place, depth + 1)
        return None

    def _free(self, value: object, path: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            return self.error(path, "too_deep")
        if isinstance(value, Mapping):
            return self._object({"t": "o"}, value, path, depth)
        if isinstance(value, list | tuple):
            return self._items({"i": {"t": "*"}}, value, path, depth)
        if isinstance(value, float):
            return self._number({}, value, path)
        if value is not None and not isinstance(value, str | bool | int):
            return self.error(path, "type", wanted="JSON")
        return None


_FORMS: Final = {
    "int64": "a whole number, as text",
    "google-duration": "seconds as text, such as 3600s",
    "google-datetime": "a moment, such as 2026-11-04T09:30:00Z",
    "google-fieldmask": "names of fields with commas between them",
    "byte": "Base64",
}


def _formed(form: str, value: str) -> bool:
    if form == "int64":
        return bool(_DIGITS.match(value)) and -_INT64 <= int(value) < _INT64
    if form == "google-duration":
        return bool(_DURATION.match(value))
    if form == "google-fieldmask":
        return bool(_FIELDMASK.match(value))
    if form == "byte":
        return bool(_BASE64.match(value))
    if not _DATETIME.match(value):
        return False
    try:
        # Google writes up to nine digits of a second; the rest of the moment is what can be wrong.
        datetime.fromisoformat(re.sub(r"\.\d+", "", value).replace("Z", "+00:00"))
    except ValueError:
        return False
    return True


def joined(path: str, key: object) -> str:
    """The place of a key below a place, cut to what a page can show."""
    name = clean(key if isinstance(key, str) else str(key), 64)
    return (f"{path}.{name}" if path else name)[:MAX_PLACE]
