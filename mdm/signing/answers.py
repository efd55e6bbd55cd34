"""What the signer's answers are to whoever asked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Proof = dict[str, str]
"""One person's signature over a statement, with exactly the keys that ``agent/proof.py`` names."""
SealedRoster = dict[str, Any]
"""``{"roster": text, "signatures": [Proof], "seal": Base64}``."""
Ownership = Literal["city", "loan_pool", "private"]


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs here. ``order_key`` and ``head_key`` are Base64 of raw Ed25519 public keys."""

    certificate: str
    """The certificate of our CA as PEM."""
    fingerprint: str
    """SHA-256 (hexadecimal) of its DER."""
    order_key: str
    head_key: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate: ``chain`` is its PEM followed by our CA's, digests are SHA-256 in hexadecimal of the DER."""

    chain: str
    fingerprint: str
    key_digest: str
    serial_number: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Signed:
    """The signer signed: Base64 of the signature. ``roster`` is the version under which it proved the approvals."""

    signature: str
    roster: int = 0


@dataclass(frozen=True, slots=True)
class Withheld:
    """The signer did not sign now; ask the same again after ``retry_after`` seconds.

    ``code`` names what must pass: ``cooling``, ``budget_place``, ``budget_requester``, ``budget_token``,
    ``budget_fleet``, ``budget_stolen``, ``budget_hand_in_place``, ``budget_hand_in_fleet``, ``approvals`` (not enough
    people yet), ``waiting`` (somebody's 72 hours), ``no_roster``, ``frozen``, ``clock``.
    """

    why: str
    retry_after: int
    code: str = "budget"


@dataclass(frozen=True, slots=True)
class Health:
    """How the signer does."""

    ca_not_after: datetime
    fleet: int
    """Devices that hold a valid certificate."""
    head: int
    """The greatest line of the diary that was signed."""
    orders_in_24_hours: int
    clock_ahead: int
    """Seconds by which the machine's clock has leapt ahead of the one by which orders rest; 0 when all is well."""
    epoch: int
    """What a new order must carry: 1 at first, one more after every restore."""
    freeze: int
    """How often the red button was pressed: what a thaw must name."""
    frozen: bool
    roster: int
    """Version of the roster in force, 0 while there is none."""
    roster_digest: str
    """SHA-256 (hexadecimal) of its text, empty while there is none."""
    cooling_minutes: int
    """Minutes that an ordinary order rests."""
    budgets_version: int
    """How often budgets were changed: the next ``budgets`` statement carries one more."""
    budgets: dict[str, int]
    """The budgets in force, by name."""


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One budget as an order would find it now."""

    name: str
    limit: int
    used: int
    window: int
    """Seconds."""
    retry_after: int
    """Seconds until there is room, 0 when there is."""


@dataclass(frozen=True, slots=True)
class FreezeState:
    """The red button was pressed: its number, and when (seconds since 1970)."""

    number: int
    at: int


@dataclass(frozen=True, slots=True)
class ScepQuestion:
    """What a SCEP message says. The signer proved who signed it and, where it asks for a certificate, who holds its key."""

    transaction: str
    refused: int | None = None
    """Why it is refused, as SCEP numbers it; nothing else is known then."""
    kind: int = 0
    challenge: str = ""
    key_digest: str = ""
    """SHA-256 (hexadecimal) of the public key that shall be certified."""
    signer: str = ""
    """SHA-256 (hexadecimal) of the certificate of whoever signed it."""
    signer_key: str = ""
    """SHA-256 (hexadecimal) of that certificate's public key."""


@dataclass(frozen=True, slots=True)
class ScepAnswer:
    """The answer to a SCEP message, and the certificate in it, where there is one."""

    reply: bytes
    issued: Issued | None
