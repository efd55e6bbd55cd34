"""Acts: requests that need somebody else."""

from datetime import datetime

from apiflask import APIBlueprint
from sqlalchemy import func, select, tuple_

from mdm.core.permissions import Permission
from mdm.orders import acts, model
from mdm.orders.acts import queries
from mdm.storage.call import Call
from web.api.operation import SignedIn, operation
from web.api.paging import Page, walk
from web.api.shapes import acts as shapes
from web.api.shapes.acts import ActReceipt, ActRow
from web.api.shapes.orders import No, Yes

api = APIBlueprint(
    "acts", __name__, tag={"name": "Acts", "description": "Risky changes of the server itself: asked, approved, done."}
)
APPROVE = Permission.ORDER_APPROVE
ONE = "/acts/<uid:act_id>"


def _receipt(call: Call, act_id: str) -> ActReceipt:
    return ActReceipt.model_validate(queries.receipt(call, act_id).as_dict())


@operation(api, "GET", "/acts", SignedIn(), query=shapes.ActQuery, answer=shapes.ActPage)
def list_acts(call: Call, query: shapes.ActQuery) -> Page[ActRow]:
    """List requests that need somebody else.

    Newest first; those at the places where you see orders, and your own.
    """
    wanted = queries.acts_select(call, query.state or ())
    place = tuple_(model.Act.requested_at, model.Act.id)

    def fetch(mark: tuple[str, str] | None, limit: int) -> list[model.Act]:
        rows = wanted if mark is None else wanted.where(place < (datetime.fromisoformat(mark[0]), mark[1]))
        return list(call.session.scalars(rows.limit(limit)))

    rows, following = walk(query, fetch, lambda row: (row.requested_at.isoformat(), row.id))
    total = call.session.scalar(select(func.count()).select_from(wanted.order_by(None).subquery())) or 0
    return shapes.ActPage(items=[ActRow.model_validate(row) for row in rows], next=following, total=total)


@operation(api, "GET", ONE, SignedIn(), answer=ActReceipt)
def get_act(call: Call, act_id: str) -> ActReceipt:
    """Read one request.

    With the text that people sign, who decided, and what became of it.
    """
    return _receipt(call, act_id)


@operation(api, "POST", f"{ONE}/approve", APPROVE, body=shapes.ActYes, answer=ActReceipt)
def approve_act(call: Call, act_id: str, body: shapes.ActYes) -> ActReceipt:
    """Agree to somebody else's request.

    With your own signature over its statement. For people only. 403 with the rule that a signature broke; 409 when
    somebody was faster or no roster is founded.
    """
    acts.approve(call, act_id, body.proof, body.reason)
    return _receipt(call, act_id)


@operation(api, "POST", f"{ONE}/reject", APPROVE, body=No, answer=ActReceipt)
def reject_act(call: Call, act_id: str, body: No) -> ActReceipt:
    """Say no to a request.

    For people only. A reason is needed. 409 when somebody was faster.
    """
    acts.reject(call, act_id, body.reason)
    return _receipt(call, act_id)


@operation(api, "POST", f"{ONE}/cancel", SignedIn(), body=Yes, answer=ActReceipt)
def cancel_act(call: Call, act_id: str, body: Yes) -> ActReceipt:
    """Take a request back.

    Until it is done. Whoever asked, and who may ask for or approve orders there. Twice is like once.
    """
    acts.cancel(call, act_id, body.reason)
    return _receipt(call, act_id)
