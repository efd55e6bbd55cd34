"""Android phones under Settings: the vendor's agent, applications and files for phones, and how phones are set up."""

from flask import current_app, g, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import N_, HavenmeesterError, InvalidError
from mdm.core.permissions import Permission
from mdm.platforms.android import files
from mdm.platforms.android.files import Store
from mdm.platforms.android.headwind import numbers, service
from mdm.platforms.android.headwind.wire import AGENT
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.common.sealed import SEAL
from web.console.identity import settings as configuration
from web.console.pages.helpers import GET, POST, Route, done, page, refused, text

UPLOAD = "android_upload"
"""The endpoint that takes large files; the application raises the limit of a body for it, for whoever may use it."""


def _androids(call: Call, failure: Failure | None = None) -> Response:
    kept = files.in_use(call.session)
    response = page(
        "phones/android.html",
        agent=next((one for one in kept if one.package == AGENT), None),
        files=[one for one in kept if one.package != AGENT],
        checksum=numbers.checksum,
        setup=numbers.setup(call),
        address=configuration().android_base,
        own_address=bool(configuration().android_url),
        securities=[(one, gettext("open, without a password") if one == "NONE" else one) for one in service.SECURITIES],
        fresh=g.fresh,
        failure=failure,
        values=request.form,
    )
    return failure.stamp(response) if failure else response


@may(Permission.SETTINGS_VIEW)
def androids(call: Call) -> Response:
    """What Android phones need before they can be set up."""
    return _androids(call)


@may(Permission.PHONES_MANAGE)
def android_setup(call: Call) -> Response:
    """Changes the network and the rest of what a QR code says."""
    again = _again()
    if again is not None:
        return again
    password = request.form.get("password", "")[:64]
    try:
        service.set_up(
            call,
            current_app.extensions[SEAL],
            ssid=text("ssid"),
            security=text("security") or "NONE",
            password=password or None,
            hidden=bool(text("hidden")),
            mobile_data=bool(text("mobile_data")),
            leave_apps=not text("strip_apps"),
            locale=text("locale"),
            time_zone=text("time_zone"),
        )
    except HavenmeesterError as error:
        return _androids(call, refused(call, error))
    return done(gettext("Saved. QR codes that are shown from now on say so."), url_for("androids"))


@may(Permission.PHONES_MANAGE)
def android_upload(call: Call) -> Response:
    """Brings in an application or another file."""
    again = _again()
    if again is not None:
        return again
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise InvalidError(
                N_("Choose a file. Nothing was kept."), fields={"file": N_("This is needed.")}, code="file_missing"
            )
        kept = files.upload(call, Store(configuration().home), file.filename, file.stream)  # type: ignore[arg-type]
    except HavenmeesterError as error:
        return _androids(call, refused(call, error))
    return done(gettext("%(name)s was brought in.", name=kept.package or kept.name), url_for("androids"))


@may(Permission.PHONES_MANAGE)
def android_retire(call: Call, digest: str) -> Response:
    """Takes a file out of use."""
    kept = files.retire(call, digest)
    return done(gettext("%(name)s is out of use.", name=kept.package or kept.name), url_for("androids"))


def _again() -> Response | None:
    goal = url_for("prove", next=url_for("androids"))
    return None if g.get("fresh") else make_response(redirect(goal, 303))


ROUTES: tuple[Route, ...] = (
    ("/settings/phones/android", "androids", androids, GET),
    ("/settings/phones/android/setup", "android_setup", android_setup, POST),
    ("/settings/phones/android/files", UPLOAD, android_upload, POST),
    ("/settings/phones/android/files/<digest>/retire", "android_retire", android_retire, POST),
)
