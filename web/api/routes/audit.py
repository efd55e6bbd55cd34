"""The diary."""

from apiflask import APIBlueprint
from flask import current_app

from mdm.audit import heads, model, queries
from mdm.core.actor import require
from mdm.core.permissions import Permission
from mdm.settings import Settings
from mdm.signing.client import SignerClient
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.paging import Page, walk
from web.api.shapes import audit as shapes
from web.api.shapes.audit import AuditLine
from web.common.app import SETTINGS

api = APIBlueprint("audit", __name__, tag={"name": "Audit", "description": "The diary of every change, and its proof."})
VIEW = Permission.AUDIT_VIEW


@operation(api, "GET", "/audit", VIEW, query=shapes.AuditQuery, answer=shapes.AuditPage)
def list_audit(call: Call, query: shapes.AuditQuery) -> Page[AuditLine]:
    """List the diary.

    Newest first; only lines about things at your places.
    """
    filters = queries.Filters(
        action=query.action,
        actor_kind=query.actor_kind or "",
        actor_id=query.actor_id,
        subject_kind=query.subject_kind,
        subject_id=query.subject_id,
        service_point_id=query.service_point_id,
        since=query.since,
        until=query.until,
        words=query.search,
        request_id=query.request,
    )

    def fetch(mark: tuple[int] | None, limit: int) -> list[model.AuditEntry]:
        wanted = queries.lines_select(call, filters)
        if mark is not None:
            wanted = wanted.where(model.AuditEntry.id < mark[0])
        return list(call.session.scalars(wanted.limit(limit)))

    rows, following = walk(query, fetch, lambda row: (row.id,))
    items = [AuditLine.model_validate(row) for row in rows]
    return shapes.AuditPage(items=items, next=following, total=queries.count(call, filters))


@operation(api, "GET", "/audit/<key:line>", VIEW, answer=AuditLine)
def get_audit_line(call: Call, line: int) -> AuditLine:
    """Read one line of the diary.

    By its number.
    """
    return AuditLine.model_validate(queries.line(call, line))


@operation(api, "GET", "/audit/proof", VIEW, answer=shapes.Proof)
def prove_audit(call: Call) -> shapes.Proof:
    """Prove the diary.

    Reads every line and its hash, and compares them with what the signer signed; needs the right for the whole city. An
    altered, missing or inserted line is named. While the signer does not answer, nothing is proved of the end.
    """
    require(call.actor, VIEW)
    settings: Settings = current_app.extensions[SETTINGS]
    found = heads.prove(call.session, SignerClient(settings.signer_socket))
    proof = found.proof
    return shapes.Proof(
        whole=found.proved,
        signer_asked=found.signer_asked,
        lines=proof.lines,
        heads=proof.heads,
        hash=proof.hash,
        broken_at=proof.broken_at,
        why=str(proof),
    )
