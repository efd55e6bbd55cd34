"""Reads of alarms and of the targets of webhooks."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Select, func, select

from mdm.alarms.model import Alarm, WebhookTarget
from mdm.core.actor import require
from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.outbox.model import OutboxMessage
from mdm.storage.call import Call
from mdm.storage.scoping import within

PAGE = 50
MAX_PAGE = 200
RECENT = timedelta(hours=24)


def alarms_select(call: Call) -> Select[Alarm]:
    """The alarms at the actor's places, the newest first; those of no place are the city's."""
    scope = call.actor.scope(Permission.ALARM_VIEW)
    return select(Alarm).where(within(scope, Alarm.service_point_id, Alarm.unit_id)).order_by(Alarm.id.desc())


def alarms(call: Call, *, before: int | None = None, limit: int = PAGE) -> Sequence[Alarm]:
    """One page of alarms; ``before`` is the number of the last one of the page before."""
    query = alarms_select(call)
    if before is not None:
        query = query.where(Alarm.id < before)
    return call.session.scalars(query.limit(max(1, min(limit, MAX_PAGE)))).all()


def recent(call: Call) -> Sequence[Alarm]:
    """The alarms of the last day at the actor's places, at most five: for a banner."""
    return call.session.scalars(alarms_select(call).where(Alarm.at > call.now - RECENT).limit(5)).all()


def webhook_targets(call: Call) -> Sequence[WebhookTarget]:
    """Every target, by name; needs the right for the whole city."""
    require(call.actor, Permission.WEBHOOK_MANAGE)
    return call.session.scalars(select(WebhookTarget).order_by(WebhookTarget.name)).all()


def webhook_target(call: Call, target_id: int) -> WebhookTarget:
    """One target; needs the right for the whole city. Raises NotFoundError."""
    require(call.actor, Permission.WEBHOOK_MANAGE)
    found = call.session.get(WebhookTarget, target_id)
    if found is None:
        raise NotFoundError(N_("There is no such target of webhooks, or it is not one of yours."))
    return found


def undelivered(call: Call) -> tuple[int, int]:
    """Webhooks that wait, and webhooks that were given up."""
    require(call.actor, Permission.WEBHOOK_MANAGE)
    of_webhooks = select(func.count()).select_from(OutboxMessage).where(OutboxMessage.topic == "webhook")
    waiting = of_webhooks.where(OutboxMessage.done_at.is_(None), OutboxMessage.dead_at.is_(None))
    dead = of_webhooks.where(OutboxMessage.dead_at.is_not(None))
    return call.session.scalar(waiting) or 0, call.session.scalar(dead) or 0
