"""The one page that both houses read: what an agent and the gateway say to each other.

Everything is JSON in UTF-8 over HTTPS with mutual TLS (the enrollment calls excepted, which have no certificate yet).

``GET  /agent/v1/ca``       the certificate of our CA as PEM. The agent trusts it only when the SHA-256 of its DER is the
                            one in the invitation's fragment.
``POST /agent/v1/enroll``   ``EnrollRequest`` → ``EnrollAnswer``. Asked again with the same key, it answers the same;
                            with another key it is refused: an invitation is used once.
``POST /agent/v1/renew``    ``{"csr": PEM}`` → ``{"certificate": PEM chain}``, under the certificate in use.
``POST /agent/v1/checkin?d=D&r=R&w=W``
                            ``d``: short digest of the desired state in hand, ``-`` for none. ``r``: short digest of what
                            the agent believes the server knows of it, see ``report_digest``. ``w``: seconds it is willing
                            to wait for the doorbell, capped by the server. Body: empty, or a ``Checkin``.
                            Answers 204 with the header ``Next: SECONDS`` when there is nothing to do, else 200 with an
                            ``Answer``. ``Next`` counts from the moment of asking: who has waited at the doorbell as
                            long comes back at once, so that there is always an ear at it.
``POST /agent/v1/leave``    the agent goes; its certificate is refused from then on.

Refusals are ``application/problem+json`` with ``code`` (stable), ``title`` and ``detail``. 401 ``certificate_refused``
and 401 ``certificate_missing`` never make an agent remove anything: it keeps its state and tries again later, slowly.
413, 422: the message is wrong and must not be repeated as it is. 429 and 503 carry ``Retry-After``.
"""

import hashlib
import json
from typing import Any, Final, NotRequired, TypedDict

VERSION: Final = 1

CA: Final = "/agent/v1/ca"
ENROLL: Final = "/agent/v1/enroll"
RENEW: Final = "/agent/v1/renew"
CHECKIN: Final = "/agent/v1/checkin"
LEAVE: Final = "/agent/v1/leave"

NEXT_HEADER: Final = "Next"

MAX_BODY: Final = 1024 * 1024
"""Bytes of one check-in body; the gateway answers 413 above it before it parses anything."""
MAX_ENROLL_BODY: Final = 32 * 1024
MAX_WAIT: Final = 600
"""Seconds that a long poll may last at the most."""
MAX_DIAGNOSTICS: Final = 256 * 1024
"""Characters of a diagnostics result."""

SECTIONS: Final = (
    "system",
    "patch",
    "encryption",
    "screenlock",
    "firewall",
    "disks",
    "network",
    "packages",
    "agent",
    "desired",
)
"""Names of the sections of a report. A value that the agent could not find out is null, never a guess.

system      hostname, serial, manufacturer, model, os_name, os_version, os_codename, kernel, arch, timezone
patch       pending_updates, pending_security, last_update (RFC 3339), reboot_required
encryption  root_encrypted (true, false, null), method (luks1, luks2, none, unknown), volumes [{name, method}]
screenlock  enabled, timeout_seconds, method
firewall    active, backend (nftables, ufw, firewalld, none, unknown)
disks       filesystems [{mount, type, size_mb, free_mb}], free_mb rounded down to 512 so that it stays still
network     interfaces [{name, kind, mac, addresses}]; no name of a wireless network is collected
packages    manager (dpkg), items {name: version}
agent       version, python, tampered [paths of resources changed by another hand], privileged (true as root), root
desired     digest, resources {id: {state, detail}}, packages_missing [], packages_extra [], packages_blocked []
            states of a resource: applied, failed, pending, unsupported, staged (written under --root, not switched on)
"""


class EnrollRequest(TypedDict):
    token: str
    csr: str
    platform: str
    serial: str | None
    hostname: str
    model: str | None
    version: str


class EnrollAnswer(TypedDict):
    device: str
    """Our id of the device, also the common name of its certificate."""
    certificate: str
    """PEM chain: the device's certificate, then our CA."""
    order_key: str
    """Base64 of the raw Ed25519 public key of the signer: orders that it did not sign are refused."""
    organisation: str
    next: int


