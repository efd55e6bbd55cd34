"""Invitations by the clock: a few letters at a time, by day; reminders; leads; who is active by now."""

from datetime import timedelta

from mdm.adoption import sending
from mdm.adoption.writing import Writer
from mdm.people.model import Person
from mdm.portal import keys
from mdm.storage.call import Call
from mdm.worker.office import Office

forget = sending.forget
LINK = "/in/link/"
"""Where on the employees' page the link of a letter leads."""


def writer(office: Office) -> Writer:
    """The writer of this installation; its links let people into the employees' page."""
    base = office.settings.portal_base + LINK

    def make_link(call: Call, person: Person, life: timedelta) -> str:
        return base + keys.invitation_link(call, person, life)

    return Writer.of(office.settings, make_link)


def write_letters(office: Office) -> None:
    """Writes the next invitations, else the next reminders: few enough that what is urgent never waits behind them."""
    if _quiet(office):
        return
    pen = writer(office)
    with office.call("invitations", write=False) as call:
        if not sending.waits(call, pen):
            return
    with office.call("invitations") as call:
        if not sending.write_waiting(call, pen):
            sending.remind(call, pen)


def follow(office: Office) -> None:
    """Notes who is active and what was not delivered; by day, tells leads."""
    more = True
    while more:
        with office.call("adoption") as call:
            more = sending.notice_active(call) > 0
    with office.call("adoption") as call:
        sending.notice_failed(call)
    if _quiet(office):
        return
    pen = writer(office)
    more = True
    while more:
        with office.call("adoption") as call:
            more = sending.tell_leads(call, pen) == sending.LEADS


def _quiet(office: Office) -> bool:
    return office.settings.quiet.open_at(office.clock()) > office.clock()
