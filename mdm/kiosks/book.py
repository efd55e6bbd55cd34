"""What the process that sets kiosks up writes down: short transactions, each by whoever holds the claim on the row.

A claim is a lease. Whoever lost it (a process that hung, a row that was taken back) can write nothing more.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine, Select, or_, select, update

from mdm.alarms.kinds import Kind
from mdm.alarms.model import Alarm
from mdm.alarms.service import raise_alarm
from mdm.audit import service as audit
from mdm.core.actor import system
from mdm.core.clock import iso, utcnow
from mdm.core.errors import N_, HavenmeesterError
from mdm.core.ids import new_uid
from mdm.core.text import clean
from mdm.enrollment import service as enrollment
from mdm.enrollment.links import Links
from mdm.enrollment.model import Invitation
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, DeviceKind
from mdm.kiosks.model import LOG, OPEN, KioskSetup, State, Step
from mdm.org.model import ServicePoint
from mdm.overview.desk_words import KIOSK_LOG
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.engine import transaction

LEASE: Final = timedelta(seconds=90)
OTHERS: Final = 1000
NAME: Final = "kiosk-setup"


_IMPOSTOR: Final = N_(
    "At %(address)s, where the kiosk %(name)s should be, another host key is shown: %(seen)s. Nothing was sent to it. "
    "Somebody may stand in between; or the kiosk was installed anew, and its label is old."
)


class ClaimLostError(Exception):
    """The row is somebody else's now, or was taken back: stop, and write nothing more."""


@dataclass(frozen=True, slots=True)
class Told:
    """A line of what happened: a word of ``KIOSK_LOG`` or ``KIOSK_PROBLEMS``, what fills it, and what a machine said."""

    word: str
    params: Mapping[str, object] = field(default_factory=dict)
    said: str = ""


@dataclass(frozen=True, slots=True)
class Claimed:
    """One set-up as it was claimed."""

    uid: str
    claim: str
    name: str
    host: str
    port: int
    account: str
    host_key: str
    sign_in: str
    root: str
    state: State
    step: Step
    changed: bool
    tries: int


