"""What every view of the gateway stands on: who speaks, in which transaction, with which neighbours."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from ssl import DER_cert_to_PEM_cert
from typing import Any, cast

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from flask import current_app, make_response, request
from flask.typing import ResponseReturnValue
from flask.wrappers import Response

from agent.crypto import pin_of
from agent.proof import RefusedError, read_pin
from agent.wire import SealedRoster
from mdm.core.actor import Actor, ActorKind
from mdm.core.clock import utcnow
from mdm.core.errors import N_, HavenmeesterError, NotSignedInError
from mdm.platforms.apple.handout import Here
from mdm.platforms.linux.exchange import Knock
from mdm.settings import Settings
from mdm.signing.client import Authority, SignerClient
from mdm.storage.call import Call
from web.gateway.database import Database
from web.gateway.doorbell import Doorbell
from web.gateway.figures import Figures
from web.gateway.hot import KNOCK
from web.gateway.peer import Peers
from web.gateway.pressure import Queue
from web.gateway.seen import Seen

EXTENSION = "havenmeester_gateway"


@dataclass
class Gateway:
    """The neighbours of one gateway process."""

    settings: Settings
    database: Database
    signer: SignerClient
    peers: Peers
    seen: Seen
    doorbell: Doorbell
    figures: Figures
    queue: Queue
    _authority: Authority | None = None
    _phone_ca: bytes | None = None
    _rosters: tuple[int, list[SealedRoster]] | None = None
    """Rosters from a version on. Whoever enrols gets those; what came since is brought by command."""

    def authority(self) -> Authority:
        """Our CA and the signer's public keys; asked once. Raises UnavailableError while the signer is away."""
        if self._authority is None:
            self._authority = self.signer.ca()
        return self._authority

    def rosters(self, chain: str) -> list[SealedRoster]:
        """The roster of approvers that a device's certificate pins, and those after it; all when it pins none.

        Raises UnavailableError while the signer is away.
        """
        try:
            _, pin = read_pin(pin_of(chain))
        except RefusedError:
            return []
        version = pin[0] if pin else 0
        known = self._rosters
        if known is None or not version or known[0] != version:
            known = (version, cast(list[SealedRoster], self.signer.rosters(max(0, version - 1))))
            self._rosters = known
        return known[1]

    def phone_ca(self) -> bytes:
        """The certificate (DER) of the authority for phones; asked once. Raises UnavailableError like ``authority``."""
        if self._phone_ca is None:
            certificate = load_pem_x509_certificate(self.signer.phone_ca().encode())
            self._phone_ca = certificate.public_bytes(Encoding.DER)
        return self._phone_ca

    def profile_maker(self) -> Here:
        """What a phone is told of this installation. Raises UnavailableError like ``authority``."""
        authority = self.authority().certificate
        phones = DER_cert_to_PEM_cert(self.phone_ca())
        return Here.of(self.settings.organisation, self.settings.gateway_base, authority, phones)

    def order_key(self) -> str | None:
        """The signer's public key, None while the signer is away: orders wait then, everything else goes on."""
        try:
            return self.authority().order_key
        except HavenmeesterError:
            return None

    @contextmanager
    def call(self, actor: Actor, *, write: bool = True) -> Iterator[Call]:
        """One transaction in which ``actor`` speaks."""
        with self.database.transaction(write=write) as session:
            yield Call(actor, session, utcnow())


def gateway() -> Gateway:
    """The neighbours of this process."""
    found: Gateway = current_app.extensions[EXTENSION]
    return found


def visitor() -> Actor:
    """Somebody without a certificate: an agent that holds an invitation."""
    return Actor(ActorKind.VISITOR, None, "an invited device", (), _request_id(), request.remote_addr)


def device(knock: Knock) -> Actor:
    """The device that holds the certificate of this request."""
    name = knock.device_name or knock.device_uid
    return Actor(ActorKind.DEVICE, knock.device_id, name, (), _request_id(), request.remote_addr)


def _request_id() -> str:
    return str(request.environ.get("havenmeester.request_id", "-"))


View = Callable[..., ResponseReturnValue]


def for_devices(view: View) -> View:
    """Only for whoever holds a certificate of ours that is neither revoked nor over; the view is given the ``Knock``."""

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Response:
        return make_response(view(_knock(), *args, **kwargs))

    wrapper.declaration = "device certificate"  # type: ignore[attr-defined]
    return wrapper


def for_invited(view: View) -> View:
    """For whoever brings the token of an invitation: the view proves it before it does anything."""
    view.declaration = "invitation"  # type: ignore[attr-defined]
    return view


def look_again() -> Knock:
    """Who speaks, as the database says now. Raises NotSignedInError when they are let in no longer."""
    request.environ.pop(KNOCK, None)
    return _knock()


def _knock() -> Knock:
    here = gateway()
    fingerprint = here.peers.fingerprint(request.environ)
    if fingerprint is None:
        here.figures.refused += 1
        raise NotSignedInError(
            N_("This address needs the certificate of an enrolled device. Nothing was changed."),
            code="certificate_missing",
        )
    # The hot path has looked already when it passed the request on; on every other address nobody has.
    knock = request.environ[KNOCK] if KNOCK in request.environ else here.database.knock(fingerprint, utcnow())
    if knock is None:
        here.figures.refused += 1
        raise NotSignedInError(
            N_("This certificate is not accepted: it is not ours, was revoked, or is over. Nothing was changed."),
            code="certificate_refused",
        )
    found: Knock = knock
    return found
