"""The verbs of the signer, one method each: look into the ledger, decide, sign, write down, and only then answer."""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from cryptography.x509 import load_pem_x509_certificate

from mdm.core.clock import Clock, utcnow
from mdm.core.errors import N_, ConflictError, DeniedError, GoneError, InvalidError, NotFoundError
from mdm.signer import budgets
from mdm.signer.authority import Made, PublicKey, certify_device, certify_server, key_digest, requested_key
from mdm.signer.kernel import COOLING, Kernel
from mdm.signer.keys import Keys, public_text
from mdm.signer.ledger import Certified, Ledger, budget_since
from mdm.signer.phones import Phones
from mdm.signing.seals import Head, head_bytes
from mdm.signing.shapes import (
    MAX_HEADS,
    DeviceKey,
    Heads,
    Issue,
    IssueServer,
    Message,
    Nothing,
    Renew,
    Revoke,
    SignHead,
)

Answer = dict[str, Any]


class Desk:
    """Whoever asks gets an answer here, or an error that names the rule."""

    def __init__(
        self,
        keys: Keys,
        ledger: Ledger,
        organisation: str,
        *,
        clock: Clock = utcnow,
        steady: Clock | None = None,
        limits: budgets.Limits | None = None,
        cooling: timedelta = COOLING,
    ) -> None:
        """``clock`` dates certificates and heads; ``steady`` (else the same one) says how late it is for an order."""
        self._keys = keys
        self._ledger = ledger
        self._organisation = organisation
        self._clock = clock
        self._steady = steady or clock
        self._kernel = Kernel(keys, ledger, clock=self._steady, limits=limits, cooling=cooling)
        self._verbs: dict[type[Message], Callable[[Any], Answer]] = {
            Issue: self._issue,
            Renew: self._renew,
            IssueServer: self._issue_server,
            Revoke: self._revoke,
            DeviceKey: self._device_key,
            SignHead: self._sign_head,
            Heads: self._heads,
            **self._kernel.verbs,
            **Phones(keys, ledger, organisation, clock).verbs,
        }

    def answer(self, verb: str, args: Message) -> Answer:
        """What this verb gives. Raises HavenmeesterError when it refuses; nothing is signed then."""
        if isinstance(args, Nothing):
            return self._ca() if verb == "ca" else self._health()
        if type(args) not in self._verbs:
            raise InvalidError(N_("The signer does not know this verb. Nothing was done."), code="unknown_verb")
        return self._verbs[type(args)](args)

    def _ca(self) -> Answer:
        return {
            "certificate": self._keys.ca_pem,
            "fingerprint": self._keys.ca_fingerprint,
            "head_key": public_text(self._keys.head_key),
            "order_key": public_text(self._keys.order_key),
        }

    def _health(self) -> Answer:
        now = self._clock()
        with self._ledger.reading():
            head = self._ledger.last_head()
            fleet = self._ledger.fleet(now)
            spent = self._ledger.book.spent(budget_since(now))
            told = self._kernel.health()
        return {
            "clock_ahead": max(0, int((now - self._steady()).total_seconds())),
            "ca_not_after": int(self._keys.ca.not_valid_after_utc.timestamp()),
            "fleet": fleet,
            "head": head.number if head else 0,
            "orders_in_24_hours": len(spent),
            **told,
        }

    def _issue(self, args: Issue) -> Answer:
        key = requested_key(args.csr)
        digest, now = key_digest(key), self._clock()
        with self._ledger.writing():
            for one in self._ledger.certificates("invitation", args.invitation):
                if one.previous is not None:
                    continue
                if one.key_digest != digest or one.device != args.device:
                    raise ConflictError(
                        N_("This invitation was used with another key. No certificate was issued."),
                        code="invitation_used",
                    )
                return self._issued(one)
            return self._certify(key, args.device, args.invitation, args.ownership, args.days, now)

    def _renew(self, args: Renew) -> Answer:
        key = requested_key(args.csr)
        digest, now = key_digest(key), self._clock()
        with self._ledger.writing():
            held = self._ledger.certificates("fingerprint", args.previous)
            if not held or not held[0].device:
                raise NotFoundError(N_("The signer never issued this certificate. Nothing was renewed."))
            before = held[0]
            if before.revoked_at is not None or before.not_after <= now.timestamp():
                raise GoneError(
                    N_("This certificate is revoked or has ended. Nothing was renewed. Enrol the device again."),
                    code="certificate_ended",
                )
            for one in self._ledger.certificates("previous", args.previous):
                if one.key_digest == digest and one.revoked_at is None:
                    return self._issued(one)
            return self._certify(
                key, before.device, before.invitation, before.ownership, args.days, now, previous=before.fingerprint
            )

    def _certify(
        self,
        key: PublicKey,
        device: str,
        invitation: str,
        ownership: str,
        days: int,
        now: datetime,
        *,
        previous: str | None = None,
    ) -> Answer:
        made = certify_device(
            self._keys,
            device=device,
            key=key,
            organisation=self._organisation,
            now=now,
            days=days,
            roster=self._kernel.pin(),
        )
        one = _entry(made, key, now, device=device, invitation=invitation, ownership=ownership, previous=previous)
        self._ledger.add_certificate(one)
        return self._issued(one)

    def _issue_server(self, args: IssueServer) -> Answer:
        key, now = requested_key(args.csr), self._clock()
        made = certify_server(
            self._keys, names=args.names, key=key, organisation=self._organisation, now=now, days=args.days
        )
        one = _entry(made, key, now)
        with self._ledger.writing():
            self._ledger.add_certificate(one)
        return self._issued(one)

    def _issued(self, one: Certified) -> Answer:
        return {
            "chain": one.pem + self._keys.ca_pem,
            "fingerprint": one.fingerprint,
            "key_digest": one.key_digest,
            "not_after": one.not_after,
            "not_before": one.not_before,
            "serial_number": f"{load_pem_x509_certificate(one.pem.encode()).serial_number:x}",
        }

    def _revoke(self, args: Revoke) -> Answer:
        with self._ledger.writing():
            if not self._ledger.revoke(args.fingerprint, args.why, self._clock()):
                raise NotFoundError(N_("The signer never issued this certificate. Nothing was revoked."))
        return {}

    def _device_key(self, args: DeviceKey) -> Answer:
        now = self._clock().timestamp()
        with self._ledger.reading():
            known = self._ledger.certificates("device", args.device)
        for one in known:
            if one.revoked_at is None and one.not_after > now:
                return {"key_digest": one.key_digest}
        return {"key_digest": None}

    def _sign_head(self, args: SignHead) -> Answer:
        with self._ledger.writing():
            last = self._ledger.last_head()
            if last is not None and (args.number, args.hash) == (last.number, last.hash):
                return _told(last)
            if last is not None and args.number <= last.number:
                raise DeniedError(
                    N_(
                        "The diary went back: line %(number)s was signed before, and %(asked)s came now."
                        " Nothing was signed. Run havenmeester audit verify."
                    ),
                    code="head_back",
                    number=last.number,
                    asked=args.number,
                )
            at = int(self._clock().timestamp())
            self._ledger.book.latest(at)
            signature = _base64(self._keys.head_key.sign(head_bytes(args.number, args.hash, at)))
            head = Head(args.number, args.hash, at, signature)
            self._ledger.add_head(head)
        return _told(head)

    def _heads(self, args: Heads) -> Answer:
        with self._ledger.reading():
            heads = self._ledger.heads(args.after, MAX_HEADS)
        return {"heads": [_told(head) for head in heads]}


def _told(head: Head) -> Answer:
    return {"at": head.at, "hash": head.hash, "number": head.number, "signature": head.signature}


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _entry(
    made: Made,
    key: PublicKey,
    now: datetime,
    *,
    device: str = "",
    invitation: str = "",
    ownership: str = "",
    previous: str | None = None,
) -> Certified:
    return Certified(
        fingerprint=made.fingerprint,
        device=device,
        invitation=invitation,
        ownership=ownership,
        key_digest=key_digest(key),
        pem=made.pem,
        not_before=int(made.certificate.not_valid_before_utc.timestamp()),
        not_after=int(made.certificate.not_valid_after_utc.timestamp()),
        previous=previous,
        issued_at=int(now.timestamp()),
    )
