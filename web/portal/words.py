"""What somebody did to one's own device, in words for the one who carries it."""

from flask_babel import gettext

from mdm.core.errors import N_
from mdm.core.permissions import Role
from mdm.desk.loans.model import LoanState
from mdm.enrollment.progress import Step
from mdm.guidance.model import QuestionState
from mdm.inventory.model import DeviceKind
from mdm.portal.families import Family
from mdm.portal.model import AppState
from mdm.portal.own import Deed
from mdm.privacy.own import Time

DEEDS = {
    "case.located": N_("was let look where it is"),
    "case.looked": N_("looked where it is"),
    "case.opened": N_("opened a case about it"),
    "case.closed": N_("closed the case"),
    "case.told": N_("wrote more into the case about it"),
    "command.diagnostics": N_("asked it for technical details"),
    "command.found": N_("ended the lost mode"),
    "command.locate": N_("asked it where it is"),
    "command.lock": N_("locked it"),
    "command.lost": N_("put it into lost mode"),
    "command.message": N_("sent it a message"),
    "command.refresh": N_("asked it for a new report"),
    "command.restart": N_("restarted it"),
    "command.unlock": N_("unlocked it"),
    "device.applications_viewed": N_("looked at its applications"),
    "device.edited": N_("changed its record"),
    "device.handed_out": N_("handed it to you"),
    "device.moved": N_("changed where it stands in the records"),
    "device.raw_viewed": N_("looked at its raw report"),
    "looked.device": N_("opened its page"),
    "looked.file": N_("took out a list in which you stand"),
    "looked.page": N_("opened your record"),
    "looked.program": N_("read your record with a program"),
    "order.requested": N_("asked to wipe it"),
    "order.approved": N_("approved the wipe"),
    "order.cancelled": N_("cancelled the wipe"),
    "panic.spot_set": N_("wrote down in which room it stands"),
    "person.code_made": N_("made a paper with a code for you"),
    "person.edited": N_("changed your record"),
    "secret.revealed": N_("looked at a secret that is kept of it"),
}
"""By action of the diary; whatever is not here is told as something that was done."""
OTHER = N_("did something with it")


FAMILIES = {
    Family.ANDROID: N_("Android phone or tablet"),
    Family.COMPUTER: N_("Computer"),
    Family.IPAD: N_("iPad"),
    Family.IPHONE: N_("iPhone"),
    Family.IPHONE_BUTTON: N_("iPhone"),
    Family.KIOSK: N_("Kiosk"),
}
"""What people call what they hold."""
STEPS = {
    Step.PROVED: N_("The device has said who it is."),
    Step.CERTIFIED: N_("The city knows the device now."),
    Step.REPORTED: N_("The device has said how it is."),
    Step.CONFIGURED: N_("The device has its settings."),
}
"""What happens while one waits."""
APP_STATES = {
    AppState.ASKED: N_("You wait for the answer"),
    AppState.GRANTED: N_("You get it"),
    AppState.REFUSED: N_("You do not get it"),
    AppState.WITHDRAWN: N_("Taken back"),
}
"""What became of a wish for an application."""
QUESTION_STATES = {
    QuestionState.ANSWERED: N_("Answered"),
    QuestionState.ASKED: N_("Asked"),
    QuestionState.HANDED: N_("The service point looks after it"),
    QuestionState.TAKEN: N_("Somebody looks after it"),
}
"""Where a question to a colleague is in its life."""
KINDS = {
    DeviceKind.KIOSK: N_("Kiosk"),
    DeviceKind.LAPTOP: N_("Laptop"),
    DeviceKind.PHONE: N_("Phone"),
    DeviceKind.TABLET: N_("Tablet"),
}
LOAN_STATES = {
    LoanState.COLLECTED: N_("You have it"),
    LoanState.PREPARED: N_("It lies ready for you"),
    LoanState.RESERVED: N_("It is reserved for you"),
    LoanState.WAITING: N_("You are on the wait list"),
}


ROLES = {
    Role.APPROVER: N_("people who approve"),
    Role.AUDITOR: N_("auditors"),
    Role.DESK_CLERK: N_("the service point"),
    Role.EMPLOYEE: N_("you"),
    Role.FLEET_ADMIN: N_("administrators of devices"),
    Role.POLICY_EDITOR: N_("people who make the settings"),
}
"""Who can see something."""


SECTIONS = {
    "agent": N_("The program of the city on it"),
    "desired": N_("Which settings of the city are on it"),
    "disks": N_("How full it is"),
    "encryption": N_("Whether it is encrypted"),
    "firewall": N_("Its firewall"),
    "kiosk": N_("What a kiosk shows and prints"),
    "network": N_("Its network"),
    "packages": N_("Which programs are on it"),
    "patch": N_("Its updates"),
    "screenlock": N_("Its screen lock"),
    "system": N_("Its system"),
}
"""Parts of what a device says; of one that is not here the technical name is shown."""


def section(name: str) -> str:
    """A part of what a device says, in words."""
    return str(gettext(SECTIONS[name])) if name in SECTIONS else name


def role(one: Role) -> str:
    """A role in words."""
    return str(gettext(ROLES[one]))


def span(time: Time) -> str:
    """How long something is kept, in words."""
    if time.days is None:
        return str(gettext(time.sentence))
    if time.days == 1:
        return str(gettext("one day"))
    return str(gettext("%(number)s days", number=time.days)) if time.days else str(gettext("until it ends"))


def told(deed: Deed) -> str:
    """The deed in words, after the name of who did it."""
    return str(gettext(DEEDS.get(deed.action, OTHER)))
