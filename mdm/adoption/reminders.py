"""No reminders any more, and reminders again: what an employee decides, by the link in a letter or at their own door."""

from sqlalchemy import select

from mdm.adoption.model import Invitee, Letter
from mdm.adoption.service import invitee
from mdm.core.errors import N_, NotFoundError
from mdm.core.ids import secret_digest
from mdm.people import employee
from mdm.storage.call import Call


def reminders_by(call: Call, secret: str) -> Invitee:
    """Whose letter holds this secret. For everybody who has the letter; NotFoundError for none."""
    row = call.session.scalar(
        select(Invitee)
        .join(Letter, Letter.person_id == Invitee.person_id)
        .where(Letter.off_digest == secret_digest(secret))
    )
    if row is None:
        raise NotFoundError(N_("This link is not right. Nothing was changed. Open the link in the letter once more."))
    return row


def want_reminders(call: Call, secret: str, *, wanted: bool) -> None:
    """No reminders any more to the reader of this letter, or again. Twice is like once; raises as ``reminders_by``."""
    row = reminders_by(call, secret)
    _set(row, call, wanted=wanted)


def own_reminders(call: Call) -> bool:
    """Whether the employee who speaks gets reminders."""
    row = call.session.get(Invitee, employee.me(call).id)
    return row is None or row.no_reminders_at is None


def want_own_reminders(call: Call, *, wanted: bool) -> None:
    """The same at the employee's own door, without a letter."""
    _set(invitee(call, employee.me(call).id), call, wanted=wanted)


def _set(row: Invitee, call: Call, *, wanted: bool) -> None:
    if wanted:
        row.no_reminders_at = None
    elif row.no_reminders_at is None:
        row.no_reminders_at = call.now
