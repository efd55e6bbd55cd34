"""Certificates for phones, use case by use case: who may have one, is asked of the database; the signer reads and answers.

As in ``enrollment.redeem`` there are two transactions with the signer between them, and what the first one wrote makes every
repetition the same, wherever the first try broke off.
"""

from dataclasses import dataclass
from typing import Protocol, cast

from sqlalchemy import select

from agent.wire import EnrollRequest
from mdm.audit import service as audit
from mdm.core.errors import HavenmeesterError, UnavailableError
from mdm.enrollment import redeem
from mdm.enrollment import service as enrollments
from mdm.enrollment.model import Enrollment, Invitation
from mdm.enrollment.redeem import Claim, Transact
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, LifeCycle, Platform
from mdm.outbox import service as outbox
from mdm.platforms.apple import sessions
from mdm.platforms.apple.model import AppleSession, Approval, SessionKind, SessionState
from mdm.platforms.apple.scep import FailInfo, Kind
from mdm.signing.answers import Issued, Ownership, ScepAnswer, ScepQuestion
from mdm.signing.phones import Verdict
from mdm.storage.call import Call


class Signer(Protocol):
    """What is asked of the signer here."""

    def scep_open(self, message: bytes) -> ScepQuestion:
        """What a message says."""

    def scep_answer(
        self,
        message: bytes,
        *,
        request: bytes | None = None,
        verdict: Verdict | None = None,
        refused: int | None = None,
    ) -> ScepAnswer:
        """The answer to a message, with a certificate where there is a verdict."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A certificate shall be issued."""

    verdict: Verdict
    request: bytes | None
    """The message with the certificate request, where it was another one."""
    session_id: int | None
    claim: Claim | None
    device_id: int
    enrollment_id: int | None
    """The enrollment that is renewed."""


def answer(transact: Transact, signer: Signer, message: bytes, *, days: int, by_hand: bool) -> bytes:
    """The answer to one SCEP message. ``by_hand``: first certificates wait for somebody's yes.

    Raises InvalidError for what is no SCEP message, UnavailableError while the signer is away. Everything else, refusals
    too, is an answer.
    """
    asked = signer.scep_open(message)
    if asked.refused is not None:
        return signer.scep_answer(message, refused=asked.refused).reply
    with transact(write=False) as call:
        # Whoever only guesses challenges never gets near the write lock.
        refused = _stranger(call, asked)
    if refused is None:
        with transact() as call:
            decided = _decide(call, asked, message, days=days, by_hand=by_hand)
    else:
        decided = refused
    if isinstance(decided, FailInfo):
        return signer.scep_answer(message, refused=int(decided)).reply
    if decided is None:
        return signer.scep_answer(message).reply
    try:
        got = signer.scep_answer(message, request=decided.request, verdict=decided.verdict)
    except UnavailableError:
        raise
    except HavenmeesterError as error:
        with transact() as call:
            _note(call, decided.session_id, str(error))
        return signer.scep_answer(message, refused=int(FailInfo.BAD_REQUEST)).reply
    if got.issued is not None:
        with transact() as call:
            _complete(call, decided, got.issued)
    return got.reply


def _stranger(call: Call, asked: ScepQuestion) -> FailInfo | None:
    if asked.kind == Kind.REQUEST:
        known = bool(asked.challenge) and sessions.by_challenge(call.session, asked.challenge) is not None
        return None if known else FailInfo.BAD_REQUEST
    if asked.kind == Kind.RENEWAL:
        return None if _live(call, asked.signer) is not None else FailInfo.BAD_CERTIFICATE
    return None if _waiting(call, asked) is not None else FailInfo.BAD_CERTIFICATE


def _decide(call: Call, asked: ScepQuestion, message: bytes, *, days: int, by_hand: bool) -> Decided | FailInfo | None:
    """What shall be issued, why not, or None: it waits."""
    if asked.kind == Kind.RENEWAL:
        enrollment = _live(call, asked.signer)
        return _renewed(call, enrollment, days) if enrollment is not None else FailInfo.BAD_CERTIFICATE
    if asked.kind == Kind.POLL:
        session = _waiting(call, asked)
        if session is None:
            return FailInfo.BAD_CERTIFICATE
        return _judged(call, session, days)
    session = sessions.by_challenge(call.session, asked.challenge, lock=True)
    if session is None or session.key_digest not in (None, asked.key_digest):
        return FailInfo.BAD_REQUEST
    if session.key_digest is None:
        if session.expires_at <= call.now:
            return FailInfo.BAD_REQUEST
        session.key_digest = asked.key_digest
        session.challenge_used_at = call.now
        session.transaction = asked.transaction
        session.details = session.details | {"signer_key": asked.signer_key}
        if by_hand and session.kind != SessionKind.RENEWAL:
            session.approval = Approval.WAITING.value
    if session.approval == Approval.WAITING:
        session.request = message
        session.transaction = asked.transaction
    return _judged(call, session, days)


