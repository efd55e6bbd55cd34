"""What a kiosk's host key must be, known before the first contact: a typed fingerprint, a label, or an authority over hosts.

What is read, and what it is kept as:

``SHA256:…``, or the line that ``ssh-keygen -l`` prints     a fingerprint (RFC 4648 without padding, as OpenSSH prints it)
``ssh-ed25519 AAAA…``, a line of ``known_hosts`` or a .pub  the same, taken from the key itself
``@cert-authority PATTERN ssh-ed25519 AAAA…``               an authority: a host certificate of it, for this host's name
``havenmeester-kiosk://HOST:PORT/?key=SHA256:…``            a label or a QR code; it may also name ``account`` and ``name``

A fingerprint by MD5 is refused: another key with the same one can be made.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import parse_qs, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    SSHCertificate,
    SSHCertificateType,
    load_ssh_public_identity,
    load_ssh_public_key,
)

from mdm.core.errors import N_, InvalidError

LABEL: Final = "havenmeester-kiosk"
KINDS: Final = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
MAX: Final = 4096
_FINGERPRINT: Final = re.compile(r"SHA256:[A-Za-z0-9+/]{43}(?![A-Za-z0-9+/=])")
_AUTHORITY: Final = "authority "


@dataclass(frozen=True, slots=True)
class Label:
    """What a label says: the key, and where it says so the host, its port, its account and its name."""

    key: str
    host: str = ""
    port: int = 22
    account: str = ""
    name: str = ""


class WrongHostError(Exception):
    """The other side is not the kiosk that was meant. ``seen`` is the fingerprint that it showed."""

    def __init__(self, seen: str, why: str) -> None:
        self.seen = seen
        super().__init__(why)


def fingerprint(blob: bytes) -> str:
    """The fingerprint of a key's public half as OpenSSH prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def read(text: str) -> Label:
    """What was typed, scanned or pasted. Raises InvalidError (``host_key_unreadable``, ``host_key_md5``)."""
    text = text.strip()[:MAX]
    if text.lower().startswith(LABEL + ":"):
        return _label(text)
    return Label(_key(text))


def _label(text: str) -> Label:
    try:
        parts = urlsplit(text)
        port = parts.port or 22
        given = parse_qs(parts.query, max_num_fields=10)
    except ValueError:
        raise _unreadable() from None
    said = {name: values[0].strip() for name, values in given.items()}
    # In an address a plus sign is read as a blank; a fingerprint holds no blank.
    key = _key(said.get("key", "").replace(" ", "+"))
    return Label(key, parts.hostname or "", port, said.get("account", ""), said.get("name", ""))


def _key(text: str) -> str:
    words = text.split()
    if words and words[0] == "@cert-authority":
        return _AUTHORITY + _public(words[2:])
    if words and words[0] == "@revoked":
        raise _unreadable()
    found = _FINGERPRINT.findall(text)
    if len(found) == 1:
        if len(base64.b64decode(found[0][7:] + "=")) != 32:
            raise _unreadable()
        return str(found[0])
    if found:
        raise _unreadable()
    if re.search(r"\b(MD5:)?([0-9a-fA-F]{2}:){15}[0-9a-fA-F]{2}\b", text):
        sentence = N_("This is a fingerprint by MD5, which can be forged. Use the one that begins with SHA256.")
        raise InvalidError(sentence, fields={"host_key": sentence}, code="host_key_md5")
    place = next((number for number, word in enumerate(words) if word in KINDS), None)
    if place is None:
        raise _unreadable()
    return fingerprint(base64.b64decode(_public(words[place:]).split()[1]))


def _public(words: list[str]) -> str:
    """The key of a line as OpenSSH writes it, once it was read as one."""
    if len(words) < 2 or words[0] not in KINDS:
        raise _unreadable()
    try:
        blob = base64.b64decode(words[1], validate=True)
        key = load_ssh_public_key(f"{words[0]} {base64.b64encode(blob).decode()}".encode())
    except (ValueError, binascii.Error, TypeError):
        raise _unreadable() from None
    except Exception as error:
        # The library names keys that it does not take with an exception of its own.
        raise _unreadable() from error
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def _unreadable() -> InvalidError:
    sentence = N_(
        "This is no fingerprint (SHA256:…), no public key and no label of a kiosk. Read it from the kiosk's own screen: "
        "ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub"
    )
    return InvalidError(sentence, fields={"host_key": sentence}, code="host_key_unreadable")


def wants_certificate(known: str) -> bool:
    """Whether a host certificate is asked for, and not a plain key."""
    return known.startswith(_AUTHORITY)


def prove(known: str, blob: bytes, host: str, now: datetime) -> None:
    """Nothing when the key or certificate (its wire format) is the one that was meant; raises WrongHostError otherwise.

    The caller proves the signature over the exchange with the same blob (RFC 4253, section 8); here is only *whose* it is.
    """
    seen = fingerprint(blob)
    if not wants_certificate(known):
        if not hmac.compare_digest(seen, known):
            raise WrongHostError(seen, "another host key")
        return
    certificate = certificate_of(blob)
    if certificate is None:
        raise WrongHostError(seen, "a plain key where a certificate of the authority is asked for")
    signer = certificate.signature_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    if not hmac.compare_digest(signer, known.removeprefix(_AUTHORITY)):
        raise WrongHostError(seen, "a certificate of another authority")
    try:
        certificate.verify_cert_signature()
    except InvalidSignature:
        raise WrongHostError(seen, "a certificate whose signature does not hold") from None
    if certificate.type is not SSHCertificateType.HOST:
        raise WrongHostError(seen, "a certificate that is not for a host")
    if not certificate.valid_after <= now.timestamp() < certificate.valid_before:
        raise WrongHostError(seen, "a certificate that is not valid now")
    if certificate.critical_options:
        raise WrongHostError(seen, "a certificate with conditions that are not understood")
    names = [name.decode(errors="replace").lower() for name in certificate.valid_principals]
    if host.lower() not in names:
        # Also one for no name in particular: it would let any host of the authority stand in for this one.
        raise WrongHostError(seen, "a certificate for another host")


def certificate_of(blob: bytes) -> SSHCertificate | None:
    """The certificate in a host key's wire format; None when it is a plain key or cannot be read."""
    size = int.from_bytes(blob[:4], "big")
    kind = blob[4 : 4 + min(size, 64)].decode("ascii", errors="replace")
    try:
        found = load_ssh_public_identity(f"{kind} {base64.b64encode(blob).decode()}".encode())
    except Exception:  # noqa: BLE001 -- whatever a stranger sends that cannot be read is no certificate
        return None
    return found if isinstance(found, SSHCertificate) else None
