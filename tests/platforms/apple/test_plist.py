"""Property lists: what is read, what is refused, and that refusing is cheap."""

import plistlib
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdm.core.errors import InvalidError, TooLargeError
from mdm.platforms.apple import plist

APPLE = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n'
    b'<plist version="1.0">%s</plist>\n'
)


def document(inner: bytes) -> bytes:
    """A property list with Apple's own head around ``inner``."""
    return APPLE % inner


def test_what_a_device_sends_is_read_with_every_kind_of_value() -> None:
    sent = document(
        b"<dict>\n\t<key>UDID</key><string>00008110-001A &amp; \xc3\xa9</string>\n<key>Token</key>\n<data>\n\tAQID\n\t"
        b"BA==\n</data><key>N</key><integer>-5</integer><key>Real</key><real>1.5</real><key>T</key><true/>"
        b"<key>When</key><date>2026-11-21T10:00:00Z</date><key>A</key><array><dict/><string></string><false/></array>"
        b"<key>None</key><string/></dict>"
    )
    assert plist.read(sent) == {
        "UDID": "00008110-001A & é",
        "Token": b"\x01\x02\x03\x04",
        "N": -5,
        "Real": 1.5,
        "T": True,
        "When": datetime(2026, 11, 21, 10),  # noqa: DTZ001 -- property lists have no zone
        "A": [{}, "", False],
        "None": "",
    }


HOSTILE = {
    "empty": b"",
    "garbage": b"\x00\xff\x17garbage",
    "truncated": document(b"<dict><key>UDID</key><string>x</string></dict>")[:-30],
    "entity": b'<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY a "b">]><plist version="1.0"><dict/></plist>',
    "billion laughs": b'<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    b'<plist version="1.0"><dict><key>k</key><string>&b;</string></dict></plist>',
    "external entity": b'<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b'<plist version="1.0"><dict><key>k</key><string>&x;</string></dict></plist>',
    "entity that nobody declared": document(b"<dict><key>k</key><string>&x;</string></dict>"),
    "comment": document(b"<dict><!-- " + b"x" * 900_000 + b" --></dict>"),
    "section": document(b"<dict><key>k</key><string><![CDATA[x]]></string></dict>"),
    "instruction": document(b"<dict><?php x ?></dict>"),
    "200000 arrays": document(b"<array>" * 60_000 + b"</array>" * 60_000),
    "too many values": document(b"<dict><key>k</key><array>" + b"<true/>" * 60_000 + b"</array></dict>"),
    "33 levels": document(b"<dict><key>a</key>" * 33 + b"<true/>" + b"</dict>" * 33),
    "binary": plistlib.dumps({"Status": "Idle"}, fmt=plistlib.FMT_BINARY),
    "binary with a cycle": b"bplist00\xa1\x00\x08" + bytes(6) + b"\x01\x01" + bytes(7) + b"\x01" + bytes(15) + b"\x0a",
    "UTF-16": document(b"<dict/>").decode().replace("UTF-8", "UTF-16").encode("utf-16"),
    "UTF-7": document(b"<dict/>").replace(b"UTF-8", b"UTF-7"),
    "Latin 1": document(b"<dict/>").replace(b"UTF-8", b"ISO-8859-1"),
    "array on top": document(b"<array/>"),
    "string on top": document(b"<string>x</string>"),
    "integer on top": document(b"<integer>1</integer>"),
    "nothing in it": document(b""),
    "twice the same key": document(b"<dict><key>UDID</key><string>a</string><key>UDID</key><string>b</string></dict>"),
    "5000 digits": document(b"<dict><key>n</key><integer>" + b"9" * 5000 + b"</integer></dict>"),
    "no such day": document(b"<dict><key>d</key><date>2020-99-99T00:00:00Z</date></dict>"),
    "no date": document(b"<dict><key>d</key><date>yesterday</date></dict>"),
    "year 0000": document(b"<dict><key>d</key><date>0000-01-01T00:00:00Z</date></dict>"),
    "not base64": document(b"<dict><key>d</key><data>&lt;not base64&gt;</data></dict>"),
    "broken base64": document(b"<dict><key>d</key><data>AAA</data></dict>"),
    "unknown element": document(b"<dict><key>d</key><uid>4</uid></dict>"),
    "element in a text": document(b"<dict><key>d</key><string>a<integer>1</integer>b</string></dict>"),
    "value without a key": document(b"<dict><string>a</string></dict>"),
    "key without a value": document(b"<dict><key>a</key></dict>"),
    "two keys": document(b"<dict><key>a</key><key>b</key><true/></dict>"),
    "text between": document(b"<dict>hello<key>a</key><true/></dict>"),
    "attribute": document(b'<dict><key a="b">a</key><true/></dict>'),
    "second document": document(b"<dict/>") * 2,
    "crossed": document(b"<dict><key>a</key><array></dict></array>"),
    "NUL": document(b"<dict><key>a</key><string>a\x00b</string></dict>"),
    "NUL by number": document(b"<dict><key>a</key><string>a&#0;b</string></dict>"),
    "not UTF-8": document(b"<dict><key>a</key><string>\xff\xfe</string></dict>"),
    "long text": document(b"<dict><key>a</key><string>" + b"x" * 70_000 + b"</string></dict>"),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_bytes_are_refused_within_half_a_second(name: str) -> None:
    begun = time.process_time()
    with pytest.raises(InvalidError) as refused:
        plist.read(HOSTILE[name])
    assert refused.value.code == "plist_wrong"
    assert time.process_time() - begun < 0.5


def test_one_byte_above_the_limit_is_refused_before_it_is_parsed() -> None:
    sent = document(b"<dict/>")
    assert plist.read(sent, plist.Limits(size=len(sent))) == {}
    with pytest.raises(TooLargeError):
        plist.read(sent, plist.Limits(size=len(sent) - 1))


def test_exactly_the_deepest_nesting_and_a_long_datum_are_read() -> None:
    deep = document(b"<dict><key>a</key>" * 32 + b"<true/>" + b"</dict>" * 32)
    assert plist.read(deep)["a"]
    flat = document(b"<dict><key>a</key><array>" + b"<dict></dict>" * 500 + b"</array></dict>")
    assert plist.read(flat)["a"] == [{}] * 500
    long = document(b"<dict><key>a</key><data>" + b"QUFB" * 50_000 + b"</data></dict>")
    assert plist.read(long)["a"] == b"A" * 150_000


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=40)
VALUES = st.recursive(
    TEXT
    | st.binary(max_size=40)
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(microsecond=0)),  # noqa: DTZ001
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(TEXT, VALUES, max_size=5))
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_read_back_and_read_by_others_alike(value: dict[str, plist.Value]) -> None:
    written = plist.write(value)
    assert plist.read(written) == value == plistlib.loads(written)


@given(st.binary(max_size=60), st.integers(0, 400))
@settings(max_examples=300, deadline=None)
def test_bytes_put_anywhere_into_a_message_give_the_same_or_a_refusal_and_never_anything_else(
    put: bytes, where: int
) -> None:
    sent = document(b"<dict><key>A</key><string>x</string><key>B</key><array><integer>1</integer></array></dict>")
    hurt = sent[:where] + put + sent[where:]
    try:
        found = plist.read(hurt)
    except InvalidError:
        return
    assert found == plistlib.loads(hurt)


def test_a_moment_with_a_zone_is_written_as_universal_time() -> None:
    assert b"<date>2026-11-21T10:00:00Z</date>" in plist.write({"at": datetime(2026, 11, 21, 10, tzinfo=UTC)})
