"""The addresses of ``agent/wire.py``: CA, enroll, renew, check-in, leave; and what an operator's tools ask for."""

import os
import re
import time
from contextlib import AbstractContextManager
from typing import cast

from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from agent.wire import (
    CA,
    CHECKIN,
    ENROLL,
    LEAVE,
    MAX_BODY,
    MAX_ENROLL_BODY,
    MAX_PICTURE,
    NEXT_HEADER,
    PANIC,
    PICTURE,
    RELEASES,
    RENEW,
    Answer,
    EnrollAnswer,
    EnrollRequest,
    PanicAnswer,
)
from mdm.enrollment import redeem, renewal
from mdm.enrollment import service as enrollment
from mdm.kiosks import pictures
from mdm.operation import metrics
from mdm.panic import raising
from mdm.panic.raising import Press
from mdm.platforms.linux.exchange import Knock, Visit, exchange
from mdm.platforms.linux.messages import CheckinMessage, EnrollMessage, PanicMessage, RenewMessage, read
from mdm.signing.client import Issued, Ownership
from mdm.storage.call import Call
from web.common.guard import without_database
from web.common.requests import from_this_machine
from web.gateway import body
from web.gateway.door import Gateway, device, for_devices, for_invited, gateway, look_again, visitor
from web.gateway.hot import asked, pause

RELEASE_FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}")
LOOK_AGAIN = 30
"""Seconds after which a waiting device is looked at again without a ring: what was put off has no bell."""


@without_database("the certificate of our CA, which the agent trusts only by its fingerprint")
def ca() -> ResponseReturnValue:
    """The certificate of our CA as PEM."""
    return Response(gateway().authority().certificate, mimetype="application/x-pem-file")


@for_invited
def enroll() -> ResponseReturnValue:
    """An invitation and a request for a certificate; the certificate, its chain, and what the agent must know."""
    here = gateway()
    message = read(EnrollMessage, body.read(request.environ, MAX_ENROLL_BODY))
    authority = here.authority()

    def transact(*, write: bool = True) -> AbstractContextManager[Call]:
        return here.call(visitor(), write=write)

    def issue(claim: redeem.Claim, csr: str) -> Issued:
        return here.signer.issue(
            device=claim.device_uid,
            invitation=claim.invitation_uid,
            csr=csr,
            days=here.settings.certificate_days,
            ownership=cast(Ownership, claim.ownership),
        )

    def answer(claim: redeem.Claim, chain: str) -> EnrollAnswer:
        return {
            "device": claim.device_uid,
            "certificate": chain,
            "order_key": authority.order_key,
            "rosters": here.rosters(chain),
            "organisation": here.settings.organisation,
            "next": 1,
        }

    answered = redeem.redeem(transact, issue, cast(EnrollRequest, message.model_dump()), answer)
    here.figures.enrolled += 1
    return jsonify(answered)


@for_devices
def renew(knock: Knock) -> ResponseReturnValue:
    """A new certificate for a new key, under the one in use."""
    here = gateway()
    message = read(RenewMessage, body.read(request.environ, MAX_ENROLL_BODY))

    def transact(*, write: bool = True) -> AbstractContextManager[Call]:
        return here.call(device(knock), write=write)

    def ask(previous: str, csr: str) -> Issued:
        return here.signer.renew(previous=previous, csr=csr, days=here.settings.certificate_days)

    return jsonify({"certificate": renewal.renew(transact, ask, knock.enrollment_id, message.csr)})


@for_devices
def checkin(knock: Knock) -> ResponseReturnValue:
    """A check-in with something to tell, on either side; idle ones were answered before they came here."""
    here = gateway()
    sent = b"" if body.empty(request.environ) else body.read(request.environ, MAX_BODY)
    # Read, so that the connection can be kept; but not looked at when there is no time for what it says.
    here.queue.look()
    message = read(CheckinMessage, sent) if sent else None
    desired, report, wait = asked(request.environ)
    visit = Visit(desired, report, message, here.order_key)
    answer = _answer(here, knock, visit, 0 if message else wait)
    here.figures.exchanges += 1
    if message is not None and message.report is not None:
        here.figures.reports += 1
    if set(answer) == {"next"}:
        return Response(status=204, headers={NEXT_HEADER: str(answer["next"])})
    return jsonify(answer)


