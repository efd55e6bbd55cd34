"""How every other process speaks to the signer. One connection per question: nothing to keep alive, nothing to share."""

import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from mdm.core.errors import N_, UnavailableError
from mdm.signing.address import short
from mdm.signing.messages import (
    MAX_LINE,
    Approved,
    DeviceKey,
    Heads,
    Issue,
    IssueServer,
    Message,
    Nothing,
    Renew,
    Revoke,
    SignHead,
    SignOrder,
    decode_answer,
    encode_request,
    shaped,
)
from mdm.signing.seals import Head

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
    """The signer signed: Base64 of the signature."""

    signature: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """The signer did not sign now, because a budget is used up; ask the same again after ``retry_after`` seconds."""

    why: str
    retry_after: int


@dataclass(frozen=True, slots=True)
class Health:
    """How the signer does."""

    ca_not_after: datetime
    fleet: int
    """Devices that hold a valid certificate."""
    head: int
    """The greatest line of the diary that was signed."""
    orders_in_24_hours: int


class SignerClient:
    """The signer's verbs as methods.

    Every method raises UnavailableError when the signer does not answer within ``timeout`` seconds, and the error that
    the signer named when it refuses. The same question asked again is safe: the signer answers the same.
    """

    def __init__(self, socket_path: Path, *, timeout: float = 5.0) -> None:
        self._path = socket_path
        self._timeout = timeout

    def ca(self) -> Authority:
        """The certificate of our CA and the public keys."""
        return Authority(**self._ask("ca", Nothing))

    def health(self) -> Health:
        """How the signer does."""
        answer = self._ask("health", Nothing)
        return Health(**(answer | {"ca_not_after": _moment(answer["ca_not_after"])}))

    def issue(self, *, device: str, invitation: str, csr: str, days: int, ownership: Ownership) -> Issued:
        """A device's first certificate. The same key for the same invitation gives the same certificate again.

        Raises InvalidError for a request that is wrong or a key that is weak, ConflictError (``invitation_used``) for
        another key or device under the same invitation.
        """
        return self._issued(
            "issue", Issue, device=device, invitation=invitation, csr=csr, days=days, ownership=ownership
        )

    def renew(self, *, previous: str, csr: str, days: int) -> Issued:
        """The next certificate for whoever holds the one with the fingerprint ``previous``.

        Raises NotFoundError for a certificate that is not ours, GoneError when it is revoked or has ended.
        """
        return self._issued("renew", Renew, previous=previous, csr=csr, days=days)

    def issue_server(self, *, names: Sequence[str], csr: str, days: int) -> Issued:
        """A certificate for one of our own servers under these host names and addresses."""
        return self._issued("issue_server", IssueServer, names=list(names), csr=csr, days=days)

    def revoke(self, *, fingerprint: str, why: str) -> None:
        """No order is signed for this certificate's key any more, and it is not renewed. Twice is like once."""
        self._ask("revoke", Revoke, fingerprint=fingerprint, why=why)

    def device_key(self, device: str) -> str | None:
        """Digest of the public key last certified for a device, None when it holds no valid certificate."""
        found = self._ask("device_key", DeviceKey, device=device)["key_digest"]
        return None if found is None else str(found)

    def sign_order(
        self,
        order: str,
        *,
        requester_id: str,
        approvals: Sequence[Approved],
        place: str,
        ownership: Ownership,
    ) -> Signed | Withheld:
        """The signature over the canonical text of an order, or why not now.

        Raises DeniedError with the code of the rule that refuses (``two_people``, ``device_private``, ``device_unknown``,
        ``order_expired``, ``order_early``, ``evidence``), ConflictError (``order_differs``), InvalidError.
        """
        answer = self._ask(
            "sign_order",
            SignOrder,
            order=order,
            requester_id=requester_id,
            approvals=list(approvals),
            place=place,
            ownership=ownership,
        )
        if "held" in answer:
            return Withheld(str(answer["held"]), int(answer["retry_after"]))
        return Signed(str(answer["signature"]))

    def sign_head(self, number: int, line_hash: str) -> Head:
        """The signer's word on the diary's last line. Raises DeniedError (``head_back``) when the diary went back."""
        return Head(**self._ask("sign_head", SignHead, number=number, hash=line_hash))

    def heads(self, after: int = 0) -> Iterator[Head]:
        """Every head that was ever signed with a number greater than ``after``, in order."""
        while page := self._ask("heads", Heads, after=after)["heads"]:
            for head in page:
                after = int(head["number"])
                yield Head(**head)

    def _issued(self, verb: str, shape: type[Message], **args: object) -> Issued:
        answer = self._ask(verb, shape, **args)
        moments = {name: _moment(answer[name]) for name in ("not_before", "not_after")}
        return Issued(**(answer | moments))

    def _ask(self, verb: str, shape: type[Message], **args: object) -> dict[str, Any]:
        return decode_answer(self._exchange(encode_request(verb, shaped(shape, args))))

    def _exchange(self, request: bytes) -> bytes:
        try:
            with short(self._path) as address, socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(self._timeout)
                connection.connect(address)
                connection.sendall(request)
                return _read_line(connection)
        except OSError as error:
            raise UnavailableError(
                N_("The signer does not answer. Nothing was signed. It is tried again by itself."), retry_after=10
            ) from error


def _read_line(connection: socket.socket) -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        part = connection.recv(65536)
        if not part or len(line) + len(part) > MAX_LINE:
            raise ConnectionError("the answer was cut or is too long")
        line += part
    return bytes(line)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
