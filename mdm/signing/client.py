"""How every other process speaks to the signer. One connection per question: nothing to keep alive, nothing to share."""

import base64
import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mdm.core.errors import N_, UnavailableError
from mdm.signing.address import short
from mdm.signing.answers import (
    Authority,
    BudgetLine,
    FreezeState,
    Health,
    Issued,
    Ownership,
    Proof,
    ScepAnswer,
    ScepQuestion,
    SealedRoster,
    Signed,
    Withheld,
)
from mdm.signing.messages import MAX_LINE, decode_answer, encode_request, shaped
from mdm.signing.phones import Answered, Belongs, OpenScep, PhoneCa, SignProfile, Verdict
from mdm.signing.seals import Head
from mdm.signing.shapes import (
    BudgetUse,
    ChangeRoster,
    DeviceKey,
    FoundRoster,
    Freeze,
    Heads,
    Issue,
    IssueServer,
    Message,
    Nothing,
    Renew,
    Revoke,
    Rosters,
    SetBudgets,
    SignHead,
    SignOrder,
    Thaw,
    VoidOrder,
)

__all__ = [
    "Authority",
    "BudgetLine",
    "FreezeState",
    "Health",
    "Issued",
    "Ownership",
    "Proof",
    "SealedRoster",
    "Signed",
    "SignerClient",
    "Withheld",
]


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
        proofs: Sequence[Proof],
        ownership: Ownership,
        batch: str | None = None,
        token: str = "",
    ) -> Signed | Withheld:
        """The signature over the text of an order, or why not now. Requester, place and lane stand in the text.

        ``proofs`` are over the text of the order, or over that of the ``batch`` that it stands in. ``ownership`` is the
        word of the database; that of the signer counts too. Nobody has to know the roster: the signer takes its own.

        Raises DeniedError with the code of the rule that refuses for good (``device_private``, ``device_unknown``,
        ``order_expired``, ``order_void``, ``epoch`` and those of ``agent/proof.py``), ConflictError
        (``order_differs``), InvalidError.
        """
        answer = self._ask(
            "sign_order",
            SignOrder,
            order=order,
            batch=batch,
            proofs=list(proofs),
            ownership=ownership,
            token=token,
        )
        if "held" in answer:
            return Withheld(str(answer["held"]), int(answer["retry_after"]), str(answer["code"]))
        return Signed(str(answer["signature"]), int(answer["roster"]))

    def void_order(self, order_id: str) -> bool:
        """This order is never signed from now on: whether it had been signed before. Twice is like once."""
        return bool(self._ask("void_order", VoidOrder, id=order_id)["signed"])

    def found_roster(self, *, secret: str, roster: str, proofs: Sequence[Proof]) -> SealedRoster:
        """Seals the first roster, once for ever; the same again answers the same.

        Raises DeniedError (``founding_secret``, or a rule of ``agent/proof.py``), ConflictError (``roster_founded``).
        """
        return self._sealed("found_roster", FoundRoster, secret=secret, roster=roster, proofs=list(proofs))

    def change_roster(self, *, roster: str, proofs: Sequence[Proof]) -> SealedRoster:
        """Seals the next roster; the same again answers the same.

        Raises DeniedError with the rule that refuses, ConflictError (``roster_version``) when it is not the next one.
        """
        return self._sealed("change_roster", ChangeRoster, roster=roster, proofs=list(proofs))

    def rosters(self, after: int = 0) -> list[SealedRoster]:
        """Every sealed roster with a version greater than ``after``, in order; empty when there is none."""
        found: list[SealedRoster] = []
        while page := self._ask("rosters", Rosters, after=after)["rosters"]:
            found += page
            after += len(page)
        return found

    def freeze(self, *, who: str, why: str) -> FreezeState:
        """The red button: nothing is signed any more. Twice is like once."""
        return FreezeState(**self._ask("freeze", Freeze, who=who, why=why))

    def thaw(self, *, statement: str, proofs: Sequence[Proof]) -> None:
        """Ends the freeze that the statement names. Raises DeniedError, ConflictError (``freeze_number``)."""
        self._ask("thaw", Thaw, statement=statement, proofs=list(proofs))

    def set_budgets(self, *, statement: str, proofs: Sequence[Proof]) -> None:
        """Changes the budgets. Raises DeniedError, InvalidError above a ceiling, ConflictError (``budgets_version``)."""
        self._ask("set_budgets", SetBudgets, statement=statement, proofs=list(proofs))

    def budget_use(self, *, lane: str, place: str, requester: str, token: str = "") -> list[BudgetLine]:
        """Every budget that such an order would use, as it would find it now; empty for a mass order, which has none."""
        lines = self._ask("budget_use", BudgetUse, lane=lane, place=place, requester=requester, token=token)["budgets"]
        return [BudgetLine(**line) for line in lines]

    def sign_head(self, number: int, line_hash: str) -> Head:
        """The signer's word on the diary's last line. Raises DeniedError (``head_back``) when the diary went back."""
        return Head(**self._ask("sign_head", SignHead, number=number, hash=line_hash))

    def heads(self, after: int = 0) -> Iterator[Head]:
        """Every head that was ever signed with a number greater than ``after``, in order."""
        while page := self._ask("heads", Heads, after=after)["heads"]:
            for head in page:
                after = int(head["number"])
                yield Head(**head)

    def phone_ca(self) -> str:
        """The certificate of the authority for phones as PEM. It is made when it is asked for first, which takes a second."""
        return str(self._ask("phone_ca", PhoneCa)["certificate"])

    def scep_open(self, message: bytes) -> ScepQuestion:
        """What a SCEP message says. Raises InvalidError for what is none."""
        return ScepQuestion(**self._ask("scep_open", OpenScep, message=_base64(message)))

    def scep_answer(
        self,
        message: bytes,
        *,
        request: bytes | None = None,
        verdict: Verdict | None = None,
        refused: int | None = None,
    ) -> ScepAnswer:
        """The answer to a SCEP message: a certificate by ``verdict``, a refusal, or, without either, that it waits.

        Raises ConflictError (``invitation_used``), GoneError (``certificate_ended``), NotFoundError, InvalidError.
        """
        answer = self._ask(
            "scep_answer",
            Answered,
            message=_base64(message),
            request=_base64(request) if request else None,
            verdict=verdict,
            refused=refused,
        )
        issued = answer.get("issued")
        return ScepAnswer(base64.b64decode(answer["reply"]), None if issued is None else _issued(issued))

    def belongs(self, *, fingerprint: str, device: str) -> None:
        """A phone's certificate that was just issued is that of this device. Twice is like once.

        Raises NotFoundError for a certificate that is not ours, DeniedError (``not_movable``) for one that is in use since long,
        that was renewed or revoked, or where one of the two devices is private and the other is not.
        """
        self._ask("belongs", Belongs, fingerprint=fingerprint, device=device)

    def sign_profile(self, profile: bytes) -> bytes:
        """A configuration profile, signed: CMS in DER, with the profile inside. Raises InvalidError for what is none."""
        return base64.b64decode(self._ask("sign_profile", SignProfile, profile=_base64(profile))["signed"])

    def _issued(self, verb: str, shape: type[Message], **args: object) -> Issued:
        return _issued(self._ask(verb, shape, **args))

    def _sealed(self, verb: str, shape: type[Message], **args: object) -> SealedRoster:
        found = self._ask(verb, shape, **args)["sealed"]
        return dict(found)

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


def _issued(answer: dict[str, Any]) -> Issued:
    moments = {name: _moment(answer[name]) for name in ("not_before", "not_after")}
    return Issued(**(answer | moments))


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