class Report(TypedDict):
    id: str
    """A UUID that the agent chose: the same report sent twice is taken once."""
    at: str
    """The device's own time, RFC 3339; data, never trusted for a rule."""
    sections: dict[str, dict[str, Any]]
    """Only the sections that changed since the last report that was acknowledged."""
    digests: dict[str, str]
    """Short digest of every section as it is now, also of the ones not sent."""


class Result(TypedDict):
    id: str
    """The command's id."""
    state: str
    """done, failed, refused, busy ("not now": it goes back to the queue)."""
    detail: NotRequired[str]
    data: NotRequired[dict[str, Any]]


class Checkin(TypedDict, total=False):
    report: Report
    results: list[Result]


class Resource(TypedDict):
    """One thing that the desired state wants on a device, rendered by the server's interpreter.

    kind       fields beside id, kind and keys
    file       path, content, mode ("0644"), validate (name from VALIDATORS or absent), after (names from AFTER)
    chromium   content: managed policy as a dictionary; the agent writes it for Chromium and Chrome
    network    name, content: a NetworkManager keyfile
    unit       name, content, enable (bool): a systemd unit
    packages   required [], allowed [] or null (null: no allow-list), blocked []
    """

    id: str
    kind: str
    keys: list[str]
    """Catalogue keys that this resource realises, so that its state can be shown beside each of them."""


VALIDATORS: Final = ("json", "nmcli", "systemd", "nft", "sshd", "none")
AFTER: Final = (
    "dconf-update",
    "update-ca-certificates",
    "nm-reload",
    "systemd-reload",
    "firewall-reload",
    "sysctl-reload",
)


class Desired(TypedDict):
    digest: str
    resources: list[dict[str, Any]]


class Command(TypedDict):
    id: str
    verb: str
    """refresh, message (args: text), lock, unlock, restart, diagnostics, wipe (args: order, signature).

    ``order`` is the canonical text of the order, as a string: exactly what was signed after ``ORDER_PREFIX``, so that
    nobody has to write it anew to prove it. ``signature`` is the Base64 of 64 bytes. A wipe's ``id`` is the order's.
    """
    args: dict[str, Any]
    expires: str


class Answer(TypedDict, total=False):
    next: int
    """Seconds until the agent shall come back by itself."""
    desired: Desired
    want: list[str]
    """Sections that the server lacks; ``*`` for all."""
    commands: list[Command]
    renew: bool
    """The server asks for a new certificate now."""


ORDER_PREFIX: Final = b"havenmeester-order/v1\x00"
"""What stands before the canonical order when it is signed, so that a signature over anything else is never an order."""
ORDER_FIELDS: Final = (
    "approved_by",
    "device",
    "enrollment",
    "id",
    "not_after",
    "not_before",
    "reason",
    "requested_by",
    "v",
    "verb",
)
"""Every key of an order, no more and no less. ``device`` is our id of it; ``enrollment`` the SHA-256 (hex) of the DER
of the device's public key (SubjectPublicKeyInfo), so that an order dies with the enrollment; ``not_before`` and ``not_after`` are
seconds since 1970; ``approved_by`` is a list of names; ``v`` is 1; ``verb`` is "wipe"."""
MAX_ORDER: Final = 8 * 1024


def canonical(value: Any) -> bytes:
    """The one way to write a value as bytes: keys sorted, no spaces, UTF-8. Raises ValueError for NaN and infinities."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(value: Any) -> str:
    """SHA-256 of the canonical form, 64 hexadecimal characters."""
    return hashlib.sha256(canonical(value)).hexdigest()


def short_digest(value: Any) -> str:
    """The first 16 hexadecimal characters of ``digest``: enough to notice a change, short on the wire."""
    return digest(value)[:16]


def report_digest(digests: dict[str, str]) -> str:
    """The short digest over the short digests of all sections: what ``r`` of a check-in carries."""
    return short_digest(digests)
