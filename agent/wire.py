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
``POST /agent/v1/panic``    ``PanicRequest`` → ``PanicAnswer``: somebody at this device calls for help. The same id sent again
                            is the same call. 409 ``panic_twice``: it is being taken at this moment, come again.
``POST /agent/v1/picture/ID``
                            a picture of a kiosk's screen as PNG, at most ``MAX_PICTURE`` bytes, for the command
                            ``screenshot`` with that id, which this device has fetched and not answered. 204.
``GET  /agent/v1/releases/metadata/NAME``, ``…/targets/NAME``
                            the repository of releases, as it is; judged by its own signatures (The Update Framework).

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
PANIC: Final = "/agent/v1/panic"
PANIC_TWICE: Final = "panic_twice"
PICTURE: Final = "/agent/v1/picture"
PANIC_NO_DRILL: Final = "no_drill"
RELEASES: Final = "/agent/v1/releases/"

NEXT_HEADER: Final = "Next"

MAX_BODY: Final = 1024 * 1024
"""Bytes of one check-in body; the gateway answers 413 above it before it parses anything."""
MAX_ENROLL_BODY: Final = 32 * 1024
MAX_PICTURE: Final = 2 * 1024 * 1024
"""Bytes of one picture of a screen."""
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
    "kiosk",
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
agent       version, python, tampered [paths of resources changed by another hand], privileged (true as root), root,
            roster (version of the roster of approvers in hand, 0: none), releases (what was wrong with the list of
            releases at the last daily look: empty, frozen, older, unsigned, ...; absent where the agent is no package)
desired     digest, resources {id: {state, detail}}, packages_missing [], packages_extra [], packages_blocked []
            states of a resource: applied, failed, pending, unsupported, staged (written under --root, not switched on)
kiosk       only of a device that has a kiosk's session. browser (running, starting, silent, stopped, off: it is dark at
            this hour; null: nobody can tell), restarts (by the agent, in the last hour), gave_up_at (RFC 3339, null),
            last_use (RFC 3339: the quarter of an hour in which a citizen was there last, null), temperature_c (in steps
            of five, null), printer (null: none) {state (idle, processing, stopped, unreachable, unknown), reasons
            [keywords of RFC 8011 without their weight, 16 at the most], paper (ok, low, empty, unknown), supplies
            [{name, level (percent in tens, null)}, 16 at the most], problem (a sentence, empty for none)}
"""


class Proof(TypedDict):
    """One person's signature over one statement; binary values in standard Base64, in its one spelling."""

    person: str
    """Such as ``operator:7``."""
    key: str
    """The first 32 hexadecimal characters of SHA-256 of the public key (SubjectPublicKeyInfo, DER)."""
    type: str
    """ed25519 (a key file) or webauthn (a passkey)."""
    signature: str
    authenticator_data: NotRequired[str]
    client_data: NotRequired[str]
    """These two for a passkey, and only then."""


class SealedRoster(TypedDict):
    """A roster of approvers: its canonical text, the people who signed it, the signer's seal (``ROSTER_PREFIX``)."""

    roster: str
    signatures: list[Proof]
    seal: str


class Envelope(TypedDict):
    """An order as it travels. ``agent/proof`` judges it."""

    order: str
    """The canonical text: exactly what was signed, so that nobody has to write it anew to prove it."""
    signature: str
    """The signer's, Base64 of 64 bytes, over ``ORDER_PREFIX`` and the text."""
    approvals: list[Proof]
    """Over the order, or over the batch when there is one."""
    batch: NotRequired[str]
    rosters: list[SealedRoster]
    """Those after the one that the device last reported; all of them when that is unknown."""


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
    rosters: list[SealedRoster]
    """From the one that the certificate pins (``PIN_OID``) to the newest; empty before the founding."""
    organisation: str
    next: int


class PanicRequest(TypedDict):
    id: str
    """8 to 40 letters, digits or hyphens that were made when the button was pressed."""
    ago: float
    """Seconds since then, by the device's own count."""
    exercise: bool
    """Only practised: refused with 409 ``no_drill`` where nobody practises."""


