"""Property lists from devices and strangers: measured against a grammar before any parser sees them, then read.

Only XML is read. A binary one of a few hundred bytes can stand for gigabytes, and no device that we know sends one.
"""

import plistlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias
from xml.parsers.expat import ExpatError

from mdm.core.errors import N_, InvalidError, TooLargeError

Value: TypeAlias = "str | bytes | int | float | bool | datetime | list[Value] | dict[str, Value]"
Plist: TypeAlias = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a property list may be. ``text`` counts the bytes of one string, key or number; data may fill the rest."""

    size: int = 1024 * 1024
    depth: int = 32
    nodes: int = 20_000
    text: int = 64 * 1024


CHECKIN: Final = Limits()
RESULT: Final = Limits(size=8 * 1024 * 1024, nodes=100_000)
"""For the results of commands: a list of all applications is long."""

_SPACE = rb"[ \t\r\n]*+"
_HEAD = re.compile(
    rb"(?:\xef\xbb\xbf)?"
    + _SPACE
    + rb"(?:<\?xml"
    + _SPACE
    + rb"version=(?:\"1\.0\"|'1\.0')(?:[ \t\r\n]++encoding=(?:\"([A-Za-z0-9._-]{1,32})\"|'([A-Za-z0-9._-]{1,32})'))?"
    + rb"(?:[ \t\r\n]++standalone=(?:\"(?:yes|no)\"|'(?:yes|no)'))?"
    + _SPACE
    + rb"\?>)?"
    + _SPACE
    # A document type without an inner subset: nothing is declared, and expat fetches nothing.
    + rb"(?:<!DOCTYPE[ \t\r\n]++plist(?:[ \t\r\n]++(?:PUBLIC[ \t\r\n]++\"[^\"<>\[\]]{0,200}\"|SYSTEM)"
    + rb"[ \t\r\n]++\"[^\"<>\[\]]{0,200}\")?"
    + _SPACE
    + rb">)?"
    + _SPACE
    + rb"<plist(?:[ \t\r\n]++version=(?:\"1\.0\"|'1\.0'))?"
    + _SPACE
    + rb">"
)
_TAIL = re.compile(rb"</plist" + _SPACE + rb">" + _SPACE + rb"\Z")
_ONE = (
    rb"<(?:key|string|date)>[^<]*+</(?:key|string|date)" + _SPACE + rb">"
    rb"|</?(?:dict|array)" + _SPACE + rb">"
    rb"|<(?:true|false|string|key|data|dict|array)" + _SPACE + rb"/>"
    rb"|<(?:true></true|false></false)>"
    rb"|<data>[A-Za-z0-9+/= \t\r\n]*+</data" + _SPACE + rb">"
    rb"|<integer>" + _SPACE + rb"[+-]?(?:0x[0-9A-Fa-f]{1,16}|[0-9]{1,20})" + _SPACE + rb"</integer" + _SPACE + rb">"
    rb"|<real>[-+0-9.eE \t\r\nainfty]{1,64}</real" + _SPACE + rb">"
)
_BODY = re.compile(rb"(?:" + _SPACE + rb"(?:" + _ONE + rb"))*+" + _SPACE)
_CONTAINER = re.compile(rb"<(/?)(?:dict|array)" + _SPACE + rb">")
_STRANGE_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")
_ENCODINGS = frozenset((b"utf-8", b"us-ascii", b"ascii", b"utf8"))


def read(content: bytes, limits: Limits = CHECKIN) -> Plist:
    """The dictionary in ``content``.

    Raises TooLargeError above the limit of size, and InvalidError (``plist_wrong``) for everything that is not one XML
    property list with a dictionary at its top: binary ones, inner document types, comments, unknown elements, text where
    none belongs, other encodings than UTF-8, keys that stand twice, and what goes beyond a limit.
    """
    if len(content) > limits.size:
        raise TooLargeError(
            N_("The property list is larger than %(limit)s bytes. Nothing of it was read."), limit=limits.size
        )
    _measure(content, limits)
    try:
        found = plistlib.loads(content, fmt=plistlib.FMT_XML, dict_type=_Strict)
    except (ExpatError, ValueError, TypeError, AttributeError, KeyError, IndexError, OverflowError) as error:
        raise _wrong("it cannot be read") from error
    if not isinstance(found, dict):
        raise _wrong("it is no dictionary")
    return found


def write(document: Mapping[str, object]) -> bytes:
    """The dictionary as an XML property list, its keys in the order given.

    Raises ValueError or TypeError for a text with control characters, an integer beyond 64 bits, or a value that no
    property list has: those are faults of ours, not of a stranger.
    """
    return plistlib.dumps(dict(document), fmt=plistlib.FMT_XML, sort_keys=False)


class _Strict(dict[str, Value]):
    """A dictionary that takes each key once: a reader that keeps the last and one that keeps the first would differ."""

    def __setitem__(self, key: str, value: Value) -> None:
        if key in self:
            raise ValueError("a key stands twice")
        super().__setitem__(key, value)


def _measure(content: bytes, limits: Limits) -> None:
    """Raises InvalidError unless the bytes are in the grammar of a property list and within the limits. Linear."""
    head = _HEAD.match(content)
    if head is None:
        raise _wrong("it does not begin as an XML property list")
    encoding = head[1] or head[2]
    if encoding is not None and encoding.lower() not in _ENCODINGS:
        raise _wrong("it is not in UTF-8")
    if content.count(b"<") > limits.nodes * 2:
        raise _wrong("it has too many values")
    body = _BODY.match(content, head.end())
    if body is None or _TAIL.match(content, body.end()) is None:
        raise _wrong("it has something that no property list has")
    if _STRANGE_ENTITY.search(content):
        # With a document type elsewhere expat would pass over it in silence.
        raise _wrong("it names an entity")
    if len(content) > limits.text:
        for part in content.split(b"<"):
            if len(part) > limits.text and not part.startswith(b"data>"):
                raise _wrong("a text in it is too long")
    if content.count(b"<dict") + content.count(b"<array") > limits.depth:
        depth = 0
        for tag in _CONTAINER.finditer(content, head.end()):
            depth += -1 if tag[1] else 1
            if depth > limits.depth:
                raise _wrong("it is nested too deeply")


def _wrong(why: str) -> InvalidError:
    return InvalidError(
        N_("This is no property list that is taken here: %(why)s. Nothing was stored."), code="plist_wrong", why=why
    )
