"""Reading an APK that a stranger may have made: which application it is, and who signed it. Pure; nothing is unpacked to disk.

By the APK Signature Scheme v2 and v3: the signing block stands before the directory of the ZIP, and what it signs is digested
here as a phone digests it, so that a file that was changed after it was signed is refused when it is uploaded.
"""

import hashlib
import struct
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from mdm.core.errors import N_, InvalidError
from mdm.platforms.android.axml import Manifest, manifest

MAX_SIZE: Final = 512 * 1024 * 1024
MAX_MANIFEST: Final = 4 * 1024 * 1024
MAX_ENTRIES: Final = 100_000
MAX_BLOCK: Final = 8 * 1024 * 1024
MAX_SIGNERS: Final = 10
MAGIC: Final = b"APK Sig Block 42"
V2, V3, V31 = 0x7109871A, 0xF05368C0, 0x1B93AD61
CHUNK: Final = 1024 * 1024
_ENDING: Final = b"PK\x05\x06"
_SHA256, _SHA512 = "sha256", "sha512"
ALGORITHMS: Final = {
    0x0101: ("pss", _SHA256),
    0x0102: ("pss", _SHA512),
    0x0103: ("pkcs1", _SHA256),
    0x0104: ("pkcs1", _SHA512),
    0x0201: ("ecdsa", _SHA256),
    0x0202: ("ecdsa", _SHA512),
}


@dataclass(frozen=True, slots=True)
class Apk:
    """What an APK is. ``digest`` is the SHA-256 of the file, ``signer`` that of the signing certificate, hexadecimal."""

    package: str
    version: str
    code: int
    digest: str
    md5: str
    signer: str
    size: int


def wrong(why: str) -> InvalidError:
    """The refusal of a file, with the reason as a sentence."""
    return InvalidError(
        N_("This is no application that phones would install: %(why)s Nothing was kept."), code="apk_wrong", why=why
    )


def read(path: Path) -> Apk:
    """What the file is. Raises InvalidError (``apk_wrong``) that says what is wrong with it."""
    size = path.stat().st_size
    if size > MAX_SIZE:
        raise wrong(N_("it is larger than 512 MiB."))
    with path.open("rb") as file:
        found = _manifest(file)
        signer = _signer(file, size)
        digest, md5 = _digests(file)
    return Apk(found.package, found.version, found.code, digest, md5, signer, size)


def _digests(file: BinaryIO) -> tuple[str, str]:
    sha, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    file.seek(0)
    while part := file.read(CHUNK):
        sha.update(part)
        md5.update(part)
    return sha.hexdigest(), md5.hexdigest()


def _manifest(file: BinaryIO) -> Manifest:
    try:
        content = _unpacked(file)
    except InvalidError:
        raise
    except Exception as error:
        # A border: zipfile, zlib, lzma and bz2 each have errors of their own for what a stranger made up.
        raise wrong(N_("it is no ZIP archive that can be read.")) from error
    try:
        return manifest(content)
    except (struct.error, ValueError, IndexError) as error:
        raise wrong(N_("its manifest cannot be read.")) from error


def _unpacked(file: BinaryIO) -> bytes:
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        mine = [one for one in entries if one.filename == "AndroidManifest.xml"]
        if len(entries) > MAX_ENTRIES or len(mine) != 1:
            raise wrong(N_("it has no manifest, or more than one."))
        with archive.open(mine[0]) as inner:
            # What the directory says of a size is a stranger's word: no more than this is read, whatever it says.
            content = inner.read(MAX_MANIFEST + 1)
    if len(content) > MAX_MANIFEST:
        raise wrong(N_("its manifest is far too large."))
    return content


@dataclass(frozen=True, slots=True)
class _Places:
    block: int
    directory: int
    ending: int


def _signer(file: BinaryIO, size: int) -> str:
    try:
        places, pairs = _block(file, size)
        for scheme in (V31, V3, V2):
            if scheme in pairs:
                # The newest scheme that the file has is what a phone looks at; a broken one is not passed over for an older.
                return _proved(file, places, pairs[scheme], v3=scheme != V2)
    except (struct.error, ValueError, IndexError, UnsupportedAlgorithm) as error:
        raise wrong(N_("its signature cannot be read.")) from error
    raise wrong(N_("it is not signed by scheme v2 or v3."))


def _block(file: BinaryIO, size: int) -> tuple[_Places, dict[int, bytes]]:
    ending = _ending(file, size)
    file.seek(ending + 16)
    (directory,) = struct.unpack("<I", file.read(4))
    if not 32 <= directory < ending:
        raise wrong(N_("it is not signed by scheme v2 or v3."))
    file.seek(directory - 24)
    (length,) = struct.unpack("<Q", file.read(8))
    if file.read(16) != MAGIC:
        raise wrong(N_("it is not signed by scheme v2 or v3."))
    start = directory - length - 8
    if not 24 <= length <= MAX_BLOCK or start < 0:
        raise ValueError("the signing block does not fit")
    file.seek(start)
    content = file.read(length - 16)
    if struct.unpack_from("<Q", content)[0] != length:
        raise ValueError("the signing block does not begin as it ends")
    pairs: dict[int, bytes] = {}
    at = 8
    while at + 12 <= len(content):
        long, kind = struct.unpack_from("<QI", content, at)
        if not 4 <= long <= len(content) - at - 8 or kind in pairs:
            raise ValueError("a part of the signing block does not fit")
        pairs[kind] = content[at + 12 : at + 8 + long]
        at += 8 + long
    return _Places(start, directory, ending), pairs


