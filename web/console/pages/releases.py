"""Releases of the agent: what is published, which rings get it, how many devices run it. Signing is not done here."""

from flask import url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.clock import utcnow
from mdm.core.errors import N_, ConfigurationError, HavenmeesterError, InvalidError
from mdm.core.permissions import Permission
from mdm.releases import service
from mdm.releases.model import EVERYONE
from mdm.releases.repository import of_home
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.identity import settings as configuration
from web.console.pages.helpers import GET, POST, Route, done, page, refused, text


@may(Permission.RELEASE_MANAGE)
def releases(call: Call) -> Response:
    """The list, and how the fleet stands."""
    return _releases(call)


def _releases(call: Call, failure: Failure | None = None) -> Response:
    repository = of_home(configuration().home)
    try:
        until = repository.believed_until() if repository.founded else None
    except ConfigurationError:
        until = None
    response = page(
        "settings/releases.html",
        lines=service.releases(call),
        versions=service.versions(call),
        rings=service.rings(call),
        everyone=EVERYONE,
        founded=repository.founded,
        until=until,
        late=until is not None and until <= utcnow(),
        failure=failure,
    )
    return failure.stamp(response) if failure else response


@may(Permission.RELEASE_MANAGE)
def release_change(call: Call, version: str) -> Response:
    """Rolls a release out to a ring, withdraws it, or has devices asked again."""
    try:
        sentence = _change(call, version)
    except HavenmeesterError as error:
        return _releases(call, refused(call, error))
    return done(sentence, url_for("releases"))


def _change(call: Call, version: str) -> str:
    step = text("step")
    if step == "roll_out":
        service.roll_out(call, version, text("ring"))
        return str(gettext("It is rolled out."))
    if step == "withdraw":
        service.withdraw(call, version)
        return str(gettext("It is withdrawn. Devices that have it keep it."))
    if step == "again":
        return str(gettext("Devices asked again: %(count)s", count=service.again(call, version)))
    raise InvalidError(N_("Choose what to do. Nothing was changed."))


ROUTES: tuple[Route, ...] = (
    ("/settings/releases", "releases", releases, GET),
    ("/settings/releases/<version>", "release_change", release_change, POST),
)