@dataclass(frozen=True, slots=True)
class Book:
    """The database as the process sees it."""

    engine: Engine
    clock: Callable[[], datetime] = field(default=utcnow)

    @contextmanager
    def call(self, *, write: bool = True) -> Iterator[Call]:
        """One transaction by the process."""
        with transaction(self.engine, write=write) as session:
            yield Call(system(NAME, f"job-{new_uid()[:12]}"), session, self.clock())

    def claim(self, most: int) -> list[Claimed]:
        """Set-ups that are due, claimed for the caller; the oldest first."""
        if not self._anything_due():
            # Asked three times a second: whoever writes meanwhile is not to wait for that.
            return []
        with self.call() as call:
            query = (
                _due(call.now).order_by(KioskSetup.due_at, KioskSetup.id).limit(most).with_for_update(skip_locked=True)
            )
            found = []
            for row in call.session.scalars(query):
                row.claimed_until, row.claimed_by = call.now + LEASE, new_uid()
                if row.state == State.WAITING:
                    row.state = State.RUNNING.value
                found.append(_claimed(row))
            return found

    def _anything_due(self) -> bool:
        with self.call(write=False) as call:
            return call.session.scalar(_due(call.now).limit(1)) is not None

    def free_claims(self) -> None:
        """Ends every claim: for a process that knows that it is the only one."""
        with self.call() as call:
            call.session.execute(
                update(KioskSetup)
                .where(KioskSetup.claimed_until.is_not(None))
                .values(claimed_until=None, claimed_by="")
            )

    def keep(self, claims: Sequence[str]) -> None:
        """Makes these claims last longer."""
        if claims:
            with self.call() as call:
                call.session.execute(
                    update(KioskSetup).where(KioskSetup.claimed_by.in_(claims)).values(claimed_until=call.now + LEASE)
                )

    def anything_open(self) -> bool:
        """Whether a set-up is still to be done, now or later."""
        with self.call(write=False) as call:
            return call.session.scalar(select(KioskSetup.id).where(KioskSetup.state.in_(OPEN)).limit(1)) is not None

    def others(self, job: Claimed) -> list[str]:
        """Every other set-up that is still to be done: one of them may be of the same kiosk, by another of its names."""
        with self.call(write=False) as call:
            query = select(KioskSetup.uid).where(KioskSetup.state.in_(OPEN), KioskSetup.uid != job.uid)
            return list(call.session.scalars(query.order_by(KioskSetup.id).limit(OTHERS)))

    @contextmanager
    def _held(self, job: Claimed) -> Iterator[tuple[Call, KioskSetup]]:
        with self.call() as call:
            row = call.session.scalar(select(KioskSetup).where(KioskSetup.uid == job.uid).with_for_update())
            if row is None or row.claimed_by != job.claim:
                raise ClaimLostError
            if row.state != job.state:
                # Taken back meanwhile: the claim ends, and the next one undoes.
                row.claimed_until, row.claimed_by = None, ""
                call.session.commit()
                raise ClaimLostError
            yield call, row

    def touch(self, job: Claimed) -> None:
        """Notes that from now on something on the kiosk may have been changed."""
        with self._held(job) as (_call, row):
            row.changed = True

    def tell(self, job: Claimed, step: Step, told: Told) -> None:
        """Adds a line to what happened."""
        with self._held(job) as (call, row):
            _log(call, row, step.value, told)

    def stepped(self, job: Claimed, step: Step, following: Step, told: Told) -> None:
        """A step is done."""
        with self._held(job) as (call, row):
            row.step, row.tries, row.problem, row.sentence = following.value, 0, "", ""
            _log(call, row, step.value, told)
            if step is Step.START:
                _name(call, row)

    def impostor(self, job: Claimed, seen: str) -> None:
        """Raises an alarm for whoever answers for the place: at this address another host key is shown. Once in an hour."""
        with self._held(job) as (call, row):
            address = row.address
            query = select(Alarm.params).where(
                Alarm.kind == Kind.KIOSK_HOST_KEY.value, Alarm.at > call.now - timedelta(hours=1)
            )
            if any(params.get("address") == address for params in call.session.scalars(query)):
                return
            told = {"name": row.name, "address": address, "seen": seen}
            raise_alarm(call, Kind.KIOSK_HOST_KEY, _IMPOSTOR, told, subject=("kiosk_setup", row.uid), where=row.where)

    def later(self, job: Claimed, seconds: float, code: str, sentence: str, step: Step | None = None) -> None:
        """It goes on later; with ``step``, from that step."""
        with self._held(job) as (call, row):
            row.tries += 1
            row.problem, row.sentence = code, clean(sentence, 2000, lines=True)
            row.due_at = call.now + timedelta(seconds=seconds)
            row.claimed_until, row.claimed_by = None, ""
            if step is not None:
                row.step = step.value
            _log(call, row, row.step, _problem(code, sentence))

    def undo(self, job: Claimed, code: str, sentence: str) -> None:
        """It failed: what was changed is put back next, at once. Where nothing was, it has ended."""
        with self._held(job) as (call, row):
            if not row.changed:
                _end(call, row, State.FAILED, code, sentence)
                return
            row.problem, row.sentence = code, clean(sentence, 2000, lines=True)
            row.state, row.tries, row.due_at = State.UNDOING.value, 0, call.now
            row.claimed_until, row.claimed_by = None, ""
            _log(call, row, row.step, _problem(code, sentence))

    def end(self, job: Claimed, state: State, code: str = "", sentence: str = "", told: Told | None = None) -> None:
        """It has ended. Without ``code`` the reason that is there stays."""
        with self._held(job) as (call, row):
            _end(call, row, state, code, sentence, told)

    # The invitation

    def invite(self, job: Claimed, links: Links, *, anew: bool = False) -> str | None:
        """The address of an invitation for this kiosk: a new one, or a new token of the one that nobody used yet.

        None when the kiosk has one that was used: it goes on with what it has. ``anew``: another one, whatever there was.
        """
        with self._held(job) as (call, row):
            kept = call.session.get(Invitation, row.invitation_id) if row.invitation_id and not anew else None
            if kept is not None and kept.used_at is not None:
                return None
            if kept is not None:
                try:
                    return links.url(enrollment.new_token(call, kept.uid))
                except HavenmeesterError:
                    # Expired or withdrawn by somebody: another one does not bring that one back.
                    pass
            point = call.session.get_one(ServicePoint, row.service_point_id)
            person = call.session.get_one(Person, row.person_id)
            made, url = enrollment.invite(
                call,
                links,
                email=person.email or "",
                platform="linux",
                service_point_code=point.code,
                kind=DeviceKind.KIOSK.value,
                person_id=person.id,
            )
            row.invitation_id = made.id
            return url

    def reported(self, job: Claimed) -> bool:
        """Whether the device that the invitation brought has reported."""
        with self.call(write=False) as call:
            query = (
                select(Device.last_report_at)
                .join(Invitation, Invitation.device_id == Device.id)
                .join(KioskSetup, KioskSetup.invitation_id == Invitation.id)
                .where(KioskSetup.uid == job.uid)
            )
            return call.session.scalar(query) is not None


