"""How far an invitation has come, as a pure rule: the steps in their order, and why it stopped where it did."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mdm.core.errors import N_
from mdm.enrollment.model import Invitation


class Standing(StrEnum):
    """What an invitation is worth now."""

    EXPIRED = "expired"
    OPEN = "open"
    USED = "used"
    WITHDRAWN = "withdrawn"


class Step(StrEnum):
    """The way from an invitation to a managed device, in order."""

    INVITED = "invited"
    OPENED = "opened"
    PROVED = "proved"
    CERTIFIED = "certified"
    REPORTED = "reported"
    CONFIGURED = "configured"


ORDER = (Step.INVITED, Step.OPENED, Step.PROVED, Step.CERTIFIED, Step.REPORTED, Step.CONFIGURED)

SENTENCES = {
    Step.INVITED: N_("You are invited."),
    Step.OPENED: N_("You opened the invitation."),
    Step.PROVED: N_("The device made its own key and proved it."),
    Step.CERTIFIED: N_("The device has its certificate."),
    Step.REPORTED: N_("The device sent its first report."),
    Step.CONFIGURED: N_("The device has its settings. You are ready."),
}
"""What the person who was invited reads."""

OF_SOMEBODY = SENTENCES | {
    Step.INVITED: N_("The invitation was made."),
    Step.OPENED: N_("The invitation was opened."),
    Step.CONFIGURED: N_("The device has its settings. It is ready."),
}
"""What those read who invited somebody."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The steps that are done, with their moments, and a sentence where it stopped."""

    standing: Standing
    done: dict[Step, datetime | None]
    failure: str
    device: str | None
    """Our id of the device, as soon as there is one."""

    @property
    def green(self) -> bool:
        """Whether the last step is done."""
        return Step.CONFIGURED in self.done

    @property
    def next(self) -> Step | None:
        """The step that is waited for, None when all are done."""
        return next((step for step in ORDER if step not in self.done), None)


def standing(invitation: Invitation, now: datetime) -> Standing:
    """What the invitation is worth at ``now``."""
    if invitation.used_at is not None:
        return Standing.USED
    if invitation.withdrawn_at is not None:
        return Standing.WITHDRAWN
    return Standing.EXPIRED if invitation.expires_at <= now else Standing.OPEN


def progress(
    invitation: Invitation, now: datetime, *, device: str | None, configured_at: datetime | None, configured: bool
) -> Progress:
    """How far it has come. A later step implies the earlier ones: an agent never opens the page."""
    moments: dict[Step, datetime | None] = {
        Step.INVITED: invitation.created_at,
        Step.OPENED: invitation.opened_at,
        Step.PROVED: invitation.used_at,
        Step.CERTIFIED: invitation.certified_at,
        Step.REPORTED: invitation.reported_at,
        Step.CONFIGURED: configured_at if configured and invitation.reported_at else None,
    }
    reached = [step for step in ORDER if moments[step] is not None]
    last = ORDER.index(reached[-1]) if reached else -1
    done = {step: moments[step] for step in ORDER[: last + 1]}
    failure = invitation.failure if invitation.failed_at is not None and Step.CERTIFIED not in done else ""
    return Progress(standing(invitation, now), done, failure, device)
