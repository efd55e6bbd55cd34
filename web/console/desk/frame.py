"""What every page of the desk has around it: where the clerk works, the way to the other pages, and the camera's leave."""

from dataclasses import dataclass
from typing import Any

from flask import current_app, g, request
from flask.wrappers import Response

from mdm.core.errors import N_, InvalidError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.org.model import ServicePoint
from mdm.storage.call import Call
from web.console.desk.place import desk_place, desk_places
from web.console.pages.helpers import page


@dataclass(frozen=True, slots=True)
class Tab:
    """One page of the desk's own navigation: shown where it exists, to those who may open it."""

    address: str
    label: str
    icon: str
    permission: Permission


TABS = (
    Tab("/desk", N_("Counter"), icon="scan", permission=Permission.DESK_VIEW),
    Tab("/desk/box", N_("Box"), icon="packages", permission=Permission.DESK_WORK),
    Tab("/desk/loans", N_("Loans"), icon="calendar", permission=Permission.DESK_VIEW),
    Tab("/desk/stock", N_("Stock"), icon="package", permission=Permission.DESK_VIEW),
    Tab("/desk/repairs", N_("Repairs"), icon="tool", permission=Permission.DESK_VIEW),
    Tab("/desk/cases", N_("Cases"), icon="alert-triangle", permission=Permission.CASE_VIEW),
    Tab("/desk/kiosks", N_("Kiosks"), icon="device-desktop", permission=Permission.DESK_VIEW),
)


def exists(rule: str) -> bool:
    """Whether there is a page with this rule: the desk's subjects are built one by one, and none leads to nothing."""
    return any(one.rule == rule for one in current_app.url_map.iter_rules())


def tabs(call: Call) -> list[Tab]:
    """The pages of the desk that there are and that this person may open."""
    return [tab for tab in TABS if exists(tab.address) and call.actor.may_somewhere(tab.permission)]


def _current(shown: list[Tab]) -> str:
    """The page that the current address lies under: the longest of those that it begins with."""
    path = request.path.rstrip("/")
    under = [tab.address for tab in shown if path == tab.address or path.startswith(f"{tab.address}/")]
    return max(under, key=len, default="")


def worked_at(call: Call) -> ServicePoint:
    """Where this person works, for what is done there; InvalidError while they have not chosen."""
    point = desk_place(call)
    if point is None:
        raise InvalidError(N_("Choose the service point where you work first. Nothing was done."), code="no_place")
    return point


def desk_page(call: Call, template: str, status: int = 200, *, camera: bool = False, **values: Any) -> Response:
    """A page of the desk, for every module of this folder.

    Templates extend ``desk/_frame.html``. ``place`` is where the clerk works (None: not chosen), ``key`` a fresh idempotency
    key for the page's form. ``camera`` opens the camera to this one page: everywhere else the browser keeps it shut.
    """
    shown = tabs(call)
    g.camera = camera
    return page(
        template,
        status,
        **{
            "place": desk_place(call),
            "places": desk_places(call),
            "desk_tabs": shown,
            "desk_current": _current(shown),
            "may_work": call.actor.may_somewhere(Permission.DESK_WORK),
            "key": new_uid(),
            **values,
        },
    )
