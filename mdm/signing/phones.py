"""What is asked of the signer for phones: its authority for SCEP, a look into a request, the answer, a signed profile."""

from typing import Annotated, Literal

from pydantic import Field

from mdm.signing.shapes import Days, HexDigest, HexUid, Message

Base64 = Annotated[str, Field(min_length=1, max_length=96 * 1024)]


class PhoneCa(Message):
    """Asks for the certificate of the authority for phones."""


class OpenScep(Message):
    """Asks what a SCEP message says: its kind, its signer, its challenge, the digest of its key. Nothing is issued."""

    message: Base64


class Verdict(Message):
    """A certificate is issued: the first one for ``device``, or the next after ``previous``."""

    device: HexUid
    invitation: HexUid
    """Under which right: no two keys get a certificate under one."""
    ownership: Literal["city", "loan_pool", "private"]
    days: Days
    previous: HexDigest | None = None


class Answered(Message):
    """Asks for the answer to a SCEP message: a certificate, a refusal, or, without either, that it is waited for."""

    message: Base64
    request: Base64 | None = None
    """The message that holds the certificate request, where ``message`` only asks how it stands."""
    verdict: Verdict | None = None
    refused: Annotated[int, Field(ge=0, le=4)] | None = None


class SignProfile(Message):
    """Asks for a signature over a configuration profile."""

    profile: Base64


class Belongs(Message):
    """A certificate that was just issued is that of another device: a phone tells its serial number only afterwards."""

    fingerprint: HexDigest
    device: HexUid
