"""The shapes of what is said on the signer's socket. ``messages.py`` writes and reads the lines.

A statement is a text that people sign (``agent/proof.py`` reads them); a proof is one person's signature over one.
"""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_HEADS: Final = 200
MAX_NUMBER: Final = 2**53
MAX_ROSTER_TEXT: Final = 256 * 1024
MAX_BATCH_TEXT: Final = 128 * 1024
MAX_PROOFS: Final = 100
"""Proofs under one statement at the most: everybody of two rosters."""

HexUid = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
HexDigest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Who = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")]
"""Kind and id of whoever acts, such as ``operator:7``."""
Text = Annotated[str, Field(min_length=1, max_length=255)]
Pem = Annotated[str, Field(min_length=1, max_length=16 * 1024)]
Days = Annotated[int, Field(ge=1, le=825)]


class Message(BaseModel):
    """A message: the fields that it names, of exactly these types, and no other."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Nothing(Message):
    """A verb without arguments."""


class Issue(Message):
    """A first certificate for a device. Of the request only the public key is taken."""

    device: HexUid
    invitation: HexUid
    csr: Pem
    days: Days
    ownership: Literal["city", "loan_pool", "private"]
    """Remembered for good: an order for a device that came as private is never signed."""


class Renew(Message):
    """The next certificate for the device that holds the certificate ``previous`` (SHA-256 of its DER)."""

    previous: HexDigest
    csr: Pem
    days: Days


class IssueServer(Message):
    """A certificate for one of our own servers. Its private key never comes here."""

    names: Annotated[list[Text], Field(min_length=1, max_length=20)]
    """Host names and IP addresses; the first one becomes the common name."""
    csr: Pem
    days: Days


class Revoke(Message):
    """From now on no order is signed for the key of this certificate, and it is not renewed."""

    fingerprint: HexDigest
    why: Text


class DeviceKey(Message):
    """Asks for the digest of the public key that was last certified for a device."""

    device: HexUid


class SignHead(Message):
    """The number and the hash of the diary's last line."""

    number: Annotated[int, Field(ge=1, le=MAX_NUMBER)]
    hash: HexDigest


class Heads(Message):
    """Asks for signed heads with a number greater than ``after``, in order, at most ``MAX_HEADS``."""

    after: Annotated[int, Field(ge=0, le=MAX_NUMBER)]


class KeyFileProof(Message):
    """One person's signature over a statement, by a key file."""

    type: Literal["ed25519"]
    person: Who
    key: HexUid
    signature: Annotated[str, Field(min_length=1, max_length=1024)]


class PasskeyProof(Message):
    """One person's signature over a statement, by a passkey."""

    type: Literal["webauthn"]
    person: Who
    key: HexUid
    signature: Annotated[str, Field(min_length=1, max_length=1024)]
    authenticator_data: Annotated[str, Field(min_length=1, max_length=4096)]
    client_data: Annotated[str, Field(min_length=1, max_length=4096)]


Proof = Annotated[KeyFileProof | PasskeyProof, Field(discriminator="type")]
Proofs = Annotated[list[Proof], Field(max_length=MAX_PROOFS)]
Statement = Annotated[str, Field(min_length=2, max_length=8 * 1024)]
RosterText = Annotated[str, Field(min_length=2, max_length=MAX_ROSTER_TEXT)]


class FoundRoster(Message):
    """The first roster, and the secret of ``HOME/signer/founding``. There is one founding, ever."""

    secret: Annotated[str, Field(min_length=1, max_length=128)]
    roster: RosterText
    proofs: Proofs


class ChangeRoster(Message):
    """The next roster, with proofs of enough people of the one in force and of itself."""

    roster: RosterText
    proofs: Proofs


class Rosters(Message):
    """Asks for sealed rosters with a version greater than ``after``, in order, as many as one line holds."""

    after: Annotated[int, Field(ge=0, le=MAX_NUMBER)]


class SignOrder(Message):
    """The text of an order, and the proofs over it or over the batch that it stands in."""

    order: Statement
    batch: Annotated[str, Field(min_length=2, max_length=MAX_BATCH_TEXT)] | None
    proofs: Proofs
    ownership: Literal["city", "loan_pool", "private"]
    token: Annotated[str, Field(max_length=64, pattern=r"^[!-~]*$")]
    """The token by which it was asked (``token:3``), whose own budget it uses; empty: none."""


class VoidOrder(Message):
    """This order was taken back: it is never signed from now on, and its signature is never told again."""

    id: HexUid


class Freeze(Message):
    """The red button: nothing more is signed until enough people thaw it."""

    who: Who
    why: Annotated[str, Field(max_length=500)]


class Thaw(Message):
    """The statement that ends a freeze."""

    statement: Statement
    proofs: Proofs


class SetBudgets(Message):
    """The statement that changes budgets."""

    statement: Statement
    proofs: Proofs


class BudgetUse(Message):
    """Asks how much of each budget an order of this lane, place, requester and token would find used."""

    lane: Literal["ordinary", "stolen", "hand_in", "mass"]
    place: Annotated[str, Field(max_length=64)]
    requester: Who
    token: Annotated[str, Field(max_length=64, pattern=r"^[!-~]*$")]
