"""Saved views: a list with its filters and columns under a name."""

from sqlalchemy import func, or_, select

from mdm.access.model import Operator, SavedView
from mdm.access.people_only import own_id
from mdm.core.errors import N_, ConflictError, InvalidError, NotFoundError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.storage.call import Call

MOST = 100
"""Views of one operator."""
LONGEST_QUERY = 2000


def save_view(call: Call, *, list_name: str, name: str, query: str, shared: bool = False) -> SavedView:
    """Keeps a view; one of oneself with the same list and name is replaced.

    Raises InvalidError without a name or for a query that is too long, ConflictError beyond a hundred views.
    """
    mine = own_id(call)
    written = clean(name, 64)
    if not written or len(query) > LONGEST_QUERY:
        sentence = N_("A view needs a name, and at most 2000 characters of filters.")
        raise InvalidError(sentence, fields={"name": sentence})
    view = call.session.scalar(
        select(SavedView).where(
            SavedView.operator_id == mine, SavedView.list_name == list_name, SavedView.name == written
        )
    )
    if view is None:
        count = select(func.count()).select_from(SavedView).where(SavedView.operator_id == mine)
        if (call.session.scalar(count) or 0) >= MOST:
            raise ConflictError(N_("You have a hundred views. Nothing was saved; delete one first."))
        view = SavedView(operator_id=mine, list_name=clean(list_name, 32), name=written, created_at=call.now)
        call.session.add(view)
    view.query = clean(query, LONGEST_QUERY)
    view.shared = shared
    call.session.flush()
    return view


def views(call: Call, list_name: str) -> list[tuple[SavedView, str]]:
    """One's own views of a list, then those that others share, each with its owner's name."""
    mine = own_id(call)
    rows = call.session.execute(
        select(SavedView, Operator.name)
        .join(Operator, Operator.id == SavedView.operator_id)
        .where(
            SavedView.list_name == list_name,
            or_(SavedView.operator_id == mine, SavedView.shared & Operator.disabled_at.is_(None)),
        )
        .order_by(SavedView.name, SavedView.id)
    )
    return sorted(((row[0], row[1]) for row in rows), key=lambda pair: pair[0].operator_id != mine)


def delete_view(call: Call, view_id: int) -> None:
    """Deletes one's own view, or as a fleet admin one that is shared; NotFoundError for any other."""
    view = call.session.get(SavedView, view_id)
    mine = own_id(call)
    governed = view is not None and view.shared and call.actor.may(Permission.OPERATOR_MANAGE)
    if view is None or not (view.operator_id == mine or governed):
        raise NotFoundError(N_("There is no such view, or it is not yours."))
    call.session.delete(view)
