"""The door for Android phones with the free agent: who speaks is proved by the number, and by nothing else.

The signature of a request is looked at because the wire has it. It is made with a secret that everybody knows: a right one
opens nothing, a wrong one shows an agent of another build.
"""

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Final, cast

import structlog
from flask import Flask, Response, request, send_file
from flask.typing import ResponseReturnValue
from gevent import sleep
from werkzeug.exceptions import NotFound

from mdm.core.actor import Actor, ActorKind
from mdm.core.clock import utcnow
from mdm.core.errors import (
    ConflictError,
    HavenmeesterError,
    LimitedError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from mdm.enrollment.redeem import Claim
from mdm.platforms.android import files
from mdm.platforms.android.files import Store
from mdm.platforms.android.headwind import enrolling, message, reporting, sync, wire
from mdm.platforms.android.headwind.house import House
from mdm.platforms.android.headwind.live import Live, live
from mdm.platforms.android.headwind.numbers import Place
from mdm.signing.client import Issued, Ownership
from mdm.storage.call import Call
from mdm.storage.seal import Seal, load_seal
from web.gateway import body
from web.gateway.android_polls import TARPIT
from web.gateway.door import Gateway, visitor

log = structlog.get_logger(__name__)
APK: Final = "application/vnd.android.package-archive"
RULES: Final = [{"packageId": wire.AGENT, "logLevel": 2, "filter": ""}]
"""Errors and warnings of the agent, and nothing of anybody else's application."""


class AndroidDoor:
    """What the views share: the neighbours, and how an answer is written."""

    def __init__(self, here: Gateway) -> None:
        self.here = here
        settings = here.settings
        self.secret = settings.android_secret
        self.house = House(
            seal=self._seal,
            store=Store(settings.home),
            place=Place(settings.android_base, settings.organisation),
            secret=self.secret,
            order_key=here.order_key,
            silence=timedelta(minutes=settings.android_wipe_minutes),
        )

    def _seal(self) -> Seal:
        return load_seal(self.here.settings.home / "keys")

    def call(self, *, write: bool = True) -> AbstractContextManager[Call]:
        """One transaction in which a phone speaks whose number is not yet looked at."""
        return self.here.call(visitor(), write=write)

    def as_phone(self, call: Call, phone: Live) -> Call:
        """The same transaction, in which the phone itself speaks."""
        now = utcnow()
        self.here.seen.note(phone.device.id, now)
        request_id = str(request.environ.get("havenmeester.request_id", "-"))
        return call.by(
            Actor(ActorKind.DEVICE, phone.device.id, "an Android phone", (), request_id, request.remote_addr)
        )

    def signed(self, text: str) -> bool:
        """Whether the request is signed over this text as an agent of our build signs."""
        return wire.signed(self.secret, text, request.headers.get(wire.REQUEST_SIGNATURE, ""))

    def said(self, data: Any = None, *, error: str = "", status: int = 200) -> Response:
        """An envelope as the agent reads it."""
        content, signature = wire.envelope(self.secret, data, error=error)
        response = Response(content, status=status, content_type="application/json")
        response.headers[wire.RESPONSE_SIGNATURE] = signature
        response.headers[wire.ADDRESS] = request.remote_addr or "-"
        response.headers["Cache-Control"] = "no-store"
        return response

    def refused(self, error: HavenmeesterError, *, status: int = 200) -> Response:
        """What an agent hears of a refusal; whoever guesses numbers hears it late."""
        self.here.figures.refused += 1
        log.info("android request refused", code=error.code)
        if isinstance(error, UnavailableError | LimitedError):
            return Response(status=503, headers={"Retry-After": str(error.retry_after)})
        if isinstance(error, TooLargeError):
            return Response(status=413)
        if isinstance(error, NotFoundError):
            sleep(TARPIT)
            return self.said(error=wire.NOT_FOUND, status=status)
        known = isinstance(error, ConflictError) and error.code == wire.DUPLICATE
        return self.said(error=wire.DUPLICATE if known else wire.DENIED, status=status)


def configuration(door: AndroidDoor, number: str) -> ResponseReturnValue:
    """The configuration of a phone; with POST its first start, which enrols it."""
    # The body says a customer, a configuration and groups of another product: nothing of it counts here.
    sent = b"" if body.empty(request.environ) else body.read(request.environ, wire.MAX_SMALL)
    del sent
    if not door.signed(number):
        return door.said(error=wire.DENIED)
    try:
        if request.method == "POST":
            enrolling.first_start(lambda *, write=True: door.call(write=write), _issue(door), number)
        return door.said(_given(door, number))
    except NotFoundError as error:
        if request.method == "GET":
            _late(door, number)
        return door.refused(error)
    except HavenmeesterError as error:
        return door.refused(error)


def _given(door: AndroidDoor, number: str) -> dict[str, Any]:
    with door.call(write=False) as call:
        phone = live(call, number)
        if sync.quiet(phone):
            return sync.give(door.as_phone(call, phone), door.house, phone)
    with door.here.queue.turn(), door.call() as call:
        phone = live(call, number, lock=True)
        return sync.give(door.as_phone(call, phone), door.house, phone)


def _late(door: AndroidDoor, number: str) -> None:
    """A phone that is believed wiped may be here: that is an alarm, whatever it is answered."""
    try:
        with door.call(write=False) as call:
            over = sync.believed_wiped(call, number)
        if over:
            with door.call() as call:
                sync.late(call, number)
    except HavenmeesterError:
        return


def _issue(door: AndroidDoor) -> enrolling.Issue:
    def issue(claim: Claim, csr: str) -> Issued:
        return door.here.signer.issue(
            device=claim.device_uid,
            invitation=claim.invitation_uid,
            csr=csr,
            days=door.here.settings.apple_certificate_days,
            ownership=cast(Ownership, claim.ownership),
        )

    return issue


def info(door: AndroidDoor) -> ResponseReturnValue:
    """A report of a phone."""
    try:
        said = message.read(body.read(request.environ, wire.MAX_INFO))
    except HavenmeesterError as error:
        return door.refused(error, status=400)
    try:
        mine = _taken(door, said)
    except NotFoundError as error:
        _late(door, said.number)
        return door.refused(error)
    except HavenmeesterError as error:
        return door.refused(error)
    if not mine:
        return door.said(error=wire.DUPLICATE)
    door.here.figures.reports += 1
    return door.said()


def _taken(door: AndroidDoor, said: message.Info) -> bool:
    """Whether this is the phone that it says it is. What says nothing new writes nothing."""
    with door.call(write=False) as call:
        phone = live(call, said.number)
        if reporting.known(phone, said, call.now):
            door.here.seen.note(phone.device.id, call.now)
            return True
    with door.here.queue.turn(), door.call() as call:
        phone = live(call, said.number, lock=True)
        return reporting.take_info(door.as_phone(call, phone), phone, said)


def reset(door: AndroidDoor, number: str) -> ResponseReturnValue:
    """The phone asks whether it shall wipe itself now: any answer of success, and it does."""
    return _confirmed(door, number, lambda call: sync.confirm_wipe(call, door.house, number))


def reboot(door: AndroidDoor, number: str) -> ResponseReturnValue:
    """The phone is about to restart."""
    return _confirmed(door, number, lambda call: sync.confirm_restart(call, number))


def password(door: AndroidDoor, number: str) -> ResponseReturnValue:
    """The phone has its new passcode."""
    return _confirmed(door, number, lambda call: sync.confirm_passcode(call, number))


def _confirmed(door: AndroidDoor, number: str, ask: Any) -> Response:
    """200 for a yes. Everything else is no success, so that an agent never acts on a refusal."""
    try:
        body.read(request.environ, wire.MAX_INFO)
        with door.here.queue.turn(), door.call() as call:
            yes = ask(door.as_phone(call, live(call, number)))
    except HavenmeesterError as error:
        return door.refused(error, status=403)
    return door.said() if yes else door.said(error=wire.DENIED, status=403)


def log_rules(door: AndroidDoor, number: str) -> ResponseReturnValue:
    """Which lines of its log a phone shall send."""
    try:
        with door.call(write=False) as call:
            live(call, number)
    except HavenmeesterError as error:
        return door.refused(error)
    return door.said(RULES)


def log_list(door: AndroidDoor, number: str) -> ResponseReturnValue:
    """Lines of a phone's log."""
    try:
        sent = body.read(request.environ, wire.MAX_LOG)
        with door.here.queue.turn(), door.call() as call:
            reporting.take_log(door.as_phone(call, live(call, number)), number, sent)
    except HavenmeesterError as error:
        return door.refused(error)
    return door.said()


def notifications(door: AndroidDoor, number: str) -> ResponseReturnValue:
    """The doorbell of older agents, which do not wait: nothing is ever told here, their configuration is fetched by time."""
    if not door.signed(wire.NOTIFICATIONS + number):
        return door.said(error=wire.DENIED)
    try:
        with door.call(write=False) as call:
            live(call, number)
    except HavenmeesterError as error:
        return door.refused(error)
    return door.said([])


def file(door: AndroidDoor, place: str) -> ResponseReturnValue:
    """A file that was uploaded, for whoever was told its address and is an agent of our build."""
    token, _, name = place.partition("/")
    digest = name.removesuffix(".apk")
    if not door.signed(place):
        return door.said(error=wire.DENIED, status=403)
    with door.call(write=False) as call:
        found = files.fetched(call.session, digest)
        application = bool(found.package) if found is not None else False
    if found is None or token != door.house.store.token(digest):
        raise NotFound
    return _sent(door, digest, application=application)


def agent_file(door: AndroidDoor, name: str) -> ResponseReturnValue:
    """The vendor's agent, for a phone that is being set up: it proves nothing, and the file is no secret."""
    digest = name.removesuffix(".apk")
    with door.call(write=False) as call:
        found = files.fetched(call.session, digest)
        mine = found is not None and found.package == wire.AGENT
    if not mine:
        raise NotFound
    return _sent(door, digest, application=True)


def _sent(door: AndroidDoor, digest: str, *, application: bool) -> Response:
    path = door.house.store.path(digest)
    if not path.is_file():
        log.error("a file of phones is not where it was kept", digest=digest)
        raise NotFound
    response: Response = send_file(path, mimetype=APK if application else "application/octet-stream", conditional=True)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


VIEWS: Final = (
    ("android_configuration", f"{wire.CONFIGURATION}<number>", configuration, ["GET", "POST"]),
    ("android_info", wire.INFO, info, ["POST"]),
    ("android_reset", f"{wire.RESET}<number>", reset, ["POST"]),
    ("android_reboot", f"{wire.REBOOT}<number>", reboot, ["POST"]),
    ("android_password", f"{wire.PASSWORD}<number>", password, ["POST"]),
    ("android_log_rules", f"{wire.LOG_RULES}<number>", log_rules, ["GET"]),
    ("android_log", f"{wire.LOG}<number>", log_list, ["POST"]),
    ("android_notifications", f"{wire.NOTIFICATIONS}<number>", notifications, ["GET"]),
    ("android_file", f"{wire.FILES}<path:place>", file, ["GET"]),
    ("android_agent", f"{wire.AGENT_FILE}<name>", agent_file, ["GET"]),
)


def add_android(app: Flask, door: AndroidDoor) -> None:
    """Adds the addresses of the agent's wire; the doorbell stands before the application."""
    for name, rule, view, methods in VIEWS:
        app.add_url_rule(rule, endpoint=name, view_func=_bound(door, view), methods=methods)


def _bound(door: AndroidDoor, view: Any) -> Any:
    def bound(**kwargs: Any) -> ResponseReturnValue:
        answer: ResponseReturnValue = view(door, **kwargs)
        return answer

    bound.declaration = "device number"  # type: ignore[attr-defined]
    return bound
