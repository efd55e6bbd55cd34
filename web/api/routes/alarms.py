"""Alarms, and the targets of webhooks that hear them."""

from apiflask import APIBlueprint
from flask import current_app
from sqlalchemy import func, select

from mdm.alarms import model, queries, service, targets
from mdm.alarms.address import hosts
from mdm.core.permissions import Permission
from mdm.core.risk import Risk
from mdm.settings import Settings
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.paging import Page, PageQuery, cut, walk
from web.api.shapes import alarms as shapes
from web.api.shapes.alarms import Alarm, WebhookTarget
from web.common.app import SETTINGS

api = APIBlueprint(
    "alarms", __name__, tag={"name": "Alarms", "description": "What somebody must hear of at once, and who is told."}
)
VIEW, MANAGE = Permission.ALARM_VIEW, Permission.WEBHOOK_MANAGE


def _shown(alarm: model.Alarm) -> Alarm:
    return Alarm.model_validate(
        {name: getattr(alarm, name) for name in Alarm.model_fields if name != "sentence"}
        | {"sentence": service.sentence(alarm)}
    )


@operation(api, "GET", "/alarms", VIEW, query=PageQuery, answer=shapes.AlarmPage)
def list_alarms(call: Call, query: PageQuery) -> Page[Alarm]:
    """List alarms.

    Newest first; those at your places, and the city's for whoever answers for the city.
    """
    wanted = queries.alarms_select(call)

    def fetch(mark: tuple[int] | None, limit: int) -> list[model.Alarm]:
        rows = wanted if mark is None else wanted.where(model.Alarm.id < mark[0])
        return list(call.session.scalars(rows.limit(limit)))

    rows, following = walk(query, fetch, lambda row: (row.id,))
    total = call.session.scalar(select(func.count()).select_from(wanted.order_by(None).subquery())) or 0
    return shapes.AlarmPage(items=[_shown(row) for row in rows], next=following, total=total)


@operation(api, "GET", "/webhook-targets", MANAGE, query=PageQuery, answer=shapes.WebhookTargetPage)
def list_webhook_targets(call: Call, query: PageQuery) -> Page[WebhookTarget]:
    """List the targets of webhooks.

    By name, with how the last delivery went; needs the right for the whole city.
    """
    rows, following, total = cut(queries.webhook_targets(call), query, lambda row: row.id)
    items = [WebhookTarget.model_validate(row) for row in rows]
    return shapes.WebhookTargetPage(items=items, next=following, total=total)


@operation(
    api,
    "POST",
    "/webhook-targets",
    MANAGE,
    body=shapes.NewWebhookTarget,
    answer=WebhookTarget,
    risks=(Risk.WEBHOOK,),
)
def set_webhook_target(call: Call, body: shapes.NewWebhookTarget) -> WebhookTarget:
    """Set a target of webhooks.

    The one of this name is changed where there is one. 422 for a host that is not on the server's list `webhook_hosts`.
    """
    settings: Settings = current_app.extensions[SETTINGS]
    found = targets.set_target(
        call, hosts(settings.webhook_hosts), name=body.name, url=body.url, kinds=body.kinds, enabled=body.enabled
    )
    return WebhookTarget.model_validate(found)


@operation(
    api,
    "DELETE",
    "/webhook-targets/<key:webhook_target_id>",
    MANAGE,
    answer=None,
    status=204,
    risks=(Risk.WEBHOOK,),
)
def remove_webhook_target(call: Call, webhook_target_id: int) -> None:
    """Remove a target of webhooks.

    It is told nothing any more.
    """
    targets.remove_target(call, queries.webhook_target(call, webhook_target_id).name)
