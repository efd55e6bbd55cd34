"""An APK is read as a phone reads it, and what a phone would refuse is refused when it is uploaded."""

import hashlib
import random
import struct
from pathlib import Path

import pytest

from mdm.core.errors import InvalidError
from mdm.platforms.android.apk import read
from tests.sim.apk import V2, V3, Vendor, archive, axml, sign

VENDOR = Vendor()


def _file(folder: Path, content: bytes) -> Path:
    path = folder / "some.apk"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("scheme", [V2, V3])
def test_a_signed_application_says_who_it_is_and_who_signed_it(tmp_path: Path, scheme: int) -> None:
    content = VENDOR.apk("org.example.forms", "1.2 beta", 12, scheme=scheme)
    found = read(_file(tmp_path, content))
    assert (found.package, found.version, found.code) == ("org.example.forms", "1.2 beta", 12)
    assert found.digest == hashlib.sha256(content).hexdigest()
    assert found.signer == VENDOR.digest
    assert found.size == len(content)


def _refused(folder: Path, content: bytes) -> str:
    with pytest.raises(InvalidError) as refused:
        read(_file(folder, content))
    assert refused.value.code == "apk_wrong"
    return str(refused.value)


def test_what_was_changed_after_it_was_signed_is_refused(tmp_path: Path) -> None:
    content = bytearray(VENDOR.apk())
    at = content.index(b"classes.dex") + 20
    content[at] ^= 1
    assert "changed after it was signed" in _refused(tmp_path, bytes(content))


def test_an_unsigned_one_is_refused(tmp_path: Path) -> None:
    assert "not signed" in _refused(tmp_path, archive(axml("org.example.forms", "1", 1)))


def test_one_with_somebody_elses_certificate_is_refused(tmp_path: Path) -> None:
    thief = Vendor()
    thief.certificate = VENDOR.certificate
    assert "certificate" in _refused(tmp_path, thief.apk())


def test_a_block_put_onto_another_archive_is_refused(tmp_path: Path) -> None:
    mine = sign(archive(axml("org.example.forms", "1", 1)), VENDOR)
    other = archive(axml("org.example.evil", "1", 1), extra=b"x")
    start = mine.index(b"APK Sig Block 42")
    (size,) = struct.unpack_from("<Q", mine, start - 8)
    block = mine[start + 16 - size - 8 : start + 16]
    ending = other.rfind(b"PK\x05\x06")
    (directory,) = struct.unpack_from("<I", other, ending + 16)
    end = bytearray(other[ending:])
    struct.pack_into("<I", end, 16, directory + len(block))
    assert _refused(tmp_path, other[:directory] + block + other[directory:ending] + bytes(end))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04",
        b"\0" * 100_000,
        b"PK\x05\x06" + b"\0" * 18,
        sign(archive(b"<manifest package='text.xml'/>"), VENDOR),
        sign(archive(axml("not a package", "1", 1)), VENDOR),
        sign(archive(axml("../../etc/passwd", "1", 1)), VENDOR),
        sign(archive(axml("org.example", "1", 1)[:60]), VENDOR),
    ],
)
def test_what_is_no_application_is_refused(tmp_path: Path, content: bytes) -> None:
    _refused(tmp_path, content)


def test_a_packed_bomb_is_not_unpacked(tmp_path: Path) -> None:
    assert "too large" in _refused(tmp_path, sign(archive(b"\0" * 50_000_000), VENDOR))


def test_whatever_byte_is_wrong_nothing_but_a_refusal_comes_of_it(tmp_path: Path) -> None:
    content, chance = VENDOR.apk(), random.Random(7)
    for _ in range(400):
        wrong = bytearray(content)
        for _ in range(chance.randint(1, 4)):
            wrong[chance.randrange(len(wrong))] = chance.randrange(256)
        cut = bytes(wrong[: chance.randrange(len(wrong))]) if chance.random() < 0.2 else bytes(wrong)
        try:
            found = read(_file(tmp_path, cut))
        except InvalidError:
            continue
        assert cut == content or found.package == "org.example.forms"
