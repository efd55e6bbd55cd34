"""What a phone lists of itself for its page: profiles, certificates, managed applications. Read within limits, never believed
further than that: what it shall have is kept elsewhere.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from mdm.core.clock import iso
from mdm.core.text import clean
from mdm.platforms.apple.model import AppleDevice
from mdm.storage.call import Call

MOST: Final = 500
PROFILES: Final = "profiles"
CERTIFICATES: Final = "certificates"
APPLICATIONS: Final = "applications"
Content = Mapping[str, Any]
Item = dict[str, Any]


def keep_profiles(call: Call, apple: AppleDevice, content: Content) -> None:
    """The answer to ProfileList."""
    _keep(call, apple, PROFILES, [_profile(one) for one in _mappings(content.get("ProfileList"))])


def keep_certificates(call: Call, apple: AppleDevice, content: Content) -> None:
    """The answer to CertificateList; what cannot be read keeps its name."""
    _keep(call, apple, CERTIFICATES, [_certificate(one) for one in _mappings(content.get("CertificateList"))])


def keep_applications(call: Call, apple: AppleDevice, content: Content) -> None:
    """The answer to ManagedApplicationList."""
    listed = content.get("ManagedApplicationList")
    if not isinstance(listed, Mapping):
        return
    found = [
        {"identifier": clean(name, 255), "status": clean(one.get("Status"), 64)}
        for name, one in sorted(listed.items())[:MOST]
        if isinstance(one, Mapping)
    ]
    _keep(call, apple, APPLICATIONS, found)


def items(apple: AppleDevice, what: str) -> list[Item]:
    """What it listed last; empty before it did."""
    found = apple.listed.get(what)
    return list(found["items"]) if isinstance(found, dict) else []


def listed_at(apple: AppleDevice, what: str) -> str | None:
    """When it listed that last (RFC 3339); None before it did."""
    found = apple.listed.get(what)
    return str(found["at"]) if isinstance(found, dict) else None


def _keep(call: Call, apple: AppleDevice, what: str, found: list[Item]) -> None:
    apple.listed = {**apple.listed, what: {"at": iso(call.now), "items": found}}


def _mappings(listed: object) -> Iterator[Content]:
    for one in listed[:MOST] if isinstance(listed, list) else ():
        if isinstance(one, Mapping):
            yield one


def _profile(one: Content) -> Item:
    return {
        "identifier": clean(one.get("PayloadIdentifier"), 255),
        "name": clean(one.get("PayloadDisplayName"), 255),
        "organisation": clean(one.get("PayloadOrganization"), 255),
        "managed": one.get("IsManaged") is True,
        "payloads": sorted({clean(inner.get("PayloadType"), 128) for inner in _mappings(one.get("PayloadContent"))}),
    }


def _certificate(one: Content) -> Item:
    found: Item = {
        "name": clean(one.get("CommonName"), 255),
        "identity": one.get("IsIdentity") is True,
        "issuer": "",
        "not_after": None,
        "fingerprint": None,
    }
    raw = one.get("Data")
    if isinstance(raw, bytes):
        try:
            read = x509.load_der_x509_certificate(raw)
            found["fingerprint"] = read.fingerprint(hashes.SHA256()).hex()
            found["not_after"] = iso(read.not_valid_after_utc.astimezone(UTC))
            found["issuer"] = clean(read.issuer.rfc4514_string(), 255)
        except ValueError:
            # Old authorities make certificates that no library reads whole.
            return found
    return found
