"""Applications: what the devices have, in which versions, and what policies say about it."""

from flask.wrappers import Response

from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.inventory.queries import versions
from mdm.overview.applications import listing
from mdm.overview.listing import one_row
from mdm.storage.call import Call
from web.common.guard import may
from web.console.lists import export, show
from web.console.pages.helpers import GET, Route, page


@may(Permission.APPLICATION_VIEW)
def applications(call: Call) -> Response:
    """The list."""
    return page("applications/list.html", list=show(call, listing(call), "applications"))


@may(Permission.APPLICATION_VIEW, write=True)
def applications_file(call: Call) -> Response:
    """The list as a file."""
    return export(call, listing(call))


@may(Permission.APPLICATION_VIEW)
def application(call: Call, number: int) -> Response:
    """One application with its versions."""
    row = one_row(call, listing(call), number)
    if row is None:
        raise NotFoundError(N_("There is no such application, or it is on none of your devices."))
    return page("applications/application.html", row=row, versions=versions(call, number), number=number)


ROUTES: tuple[Route, ...] = (
    ("/applications", "applications", applications, GET),
    ("/applications/file", "applications_file", applications_file, GET),
    ("/applications/<int:number>", "application", application, GET),
)
