"""What of Apple's ends by itself: people are told 60, 30 and 7 days before, and once more when it has ended.

An alarm goes by mail to everybody who answers for the whole city; each step is told once for each paper.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import select

from mdm.alarms.kinds import Kind
from mdm.alarms.service import raise_alarm
from mdm.core.errors import N_
from mdm.platforms.apple import pushing
from mdm.platforms.apple.automated.model import AppleTie
from mdm.platforms.apple.model import ApplePush
from mdm.storage.call import Call

STEPS: Final = (0, *sorted(pushing.WARN_DAYS))
"""The steps in days before the end, the last one first; 0 is the end itself."""

_PUSH = N_(
    "The push certificate ends on %(day)s, in %(days)s days. Renew it at Apple with the account %(account)s and the button"
    " Renew, never with Create: a new one has another topic, and every phone would have to enrol again."
)
_PUSH_OVER = N_(
    "The push certificate ended on %(day)s. No phone is woken and none can enrol until it is renewed with the account"
    " %(account)s; phones that come by themselves are still answered."
)
_TOKEN = N_(
    "The token of Apple's device list ends on %(day)s, in %(days)s days. Download a new one at Apple's portal, and bring it in."
)
_TOKEN_OVER = N_(
    "The token of Apple's device list ended on %(day)s. New phones are not learnt of until a new one is brought in."
)


def step(end: datetime, now: datetime) -> int | None:
    """The last step that was reached before this end, None while it is far away."""
    left = (end - now).total_seconds() / 86_400
    return next((days for days in STEPS if left <= days), None)


def watch(call: Call) -> int:
    """Tells of every paper that reached another step since people were told last; how many."""
    return sum(_look(call, *one) for one in _papers(call))


def _papers(call: Call) -> Iterator[tuple[ApplePush | AppleTie, datetime, str, str, str]]:
    held = pushing.in_use(call.session)
    if held is not None:
        yield held, held.not_after, _PUSH, _PUSH_OVER, held.account or "?"
    for tie in call.session.scalars(select(AppleTie).where(AppleTie.token_ends_at.is_not(None)).order_by(AppleTie.id)):
        if tie.token_ends_at is not None:
            yield tie, tie.token_ends_at, _TOKEN, _TOKEN_OVER, ""


def _look(call: Call, paper: ApplePush | AppleTie, end: datetime, before: str, after: str, account: str) -> int:
    reached = step(end, call.now)
    if reached is None or (paper.warned is not None and paper.warned <= reached):
        return 0
    paper.warned = reached
    params = {"day": f"{end:%Y-%m-%d}", "days": (end - call.now).days, "account": account}
    kind = "push_certificate" if isinstance(paper, ApplePush) else "apple_tie"
    raise_alarm(call, Kind.APPLE_ENDING, before if reached else after, params, subject=(kind, paper.id))
    return 1