def _due(now: datetime) -> Select[KioskSetup]:
    """Set-ups that nobody works on, and that are to be gone on with by now."""
    return select(KioskSetup).where(
        KioskSetup.state.in_(OPEN),
        KioskSetup.due_at <= now,
        or_(KioskSetup.claimed_until.is_(None), KioskSetup.claimed_until < now),
    )


def _name(call: Call, row: KioskSetup) -> None:
    """Gives the device the name that was asked for; without one it keeps the name that it has itself."""
    if row.name in ("", row.host):
        return
    invitation = call.session.get(Invitation, row.invitation_id) if row.invitation_id else None
    if invitation is not None and invitation.device_id is not None:
        device = call.session.get_one(Device, invitation.device_id)
        inventory.edit(call, device.uid, {"name": row.name})


def _end(call: Call, row: KioskSetup, state: State, code: str, sentence: str, told: Told | None = None) -> None:
    if state is State.DONE:
        row.problem, row.sentence = "", ""
    elif code:
        row.problem, row.sentence = code, clean(sentence, 2000, lines=True)
    if state is State.FAILED and row.problem == "withdrawn":
        state = State.WITHDRAWN
    row.state, row.finished_at = state.value, call.now
    row.claimed_until, row.claimed_by = None, ""
    if state in (State.FAILED, State.WITHDRAWN):
        row.changed = False
        _end_invitation(call, row)
    if told is not None or sentence:
        _log(call, row, row.step, told or _problem(code, sentence))
    details = {"why": row.problem} if row.problem else {}
    action = f"kiosk_setup.{state.value}"
    audit.record(call, action, ("kiosk_setup", row.uid), name=row.name, where=row.where, details=details)


def _end_invitation(call: Call, row: KioskSetup) -> None:
    invitation = call.session.get(Invitation, row.invitation_id) if row.invitation_id else None
    if invitation is None:
        return
    if invitation.used_at is None:
        enrollment.withdraw(call, invitation.uid)
    elif invitation.device_id is not None:
        enrollment.end(call, call.session.get_one(Device, invitation.device_id), "setup_undone")
    row.invitation_id = None


def _problem(code: str, sentence: str) -> Told:
    return Told(code, said=sentence)


def _log(call: Call, row: KioskSetup, step: str, told: Told) -> None:
    """A line: its word and what fills it for people, what a machine said, and both as one English text."""
    params = {key: clean(str(value), 255) for key, value in told.params.items()}
    said = clean(told.said, 2000, lines=True)
    sentence = KIOSK_LOG[told.word] % params if told.word in KIOSK_LOG else ""
    text = ": ".join(part for part in (sentence, said) if part) or told.word
    row.log = [
        *row.log,
        {"at": iso(call.now), "step": step, "text": text, "word": told.word, "params": params, "said": said},
    ][-LOG:]


def _claimed(row: KioskSetup) -> Claimed:
    return Claimed(
        row.uid,
        row.claimed_by,
        row.name,
        row.host,
        row.port,
        row.account,
        row.host_key,
        row.sign_in,
        row.root,
        State(row.state),
        Step(row.step),
        row.changed,
        row.tries,
    )
