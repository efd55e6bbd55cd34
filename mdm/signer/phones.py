"""Certificates for phones: an authority of RSA that speaks SCEP, and the key that signs enrollment profiles.

Phones seal their requests for their authority's own key, and not every client can do that with an elliptic curve, nor with a
helper between. So phones have an authority of their own: ``phones.key`` and ``phones.pem`` (RSA), made when they are asked for
first. Profiles are signed with ``profiles.key``, whose certificate is issued by the city's CA. All of it stays in this process:
the gateway passes messages on, and sees of a request only its challenge and the digest of its key.
"""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mdm.core.clock import Clock
from mdm.core.errors import N_, ConfigurationError, ConflictError, DeniedError, GoneError, InvalidError, NotFoundError
from mdm.platforms.apple import cms, scep
from mdm.signer import keys
from mdm.signer.authority import Made
from mdm.signer.ledger import Certified, Ledger
from mdm.signing.phones import Answered, Belongs, OpenScep, PhoneCa, SignProfile, Verdict
from mdm.signing.shapes import Message

Answer = dict[str, Any]
CA_BITS: Final = 3072
PROFILE_BITS: Final = 2048
PROFILE_DAYS: Final = 825
MOVABLE: Final = timedelta(hours=24)
"""How long after its issue a certificate may turn out to be another device's."""
SKEW: Final = timedelta(minutes=10)
"""A phone's certificate is valid a little before now: clocks of phones that were just set up differ."""


