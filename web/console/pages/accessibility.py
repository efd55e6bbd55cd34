"""The accessibility statement of the console and the desk."""

from flask.wrappers import Response
from flask_babel import get_locale

from mdm.storage.call import Call
from web.common.accessibility import statement
from web.common.guard import public
from web.console.identity import settings
from web.console.pages.helpers import GET, Route, page


@public("the accessibility statement, for whoever cannot sign in too")
def accessibility(_call: Call) -> Response:
    """How far these pages can be used by everybody, what does not work, and where to say so."""
    language = str(get_locale() or "en")[:2]
    return page("accessibility.html", statement=statement("console", language, settings()))


ROUTES: tuple[Route, ...] = (("/accessibility", "accessibility", accessibility, GET),)
