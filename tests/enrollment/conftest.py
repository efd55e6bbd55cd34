"""A certificate authority, keys and requests, a service point, and a way to use an invitation."""

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from agent.wire import EnrollAnswer, EnrollRequest
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import UnavailableError
from mdm.enrollment.links import Links
from mdm.enrollment.redeem import Claim, redeem
from mdm.org.model import ServicePoint
from mdm.storage.call import Call
from tests.conftest import NOW, Calling

LINKS = Links("https://console.example", "https://devices.example:8444", "ab" * 32, 168)
VISITOR = Actor(ActorKind.VISITOR, None, "an invited device", (), "req-9", "127.0.0.1")


@dataclass(frozen=True)
class Issued:
    """A certificate as the signer gives it back."""

    chain: str
    fingerprint: str
    key_digest: str
    serial_number: str
    not_before: datetime
    not_after: datetime


def new_csr(key: ec.EllipticCurvePrivateKey | None = None, name: str = "whoever I say I am") -> str:
    """A request with a key of its own; its subject is a lie."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return made.public_bytes(Encoding.PEM).decode()


class Authority:
    """Issues certificates with a CA key of its own; ``away`` makes it unreachable."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.issued: list[Issued] = []
        self.away = False
        self.days = 90

    def issue(self, device: str, csr: str) -> Issued:
        """A certificate whose common name is the device's id."""
        if self.away:
            raise UnavailableError("The signer does not answer.", retry_after=10)
        request = x509.load_pem_x509_csr(csr.encode())
        public = request.public_key()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")]))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW)
            .not_valid_after(NOW + timedelta(days=self.days))
            .sign(self.key, hashes.SHA256())
        )
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        made = Issued(
            certificate.public_bytes(Encoding.PEM).decode(),
            certificate.fingerprint(hashes.SHA256()).hex(),
            hashlib.sha256(der).hexdigest(),
            str(certificate.serial_number),
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
        )
        self.issued.append(made)
        return made


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def point(calling: Calling) -> str:
    """The code of a service point."""
    with calling() as call:
        call.session.add(ServicePoint(code="WERKHAVEN", name="Werkhaven", created_at=NOW))
    return "WERKHAVEN"


def request_with(url: str, csr: str, **more: Any) -> EnrollRequest:
    """What an agent sends that was given this address."""
    token = url.split("/e/")[1].split("#")[0]
    request: EnrollRequest = {
        "token": token,
        "csr": csr,
        "platform": "linux",
        "serial": None,
        "hostname": "zuil-7",
        "model": None,
        "version": "0.1.0",
    }
    return {**request, **more}  # type: ignore[typeddict-item]


Using = Callable[..., EnrollAnswer]


@pytest.fixture
def using(calling: Calling, authority: Authority) -> Using:
    """``using(request)`` is one try of an agent to enrol."""

    def use(request: EnrollRequest, now: datetime = NOW) -> EnrollAnswer:
        def transact(*, write: bool = True) -> AbstractContextManager[Call]:
            return calling(VISITOR, now, write=write)

        def issue(claim: Claim, csr: str) -> Issued:
            return authority.issue(claim.device_uid, csr)

        def answer(claim: Claim, chain: str) -> EnrollAnswer:
            return {
                "device": claim.device_uid,
                "certificate": chain,
                "order_key": "",
                "organisation": "A",
                "next": 1,
            }

        return redeem(transact, issue, request, answer)

    return use
