"""Numbered papers: written once, counted per service point and year, found by number or by the key of the act."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Select, select
from sqlalchemy.dialects import postgresql, sqlite

from mdm.core.errors import N_, ConflictError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission, Where
from mdm.desk.custody.model import Paper, PaperCounter, PaperKind, Signature, Terms
from mdm.org.model import ServicePoint
from mdm.outbox import service as outbox
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.scoping import within
from mdm.storage.unique import flush_unique

PAGE: Final = 50
LONGEST_KEY: Final = 128


def papers_select(call: Call) -> Select[Paper]:
    """Papers of the actor's places."""
    return select(Paper).where(within(call.actor.scope(Permission.DESK_VIEW), Paper.service_point_id, Paper.unit_id))


def paper(call: Call, uid: str) -> Paper:
    """One paper by its id or its number; NotFoundError when it is not there or not the actor's."""
    found = call.session.scalar(papers_select(call).where((Paper.uid == uid) | (Paper.number == uid)))
    if found is None:
        raise NotFoundError(N_("There is no such paper, or it is not one of yours."))
    return found


def papers(
    call: Call, *, person_id: int | None = None, service_point_id: int | None = None, before: int | None = None,
    limit: int = PAGE,
) -> Sequence[Paper]:  # fmt: skip
    """Papers, newest first; ``before`` is the number of the row of the last one of the page before."""
    query = papers_select(call)
    if person_id is not None:
        query = query.where(Paper.person_id == person_id)
    if service_point_id is not None:
        query = query.where(Paper.service_point_id == service_point_id)
    if before is not None:
        query = query.where(Paper.id < before)
    return call.session.scalars(query.order_by(Paper.id.desc()).limit(limit)).all()


def by_key(call: Call, key: str, kind: PaperKind, device: str) -> Paper | None:
    """The paper that this key made before; None for a new or an empty key.

    Raises ConflictError (``key_reused``) when it made another kind of paper, or one about another device, or somebody
    else's: nothing of that one is told.
    """
    if not key:
        return None
    found = call.session.scalar(select(Paper).where(Paper.key == key[:LONGEST_KEY]))
    if found is None:
        return None
    devices = {str(one.get("uid")) for one in found.content.get("devices", []) + found.content.get("back", [])}
    if found.kind != kind or device not in devices or found.clerk != call.actor.name:
        raise ConflictError(
            N_("This form was used for something else already. Nothing was done; open it once more."), code="key_reused"
        )
    return found


def write(
    call: Call,
    kind: PaperKind,
    where: Where,
    content: Mapping[str, Any],
    *,
    person: Person | None,
    key: str = "",
    language: str = "nl",
    terms: Terms | None = None,
    signature: Signature | None = None,
) -> Paper:
    """Writes a paper under the next number of its service point, and has it mailed to the person by the worker."""
    point = call.session.get_one(ServicePoint, where.service_point_id)
    row = Paper(
        uid=new_uid(),
        number=_next(call, point),
        kind=kind.value,
        key=key[:LONGEST_KEY] or None,
        service_point_id=point.id,
        unit_id=person.unit_id if person else None,
        person_id=person.id if person else None,
        person_name=person.name if person else "",
        language=language,
        clerk=call.actor.name,
        at=call.now,
        terms_id=terms.id if terms else None,
        signature_id=signature.id if signature else None,
        content=dict(content),
    )
    call.session.add(row)
    flush_unique(
        call.session,
        ConflictError(N_("The same form arrived twice at this moment. It is done once; look again."), code="stale"),
    )
    if signature is not None:
        signature.used_at = call.now
    if person is not None and person.email:
        outbox.post(call, "desk.paper", {"paper": row.id})
    return row


def _next(call: Call, point: ServicePoint) -> str:
    year = call.now.year
    insert = sqlite.insert if call.session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = (
        insert(PaperCounter)
        .values(service_point_id=point.id, year=year, last=1)
        .on_conflict_do_update(
            index_elements=["service_point_id", "year"], set_={"last": PaperCounter.__table__.c.last + 1}
        )
        .returning(PaperCounter.__table__.c.last)
    )
    # The row stays locked until the transaction ends, so numbers have no gaps.
    return f"{point.code}-{year}-{call.session.execute(statement).scalar_one():05d}"
