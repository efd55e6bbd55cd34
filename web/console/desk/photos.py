"""Pictures of returned devices, for whoever works or looks at the desk where they were taken."""

from flask import current_app
from flask.wrappers import Response

from mdm.core.permissions import Permission
from mdm.desk.custody import photos
from mdm.storage.call import Call
from web.common.guard import may
from web.common.sealed import SEAL
from web.console.identity import settings
from web.console.pages.helpers import GET, Route


@may(Permission.DESK_VIEW)
def desk_photo(call: Call, uid: str) -> Response:
    """One picture as JPEG."""
    files = photos.Files(settings().home, current_app.extensions[SEAL])
    response = Response(photos.content(call, files, uid), mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, no-store"
    return response


ROUTES: tuple[Route, ...] = (("/desk/photos/<uid>", "desk_photo", desk_photo, GET),)