def _ending(file: BinaryIO, size: int) -> int:
    tail = min(size, 22 + 0xFFFF)
    file.seek(size - tail)
    content = file.read(tail)
    at = content.rfind(_ENDING)
    while at >= 0:
        if len(content) - at >= 22 and struct.unpack_from("<H", content, at + 20)[0] == len(content) - at - 22:
            return size - tail + at
        at = content.rfind(_ENDING, 0, at)
    raise ValueError("the archive has no end")


def _parts(content: bytes) -> Iterator[bytes]:
    """What stands one after the other, each after its length."""
    at = 0
    while at < len(content):
        (length,) = struct.unpack_from("<I", content, at)
        if length > len(content) - at - 4:
            raise ValueError("a length does not fit")
        yield content[at + 4 : at + 4 + length]
        at += 4 + length


def _only(content: bytes) -> list[bytes]:
    """The parts of the first part."""
    return list(_parts(next(_parts(content))))


def _proved(file: BinaryIO, places: _Places, content: bytes, *, v3: bool) -> str:
    signers = _only(content)
    if not 1 <= len(signers) <= MAX_SIGNERS:
        raise wrong(N_("its signature cannot be read."))
    found = {_one(file, places, signer, v3=v3) for signer in signers}
    if len(found) != 1:
        raise wrong(N_("it is signed by several, and phones are told of one."))
    return found.pop()


def _one(file: BinaryIO, places: _Places, signer: bytes, *, v3: bool) -> str:
    at = 0
    fields: list[bytes] = []
    # Version 3 says between the signed data and the signatures which versions of Android it is for.
    for number in range(3):
        if v3 and number == 1:
            at += 8
        (length,) = struct.unpack_from("<I", signer, at)
        if length > len(signer) - at - 4:
            raise ValueError("a length does not fit")
        fields.append(signer[at + 4 : at + 4 + length])
        at += 4 + length
    data, signatures, key = fields
    inside = _signed_parts(data)
    digests = dict(_numbered(one) for one in _parts(inside[0]))
    certificates = list(_parts(inside[1]))
    certificate = x509.load_der_x509_certificate(certificates[0])
    public = certificate.public_key()
    shown = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if shown != key:
        raise wrong(N_("its certificate is not that of the key that signed it."))
    known = [(kind, value) for kind, value in map(_numbered, _parts(signatures)) if kind in ALGORITHMS]
    if not known:
        raise wrong(N_("it is signed in a way that is not known here."))
    for kind, value in known:
        _verify(public, kind, value, data)
        if digests.get(kind) != _content(file, places, ALGORITHMS[kind][1]):
            raise wrong(N_("it was changed after it was signed."))
    return hashlib.sha256(certificates[0]).hexdigest()


def _signed_parts(data: bytes) -> Sequence[bytes]:
    """Digests and certificates; what follows them differs between the schemes and is not needed."""
    found, at = [], 0
    for _ in range(2):
        (length,) = struct.unpack_from("<I", data, at)
        if length > len(data) - at - 4:
            raise ValueError("a length does not fit")
        found.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return found


def _numbered(part: bytes) -> tuple[int, bytes]:
    kind, length = struct.unpack_from("<II", part)
    if length != len(part) - 8:
        raise ValueError("a length does not fit")
    return kind, part[8:]


def _verify(key: object, kind: int, value: bytes, data: bytes) -> None:
    how, name = ALGORITHMS[kind]
    algorithm = hashes.SHA256() if name == _SHA256 else hashes.SHA512()
    try:
        if how == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(value, data, ec.ECDSA(algorithm))
        elif how == "pkcs1" and isinstance(key, rsa.RSAPublicKey):
            key.verify(value, data, padding.PKCS1v15(), algorithm)
        elif how == "pss" and isinstance(key, rsa.RSAPublicKey):
            key.verify(value, data, padding.PSS(padding.MGF1(algorithm), algorithm.digest_size), algorithm)
        else:
            raise wrong(N_("its key is of another kind than its signature."))
    except InvalidSignature as error:
        raise wrong(N_("its signature is not right.")) from error


def _content(file: BinaryIO, places: _Places, name: str) -> bytes:
    """The digest over everything but the signing block, in pieces of one MiB, as both schemes have it."""
    digests: list[bytes] = []
    file.seek(places.ending)
    ending = bytearray(file.read())
    # The end says where the directory stands; it is digested as if the signing block were not there.
    struct.pack_into("<I", ending, 16, places.block)
    for start, stop in ((0, places.block), (places.directory, places.ending)):
        file.seek(start)
        left = stop - start
        while left:
            part = file.read(min(CHUNK, left))
            if not part:
                raise ValueError("the archive ends too early")
            left -= len(part)
            digests.append(_piece(name, part))
    digests.append(_piece(name, bytes(ending)))
    return hashlib.new(name, b"\x5a" + struct.pack("<I", len(digests)) + b"".join(digests)).digest()


def _piece(name: str, part: bytes) -> bytes:
    return hashlib.new(name, b"\xa5" + struct.pack("<I", len(part)) + part).digest()
