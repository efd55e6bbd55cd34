"""One check-in with our agent: what it says is taken in, what it shall have is given. The order is a list."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import structlog

from agent.wire import Answer, Command, Desired, Report, Result
from mdm.commands import delivery as commands
from mdm.commands.model import Verb
from mdm.core.errors import UnavailableError
from mdm.enrollment import redeem, renewal
from mdm.enrollment.queries import former_keys
from mdm.inventory import reports
from mdm.inventory.model import Device
from mdm.orders import delivery as orders
from mdm.orders.envelope import known_roster, rosters
from mdm.platforms.linux.messages import CheckinMessage
from mdm.policies.model import Cohort
from mdm.storage.call import Call

log = structlog.get_logger(__name__)
NOTHING = "-"
OrderKey = Callable[[], str | None]
"""Gives the signer's public key, None while it is not known: then no order is given."""


@dataclass(frozen=True, slots=True)
class Knock:
    """Who stands at the door and what waits for them: the one row that the hot path reads."""

    enrollment_id: int
    device_id: int
    device_uid: str
    device_name: str
    key_digest: str
    used_before: bool
    renew: bool
    report_digest: str
    waiting: int
    cohort_id: int | None
    desired_digest: str | None

    def lacks_desired(self, digest: str) -> bool:
        """Whether the device shall have another desired state than the one in its hands."""
        return self.desired_digest not in (None, NOTHING) and self.desired_digest != digest

    def nothing_new(self, desired: str, report: str) -> bool:
        """Whether neither side has anything to tell the other."""
        return (
            self.used_before
            and not self.renew
            and self.waiting == 0
            and report == self.report_digest != NOTHING
            and not self.lacks_desired(desired)
        )

    def writes(self, message: "CheckinMessage | None") -> bool:
        """Whether the exchange will change anything: if not, it needs no write lock."""
        return message is not None or self.waiting > 0 or not self.used_before


@dataclass(frozen=True, slots=True)
class Visit:
    """What the agent brings to one check-in: its digests, and its message if it has one."""

    desired: str
    report: str
    message: CheckinMessage | None = None
    order_key: OrderKey = field(default=lambda: None)


def exchange(call: Call, knock: Knock, visit: Visit, seconds: int) -> Answer:
    """The answer to one check-in; ``seconds`` is when the agent shall come back by itself.

    Everything that the agent sent is stored in the call's transaction: what is answered was kept. Raises InvalidError
    when something in the message is wrong; nothing of it is stored then.
    """
    if not knock.used_before:
        renewal.first_use(call, knock.enrollment_id)
    answer: Answer = {"next": seconds}
    known = knock.report_digest
    if visit.message is not None:
        known = _take(call, knock, visit.message, answer)
    told = visit.message is not None and visit.message.report is not None
    if not told and (known == NOTHING or known != visit.report):
        answer["want"] = ["*"]
    desired = _desired(call, knock, visit)
    if desired is not None:
        answer["desired"] = desired
    waiting = _waiting(call, knock, visit)
    if waiting:
        answer["commands"] = waiting
    if knock.renew:
        answer["renew"] = True
    return answer


def _take(call: Call, knock: Knock, message: CheckinMessage, answer: Answer) -> str:
    """Stores report and results; the digest of what the server knows now."""
    known = knock.report_digest
    if message.report is not None:
        device = call.session.get_one(Device, knock.device_id)
        first = device.last_report_id is None or known == NOTHING
        lacking = reports.take_report(call, device, cast(Report, message.report.model_dump()))
        if lacking:
            answer["want"] = lacking
        if first:
            redeem.first_report(call, knock.device_id)
        known = device.report_digest
    results = [cast(Result, result.model_dump(exclude_none=True)) for result in message.results]
    asked = [result for result in results if not orders.take_answer(call, knock.device_id, result)]
    if asked:
        commands.take_results(call, knock.device_id, asked)
    return known


def _desired(call: Call, knock: Knock, visit: Visit) -> Desired | None:
    if knock.cohort_id is None or not knock.lacks_desired(visit.desired):
        return None
    cohort = call.session.get(Cohort, knock.cohort_id)
    if cohort is None or cohort.desired_digest == NOTHING:
        return None
    resources: list[dict[str, Any]] = cohort.desired.get("resources", [])
    return {"digest": cohort.desired_digest, "resources": resources}


def _waiting(call: Call, knock: Knock, visit: Visit) -> list[Command]:
    """Commands in the order they were asked for, and last the order that ends them all."""
    if not knock.waiting:
        return []
    given = commands.next_for(call.session, knock.device_id, call.now)
    for one in given:
        if one["verb"] == Verb.ROSTER:
            one["args"] = {"rosters": rosters(call, known_roster(call, knock.device_id))}
    key = visit.order_key()
    order = _order(call, knock, key) if key else None
    return [*given, order] if order is not None else given


def _order(call: Call, knock: Knock, key: str) -> Command | None:
    """The order that waits. While the diary cannot be written, none is given, and the check-in goes on without it."""
    try:
        with call.session.begin_nested():
            former = former_keys(call.session, knock.enrollment_id)
            return orders.released_for(call, knock.device_id, order_key=key, key_digest=knock.key_digest, former=former)
    except UnavailableError as error:
        log.warning("an order waits for the diary", device=knock.device_uid, why=str(error))
        return None
