"""The door for phones: who speaks, proved; what is idle or plain, answered at once; the rest handed to the interpreter."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from flask import Flask, Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError

from mdm.core.actor import Actor, ActorKind
from mdm.core.clock import utcnow
from mdm.core.errors import HavenmeesterError, InvalidError, LimitedError, TooLargeError, UnavailableError
from mdm.platforms.apple import addresses, cms, plist, refusals
from mdm.platforms.apple.checkin import check_in
from mdm.platforms.apple.declarative import declarative
from mdm.platforms.apple.house import House, Reply
from mdm.platforms.apple.knock import Knock
from mdm.platforms.apple.loop import holds_secret, turn
from mdm.platforms.apple.message import Kind, Message, read
from mdm.storage.seal import Seal, load_seal
from web.gateway import body
from web.gateway.apple_database import AppleDatabase
from web.gateway.door import Gateway, visitor

log = structlog.get_logger(__name__)
VISIT: Final = "havenmeester.apple"
"""Key of the environ under which what was read goes on to the view, or the error that kept it from being read."""
Environ = dict[str, Any]
Start = Any


@dataclass(frozen=True, slots=True)
class Visit:
    """One request that is proved: who holds the certificate, what they say, and when they say that they signed it."""

    fingerprint: str
    knock: Knock | None
    message: Message
    raw: bytes
    signed_at: datetime | None


class AppleDoor:
    """Reads and proves every request of a phone, and answers those that need no more than the queue."""

    def __init__(self, here: Gateway) -> None:
        self.here = here
        self.database = AppleDatabase(here.database)
        self._digests = cms.WITH_SHA1 if here.settings.apple_old_signatures else cms.STRONG
        self._seal: Seal | None = None

    def seal(self) -> Seal:
        """The seal of this installation, read when it is first needed."""
        if self._seal is None:
            self._seal = load_seal(self.here.settings.home / "keys")
        return self._seal

    def house(self) -> House:
        """The neighbours that the interpreter is given."""
        return House(self.seal(), self.here.settings.organisation, self.here.order_key)

    def answer(self, environ: Environ, start: Start) -> Iterable[bytes] | None:
        """The answer to a plain request; None for everything else, and what was read is left in the environ."""
        if environ["REQUEST_METHOD"] != "PUT":
            return None
        try:
            visit = self._visit(environ)
            environ[VISIT] = visit
            content = self._plain(visit)
        except (HavenmeesterError, DBAPIError) as error:
            environ[VISIT] = error
            return None
        if content is None:
            return None
        start("200 OK", [("Content-Type", "application/xml; charset=UTF-8"), ("Content-Length", str(len(content)))])
        return (content,)

    def _visit(self, environ: Environ) -> Visit:
        checkin_only = environ["PATH_INFO"].startswith(addresses.CHECKIN)
        limit = addresses.MAX_CHECKIN if checkin_only else addresses.MAX_RESULT
        if environ.get("CONTENT_LENGTH", "") == "" and "HTTP_TRANSFER_ENCODING" not in environ:
            raise InvalidError("The request has no body.", code="empty")
        raw = body.read(environ, limit)
        fingerprint, signed_at = self._proved(environ, raw)
        limits = plist.CHECKIN if checkin_only else plist.RESULT
        message = read(raw, limits, checkin_only=checkin_only)
        return Visit(fingerprint, self.database.knock(fingerprint, utcnow()), message, raw, signed_at)

    def _proved(self, environ: Environ, raw: bytes) -> tuple[str, datetime | None]:
        """The fingerprint of the certificate by which the request is proved: signed with it, or made over TLS with it."""
        signature = environ.get("HTTP_MDM_SIGNATURE")
        peer = self.here.peers.fingerprint(environ)
        if signature is None:
            if peer is None:
                raise InvalidError("The request is not signed.", code="unsigned")
            return peer, None
        if len(signature) > addresses.MAX_SIGNATURE:
            raise InvalidError("The signature is too long.", code="cms_malformed")
        try:
            message = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidError("The signature is not Base64.", code="cms_malformed") from error
        signed = cms.verify(message, raw, digests=self._digests)
        if peer is not None and peer != signed.certificate.fingerprint:
            raise InvalidError("The request is signed by somebody else than it comes from.", code="cms_signature")
        return signed.certificate.fingerprint, signed.signed_at

    def _plain(self, visit: Visit) -> bytes | None:
        found, message = visit.knock, visit.message
        if found is None or not found.plain(message):
            return None
        now = utcnow()
        self.here.seen.note(found.device_id, now)
        if found.nothing_new(message):
            self.here.figures.apple_idle += 1
            return b""
        if holds_secret(message):
            return None
        took, given = self.database.turn(found, message, visit.raw, now)
        if not took.known or (given is not None and given.guarded):
            return None
        self.here.figures.apple_turns += 1
        return b"" if given is None else given.body


def serve(door: AppleDoor) -> ResponseReturnValue:
    """Everything that is not plain: the check-in, declarations, what is guarded, and what is refused."""
    visit: Visit | Exception = request.environ[VISIT]
    try:
        if isinstance(visit, Exception):
            raise visit
        return _said(_conversation(door, visit))
    except UnavailableError as error:
        return Response(status=503, headers={"Retry-After": str(error.retry_after)})
    except LimitedError as error:
        return Response(status=429, headers={"Retry-After": str(error.retry_after)})
    except TooLargeError:
        return Response(status=413)
    except HavenmeesterError as error:
        # Whatever is wrong: 401 and some 403 would make the phone leave the management.
        door.here.figures.refused += 1
        log.info("apple request refused", code=error.code, why=error.params.get("why"))
        _remember(door, visit, error)
        return Response(status=400)


def _conversation(door: AppleDoor, visit: Visit) -> Reply:
    found, message = visit.knock, visit.message
    if found is None:
        with door.here.call(visitor()) as call:
            return refusals.unknown(call, visit.fingerprint)
    door.here.seen.note(found.device_id, utcnow())
    name = found.device_name or found.device_uid
    request_id = str(request.environ.get("havenmeester.request_id", "-"))
    actor = Actor(ActorKind.DEVICE, found.device_id, name, (), request_id, request.remote_addr)
    house = door.house()
    with door.here.call(actor) as call:
        # Who was sent away and invited anew begins with a certificate that nobody has used.
        if found.turn_away and (found.bound or message.kind is not Kind.AUTHENTICATE):
            return refusals.turned_away(call, found)
        if message.kind is Kind.DECLARATIVE_MANAGEMENT:
            return declarative(call, house, found, message)
        if message.kind is not None:
            return check_in(call, house, found, message, visit.signed_at)
        return turn(call, house, found, message, visit.raw)


def _remember(door: AppleDoor, visit: Visit | Exception, error: HavenmeesterError) -> None:
    """What looks like an attack is written on the time line of the phone whose certificate was used."""
    if not isinstance(visit, Visit) or visit.knock is None:
        return
    actor = Actor(ActorKind.DEVICE, visit.knock.device_id, visit.knock.device_name, (), "-", request.remote_addr)
    with door.here.call(actor) as call:
        refusals.remember(call, visit.knock, error)


def _said(reply: Reply) -> Response:
    response = Response(reply.body, status=int(reply.status), content_type=reply.content_type)
    if not reply.body:
        response.headers["Content-Length"] = "0"
    return response


def add_apple(app: Flask, door: AppleDoor) -> None:
    """Adds the addresses of check-in and command loop."""

    def view(place: str) -> ResponseReturnValue:  # noqa: ARG001 -- who speaks is proved by the certificate
        return serve(door)

    view.declaration = "device certificate or signature"  # type: ignore[attr-defined]
    for name, root in (("apple_checkin", addresses.CHECKIN), ("apple_server", addresses.SERVER)):
        app.add_url_rule(f"{root}<place>", endpoint=name, view_func=view, methods=["PUT"])