class Phones:
    """The verbs for phones."""

    def __init__(self, held: keys.Keys, ledger: Ledger, organisation: str, clock: Clock) -> None:
        self._held = held
        self._ledger = ledger
        self._organisation = organisation
        self._clock = clock
        self._lock = Lock()
        self._authority: scep.Authority | None = None
        self.verbs: dict[type[Message], Callable[[Any], Answer]] = {
            PhoneCa: self._phone_ca,
            OpenScep: self._open,
            Answered: self._answer,
            Belongs: self._belongs,
            SignProfile: self._sign_profile,
        }

    def _phone_ca(self, _args: PhoneCa) -> Answer:
        certificate = self._phones().certificate
        return {
            "certificate": certificate.public_bytes(Encoding.PEM).decode(),
            "fingerprint": certificate.fingerprint(hashes.SHA256()).hex(),
        }

    def _open(self, args: OpenScep) -> Answer:
        authority, content = self._phones(), _bytes(args.message)
        where = scep.address(content)
        try:
            question = scep.read(content)
            request = None if question.kind is scep.Kind.POLL else self._request(authority, question)
        except scep.ScepError as error:
            return {"refused": int(error.info), "transaction": where.transaction}
        return {
            "challenge": request.challenge if request else "",
            "key_digest": request.key_digest if request else "",
            "kind": int(question.kind),
            "signer": question.signer.fingerprint,
            "signer_key": scep.key_digest(question.signer.key),
            "transaction": where.transaction,
        }

    def _request(self, authority: scep.Authority, question: scep.Question) -> scep.Request:
        return scep.open_request(question, authority.key, authority.certificate)

    def _answer(self, args: Answered) -> Answer:
        authority, content = self._phones(), _bytes(args.message)
        where = scep.address(content)
        if args.verdict is None:
            if args.refused is None:
                return {"reply": _text(scep.pending(authority, where))}
            return {"reply": _text(scep.failure(authority, where, scep.FailInfo(args.refused)))}
        try:
            question = scep.read(content)
            asked = scep.read(_bytes(args.request)) if args.request else question
            request = self._request(authority, asked)
        except scep.ScepError as error:
            return {"reply": _text(scep.failure(authority, where, error.info))}
        if scep.key_digest(asked.signer.key) != scep.key_digest(question.signer.key):
            # Whoever asked may come and fetch it; nobody else.
            return {"reply": _text(scep.failure(authority, where, scep.FailInfo.BAD_CERTIFICATE))}
        one = self._certify(authority, asked, request, args.verdict)
        certificate = x509.load_pem_x509_certificate(one.pem.encode())
        try:
            reply = scep.success(authority, question, certificate)
        except scep.ScepError as error:
            return {"reply": _text(scep.failure(authority, where, error.info))}
        return {"issued": self._told(one, authority), "reply": _text(reply)}

    def _certify(
        self, authority: scep.Authority, question: scep.Question, request: scep.Request, verdict: Verdict
    ) -> Certified:
        """The certificate of this verdict: the one that was issued to the same key before, or a new one."""
        now, digest = self._clock(), request.key_digest
        with self._ledger.writing():
            if verdict.previous is not None:
                before = self._before(verdict.previous, question, now)
                for one in self._ledger.certificates("previous", before.fingerprint):
                    if one.key_digest == digest and one.revoked_at is None:
                        return one
                device, invitation, ownership = before.device, before.invitation, before.ownership
            else:
                device, invitation, ownership = verdict.device, verdict.invitation, verdict.ownership
                for one in self._ledger.certificates("invitation", invitation):
                    if one.previous is None and (one.key_digest != digest or one.device != device):
                        raise ConflictError(
                            N_("This invitation was used with another key. No certificate was issued."),
                            code="invitation_used",
                        )
                    if one.previous is None:
                        return one
            made = self._leaf(authority, request.key, device, now, verdict.days)
            entry = Certified(
                fingerprint=made.fingerprint,
                device=device,
                invitation=invitation,
                ownership=ownership,
                key_digest=digest,
                pem=made.pem,
                not_before=int(made.certificate.not_valid_before_utc.timestamp()),
                not_after=int(made.certificate.not_valid_after_utc.timestamp()),
                previous=verdict.previous,
                issued_at=int(now.timestamp()),
            )
            self._ledger.add_certificate(entry)
            return entry

    def _belongs(self, args: Belongs) -> Answer:
        """Orders are signed for the devices that stand in the ledger, so the ledger hears what a phone turned out to be.

        Only at once and only once: nobody can make a phone that is in use stand for another one.
        """
        now = self._clock()
        with self._ledger.writing():
            held = self._ledger.certificates("fingerprint", args.fingerprint)
            if not held or not held[0].device:
                raise NotFoundError(N_("The signer never issued this certificate. Nothing was changed."))
            one = held[0]
            if one.device == args.device:
                return {}
            beside = self._ledger.certificates("device", args.device)
            alone = len(self._ledger.certificates("device", one.device)) == 1
            fresh = one.issued_at > (now - MOVABLE).timestamp() and one.revoked_at is None and one.previous is None
            private = one.ownership == "private"
            if not alone or not fresh or any((other.ownership == "private") != private for other in beside):
                raise DeniedError(
                    N_("This certificate cannot be given to another device any more. Nothing was changed."),
                    code="not_movable",
                )
            self._ledger.move(args.fingerprint, args.device)
        return {}

    def _before(self, fingerprint: str, question: scep.Question, now: datetime) -> Certified:
        """The certificate that is renewed. A renewal in SCEP is signed with its key; one by a new profile has a challenge."""
        held = self._ledger.certificates("fingerprint", fingerprint)
        if not held or not held[0].device:
            raise NotFoundError(N_("The signer never issued this certificate. Nothing was renewed."))
        before = held[0]
        if before.revoked_at is not None or before.not_after <= now.timestamp():
            raise GoneError(
                N_("This certificate is revoked or has ended. Nothing was renewed. Enrol the device again."),
                code="certificate_ended",
            )
        if question.kind is scep.Kind.RENEWAL and question.signer.fingerprint != fingerprint:
            raise InvalidError(N_("The request is not signed by the certificate that it renews. Nothing was renewed."))
        return before

    def _leaf(self, authority: scep.Authority, key: scep.PublicKey, device: str, now: datetime, days: int) -> Made:
        """A client certificate. What it says comes from here: subject and extensions of the request are never read."""
        builder = (
            self._plain(key, device, authority.certificate, authority.key.public_key(), now)
            .not_valid_after(min(now + timedelta(days=days), authority.certificate.not_valid_after_utc))
            .add_extension(usage(digital_signature=True, key_encipherment=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        )
        return Made(builder.sign(authority.key, hashes.SHA256()))

    def _plain(
        self, key: scep.PublicKey, name: str, issuer: x509.Certificate, issuer_key: scep.PublicKey, now: datetime
    ) -> x509.CertificateBuilder:
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, self._organisation[:64]),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - SKEW)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
        )

    def _sign_profile(self, args: SignProfile) -> Answer:
        content = _bytes(args.profile)
        if not content.startswith(b"<?xml"):
            # The key signs what people read as a profile, and nothing that could be taken for something else.
            raise InvalidError(N_("This is no configuration profile. Nothing was signed."), code="profile_wrong")
        key, certificate = self._profiles()
        return {"signed": _text(cms.sign(content, key, certificate, certificates=(self._held.ca,), at=self._clock()))}

    def _told(self, one: Certified, authority: scep.Authority) -> Answer:
        return {
            "chain": one.pem + authority.certificate.public_bytes(Encoding.PEM).decode(),
            "fingerprint": one.fingerprint,
            "key_digest": one.key_digest,
            "not_after": one.not_after,
            "not_before": one.not_before,
            "serial_number": f"{x509.load_pem_x509_certificate(one.pem.encode()).serial_number:x}",
        }

    def _phones(self) -> scep.Authority:
        with self._lock:
            if self._authority is None:
                key = self._key("phones", CA_BITS)
                path = self._held.folder / "phones.pem"
                keys.write_once(path, lambda: self._self_signed(key).public_bytes(Encoding.PEM))
                self._authority = scep.Authority(key, keys.load_certificate(path, key.public_key()))
            return self._authority

    def _self_signed(self, key: RSAPrivateKey) -> x509.Certificate:
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, self._organisation[:64]),
                x509.NameAttribute(NameOID.COMMON_NAME, "Havenmeester phones CA"),
            ]
        )
        now = self._clock()
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - SKEW)
            .not_valid_after(now + timedelta(days=keys.CA_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            # Clients look for the first two as well, because answers are signed and requests sealed with this key.
            .add_extension(usage(digital_signature=True, key_encipherment=True, authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )

    def _profiles(self) -> tuple[RSAPrivateKey, x509.Certificate]:
        """The key that signs profiles, with a certificate that is good for another month at least."""
        with self._lock:
            key, now = self._key("profiles", PROFILE_BITS), self._clock()
            path = self._held.folder / "profiles.pem"
            if path.exists():
                held = keys.load_certificate(path, key.public_key())
                if held.not_valid_after_utc > now + timedelta(days=30):
                    return key, held
                path.unlink()
            issuer = self._held.ca
            ends = min(now + timedelta(days=PROFILE_DAYS), issuer.not_valid_after_utc)
            made = (
                self._plain(key.public_key(), "Havenmeester profiles", issuer, self._held.ca_key.public_key(), now)
                .not_valid_after(ends)
                .add_extension(usage(digital_signature=True), critical=True)
                .sign(self._held.ca_key, hashes.SHA256())
            )
            keys.write_once(path, lambda: made.public_bytes(Encoding.PEM))
            return key, made

    def _key(self, name: str, bits: int) -> RSAPrivateKey:
        path = self._held.folder / f"{name}.key"
        keys.write_key_once(path, lambda: generate_private_key(65537, bits))
        found = keys.load_key(path)
        if not isinstance(found, RSAPrivateKey):
            raise _not_ours(path)
        return found


def _not_ours(path: Path) -> ConfigurationError:
    return ConfigurationError(
        "The signer's file %(file)s is not what it must be.", file=path, mend="Bring it back from a backup."
    )


def usage(*, digital_signature: bool = False, key_encipherment: bool = False, authority: bool = False) -> x509.KeyUsage:
    """What a key may be used for; ``authority`` signs certificates and revocation lists."""
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise InvalidError(N_("This is no Base64. Nothing was done."), code="malformed") from error


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
