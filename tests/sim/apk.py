"""Makes applications as a vendor would: a manifest in Android's binary XML, signed by scheme v2 or v3 with a key made here."""

import hashlib
import io
import struct
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

V2, V3 = 0x7109871A, 0xF05368C0
ECDSA_SHA256 = 0x0201


@dataclass
class Vendor:
    """Somebody who signs applications."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    certificate: bytes = b""

    def __post_init__(self) -> None:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Vendor")])
        start = datetime(2026, 1, 1, tzinfo=UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(7)
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=9000))
            .sign(self.key, hashes.SHA256())
        )
        self.certificate = made.public_bytes(serialization.Encoding.DER)

    @property
    def digest(self) -> str:
        """SHA-256 of the certificate, as phones are told it."""
        return hashlib.sha256(self.certificate).hexdigest()

    def apk(
        self, package: str = "org.example.forms", version: str = "1.2", code: int = 12, *, scheme: int = V2
    ) -> bytes:
        """A signed application."""
        return sign(archive(axml(package, version, code)), self, scheme)


def axml(package: str, version: str, code: int) -> bytes:
    """A manifest in binary XML, its strings in UTF-16."""
    words = ["versionCode", "versionName", "package", "manifest", package, version]
    pool = b"".join(struct.pack("<H", len(word)) + word.encode("utf-16-le") + b"\0\0" for word in words)
    pool += b"\0" * (-len(pool) % 4)
    offsets, at = b"", 0
    for word in words:
        offsets += struct.pack("<I", at)
        at += 4 + 2 * len(word)
    head = 28 + len(offsets)
    strings = struct.pack("<HHIIIIII", 1, 28, head + len(pool), len(words), 0, 0, head, 0) + offsets + pool
    resources = struct.pack("<HHIII", 0x0180, 8, 16, 0x0101021B, 0x0101021C)
    none = 0xFFFFFFFF
    attributes = b"".join(
        struct.pack("<IIIHBBI", none, name, none, 8, 0, kind, value)
        for name, kind, value in ((0, 0x10, code), (1, 0x03, 5), (2, 0x03, 4))
    )
    body = struct.pack("<IIIIHHHHHH", 1, none, none, 3, 20, 20, 3, 0, 0, 0) + attributes
    element = struct.pack("<HHI", 0x0102, 16, 8 + len(body)) + body
    content = strings + resources + element
    return struct.pack("<HHI", 3, 8, 8 + len(content)) + content


def archive(manifest: bytes, **more: bytes) -> bytes:
    """A ZIP archive with this manifest and more files; not signed."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("AndroidManifest.xml", manifest)
        file.writestr("classes.dex", b"dex\n038\0" + b"\0" * 4000)
        for name, content in more.items():
            file.writestr(name, content)
    return made.getvalue()


def sign(content: bytes, vendor: Vendor, scheme: int = V2) -> bytes:
    """The archive with a signing block before its directory."""
    ending = content.rfind(b"PK\x05\x06")
    (directory,) = struct.unpack_from("<I", content, ending + 16)
    digest = _digest(content[:directory], content[directory:ending], content[ending:])
    certificate = _long(vendor.certificate)
    data = _long(_long(struct.pack("<II", ECDSA_SHA256, len(digest)) + digest)) + _long(certificate)
    data += struct.pack("<II", 24, 0x7FFFFFFF) if scheme == V3 else b""
    data += _long(b"")
    signature = vendor.key.sign(data, ec.ECDSA(hashes.SHA256()))
    public = vendor.key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    between = struct.pack("<II", 24, 0x7FFFFFFF) if scheme == V3 else b""
    signatures = _long(struct.pack("<II", ECDSA_SHA256, len(signature)) + signature)
    signer = _long(data) + between + _long(signatures) + _long(public)
    value = _long(_long(signer))
    pair = struct.pack("<QI", 4 + len(value), scheme) + value
    size = len(pair) + 24
    block = struct.pack("<Q", size) + pair + struct.pack("<Q", size) + b"APK Sig Block 42"
    end = bytearray(content[ending:])
    struct.pack_into("<I", end, 16, directory + len(block))
    return content[:directory] + block + content[directory:ending] + bytes(end)


def _long(content: bytes) -> bytes:
    return struct.pack("<I", len(content)) + content


def _digest(*sections: bytes) -> bytes:
    pieces = []
    for section in sections:
        for at in range(0, len(section), 1024 * 1024):
            part = section[at : at + 1024 * 1024]
            pieces.append(hashlib.sha256(b"\xa5" + struct.pack("<I", len(part)) + part).digest())
    return hashlib.sha256(b"\x5a" + struct.pack("<I", len(pieces)) + b"".join(pieces)).digest()
