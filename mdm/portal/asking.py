"""What an employee may do about their own devices: report one lost, broken, say goodbye, ask for a new look."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from mdm.commands import service as commands
from mdm.commands.model import Verb
from mdm.core.errors import N_, ConflictError, InvalidError
from mdm.core.permissions import Role
from mdm.desk.cases import handling
from mdm.desk.cases import opening as cases
from mdm.desk.cases.model import Case
from mdm.desk.cases.opening import Told
from mdm.people import employee
from mdm.portal import own
from mdm.portal.sessions import end_all
from mdm.storage.call import Call

LONGEST: Final = timedelta(days=366)


def lost(call: Call, uid: str, *, where: str = "", when: date | None = None, stolen: bool = False) -> Case:
    """Reports one's own device lost or stolen: it is locked at once and its case is open. Twice is like once, and what is not
    said again stays as it was told.

    Raises NotFoundError for a device that is not the person's.
    """
    device = own.device(call, uid)
    told = Told(seen_on=when, seen_where=where)
    clerk = employee.lent(call, Role.DESK_CLERK)
    case = (cases.open_stolen if stolen else cases.open_lost)(clerk, device.uid, told)
    if where or when:
        known = handling.told_of(case)
        told = replace(known, seen_on=when or known.seen_on, seen_where=where or known.seen_where)
        handling.tell(clerk, case.uid, told)
    return case


def broken(call: Call, uid: str, account: str) -> Case:
    """Reports one's own device broken; the desk finds it with the words. Raises InvalidError without any."""
    device = own.device(call, uid)
    if not account.strip():
        sentence = N_("Say in a few words what is wrong.")
        raise InvalidError(N_("Nothing was sent yet."), fields={"account": sentence})
    return cases.open_broken(employee.lent(call, Role.DESK_CLERK), device.uid, Told(account=account))


def leaving(call: Call, last_day: date | None) -> Case:
    """Says when one's last day is; what there is to bring back stands in the case. Twice is like once.

    Raises InvalidError without a day, and for one that is over or more than a year away.
    """
    person = employee.me(call)
    today = call.now.date()
    if last_day is None or not today <= last_day <= today + LONGEST:
        raise InvalidError(
            N_("Nothing was sent yet."), fields={"last_day": N_("Give a day from today on, within a year.")}
        )
    return cases.open_leaver(employee.lent(call, Role.DESK_CLERK), person.id, last_day)


def check_again(call: Call, uid: str) -> None:
    """Asks one's own device for a fresh report. Raises ConflictError for one that is not enrolled."""
    device = own.device(call, uid)
    if device.enrolled_at is None:
        raise ConflictError(N_("This device is not enrolled, so it cannot be asked. Nothing was changed."))
    commands.send(employee.lent(call, Role.DESK_CLERK), [device.uid], Verb.REFRESH)


def sign_out_everywhere(call: Call) -> int:
    """Ends all of one's own sessions, this one too; how many."""
    employee.me(call)
    return end_all(call)