def _judged(call: Call, session: AppleSession, days: int) -> Decided | FailInfo | None:
    if session.approval == Approval.WAITING:
        return None
    if session.approval == Approval.REFUSED:
        return FailInfo.BAD_REQUEST
    if session.kind == SessionKind.RENEWAL:
        return _renewal(call, session, days)
    if session.invitation_id is None:
        return _own(call, session, days)
    invitation = call.session.scalars(
        select(Invitation).where(Invitation.id == session.invitation_id).with_for_update()
    ).one()
    key = str(session.key_digest)
    request: EnrollRequest = {
        "token": "",
        "csr": "",
        "platform": Platform.IOS.value,
        "serial": None,
        "hostname": "",
        "model": None,
        "version": "",
    }
    error = redeem.refusal(call, invitation, request, key)
    if error is not None:
        session.details = session.details | {"refused": str(error)}
        return FailInfo.BAD_REQUEST
    claim = redeem.take(call, invitation, request, key)
    session.device_id = claim.device_id
    verdict = _verdict(claim.device_uid, claim.invitation_uid, claim.ownership, days)
    return Decided(verdict, session.request, session.id, claim, claim.device_id, None)


def _verdict(device: str, right: str, ownership: str, days: int, previous: str | None = None) -> Verdict:
    return Verdict(device=device, invitation=right, ownership=cast(Ownership, ownership), days=days, previous=previous)


def _own(call: Call, session: AppleSession, days: int) -> Decided | FailInfo:
    """A device of the city's that enrols by itself: the session is its right."""
    device = call.session.get(Device, session.device_id)
    if device is None or device.state == LifeCycle.RETIRED:
        return FailInfo.BAD_REQUEST
    verdict = _verdict(device.uid, session.uid, device.ownership, days)
    return Decided(verdict, session.request, session.id, None, device.id, None)


def _renewal(call: Call, session: AppleSession, days: int) -> Decided | FailInfo:
    """The next certificate by a renewed profile: only while the one before still holds."""
    enrollment = _live(call, str(session.details.get("previous", "")))
    if enrollment is None or enrollment.device_id != session.device_id:
        return FailInfo.BAD_REQUEST
    decided = _renewed(call, enrollment, days)
    return Decided(decided.verdict, session.request, session.id, None, decided.device_id, enrollment.id)


def _renewed(call: Call, enrollment: Enrollment, days: int) -> Decided:
    device = call.session.get_one(Device, enrollment.device_id)
    # The signer takes the right from the certificate that is renewed, and does not look at this one.
    verdict = _verdict(device.uid, device.uid, device.ownership, days, enrollment.fingerprint)
    return Decided(verdict, None, None, None, device.id, enrollment.id)


def _live(call: Call, fingerprint: str) -> Enrollment | None:
    return call.session.scalar(
        select(Enrollment)
        .join(Device, Device.id == Enrollment.device_id)
        .where(
            Enrollment.fingerprint == fingerprint,
            Enrollment.revoked_at.is_(None),
            Enrollment.not_after > call.now,
            Device.platform == Platform.IOS.value,
            Device.state != LifeCycle.RETIRED.value,
        )
    )


def _waiting(call: Call, asked: ScepQuestion) -> AppleSession | None:
    """The session of a transaction, for whoever signs as the one who began it."""
    found = call.session.scalars(
        select(AppleSession)
        .where(AppleSession.transaction == asked.transaction, AppleSession.key_digest.is_not(None))
        .limit(20)
    )
    return next((one for one in found if one.details.get("signer_key") == asked.signer_key), None)


def _complete(call: Call, decided: Decided, issued: Issued) -> None:
    """Writes down what was issued. Twice is like once."""
    if decided.claim is not None:
        redeem.complete(call, decided.claim, issued)
    elif call.session.scalar(select(Enrollment.id).where(Enrollment.fingerprint == issued.fingerprint)) is None:
        enrollment = redeem.add_enrollment(call, decided.device_id, issued)
        device = call.session.get_one(Device, decided.device_id)
        if decided.enrollment_id is None:
            _enrolled(call, device, enrollment)
        else:
            inventory.note(call, device, "certificate_issued", {"fingerprint": issued.fingerprint})
    if decided.session_id is not None:
        session = call.session.get_one(AppleSession, decided.session_id)
        session.fingerprint = issued.fingerprint
        if session.state == SessionState.STARTED:
            session.state = SessionState.CERTIFIED.value


def _enrolled(call: Call, device: Device, enrollment: Enrollment) -> None:
    enrollments.end(call, device, "enrolled again", but=enrollment.id)
    inventory.apply_fields(call, device, {"enrolled_at": call.now, "report_digest": "-", "renew_asked": False}, None)
    inventory.note(call, device, "enrolled", {})
    audit.record(
        call,
        "device.enrolled",
        ("device", device.uid),
        name=device.label,
        where=device.where,
        details={"fingerprint": enrollment.fingerprint, "how": SessionKind.AUTOMATED.value},
    )
    for topic in ("device.place", "device.judge"):
        outbox.post(call, topic, {"device": device.id})


def _note(call: Call, session_id: int | None, why: str) -> None:
    if session_id is not None:
        session = call.session.get_one(AppleSession, session_id)
        session.details = session.details | {"refused": why[:1000]}