def _answer(here: Gateway, knock: Knock, visit: Visit, wait: int) -> Answer:
    """What the device gets. Where all that waits for it cannot be given yet, it waits at the doorbell like an idle one.

    A device that said "not now" to one command must still hear the ring for the next, which may be a lock.
    """
    last = time.monotonic() + wait
    event = here.doorbell.enter(knock.device_id, knock.cohort_id)
    try:
        while True:
            event.clear()
            with here.queue.turn(), here.call(device(knock), write=knock.writes(visit.message)) as call:
                answer = exchange(call, knock, visit, pause(here.settings.checkin_seconds))
            left = last - time.monotonic()
            if set(answer) != {"next"} or left <= 0 or here.doorbell.stopping:
                return answer
            event.wait(min(left, LOOK_AGAIN))
            knock = look_again()
    finally:
        here.doorbell.leave(event, knock.device_id, knock.cohort_id)


@for_devices
def leave(knock: Knock) -> ResponseReturnValue:
    """The agent goes; its certificates are refused from now on."""
    body.read(request.environ, MAX_ENROLL_BODY)
    with gateway().call(device(knock)) as call:
        enrollment.leave(call, knock.device_id)
    return Response(status=204)


@for_devices
def panic(knock: Knock) -> ResponseReturnValue:
    """Somebody at this device calls for help: kept before it is answered."""
    message = read(PanicMessage, body.read(request.environ, MAX_ENROLL_BODY))
    with gateway().call(device(knock)) as call:
        alarm = raising.by_device(call, knock.device_id, Press(message.id, message.ago, message.exercise))
        answered: PanicAnswer = {"number": alarm.number}
    return jsonify(answered)


@for_devices
def picture(knock: Knock, command: str) -> ResponseReturnValue:
    """A picture of a kiosk's screen, for the command that asked for it."""
    content = body.read(request.environ, MAX_PICTURE)
    with gateway().call(device(knock)) as call:
        pictures.take(call, knock.device_id, command, content)
    return Response(status=204)


@for_devices
def release_file(_knock: Knock, kind: str, name: str) -> ResponseReturnValue:
    """One file of the repository of releases, as it is: whoever fetches it judges it by its signatures."""
    folder = gateway().settings.home / "releases" / "repository" / kind
    if kind not in ("metadata", "targets") or not RELEASE_FILE.fullmatch(name):
        raise NotFound
    try:
        file = (folder / name).open("rb")
    except OSError:
        raise NotFound from None
    size = os.fstat(file.fileno()).st_size
    answer = Response(iter(lambda: file.read(65536), b""), mimetype="application/octet-stream")
    answer.call_on_close(file.close)
    answer.content_length = size
    return answer


@without_database("figures, for this machine only")
def figures() -> ResponseReturnValue:
    """The figures of all processes of this home; for programs on this machine, and 404 for everybody else."""
    if not from_this_machine(request.environ):
        raise NotFound
    here = gateway()
    here.figures.publish(here.doorbell.waiting)
    content, kind = metrics.exposition()
    return Response(content, content_type=kind)


def add_views(app: Flask) -> None:
    """Adds every address."""
    app.add_url_rule(CA, view_func=ca)
    for path, view in ((ENROLL, enroll), (RENEW, renew), (CHECKIN, checkin), (LEAVE, leave), (PANIC, panic)):
        app.add_url_rule(path, view_func=view, methods=["POST"])
    app.add_url_rule(f"{PICTURE}/<command>", view_func=picture, methods=["POST"])
    app.add_url_rule(f"{RELEASES}<kind>/<name>", view_func=release_file)
    app.add_url_rule("/metrics", view_func=figures)
