"""From BER, as phones and old clients send it, to DER, which is all that the parser behind takes (X.690).

Indefinite lengths get definite ones, strings in pieces become whole, lengths get their shortest form. The order of sets stays
as it was sent: signatures are made over it.
"""

from typing import Final

from mdm.core.errors import N_, InvalidError

MAX_DEPTH: Final = 32
_STRINGS: Final = frozenset((0x03, 0x04, 0x0C, 0x12, 0x13, 0x14, 0x15, 0x16, 0x19, 0x1A, 0x1B, 0x1C, 0x1E))
"""Universal types that BER may send in pieces; a constructed one of them is put together."""
_BIT_STRING: Final = 0x03
_CONSTRUCTED: Final = 0x20


def encode(tag: int, *parts: bytes) -> bytes:
    """One value in DER: a tag of one byte, the length of all parts, the parts."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def der(content: bytes) -> bytes:
    """The one value in ``content`` as DER. Raises InvalidError (``ber_wrong``) for what is no BER, or is too deep."""
    value, end = _value(content, 0, len(content), 0)
    if end != len(content):
        raise _wrong()
    return value


def children(content: bytes) -> list[tuple[int, bytes]]:
    """Tag and content of the values that stand one after the other in DER ``content``."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(content):
        tag, start, size = _header(content, at, len(content))
        if size is None:
            raise _wrong()
        found.append((tag, content[start : start + size]))
        at = start + size
    return found


def _value(content: bytes, at: int, end: int, depth: int) -> tuple[bytes, int]:
    """One value as DER, and where it ends."""
    if depth > MAX_DEPTH:
        raise _wrong()
    tag, start, size = _header(content, at, end)
    if not tag & _CONSTRUCTED:
        if size is None:
            raise _wrong()
        return encode(tag, content[start : start + size]), start + size
    parts, after = _parts(content, start, end if size is None else start + size, depth, indefinite=size is None)
    if tag ^ _CONSTRUCTED in _STRINGS:
        return _whole(tag ^ _CONSTRUCTED, parts), after
    return encode(tag, *parts), after


def _parts(content: bytes, at: int, end: int, depth: int, *, indefinite: bool) -> tuple[list[bytes], int]:
    parts: list[bytes] = []
    while True:
        if indefinite and content[at : at + 2] == b"\0\0" and at + 2 <= end:
            return parts, at + 2
        if at >= end:
            if indefinite:
                raise _wrong()
            return parts, at
        part, at = _value(content, at, end, depth + 1)
        parts.append(part)


def _whole(tag: int, parts: list[bytes]) -> bytes:
    """A string that came in pieces, each of which is in DER by now."""
    pieces = [piece for part in parts for piece in children(part)]
    if any(kind != tag for kind, _ in pieces):
        raise _wrong()
    if tag != _BIT_STRING:
        return encode(tag, *(piece for _, piece in pieces))
    # Each piece begins with its number of unused bits, and only the last one may have any.
    if not pieces or any(not piece for _, piece in pieces) or any(piece[0] for _, piece in pieces[:-1]):
        raise _wrong()
    return encode(tag, pieces[-1][1][:1], *(piece[1:] for _, piece in pieces))


def _header(content: bytes, at: int, end: int) -> tuple[int, int, int | None]:
    """Tag, where the content starts, and how long it is: None for an indefinite length."""
    if at + 2 > end:
        raise _wrong()
    tag, first, start = content[at], content[at + 1], at + 2
    if tag & 0x1F == 0x1F or tag == 0:
        raise _wrong()
    if first == 0x80:
        if not tag & _CONSTRUCTED:
            raise _wrong()
        return tag, start, None
    size = first
    if first > 0x80:
        octets = first & 0x7F
        if octets > 4 or start + octets > end:
            raise _wrong()
        size = int.from_bytes(content[start : start + octets], "big")
        start += octets
    if start + size > end:
        raise _wrong()
    return tag, start, size


def _wrong() -> InvalidError:
    return InvalidError(N_("These bytes are no ASN.1 value that is taken here. Nothing was stored."), code="ber_wrong")
