"""The three words that are needed of an application's manifest, out of Android's binary XML. Pure."""

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mdm.core.text import clean

XML, POOL, RESOURCES, ELEMENT = 0x0003, 0x0001, 0x0180, 0x0102
UTF8: Final = 0x100
MAX_STRINGS: Final = 200_000
VERSION_CODE, VERSION_NAME = 0x0101021B, 0x0101021C
_TEXT, _DECIMAL, _HEXADECIMAL = 0x03, 0x10, 0x11
_PACKAGE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)+\Z")


@dataclass(frozen=True, slots=True)
class Manifest:
    """Package, name of the version, and its number."""

    package: str
    version: str
    code: int


def manifest(content: bytes) -> Manifest:
    """What the manifest says. Raises ValueError, IndexError or struct.error for one that is none."""
    if struct.unpack_from("<H", content)[0] != XML:
        raise ValueError("not binary XML")
    strings: _Strings | None = None
    resources: Sequence[int] = ()
    for kind, chunk in _chunks(content):
        if kind == POOL and strings is None:
            strings = _Strings(chunk)
        elif kind == RESOURCES:
            resources = struct.unpack_from(f"<{(len(chunk) - 8) // 4}I", chunk, 8)
        elif kind == ELEMENT and strings is not None:
            # The first element is the manifest itself, and says all three.
            return _read(chunk, strings, resources)
    raise ValueError("no element")


def _chunks(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 8
    while at + 8 <= len(content):
        kind, _, size = struct.unpack_from("<HHI", content, at)
        if size < 8 or size > len(content) - at:
            raise ValueError("a chunk does not fit")
        yield kind, content[at : at + size]
        at += size


class _Strings:
    """The pool: a string is decoded when somebody asks for it, because only the first few are needed."""

    def __init__(self, chunk: bytes) -> None:
        count, _, flags, self._start, _ = struct.unpack_from("<5I", chunk, 8)
        if count > MAX_STRINGS or 28 + count * 4 > len(chunk):
            raise ValueError("too many strings")
        self._chunk = chunk
        self._offsets = struct.unpack_from(f"<{count}I", chunk, 28)
        self._decode = _utf8 if flags & UTF8 else _utf16

    def __getitem__(self, number: int) -> str:
        return self._decode(self._chunk, self._start + self._offsets[number])


def _utf8(chunk: bytes, at: int) -> str:
    at += 2 if chunk[at] & 0x80 else 1
    length = chunk[at]
    at += 1
    if length & 0x80:
        length = (length & 0x7F) << 8 | chunk[at]
        at += 1
    if at + length > len(chunk):
        raise ValueError("a string does not fit")
    return chunk[at : at + length].decode()


def _utf16(chunk: bytes, at: int) -> str:
    (length,) = struct.unpack_from("<H", chunk, at)
    at += 2
    if length & 0x8000:
        length = (length & 0x7FFF) << 16 | struct.unpack_from("<H", chunk, at)[0]
        at += 2
    if at + length * 2 > len(chunk):
        raise ValueError("a string does not fit")
    return chunk[at : at + length * 2].decode("utf-16-le")


def _read(chunk: bytes, strings: _Strings, resources: Sequence[int]) -> Manifest:
    _, name, start, size, count = struct.unpack_from("<IIHHH", chunk, 16)
    if strings[name] != "manifest" or size < 20:
        raise ValueError("the first element is no manifest")
    package, version, code = "", "", 0
    for number in range(count):
        _, key, _, _, _, kind, value = struct.unpack_from("<IIIHBBI", chunk, 16 + start + number * size)
        resource = resources[key] if key < len(resources) else 0
        if resource == VERSION_CODE and kind in (_DECIMAL, _HEXADECIMAL):
            code = value
        elif resource == VERSION_NAME and kind == _TEXT:
            version = clean(strings[value], 128)
        elif not resource and kind == _TEXT and strings[key] == "package":
            package = strings[value]
    if len(package) > 223 or not _PACKAGE.match(package):
        raise ValueError("no package name")
    return Manifest(package, version or str(code), code)