class PanicAnswer(TypedDict):
    number: str
    """What people call it, such as ``H-00042``."""


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
    unit       name, content, enable (bool): a systemd unit; stay (bool): it is started again when it does not run;
               mask (bool, then no content): a unit that must not run
    usb        rules [USBGuard's], keep_attached (bool): what is attached when the rules come is allowed too
    packages   required [], allowed [] or null (null: no allow-list), blocked []
    """

    id: str
    kind: str
    keys: list[str]
    """Catalogue keys that this resource realises, so that its state can be shown beside each of them."""


VALIDATORS: Final = ("apt", "json", "nft", "nmcli", "shell", "sshd", "systemd", "usbguard", "none")
AFTER: Final = (
    "dconf-update",
    "update-ca-certificates",
    "nm-reload",
    "systemd-reload",
    "firewall-reload",
    "sysctl-reload",
    "usbguard-reload",
)


class Desired(TypedDict):
    digest: str
    resources: list[dict[str, Any]]


class Command(TypedDict):
    id: str
    verb: str
    """refresh, message (args: text), lock, unlock, restart, diagnostics, roster (args: rosters), update (args:
    version), kiosk_restart, screenshot, wipe (args: ``Envelope``).

    A wipe's ``id`` is the order's.
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


ORDER_PREFIX: Final = b"havenmeester-order/v2\x00"
"""What stands before the canonical order when the signer signs it: a signature over anything else is never an order."""
ROSTER_PREFIX: Final = b"havenmeester-roster/v1\x00"
"""The same for the signer's seal over a roster."""
APPROVAL_PREFIX: Final = b"havenmeester-approval/v1\x00"
"""The same for a person's key file; the 32 bytes of the statement's digest follow. A passkey signs as WebAuthn says."""
PIN_OID: Final = "2.25.319862298358218293837769838813868358541"
"""The extension of a device's certificate that says which order key and which roster it may trust, see ``proof.write_pin``."""
LANES: Final = ("ordinary", "stolen", "hand_in", "mass")
STATEMENTS: Final = ("order", "batch", "roster", "act", "thaw", "budgets")
ORDER_FIELDS: Final = (
    "device",
    "enrollment",
    "epoch",
    "id",
    "kind",
    "lane",
    "not_after",
    "not_before",
    "place",
    "presence",
    "reason",
    "requested_by",
    "requester",
    "v",
    "verb",
)
"""Every key of an order, no more and no less. ``device`` is our id of it; ``enrollment`` the SHA-256 (hex) of the DER of
the device's public key (SubjectPublicKeyInfo), so that an order dies with the enrollment; ``epoch`` counts restores of the
server; ``not_before`` (when it was asked for) and ``not_after`` are seconds since 1970; ``place`` is the code of a service
point or empty; ``presence`` the eight digits that the device showed, for the lane ``hand_in`` only; ``requester`` is a
person such as ``operator:7``, ``requested_by`` that person's name; ``kind`` is "order", ``v`` is 2, ``verb`` is "wipe"."""

APPROVERS: Final = 2
"""Different people, beside the requester, who approve an ordinary order."""
ORDINARY_BATCH: Final = 5
MAX_BATCH: Final = 1000
MAX_APPROVERS: Final = 50
MAX_KEYS: Final = 10
MAX_PROOFS: Final = 100
MAX_ROSTERS: Final = 1000
"""Sealed rosters in one list: a city that changes its approvers every week for nineteen years still fits."""
MAX_WINDOW: Final = 72 * 3600
"""Seconds that an order may be valid at the most."""
ROSTER_WAIT: Final = 72 * 3600
"""Seconds that a new approver waits."""
ROSTER_FRESH: Final = 24 * 3600
"""Seconds that may pass between the date of a roster and the signer's seal on it."""
MAX_ORDER: Final = 8 * 1024
MAX_ACT: Final = 64 * 1024
MAX_BATCH_TEXT: Final = 80 * 1024
MAX_ROSTER: Final = 256 * 1024
"""Characters of a statement's text."""


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
